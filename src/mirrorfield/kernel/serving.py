"""What stands between the policy and the post: what may be shown, quota, exploration, a partner's feed, friction."""

from typing import Any

from mirrorfield.kernel.jit import compiled, lanewise, larger, select
from mirrorfield.kernel.rows import LEAST, of_state
from mirrorfield.maths import HALF, ONE, ZERO, exp
from mirrorfield.policy.serving import explored, importance, quota_factor
from mirrorfield.streams import U32, next_word, uniform


@lanewise
def open_row(found: Any, within: Any, row: Any) -> None:
    """Open an arm to those for whom anything of its category was found, if its intensity is within the cap."""
    for j in range(len(row)):
        row[j] = within * found[j]


@compiled
def open_arms(opened: Any, found: Any, level: Any, cap: Any) -> None:
    """Open every arm up to an intensity, (K, n), if its category has anything to show, (C, n)."""
    rungs = len(opened) // len(found)
    for k in range(len(opened)):
        open_row(found[k // rungs], ONE if level[k] <= cap else ZERO, opened[k])


@lanewise
def weigh_open(logits: Any, tilt: Any, opened: Any, state: Any, weight: Any, largest: Any, total: Any) -> None:
    """Set the weight of every arm that may be shown under the policy and its context in each person's state."""
    arms = len(weight)
    for j in range(len(total)):
        largest[j] = LEAST
        total[j] = ZERO
    for k in range(arms):
        calm, engaged, hooked, row = logits[k], logits[arms + k], logits[2 * arms + k], weight[k]
        added, may = tilt[k], opened[k]
        for j in range(len(row)):
            x = of_state(state[j], calm[j], engaged[j], hooked[j]) + added[j]
            x = select(may[j] > HALF, x, LEAST)
            row[j] = x
            largest[j] = larger(x, largest[j])
    for k in range(arms):
        row, may = weight[k], opened[k]
        for j in range(len(row)):
            x = exp(row[j] - largest[j]) * may[j]
            row[j] = x
            total[j] = total[j] + x


@lanewise
def start_odds(weight: Any, total: Any, opened: Any, odds: Any, odds_total: Any, share: Any) -> None:
    """Serve by the policy's weights, and count the arms that may be shown."""
    for j in range(len(total)):
        odds_total[j] = total[j]
        share[j] = ZERO
    for k in range(len(odds)):
        row, one, may = odds[k], weight[k], opened[k]
        for j in range(len(row)):
            row[j] = one[j]
            share[j] = share[j] + may[j]


@lanewise
def limit(odds: Any, total: Any, held: Any, fullest: Any, rest: Any, quota: Any) -> None:
    """Hold the odds of the largest category to the quota; `held` comes as the odds of every category."""
    rungs = len(odds) // len(held)
    for j in range(len(total)):
        fullest[j] = ZERO
        rest[j] = ZERO
    for i in range(len(held)):
        row = held[i]
        for j in range(len(row)):
            fullest[j] = larger(row[j], fullest[j])
    for i in range(len(held)):
        row = held[i]
        for j in range(len(row)):
            x, top = row[j], fullest[j]
            rest[j] = rest[j] + (x if x < top else ZERO)
    for i in range(len(held)):
        row = held[i]
        for j in range(len(row)):
            row[j] = quota_factor(row[j], fullest[j], rest[j], total[j], quota)
        for r in range(rungs):
            one = odds[i * rungs + r]
            for j in range(len(row)):
                one[j] = one[j] * row[j]


@lanewise
def explore(odds: Any, total: Any, opened: Any, share: Any, keep: Any, exploration: Any) -> None:
    """Draw a share of posts evenly from all that may be shown; `share` comes as their number."""
    for j in range(len(share)):
        share[j] = exploration * total[j] / share[j]
    for k in range(len(odds)):
        row, may = odds[k], opened[k]
        for j in range(len(row)):
            row[j] = explored(row[j], share[j], keep, may[j])


@lanewise
def draw_meddling(words: Any, swap: Any, friction: Any, swapped: Any, heard: Any) -> None:
    """Draw whether a post is chosen by the partner's feed, and whether its reaction is seen."""
    one, two, three, four = words[0], words[1], words[2], words[3]
    for j in range(len(heard)):
        a, b, c, d = one[j], two[j], three[j], four[j]
        swap_word, a, b, c, d = next_word(a, b, c, d)
        friction_word, a, b, c, d = next_word(a, b, c, d)
        one[j], two[j], three[j], four[j] = a, b, c, d
        x = ONE if uniform(swap_word) < swap else ZERO
        noticed = ONE if uniform(friction_word) >= friction else ZERO
        swapped[j] = x
        heard[j] = noticed * (ONE - x)


@lanewise
def swap_row(swapped: Any, row: Any) -> None:
    """Give those whose post the partner's feed chooses the number of their partner, id u xor 1.

    Blocks begin with an even id and have an even number of lanes, so a pair is side by side; where a run ends within a
    pair, the partner is simulated all the same, in the lane that is left over.
    """
    for m in range(len(row) // 2):
        one, other, first, second = row[2 * m], row[2 * m + 1], swapped[2 * m], swapped[2 * m + 1]
        row[2 * m] = other if first > HALF else one
        row[2 * m + 1] = one if second > HALF else other


@lanewise
def weigh_importance(weight: Any, odds: Any, arm: Any, gain: Any) -> None:
    """Weigh what a post counts for by how likely the policy and what is served were to show it."""
    for j in range(len(gain)):
        k = U32(arm[j])
        gain[j] = gain[j] * importance(weight[k, j], odds[k, j])
