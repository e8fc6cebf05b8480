"""A session of any rule: its posts are shown under the policy at its start, and then learned from.

Where every post of a session is seen in the state that it starts from, its tables are those of that state alone.
"""

from typing import Any

import numpy as np

from mirrorfield.arrays import S
from mirrorfield.kernel.credit import credit, spread_out
from mirrorfield.kernel.items import keep_history, restore_history
from mirrorfield.kernel.jit import compiled, inlined, lanewise
from mirrorfield.kernel.people import start_streams
from mirrorfield.kernel.rows import copy_row, copy_rows, of_state, set_row
from mirrorfield.kernel.shuffle import pack, shuffle, unpack
from mirrorfield.kernel.steps import look_up, take_step
from mirrorfield.kernel.tables import (
    compare_with_old,
    compare_with_reference,
    keep_old,
    put_back,
    select_numbers,
    select_table,
    tabulate,
)
from mirrorfield.maths import F32, I32, ONE, ZERO
from mirrorfield.policy.leash import adapt, k1, shaped_reward
from mirrorfield.policy.options import Normalise
from mirrorfield.streams import SHUFFLE

MINIBATCH = int(Normalise.MINIBATCH)


@compiled
def begin(rows: Any, at: Any, also: Any, memory: Any, seed: Any, first_user: Any, rule: Any, tables: Any) -> None:
    """Give a block of people the rule's starting numbers; its running mean is their mean reaction so far."""
    copy_row(rows[at.baseline], memory.running)
    copy_row(rows[at.baseline_lost], memory.lost)
    set_row(rule.beta, rows[also.beta])
    start_streams(memory.shuffle, seed, first_user, SHUFFLE)
    ratio, log_reference = rows[also.ratio], rows[also.log_reference]
    for c in range(tables * (len(ratio) // S)):
        set_row(rule.reference[c], log_reference[c])
        set_row(ONE, ratio[c])


@inlined
def begin_session(rows: Any, at: Any, also: Any, rule: Any, tables: Any, mechanisms: Any, lens: Any) -> None:
    """Freeze the policy and the state that a session starts from."""
    logits, state, log_reference = rows[at.logits], rows[at.state], rows[also.log_reference]
    cells = tables * (len(logits) // S)
    if tables < S:
        logits = rows[also.own]
        select_table(rows[at.logits], state, logits)
        if rule.pulled or rule.in_reward or rule.adaptive:
            select_numbers(rule.reference, state, log_reference[:cells])
    tabulate(logits, rows, also, rule.logs, mechanisms.closes)
    if rule.reused:
        keep_old(rows[also.log_policy][:cells], rows[also.log_old][:cells], rows[also.ratio][:cells])
    copy_row(state, rows[also.start])
    copy_row(rows[also.floor], rows[also.start_floor])
    set_row(ZERO, rows[also.mean_k1])
    if mechanisms.lensed:
        copy_rows(rows[also.recent], rows[also.start_recent])
        copy_row(rows[also.recent_total], rows[also.start_recent_total])
        if lens.retrieved > 0:
            keep_history(rows[also.shelf], lens)


@inlined
def begin_rollout(rows: Any, at: Any, also: Any, mechanisms: Any, lens: Any) -> None:
    """Go back to the state, the floor and the memory that the session started from."""
    copy_row(rows[also.start], rows[at.state])
    copy_row(rows[also.start_floor], rows[also.floor])
    if mechanisms.lensed:
        copy_rows(rows[also.start_recent], rows[also.recent])
        copy_row(rows[also.start_recent_total], rows[also.recent_total])
        if lens.retrieved > 0:
            restore_history(rows[also.shelf], lens)


@lanewise
def recall(prior: Any, prior_total: Any, tables: Any, state: Any, weight: Any, total: Any) -> None:
    """Set every arm's weight under the session's policy in everyone's state, (K, n), and their total."""
    arms = len(weight)
    middle, last = (1, 2) if tables > 1 else (0, 0)
    one, two, three = prior_total[0], prior_total[middle], prior_total[last]
    for j in range(len(total)):
        total[j] = of_state(state[j], one[j], two[j], three[j])
    for k in range(arms):
        calm, engaged, hooked, row = prior[k], prior[middle * arms + k], prior[last * arms + k], weight[k]
        for j in range(len(row)):
            row[j] = of_state(state[j], calm[j], engaged[j], hooked[j])


@lanewise
def count(arm: Any, shown: Any) -> None:
    """Count the post shown, (K, n)."""
    for k in range(len(shown)):
        row, here = shown[k], F32(k)
        for j in range(len(row)):
            row[j] = row[j] + (ONE if arm[j] == here else ZERO)


@lanewise
def keep_cell(row: Any, cell: Any) -> None:
    """Keep the cell of a post as a whole number."""
    for j in range(len(row)):
        cell[j] = I32(row[j])


@lanewise
def stray(policy: Any, reference: Any, inverse_posts: Any, away: Any, mean: Any) -> None:
    """Set a post's log-ratio to the reference from both logarithms, of which `away` comes as the first."""
    for j in range(len(mean)):
        x = policy[j] - reference[j]
        away[j] = x
        mean[j] = mean[j] + k1(x) * inverse_posts


@lanewise
def shape_reward(away: Any, beta: Any, reward: Any) -> None:
    """Take the leash off a reward."""
    for j in range(len(reward)):
        reward[j] = shaped_reward(reward[j], away[j], beta[j])


@compiled
def leash_post(rows: Any, also: Any, cell: Any, reward: Any, rule: Any) -> None:
    """Add up the log-ratios to the reference, and take the leash off the reward if it is in it."""
    policy, reference, away = rows[also.post_ratio], rows[also.post_pull], rows[also.away]
    look_up(rows[also.log_policy], cell, policy)
    look_up(rows[also.log_reference], cell, reference)
    stray(policy, reference, rule.inverse_posts, away, rows[also.mean_k1])
    if rule.in_reward:
        shape_reward(away, rows[also.beta], reward)


@lanewise
def adapt_leash(mean_k1: Any, target: Any, posts_per_horizon: Any, beta: Any) -> None:
    """Adapt the leash's coefficient to how far a session strayed."""
    for j in range(len(beta)):
        beta[j] = adapt(beta[j], mean_k1[j], target, posts_per_horizon)


@inlined
def learn_session(
    rows: Any, at: Any, also: Any, memory: Any, rule: Any, tables: Any, closes: bool, sessions: Any
) -> None:
    """Credit the posts of a session, and take the rule's steps; `sessions` came before it."""
    credit(memory, rows[also.value], rule, sessions)
    logits, beta, size = rows[at.logits], rows[also.beta], rule.posts // rule.minibatches
    cells = tables * (len(logits) // S)
    log_policy, log_old, log_reference, ratio, pull = (
        rows[also.log_policy][:cells], rows[also.log_old][:cells], rows[also.log_reference][:cells],
        rows[also.ratio][:cells], rows[also.pull][:cells],
    )  # fmt: skip
    if tables < S:
        logits = rows[also.own]
    if rule.minibatches > 1:
        pack(memory)
    for epoch in range(rule.epochs):
        if rule.minibatches > 1:
            shuffle(memory)
            unpack(memory)
        for part in range(rule.minibatches):
            first = part * size
            if epoch + part > 0:
                tabulate(logits, rows, also, rule.logs, closes)
                compare_with_old(log_policy, log_old, ratio)
            if rule.pulled:
                compare_with_reference(log_policy, log_reference, ratio, beta, rule.leash, pull)
            if rule.normalise == MINIBATCH:
                spread_out(memory.gain, first, np.int64(1), size, memory.passing, rule)
            take_step(logits, rows, also, memory, first, first + size, rule)
    if tables < S:
        put_back(logits, rows[also.start], rows[at.logits])
    if rule.adaptive:
        adapt_leash(rows[also.mean_k1], rule.kl_target, rule.posts_per_kl_horizon, beta)
