"""What a block's people are served in the long run and next, and what is left of them at the end."""

from typing import Any

import numpy as np

from mirrorfield.arrays import S
from mirrorfield.kernel.jit import compiled, lanewise
from mirrorfield.kernel.rows import copy_row, of_state, set_row
from mirrorfield.maths import ONE, ZERO
from mirrorfield.model.diet import LIVED_IN, mixed, time_in_states


@lanewise
def share_out(odds: Any, inverse_total: Any, calm_to: Any, hooked_at: Any, moves: Any) -> None:
    """Turn odds, (K, n), into shares, and find where they lead; calm_to and hooked_at, (K, n); moves, (S, n)."""
    calm, engaged, hooked = moves[0], moves[1], moves[2]
    for j in range(len(inverse_total)):
        inverse_total[j] = ONE / inverse_total[j]
        calm[j], engaged[j], hooked[j] = ZERO, ZERO, ZERO
    for k in range(len(odds)):
        row, to_calm, to_hooked = odds[k], calm_to[k], hooked_at[k]
        for j in range(len(row)):
            share, low, high = row[j] * inverse_total[j], to_calm[j], to_hooked[j]
            row[j] = share
            calm[j] = calm[j] + share * low
            engaged[j] = engaged[j] + share * (high - low if high > low else ZERO)
            hooked[j] = hooked[j] + share * (ONE - high)


@lanewise
def add_rungs(shares: Any, served: Any) -> None:
    """Set the share of a category to that of all its rungs, (I, n)."""
    row = shares[0]
    for j in range(len(served)):
        served[j] = row[j]
    for r in range(1, len(shares)):
        row = shares[r]
        for j in range(len(served)):
            served[j] = served[j] + row[j]


@compiled
def look_from(odds: Any, total: Any, calm_to: Any, hooked_at: Any, moves: Any, trace: Any, s: int, start: int) -> None:
    """Write what each person would be served in state s, and find where they would go from there, (S, n)."""
    categories, n = trace.served.shape[1], len(total)
    rungs = len(odds) // categories
    share_out(odds, total, calm_to, hooked_at, moves)
    for after in range(S):
        copy_row(moves[after], trace.moves[s, after, start : start + n])
    for i in range(categories):
        add_rungs(odds[i * rungs : (i + 1) * rungs], trace.served[s, i, start : start + n])


@lanewise
def dwell_in(up: Any, leap: Any, back: Any, rose: Any, plunge: Any, down: Any, state: Any, dwell: Any) -> None:
    """Find the long run of everyone's states, (S, n)."""
    calm, engaged, hooked = dwell[0], dwell[1], dwell[2]
    for j in range(len(state)):
        s = state[j]
        calm[j], engaged[j], hooked[j] = time_in_states(
            up[j], leap[j], back[j], rose[j], plunge[j], down[j], of_state(s, True, False, False),
            of_state(s, False, False, True),
        )  # fmt: skip


@lanewise
def raise_crest(served: Any, crest: Any) -> None:
    """Raise the largest share so far."""
    for j in range(len(crest)):
        x, y = served[j], crest[j]
        crest[j] = x if x > y else y


@lanewise
def mix(one: Any, two: Any, three: Any, dwell: Any, row: Any) -> None:
    """Set a row to the mean over everyone's time of what depends on their state."""
    calm, engaged, hooked = dwell[0], dwell[1], dwell[2]
    for j in range(len(row)):
        row[j] = mixed(calm[j], engaged[j], hooked[j], one[j], two[j], three[j])


@lanewise
def pick(one: Any, two: Any, three: Any, state: Any, row: Any) -> None:
    """Set a row to what belongs to everyone's present state."""
    for j in range(len(row)):
        row[j] = of_state(state[j], one[j], two[j], three[j])


@lanewise
def agree(one: Any, two: Any, three: Any, crest: Any, dwell: Any, agreed: Any) -> None:
    """Mark those who have one category in the lead in every state that they live in."""
    first, second, third, calm, engaged, hooked = crest[0], crest[1], crest[2], dwell[0], dwell[1], dwell[2]
    for j in range(len(agreed)):
        leads = (one[j] >= first[j]) | (calm[j] <= LIVED_IN)
        leads = leads & ((two[j] >= second[j]) | (engaged[j] <= LIVED_IN))
        leads = leads & ((three[j] >= third[j]) | (hooked[j] <= LIVED_IN))
        was = agreed[j]
        agreed[j] = ONE if leads else was


@lanewise
def as_counts(row: Any, numbers: Any) -> None:
    """Write a row as whole numbers."""
    for j in range(len(row)):
        numbers[j] = np.int32(row[j])


@compiled
def mix_states(state: Any, dwell: Any, crest: Any, agreed: Any, trace: Any, c: int, start: int) -> None:
    """Write everyone's long run, diet, next feed and state, and whether they have two faces, as recorded step c.

    What they are served in each state, and where it leads, is in the trace; dwell and crest, (S, n), and agreed are
    filled, dwell with their long run.
    """
    stop, categories, moves, served = start + len(state), trace.served.shape[1], trace.moves, trace.served
    dwell_in(
        moves[0, 1, start:stop], moves[0, 2, start:stop], moves[1, 0, start:stop], moves[1, 2, start:stop],
        moves[2, 0, start:stop], moves[2, 1, start:stop], state, dwell,
    )  # fmt: skip
    set_row(ZERO, agreed)
    for s in range(S):
        copy_row(dwell[s], trace.time_in_state[s, start:stop])
        set_row(ZERO, crest[s])
        for i in range(categories):
            raise_crest(served[s, i, start:stop], crest[s])
    for i in range(categories):
        one, two, three = served[0, i, start:stop], served[1, i, start:stop], served[2, i, start:stop]
        mix(one, two, three, dwell, trace.diet[c, i, start:stop])
        pick(one, two, three, state, trace.feed[c, i, start:stop])
        agree(one, two, three, crest, dwell, agreed)
    for j in range(len(state)):
        trace.two_faced[c, start + j] = np.int8(ONE - agreed[j])
        trace.state[c, start + j] = np.int8(state[j])


@compiled
def mix_heights(state: Any, dwell: Any, trace: Any, c: int, start: int) -> None:
    """Write the mean intensity of everyone's diet and of their next feed, as recorded step c."""
    heights, stop = trace.served_intensity, start + len(state)
    one, two, three = heights[0, start:stop], heights[1, start:stop], heights[2, start:stop]
    mix(one, two, three, dwell, trace.intensity[c, start:stop])
    pick(one, two, three, state, trace.next_intensity[c, start:stop])


@compiled
def finish(rows: Any, at: Any, trace: Any, start: int) -> None:
    """Write what a block's people are and what the recommender has learned of them."""
    logits, shown, susceptibility = rows[at.logits], rows[at.shown], rows[at.susceptibility]
    stop, arms = start + rows.shape[1], len(shown)
    copy_row(rows[at.intentionality], trace.intentionality[start:stop])
    as_counts(rows[at.segment], trace.segment[start:stop])
    for i in range(len(susceptibility)):
        copy_row(susceptibility[i], trace.susceptibility[i, start:stop])
    for k in range(arms):
        as_counts(shown[k], trace.exposures[k, start:stop])
        for s in range(S):
            copy_row(logits[s * arms + k], trace.logits[s, k, start:stop])
