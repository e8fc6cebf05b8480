"""One step of a rule on the posts of a minibatch: weigh every post, then move the logits and the learned values."""

from typing import Any

from mirrorfield.kernel.jit import compiled, lanewise, select
from mirrorfield.kernel.rows import HOOKED, of_state, set_row
from mirrorfield.maths import HALF, I32, ONE, ZERO
from mirrorfield.policy.baseline import value_step
from mirrorfield.policy.entropy import entropy_gradient
from mirrorfield.policy.options import Baseline
from mirrorfield.policy.reinforce import logit_step
from mirrorfield.policy.surrogate import surrogate_weight
from mirrorfield.streams import U32

VALUE = int(Baseline.VALUE)


@lanewise
def look_up(table: Any, cell: Any, row: Any) -> None:
    """Set a row to a table's entries, (cells, n), in everyone's cell."""
    for j in range(len(row)):
        row[j] = table[U32(cell[j]), j]


@lanewise
def weigh_post(ratio: Any, pull: Any, gain: Any, low: Any, high: Any, dual: Any, size: Any, weight: Any) -> None:
    """Set a post's weight: the surrogate's minus the leash's."""
    for j in range(len(weight)):
        x = surrogate_weight(ratio[j], gain[j], low, high, dual)
        weight[j] = size * (x - pull[j])


@lanewise
def push(weight: Any, cell: Any, pushed: Any) -> None:
    """Add a post's weight to its cell; pushed, (cells, n)."""
    for c in range(len(pushed)):
        row, here = pushed[c], I32(c)
        for j in range(len(row)):
            x = weight[j]
            row[j] = row[j] + (x if cell[j] == here else ZERO)


@lanewise
def push_states(weight: Any, cell: Any, arms: Any, total: Any) -> None:
    """Add a post's weight to its state; total, (S, n)."""
    for s in range(len(total)):
        row, first, end = total[s], I32(I32(s) * arms), I32(I32(s + 1) * arms)
        for j in range(len(row)):
            x, c = weight[j], cell[j]
            row[j] = row[j] + (x if (c >= first) & (c < end) else ZERO)


@lanewise
def count_states(size: Any, cell: Any, arms: Any, bonus: Any) -> None:
    """Add a post's entropy bonus to that of its state, (S, n)."""
    for s in range(len(bonus)):
        row, first, end = bonus[s], I32(I32(s) * arms), I32(I32(s + 1) * arms)
        for j in range(len(row)):
            c = cell[j]
            row[j] = row[j] + (size if (c >= first) & (c < end) else ZERO)


@lanewise
def revalue(target: Any, cell: Any, arms: Any, size: Any, value: Any, moved: Any) -> None:
    """Add a post's step to that of its state's learned value, (S, n)."""
    calm, engaged, hooked = value[0], value[1], value[2]
    one, two, three = moved[0], moved[1], moved[2]
    twice = I32(I32(2) * arms)
    for j in range(len(cell)):
        s = (ONE if cell[j] >= arms else ZERO) + (ONE if cell[j] >= twice else ZERO)
        x = value_step(size, target[j], of_state(s, calm[j], engaged[j], hooked[j]))
        a, b, c = one[j], two[j], three[j]
        one[j] = a + select(s < HALF, x, ZERO)
        two[j] = b + select((s < HALF) | (s > HOOKED), ZERO, x)
        three[j] = c + select(s > HOOKED, x, ZERO)


@lanewise
def add_bonus(prior: Any, inverse_total: Any, log_policy: Any, spread: Any, bonus: Any, logits: Any) -> None:
    """Move a state's logits, (K, n), by the entropy bonus."""
    for j in range(len(spread)):
        spread[j] = ZERO
    for k in range(len(logits)):
        row, logs = prior[k], log_policy[k]
        for j in range(len(row)):
            x = row[j] * inverse_total[j]
            spread[j] = spread[j] - x * logs[j]
    for k in range(len(logits)):
        row, logs, out = prior[k], log_policy[k], logits[k]
        for j in range(len(row)):
            x = row[j] * inverse_total[j]
            x = bonus[j] * entropy_gradient(x, logs[j], spread[j])
            out[j] = out[j] + x
    for j in range(len(bonus)):
        bonus[j] = ZERO


@lanewise
def move_logits(prior: Any, inverse_total: Any, pushed: Any, pushed_total: Any, logits: Any) -> None:
    """Move a state's logits, (K, n), by what was pushed.

    All posts in a cell move them as one post of their summed weight, and the posts in a state's other cells are those
    in which this arm was not shown.
    """
    for k in range(len(logits)):
        row, push, out = prior[k], pushed[k], logits[k]
        for j in range(len(row)):
            x = push[j]
            y = pushed_total[j] - x
            probability = row[j] * inverse_total[j]
            x = logit_step(ONE, x, ONE, probability) + logit_step(ONE, y, ZERO, probability)
            out[j] = out[j] + x
            push[j] = ZERO
    for j in range(len(pushed_total)):
        pushed_total[j] = ZERO


@lanewise
def invert(row: Any) -> None:
    """Replace numbers by one over them."""
    for j in range(len(row)):
        row[j] = ONE / row[j]


@lanewise
def move_values(moved: Any, value: Any) -> None:
    """Move the learned values, (S, n)."""
    for s in range(len(value)):
        row, out = moved[s], value[s]
        for j in range(len(row)):
            out[j] = out[j] + row[j]
            row[j] = ZERO


@compiled
def take_step(logits: Any, rows: Any, also: Any, memory: Any, first: int, end: int, rule: Any) -> None:
    """Take one step on the posts in rows `first` to `end` of a session; logits, (S K, n) or (K, n)."""
    priors, log_policy, pushed, ratios, pulls = (
        rows[also.prior], rows[also.log_policy], rows[also.pushed], rows[also.ratio], rows[also.pull]
    )  # fmt: skip
    totals, pushed_total, spread, bonus, value, moved = (
        rows[also.prior_total], rows[also.pushed_total], rows[also.spread], rows[also.bonus], rows[also.value],
        rows[also.moved_value],
    )  # fmt: skip
    ratio, pull, weight = rows[also.post_ratio], rows[also.post_pull], rows[also.post_weight]
    arms = len(pushed) // 3
    k, tables = I32(arms), len(logits) // arms
    set_row(ONE, ratio)
    set_row(ZERO, pull)
    for i in range(first, end):
        cell = memory.cell[i]
        if rule.reused:
            look_up(ratios, cell, ratio)
        if rule.pulled:
            look_up(pulls, cell, pull)
        weigh_post(
            ratio, pull, memory.gain[i], rule.clip_low, rule.clip_high, rule.dual_clip, rule.step_size, weight
        )  # fmt: skip
        push_states(weight, cell, k, pushed_total[:tables])
        push(weight, cell, pushed[: len(logits)])
        if rule.bonus_size > ZERO:
            count_states(rule.bonus_size, cell, k, bonus[:tables])
        if rule.baseline == VALUE:
            revalue(memory.target[i], cell, k, rule.value_size, value, moved)
    for s in range(tables):
        first, end = s * arms, (s + 1) * arms
        prior, table = priors[first:end], logits[first:end]
        invert(totals[s])
        if rule.bonus_size > ZERO:
            add_bonus(prior, totals[s], log_policy[first:end], spread[s], bonus[s], table)
        move_logits(prior, totals[s], pushed[first:end], pushed_total[s], table)
    if rule.baseline == VALUE:
        move_values(moved, value)
