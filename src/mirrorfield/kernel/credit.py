"""Credit the posts of a session: from reactions to advantages, for users side by side."""

from typing import Any

import numpy as np

from mirrorfield.kernel.jit import compiled, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.kernel.rows import copy_row, copy_rows
from mirrorfield.maths import F32, ONE, ZERO
from mirrorfield.policy.baseline import exponential, group_mean, leave_one_out, welford
from mirrorfield.policy.normalise import variance, whiten, z_score
from mirrorfield.policy.options import Baseline, Normalise, Returns
from mirrorfield.policy.reinforce import advantage
from mirrorfield.policy.returns import discounted, gae, td_error

SESSION, GAE = int(Returns.SESSION), int(Returns.GAE)
WELFORD, INCLUSIVE = int(Baseline.WELFORD), int(Baseline.WELFORD_INCLUSIVE)
EXPONENTIAL, VALUE = int(Baseline.EXPONENTIAL), int(Baseline.VALUE)
GROUP_MEAN, LEAVE_ONE_OUT = int(Baseline.GROUP_MEAN), int(Baseline.LEAVE_ONE_OUT)
GROUP, BATCH = int(Normalise.GROUP), int(Normalise.BATCH)

shared(*LINKED)


def by_state(cell: Any, categories: Any, if_calm: Any, if_engaged: Any, if_hooked: Any) -> Any:
    """Return the value that belongs to the state of a cell."""
    return if_calm if cell < categories else (if_hooked if cell >= 2 * categories else if_engaged)


shared(by_state)


@compiled
def session_returns(memory: Any, rule: Any) -> None:
    """Replace every reward by the discounted sum of the rewards from it on."""
    target, later = memory.target, memory.passing[0]
    in_group = rule.baseline == GROUP_MEAN or rule.baseline == LEAVE_ONE_OUT
    for rollout in range(rule.group):
        later[:] = ZERO
        for h in range(rule.horizon - 1, -1, -1):
            t = rollout * rule.horizon + h
            for j in range(len(later)):
                later[j] = discounted(target[t, j], later[j], rule.discount)
                target[t, j] = later[j]
        if in_group:
            for h in range(1, rule.horizon):
                copy_row(later, target[rollout * rule.horizon + h])


@compiled
def gae_returns(memory: Any, value: Any, rule: Any) -> None:
    """Replace every reward by the generalised advantage of its post plus the value of its state."""
    later, next_value = memory.passing[0], memory.passing[1]
    target, cell, end = memory.target, memory.cell, memory.end
    calm, engaged, hooked = value[0], value[1], value[2]
    for rollout in range(rule.group):
        for j in range(len(later)):
            later[j] = ZERO
            state = end[rollout, j]
            last = calm[j] if state < ONE else (hooked[j] if state > ONE else engaged[j])
            next_value[j] = rule.bootstrap * last
        for h in range(rule.horizon - 1, -1, -1):
            t = rollout * rule.horizon + h
            for j in range(len(later)):
                here = by_state(cell[t, j], rule.categories, calm[j], engaged[j], hooked[j])
                delta = td_error(target[t, j], here, next_value[j], rule.discount)
                later[j] = gae(delta, later[j], rule.discount, rule.trace_decay)
                next_value[j] = here
                target[t, j] = later[j] + here


@compiled
def against_running_mean(memory: Any, rule: Any, sessions: Any) -> None:
    """Set the advantages over a running mean of returns, and take the session's returns into it one by one."""
    target, gain, running, lost = memory.target, memory.gain, memory.running, memory.lost
    if rule.baseline != INCLUSIVE:
        for t in range(rule.posts):
            for j in range(len(running)):
                gain[t, j] = advantage(target[t, j], running[j])
    for t in range(rule.posts):
        inverse_count = ONE / F32(sessions * rule.posts + t + 1)
        if rule.baseline == EXPONENTIAL:
            for j in range(len(running)):
                away = advantage(target[t, j], running[j])
                running[j], lost[j] = exponential(running[j], lost[j], away, rule.exponential_weight)
        else:
            for j in range(len(running)):
                away = advantage(target[t, j], running[j])
                running[j], lost[j] = welford(running[j], lost[j], away, inverse_count)
    if rule.baseline == INCLUSIVE:
        for t in range(rule.posts):
            for j in range(len(running)):
                gain[t, j] = advantage(target[t, j], running[j])


@compiled
def against_group(memory: Any, rule: Any) -> None:
    """Set the advantages over the group's mean, or over the mean of the others.

    Returns are taken as differences from the first rollout's, so that equal returns have advantage 0 exactly.
    """
    target, gain, total = memory.target, memory.gain, memory.passing[0]
    inverse_size, inverse_others = ONE / F32(rule.group), ONE / F32(max(rule.group - 1, 1))
    for h in range(rule.horizon):
        total[:] = ZERO
        for t in range(h, rule.posts, rule.horizon):
            for j in range(len(total)):
                total[j] += target[t, j] - target[h, j]
        for t in range(h, rule.posts, rule.horizon):
            if rule.baseline == GROUP_MEAN:
                for j in range(len(total)):
                    gain[t, j] = advantage(target[t, j] - target[h, j], group_mean(total[j], inverse_size))
            else:
                for j in range(len(total)):
                    own = target[t, j] - target[h, j]
                    gain[t, j] = advantage(own, leave_one_out(total[j], own, inverse_others))


@compiled
def against_value(memory: Any, value: Any, rule: Any) -> None:
    """Set the advantages over the learned value of the post's state."""
    target, gain, cell = memory.target, memory.gain, memory.cell
    calm, engaged, hooked = value[0], value[1], value[2]
    for t in range(rule.posts):
        for j in range(len(calm)):
            expected = by_state(cell[t, j], rule.categories, calm[j], engaged[j], hooked[j])
            gain[t, j] = advantage(target[t, j], expected)


@compiled
def spread_out(gains: Any, first: Any, step: Any, count: int, passing: Any, rule: Any) -> None:
    """Put `count` rows of advantages, from `first` on and `step` apart, in units of their spread.

    They are taken as differences from the first one, so that equal advantages become 0 exactly.
    """
    start, mean, squares = passing[1], passing[2], passing[3]
    end = first + count * step
    for j in range(len(mean)):
        start[j], mean[j], squares[j] = gains[first, j], ZERO, ZERO
    for i in range(first + step, end, step):
        for j in range(len(mean)):
            mean[j] += gains[i, j] - start[j]
    for j in range(len(mean)):
        mean[j] = mean[j] * (ONE / F32(count))
    for i in range(first, end, step):
        for j in range(len(mean)):
            away = (gains[i, j] - start[j]) - mean[j]
            squares[j] += away * away
    for j in range(len(mean)):
        squares[j] = variance(squares[j], F32(count), rule.ddof)
    if rule.eps_inside_root:
        for i in range(first, end, step):
            for j in range(len(mean)):
                gains[i, j] = whiten(gains[i, j] - start[j], mean[j], squares[j], rule.eps)
    else:
        for j in range(len(mean)):
            squares[j] = np.sqrt(squares[j])
        for i in range(first, end, step):
            for j in range(len(mean)):
                gains[i, j] = z_score(gains[i, j] - start[j], mean[j], squares[j], rule.eps)


@compiled
def credit(memory: Any, value: Any, rule: Any, sessions: Any) -> None:
    """Turn a session's rewards into returns, and set its advantages; `sessions` came before it."""
    if rule.returns == SESSION:
        session_returns(memory, rule)
    elif rule.returns == GAE:
        gae_returns(memory, value, rule)
    if rule.baseline == WELFORD or rule.baseline == INCLUSIVE or rule.baseline == EXPONENTIAL:
        against_running_mean(memory, rule, sessions)
    elif rule.baseline == VALUE:
        against_value(memory, value, rule)
    elif rule.baseline == GROUP_MEAN or rule.baseline == LEAVE_ONE_OUT:
        against_group(memory, rule)
    else:
        copy_rows(memory.target, memory.gain)
    if rule.normalise == GROUP:
        for h in range(rule.horizon):
            spread_out(memory.gain, h, rule.horizon, rule.group, memory.passing, rule)
    elif rule.normalise == BATCH:
        spread_out(memory.gain, np.int64(0), np.int64(1), rule.posts, memory.passing, rule)
