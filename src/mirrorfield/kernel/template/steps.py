"""One step of a rule on the posts of a minibatch: weigh every post, then move the logits and the learned values."""

from typing import Any

from mirrorfield.kernel.jit import inlined
from mirrorfield.kernel.template.posts import HOOKED, of_state
from mirrorfield.maths import F32, HALF, ONE, ZERO
from mirrorfield.policy.baseline import value_step
from mirrorfield.policy.entropy import entropy_gradient
from mirrorfield.policy.options import Baseline
from mirrorfield.policy.reinforce import logit_step
from mirrorfield.policy.surrogate import surrogate_weight

K = ...
LANES = ...
PITCH = ...
EVERY_STATE = ...

VALUE = int(Baseline.VALUE)


@inlined
def look_up_ratio(scratch: Any) -> None:
    """Set a post's ratio to that of its cell."""
    for j in range(LANES):
        before[0, j] = category[0, j]
    for k in range(K):
        for j in range(LANES):
            calm, hooked = stood[0, j] < HALF, stood[0, j] > HOOKED
            x = of_state(calm, hooked, ratio[k, j], ratio[PITCH + k, j], ratio[2 * PITCH + k, j])
            post_ratio[0, j] = x if before[0, j] == ZERO else post_ratio[0, j]
            before[0, j] = before[0, j] - ONE


@inlined
def look_up_pull(scratch: Any) -> None:
    """Set a post's pull towards the reference to that of its cell."""
    for j in range(LANES):
        before[0, j] = category[0, j]
    for k in range(K):
        for j in range(LANES):
            calm, hooked = stood[0, j] < HALF, stood[0, j] > HOOKED
            x = of_state(calm, hooked, pull[k, j], pull[PITCH + k, j], pull[2 * PITCH + k, j])
            post_pull[0, j] = x if before[0, j] == ZERO else post_pull[0, j]
            before[0, j] = before[0, j] - ONE


@inlined
def weigh_post(scratch: Any, cells: Any, gains: Any, i: int, rule: Any) -> None:
    """Set a post's state, category and weight: the surrogate's less the leash's."""
    for j in range(LANES):
        x = F32(cells[i, j])
        stood[0, j] = (ONE if x >= F32(K) else ZERO) + (ONE if x >= F32(2 * K) else ZERO)
        category[0, j] = x - stood[0, j] * F32(K)
        post_ratio[0, j] = ONE
        post_pull[0, j] = ZERO
    if rule.reused:
        look_up_ratio(scratch)
    if rule.pulled:
        look_up_pull(scratch)
    for j in range(LANES):
        x = surrogate_weight(post_ratio[0, j], gains[i, j], rule.clip_low, rule.clip_high, rule.dual_clip)
        post_weight[0, j] = rule.step_size * (x - post_pull[0, j])


@inlined
def push_post(scratch: Any) -> None:
    """Add a post's weight to its cell and to its state."""
    for j in range(LANES):
        for s in EVERY_STATE:
            pushed_total[s, j] = pushed_total[s, j] + (post_weight[0, j] if stood[0, j] == F32(s) else ZERO)
    for k in range(K):
        for j in range(LANES):
            x = post_weight[0, j] if category[0, j] == ZERO else ZERO
            category[0, j] = category[0, j] - ONE
            for s in EVERY_STATE:
                pushed[s * PITCH + k, j] = pushed[s * PITCH + k, j] + (x if stood[0, j] == F32(s) else ZERO)


@inlined
def revalue_post(scratch: Any, targets: Any, i: int, rule: Any) -> None:
    """Add a post's step to that of its state's learned value."""
    for j in range(LANES):
        calm, hooked = stood[0, j] < HALF, stood[0, j] > HOOKED
        x = value_step(rule.value_size, targets[i, j], of_state(calm, hooked, value[0, j], value[1, j], value[2, j]))
        for s in EVERY_STATE:
            moved_value[s, j] = moved_value[s, j] + (x if stood[0, j] == F32(s) else ZERO)


@inlined
def count_post(scratch: Any, rule: Any) -> None:
    """Add a post's entropy bonus to that of its state."""
    for j in range(LANES):
        for s in EVERY_STATE:
            bonus[s, j] = bonus[s, j] + (rule.bonus_size if stood[0, j] == F32(s) else ZERO)


@inlined
def move_logits(scratch: Any, rule: Any) -> None:
    """Move the logits by what was pushed, and by the entropy bonus.

    All posts in a cell move them as one post of their summed weight, and the posts in a state's other cells are those
    in which this category was not shown.
    """
    for j in range(LANES):
        for s in EVERY_STATE:
            spread[s, j] = ZERO
            prior_total[s, j] = ONE / prior_total[s, j]
    if rule.bonus_size > ZERO:
        for k in range(K):
            for j in range(LANES):
                for s in EVERY_STATE:
                    x = prior[s * PITCH + k, j] * prior_total[s, j]
                    spread[s, j] = spread[s, j] - x * log_policy[s * PITCH + k, j]
        for k in range(K):
            for j in range(LANES):
                for s in EVERY_STATE:
                    x = prior[s * PITCH + k, j] * prior_total[s, j]
                    x = bonus[s, j] * entropy_gradient(x, log_policy[s * PITCH + k, j], spread[s, j])
                    learned[s * PITCH + k, j] = learned[s * PITCH + k, j] + x
        for j in range(LANES):
            for s in EVERY_STATE:
                bonus[s, j] = ZERO
    for k in range(K):
        for j in range(LANES):
            for s in EVERY_STATE:
                x, y = pushed[s * PITCH + k, j], pushed_total[s, j] - pushed[s * PITCH + k, j]
                probability = prior[s * PITCH + k, j] * prior_total[s, j]
                x = logit_step(ONE, x, ONE, probability) + logit_step(ONE, y, ZERO, probability)
                learned[s * PITCH + k, j] = learned[s * PITCH + k, j] + x
                pushed[s * PITCH + k, j] = ZERO
    for j in range(LANES):
        for s in EVERY_STATE:
            pushed_total[s, j] = ZERO


@inlined
def move_values(scratch: Any) -> None:
    """Move the learned values."""
    for j in range(LANES):
        for s in EVERY_STATE:
            value[s, j] = value[s, j] + moved_value[s, j]
            moved_value[s, j] = ZERO


@inlined
def take_step(scratch: Any, cells: Any, gains: Any, targets: Any, first: int, end: int, rule: Any) -> None:
    """Take one step on the posts in rows `first` to `end`."""
    for i in range(first, end):
        weigh_post(scratch, cells, gains, i, rule)
        push_post(scratch)
        if rule.bonus_size > ZERO:
            count_post(scratch, rule)
        if rule.baseline == VALUE:
            revalue_post(scratch, targets, i, rule)
    move_logits(scratch, rule)
    if rule.baseline == VALUE:
        move_values(scratch)
