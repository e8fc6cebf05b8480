"""What a block's people are served in the long run and next, and what is left of them at the end."""

from typing import Any

import numpy as np

from mirrorfield.arrays import S
from mirrorfield.kernel.jit import compiled, lanewise, larger, select
from mirrorfield.kernel.rows import copy_row, of_state, set_row, sum_rungs
from mirrorfield.maths import ONE, ZERO
from mirrorfield.model.diet import LIVED_IN, mixed, time_in_states


@lanewise
def share_out(odds: Any, inverse_total: Any, calm_to: Any, hooked_at: Any, moves: Any) -> None:
    """Turn odds, (K, n), into shares, and find how likely each next state is, (S, n); calm_to and hooked_at, (K, n)."""
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
            engaged[j] = engaged[j] + share * select(high > low, high - low, ZERO)
            hooked[j] = hooked[j] + share * (ONE - high)


@compiled
def look_from(rows: Any, at: Any, s: int, odds: Any, total: Any) -> None:
    """Find what each person would be served in state s, by odds of that total, and where they would go from there."""
    arms, categories = len(odds), len(rows[at.susceptibility])
    calm_to, hooked_at = rows[at.calm_to][s * arms : (s + 1) * arms], rows[at.hooked_at][s * arms : (s + 1) * arms]
    share_out(odds, total, calm_to, hooked_at, rows[at.moves][s * S : (s + 1) * S])
    sum_rungs(odds, rows[at.served][s * categories : (s + 1) * categories])


@lanewise
def dwell_in(moves: Any, state: Any, dwell: Any) -> None:
    """Find the long run of everyone's states, (S, n); moves, (S S, n)."""
    up, leap, back, rose, plunge, down = moves[1], moves[2], moves[3], moves[5], moves[6], moves[7]
    calm, engaged, hooked = dwell[0], dwell[1], dwell[2]
    for j in range(len(state)):
        s = state[j]
        calm[j], engaged[j], hooked[j] = time_in_states(
            up[j], leap[j], back[j], rose[j], plunge[j], down[j], of_state(s, True, False, False),
            of_state(s, False, False, True),
        )  # fmt: skip


@lanewise
def mix_category(one: Any, two: Any, three: Any, dwell: Any, state: Any, crest: Any, diet: Any, feed: Any) -> None:
    """Write a category's share of everyone's diet and next feed, and raise the largest share in each state, (S, n)."""
    calm, engaged, hooked, first, second, third = dwell[0], dwell[1], dwell[2], crest[0], crest[1], crest[2]
    for j in range(len(state)):
        a, b, c = one[j], two[j], three[j]
        diet[j] = mixed(calm[j], engaged[j], hooked[j], a, b, c)
        feed[j] = of_state(state[j], a, b, c)
        first[j], second[j], third[j] = larger(a, first[j]), larger(b, second[j]), larger(c, third[j])


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
def agree(served: Any, crest: Any, dwell: Any, agreed: Any) -> None:
    """Count the categories that are in the lead in every state that a person lives in; served, (S C, n)."""
    first, second, third, calm, engaged, hooked = crest[0], crest[1], crest[2], dwell[0], dwell[1], dwell[2]
    categories = len(served) // S
    for j in range(len(agreed)):
        agreed[j] = ZERO
    for i in range(categories):
        one, two, three = served[i], served[categories + i], served[2 * categories + i]
        for j in range(len(agreed)):
            leads = (one[j] >= first[j]) | (calm[j] <= LIVED_IN)
            leads = leads & ((two[j] >= second[j]) | (engaged[j] <= LIVED_IN))
            leads = leads & ((three[j] >= third[j]) | (hooked[j] <= LIVED_IN))
            agreed[j] = agreed[j] + select(leads, ONE, ZERO)


@lanewise
def as_counts(row: Any, numbers: Any) -> None:
    """Write a row as whole numbers."""
    for j in range(len(row)):
        numbers[j] = np.int32(row[j])


@lanewise
def as_marks(agreed: Any, state: Any, two_faced: Any, states: Any) -> None:
    """Write who has no category in the lead everywhere, and everyone's state, as whole numbers."""
    for j in range(len(state)):
        two_faced[j] = np.int8(select(agreed[j] > ZERO, ZERO, ONE))
        states[j] = np.int8(state[j])


@compiled
def mix_states(
    state: Any, served: Any, moves: Any, dwell: Any, crest: Any, agreed: Any, trace: Any, c: int, start: int
) -> None:
    """Write everyone's diet, next feed and state, and whether they have two faces, as recorded step c.

    served, (S C, n), and moves, (S S, n), are what they are served in each state, and where it leads; dwell, (S, n), is
    filled with the long run of their states, and crest and agreed are scratch.
    """
    stop, categories = start + len(state), len(served) // S
    dwell_in(moves, state, dwell)
    for s in range(S):
        set_row(ZERO, crest[s])
    for i in range(categories):
        one, two, three = served[i], served[categories + i], served[2 * categories + i]
        mix_category(one, two, three, dwell, state, crest, trace.diet[c, i, start:stop], trace.feed[c, i, start:stop])
    agree(served, crest, dwell, agreed)
    as_marks(agreed, state, trace.two_faced[c, start:stop], trace.state[c, start:stop])


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
    served, moves, dwell, categories = rows[at.served], rows[at.moves], rows[at.dwell], len(susceptibility)
    for s in range(S):
        copy_row(dwell[s], trace.time_in_state[s, start:stop])
        for after in range(S):
            copy_row(moves[s * S + after], trace.moves[s, after, start:stop])
        for i in range(categories):
            copy_row(served[s * categories + i], trace.served[s, i, start:stop])
    for i in range(categories):
        copy_row(susceptibility[i], trace.susceptibility[i, start:stop])
    for k in range(arms):
        as_counts(shown[k], trace.exposures[k, start:stop])
        for s in range(S):
            copy_row(logits[s * arms + k], trace.logits[s, k, start:stop])
