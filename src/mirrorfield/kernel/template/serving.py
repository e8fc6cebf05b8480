"""What stands between the policy and the post in the extended loop: quota, exploration, a partner's feed, friction."""

from typing import Any

from mirrorfield.kernel.jit import inlined
from mirrorfield.maths import HALF, ONE, ZERO
from mirrorfield.policy.serving import explored, quota_factor
from mirrorfield.streams import next_word, uniform

K = ...
LANES = ...
RUNGS = ...
CATEGORIES = ...


@inlined
def draw_meddling(scratch: Any, words: Any, serving: Any) -> None:
    """Draw whether a post is chosen by the partner's feed, and whether its reaction is seen."""
    for j in range(LANES):
        swapped[0, j] = ZERO
        heard[0, j] = ONE
    if serving.meddled:
        for j in range(LANES):
            a, b, c, d = words[4 * LANES + j], words[5 * LANES + j], words[6 * LANES + j], words[7 * LANES + j]
            swap_word, a, b, c, d = next_word(a, b, c, d)
            friction_word, a, b, c, d = next_word(a, b, c, d)
            words[4 * LANES + j], words[5 * LANES + j] = a, b
            words[6 * LANES + j], words[7 * LANES + j] = c, d
            swapped[0, j] = ONE if uniform(swap_word) < serving.swap else ZERO
            noticed = ONE if uniform(friction_word) >= serving.friction else ZERO
            heard[0, j] = noticed * (ONE - swapped[0, j])


@inlined
def limit(scratch: Any, serving: Any) -> None:
    """Hold the odds of the largest category to the quota."""
    for j in range(LANES):
        fullest[0, j] = ZERO
        rest[0, j] = ZERO
    for i in range(CATEGORIES):
        for j in range(LANES):
            held[i, j] = odds[i * RUNGS, j]
        for r in range(1, RUNGS):
            for j in range(LANES):
                held[i, j] = held[i, j] + odds[i * RUNGS + r, j]
        for j in range(LANES):
            fullest[0, j] = held[i, j] if held[i, j] > fullest[0, j] else fullest[0, j]
    for i in range(CATEGORIES):
        for j in range(LANES):
            rest[0, j] = rest[0, j] + (held[i, j] if held[i, j] < fullest[0, j] else ZERO)
    for i in range(CATEGORIES):
        for j in range(LANES):
            held[i, j] = quota_factor(held[i, j], fullest[0, j], rest[0, j], total[0, j], serving.quota)
        for r in range(RUNGS):
            for j in range(LANES):
                odds[i * RUNGS + r, j] = odds[i * RUNGS + r, j] * held[i, j]


@inlined
def swap_feeds(scratch: Any) -> None:
    """Give the users whose post the partner's feed chooses the odds of their partner, id u xor 1.

    Blocks of users begin with an even id and have an even number of lanes, so a pair is side by side; where a run ends
    within a pair, the partner is simulated all the same, in the lane that is left over.
    """
    for i in range(K):
        for m in range(LANES // 2):
            one, other = odds[i, 2 * m], odds[i, 2 * m + 1]
            odds[i, 2 * m] = other if swapped[0, 2 * m] > HALF else one
            odds[i, 2 * m + 1] = one if swapped[0, 2 * m + 1] > HALF else other
    for m in range(LANES // 2):
        one, other = odds_total[0, 2 * m], odds_total[0, 2 * m + 1]
        odds_total[0, 2 * m] = other if swapped[0, 2 * m] > HALF else one
        odds_total[0, 2 * m + 1] = one if swapped[0, 2 * m + 1] > HALF else other


@inlined
def serve(scratch: Any, serving: Any) -> None:
    """Set the odds of what is served: the policy, within the quota, and a share of posts drawn evenly."""
    for j in range(LANES):
        odds_total[0, j] = total[0, j]
        share[0, j] = ZERO
    for k in range(K):
        for j in range(LANES):
            odds[k, j] = weight[k, j]
            share[0, j] = share[0, j] + opened[k, j]
    if serving.quota < ONE:
        limit(scratch, serving)
    for j in range(LANES):
        share[0, j] = serving.exploration * total[0, j] / share[0, j]
    for k in range(K):
        for j in range(LANES):
            odds[k, j] = explored(odds[k, j], share[0, j], serving.keep, opened[k, j])
