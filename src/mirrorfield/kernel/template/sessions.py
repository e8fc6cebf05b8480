"""Any rule: show the posts of a session under the policy at its start, then learn from them.

Where every post of a session is seen in the state that it starts from, its tables are those of that state alone.
"""

from typing import Any

from mirrorfield.arrays import S
from mirrorfield.kernel.credit import credit, spread_out
from mirrorfield.kernel.jit import compiled, inlined
from mirrorfield.kernel.shuffle import pack, shuffle, unpack
from mirrorfield.kernel.template.intervention import open_arms
from mirrorfield.kernel.template.lens import (
    draw_labels,
    fetch,
    keep_memory,
    look_back,
    meet_item,
    primed_reaction,
    remember,
    restore_memory,
    reward_of,
)
from mirrorfield.kernel.template.posts import HOOKED, choose, draw_luck, move, of_state, select
from mirrorfield.kernel.template.serving import serve
from mirrorfield.kernel.template.steps import take_step
from mirrorfield.kernel.template.tables import compare_with_old, compare_with_reference, keep_old, tabulate
from mirrorfield.maths import F32, HALF, I32, ONE, ZERO
from mirrorfield.model.habituation import strength
from mirrorfield.model.profile import reaction
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.leash import adapt, k1, shaped_reward
from mirrorfield.policy.options import Normalise, Returns
from mirrorfield.policy.reinforce import advantage
from mirrorfield.streams import SHUFFLE, U64, stream

K = ...
LANES = ...
PITCH = ...
EVERY_STATE = ...
EXTENDED = ...
LENS = ...
TABLES = ...
ONE_TABLE = ...
STRIDE = ...
VALUE_ROW = ...

MINIBATCH, IMMEDIATE = int(Normalise.MINIBATCH), int(Returns.IMMEDIATE)


@compiled
def begin(scratch: Any, memory: Any, seed: Any, first_user: Any, rule: Any) -> None:
    """Give a block of users the rule's starting numbers; its running mean is the user's mean reaction so far."""
    for j in range(LANES):
        memory.running[j], memory.lost[j] = baseline[0, j], baseline_lost[0, j]
        beta[0, j] = rule.beta
        a, b, c, d = stream(seed, first_user + U64(j), SHUFFLE)
        memory.shuffle[0, j], memory.shuffle[1, j], memory.shuffle[2, j], memory.shuffle[3, j] = a, b, c, d
    for s in range(TABLES):
        for i in range(K):
            x = rule.reference[s * K + i]
            for j in range(LANES):
                log_reference[s * PITCH + i, j] = x
                ratio[s * PITCH + i, j] = ONE


@inlined
def take_table(scratch: Any, rule: Any) -> None:
    """Take the logits and the reference of the state that a session starts from: all its posts are seen in it."""
    for k in range(K):
        for j in range(LANES):
            calm, hooked = state[0, j] < HALF, state[0, j] > HOOKED
            learned[k, j] = select(calm, hooked, logits[k, j], logits[PITCH + k, j], logits[2 * PITCH + k, j])
    if rule.pulled or rule.in_reward or rule.adaptive:
        for i in range(K):
            x, y, z = rule.reference[i], rule.reference[K + i], rule.reference[2 * K + i]
            for j in range(LANES):
                calm, hooked = state[0, j] < HALF, state[0, j] > HOOKED
                log_reference[i, j] = select(calm, hooked, x, y, z)


@inlined
def put_back_table(scratch: Any) -> None:
    """Put the logits that a session moved back to those of its state."""
    for k in range(K):
        for j in range(LANES):
            calm, hooked = start[0, j] < HALF, start[0, j] > HOOKED
            x = learned[k, j]
            logits[k, j] = select(calm, hooked, x, logits[k, j], logits[k, j])
            logits[PITCH + k, j] = select(calm, hooked, logits[PITCH + k, j], x, logits[PITCH + k, j])
            logits[2 * PITCH + k, j] = select(calm, hooked, logits[2 * PITCH + k, j], logits[2 * PITCH + k, j], x)


@inlined
def begin_session(scratch: Any, rule: Any, world: Any) -> None:
    """Freeze the policy and the state that a session starts from."""
    if ONE_TABLE:
        take_table(scratch, rule)
    tabulate(scratch, rule)
    if rule.reused:
        keep_old(scratch)
    for j in range(LANES):
        start[0, j] = state[0, j]
        if EXTENDED:
            start_floor[0, j] = floor[0, j]
        mean_k1[0, j] = ZERO
    if LENS:
        keep_memory(scratch, world.lens)


@inlined
def recall(scratch: Any) -> None:
    """Set every category's weight under the session's policy in the user's state, and their total."""
    for j in range(LANES):
        calm, hooked = state[0, j] < HALF, state[0, j] > HOOKED
        total[0, j] = of_state(calm, hooked, prior_total[0, j], prior_total[1, j], prior_total[2, j])
    for k in range(K):
        for j in range(LANES):
            calm, hooked = state[0, j] < HALF, state[0, j] > HOOKED
            weight[k, j] = of_state(calm, hooked, prior[k, j], prior[PITCH + k, j], prior[2 * PITCH + k, j])


@inlined
def count(scratch: Any) -> None:
    """Count the post shown, and find its category."""
    for j in range(LANES):
        category[0, j] = ZERO
    for k in range(K):
        for j in range(LANES):
            after = ONE if target[0, j] >= cumulative[0, j] else ZERO
            cumulative[0, j] = cumulative[0, j] + odds[k, j]
            beyond = ONE if target[0, j] >= cumulative[0, j] else ZERO
            shown[k, j] = shown[k, j] + (after - beyond)
            category[0, j] = category[0, j] + beyond


@inlined
def keep_post(scratch: Any, cells: Any, rewards: Any, place: int, inverse_count: Any, world: Any) -> None:
    """Keep a post and its reaction, and take the reaction into the mean of all."""
    for j in range(LANES):
        x = reaction(chosen_mean[0, j], chosen_std[0, j], noise[0, j])
        if EXTENDED:
            x = x * strength(floor[0, j], chosen_level[0, j], world.slope, world.inverse_width)
            if LENS:
                x = primed_reaction(x, quality[0, j], chosen_recent[0, j], recent_total[0, j], world.lens)
                reacted[0, j] = x
            felt[0, j], felt_lost[0, j] = welford(felt[0, j], felt_lost[0, j], advantage(x, felt[0, j]), inverse_count)
            if LENS:
                y = reaction(chosen_label_mean[0, j], chosen_label_std[0, j], label_noise[0, j])
                x = reward_of(x, y, rated[0, j], world.lens)
        y = advantage(x, baseline[0, j])
        baseline[0, j], baseline_lost[0, j] = welford(baseline[0, j], baseline_lost[0, j], y, inverse_count)
        cells[place, j] = I32(state[0, j] * F32(STRIDE) + category[0, j])
        rewards[place, j] = x


@inlined
def leash_post(scratch: Any, rewards: Any, place: int, rule: Any) -> None:
    """Add up the log-ratios to the reference, and take the leash off the reward if it is in it."""
    for j in range(LANES):
        before[0, j] = category[0, j]
        away[0, j] = ZERO
    for k in range(K):
        for j in range(LANES):
            calm, hooked = state[0, j] < HALF, state[0, j] > HOOKED
            hit = before[0, j] == ZERO
            before[0, j] = before[0, j] - ONE
            x = of_state(
                calm,
                hooked,
                log_policy[k, j] - log_reference[k, j],
                log_policy[PITCH + k, j] - log_reference[PITCH + k, j],
                log_policy[2 * PITCH + k, j] - log_reference[2 * PITCH + k, j],
            )
            away[0, j] = x if hit else away[0, j]
    for j in range(LANES):
        mean_k1[0, j] = mean_k1[0, j] + k1(away[0, j]) * rule.inverse_posts
    if rule.in_reward:
        for j in range(LANES):
            rewards[place, j] = shaped_reward(rewards[place, j], away[0, j], beta[0, j])


@compiled
def learn(scratch: Any, memory: Any, rule: Any, sessions: Any) -> None:
    """Credit the posts of a session, and take the rule's steps; `sessions` came before it."""
    credit(memory, scratch[VALUE_ROW * LANES : (VALUE_ROW + S) * LANES].reshape(S, LANES), rule, sessions)
    size = rule.posts // rule.minibatches
    if rule.minibatches > 1:
        pack(memory)
    for epoch in range(rule.epochs):
        if rule.minibatches > 1:
            shuffle(memory)
            unpack(memory)
        for part in range(rule.minibatches):
            if epoch + part > 0:
                tabulate(scratch, rule)
                compare_with_old(scratch)
            if rule.pulled:
                compare_with_reference(scratch, rule)
            if rule.normalise == MINIBATCH:
                spread_out(memory.gain, part * size, 1, size, memory.passing, rule)
            take_step(scratch, memory.cell, memory.gain, memory.target, part * size, (part + 1) * size, rule)
    if ONE_TABLE:
        put_back_table(scratch)
    if rule.adaptive:
        for j in range(LANES):
            beta[0, j] = adapt(beta[0, j], mean_k1[0, j], rule.kl_target, rule.posts_per_kl_horizon)


@compiled
def advance(scratch: Any, words: Any, memory: Any, first: int, last: int, rule: Any, serving: Any, world: Any) -> None:
    """Run posts first + 1 ... last for the users of one block."""
    ends = memory.end
    for t in range(first, last):
        place, sessions = t % rule.posts, t // rule.posts
        if EXTENDED:
            place = (t - serving.origin) % rule.posts
            sessions = sessions if rule.returns == IMMEDIATE else (t - serving.origin) // rule.posts
        if place == 0:
            begin_session(scratch, rule, world)
        if place % rule.horizon == 0:
            for j in range(LANES):
                state[0, j] = start[0, j]
                if EXTENDED:
                    floor[0, j] = start_floor[0, j]
            if LENS:
                restore_memory(scratch, world.lens)
        draw_luck(scratch, words)
        if t == first or place == 0 or rule.horizon > 1:
            recall(scratch)
            if EXTENDED:
                serve(scratch, serving)
        choose(scratch)
        if LENS:
            draw_labels(scratch, words, world.lens)
            meet_item(scratch, words, world.lens)
        count(scratch)
        keep_post(scratch, memory.cell, memory.target, place, ONE / F32(t + 1), world)
        if rule.in_reward or rule.adaptive:
            leash_post(scratch, memory.target, place, rule)
        move(scratch, world)
        if LENS:
            remember(scratch, world.lens)
        if (place + 1) % rule.horizon == 0:
            rollout = place // rule.horizon
            for j in range(LANES):
                ends[rollout, j] = state[0, j]
        if place + 1 == rule.posts:
            learn(scratch, memory, rule, sessions)
            if LENS:
                look_back(scratch, world.lens)
                if world.lens.retrieved > 0 and (t + 1) % world.lens.refresh == 0:
                    fetch(scratch, words, world.lens)
                    open_arms(scratch, serving.cap)
