"""The loop with every mechanism: any rule, intensity, habituation, interventions, labels, context and retrieval.

What a scenario does not have is tested for once per post and block, and costs nothing in the loops over lanes.
"""

from typing import Any

import numpy as np

from mirrorfield.arrays import S
from mirrorfield.kernel.acting import judge
from mirrorfield.kernel.batch import count_in
from mirrorfield.kernel.beyond import WORDS
from mirrorfield.kernel.habituation import feel, habituate, move_floor, take_in
from mirrorfield.kernel.items import pick_item, remember_item, retrieve
from mirrorfield.kernel.jit import aligned, call_at, compiled, entry, inlined, lanewise
from mirrorfield.kernel.lens import draw_labels, enter_lens, label, look_back, prime, remember
from mirrorfield.kernel.people import blend_profiles, load_people, start_streams
from mirrorfield.kernel.plain import choose, draw_luck, learn, move, weigh
from mirrorfield.kernel.record import finish, look_from, mix_heights, mix_states
from mirrorfield.kernel.rows import copy_row, set_row, sum_rungs
from mirrorfield.kernel.serving import (
    draw_meddling,
    explore,
    limit,
    open_arms,
    start_odds,
    swap_row,
    weigh_importance,
    weigh_open,
)
from mirrorfield.kernel.sessions import (
    begin,
    begin_rollout,
    begin_session,
    count,
    keep_cell,
    learn_session,
    leash_post,
    recall,
)
from mirrorfield.kernel.updates import start_memory
from mirrorfield.maths import F32, ONE, ZERO
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.options import Returns
from mirrorfield.policy.reinforce import advantage
from mirrorfield.streams import INTERVENTION, NUDGE, U64, next_word, stream, uniform

IMMEDIATE = int(Returns.IMMEDIATE)


@compiled
def enter(rows: Any, words: Any, seed: Any, first_user: Any, profiles: Any, task: Any) -> None:
    """Set what the plain loop does without: what may be shown, how people lean, the lens, and luck for meddling."""
    at, also = task.at, task.also
    found = rows[also.found]
    copy_row(rows[at.intentionality], rows[also.leaning])
    set_row(ONE, rows[also.quality])
    for i in range(len(found)):
        set_row(ONE, found[i])
    if task.mechanisms.lensed:
        enter_lens(rows, words, at, also, seed, first_user, profiles, task.lens)
    open_arms(rows[also.opened], found, task.mechanisms.level, task.before.serving.cap)
    start_streams(words[also.meddling], seed, first_user, INTERVENTION)
    start_memory(rows, task.update)
    if task.tables > 0:
        begin(rows, at, also, task.before.memory, seed, first_user, task.before.rule, task.tables)


@lanewise
def nudge_some(seed: Any, first_user: Any, nudge: Any, share: Any, leaning: Any) -> None:
    """Make a share of people more intentional, within [0, 1]."""
    for j in range(len(leaning)):
        a, b, c, d = stream(seed, first_user + U64(j), NUDGE)
        word, a, b, c, d = next_word(a, b, c, d)
        x = leaning[j] + (nudge if uniform(word) < share else ZERO)
        leaning[j] = min(max(x, ZERO), ONE)


@compiled
def intervene(rows: Any, seed: Any, first_user: Any, profiles: Any, task: Any) -> None:
    """Change what the intervention changes at once: the rule, what may be shown, and how people lean."""
    at, also, mechanisms = task.at, task.also, task.mechanisms
    if mechanisms.switched and task.tables > 0:
        begin(rows, at, also, task.after.memory, seed, first_user, task.after.rule, task.tables)
    open_arms(rows[also.opened], rows[also.found], mechanisms.level, task.after.serving.cap)
    if mechanisms.nudge != ZERO:
        nudge_some(seed, first_user, mechanisms.nudge, mechanisms.nudge_share, rows[also.leaning])
        blend_profiles(rows, at, rows[also.leaning], profiles)


@inlined
def serve(rows: Any, at: Any, also: Any, serving: Any) -> None:
    """Set the odds of what is served: the policy, within the quota, and a share of posts drawn evenly."""
    total, opened, odds, share = rows[at.total], rows[also.opened], rows[also.odds], rows[also.share]
    start_odds(rows[at.weight], total, opened, odds, rows[also.odds_total], share)
    if serving.quota < ONE:
        sum_rungs(odds, rows[also.held])
        limit(odds, total, rows[also.held], rows[also.fullest], rows[also.rest], serving.quota)
    explore(odds, total, opened, share, serving.keep, serving.exploration)


@inlined
def weigh_all(rows: Any, at: Any, also: Any, state: Any, closes: bool) -> None:
    """Set every arm's weight under the policy in each person's state, and their total."""
    logits, weight, largest, total = rows[at.logits], rows[at.weight], rows[at.largest], rows[at.total]
    if closes:
        weigh_open(logits, rows[also.tilt], rows[also.opened], state, weight, largest, total)
    else:
        weigh(logits, state, weight, largest, total)


@lanewise
def observe(reward: Any, heard: Any, seen: Any, baseline: Any, lost: Any, gain: Any) -> None:
    """Compare the reward with the mean of those seen before it, and take it into the mean if it is seen."""
    for j in range(len(reward)):
        here = heard[j]
        number = seen[j] + here
        seen[j] = number
        x = advantage(reward[j], baseline[j]) * here
        gain[j] = x
        baseline[j], lost[j] = welford(baseline[j], lost[j], x, ONE / (number if number > ZERO else ONE))


@inlined
def respond(rows: Any, words: Any, at: Any, also: Any, inverse_count: Any, mechanisms: Any, lens: Any) -> None:
    """Find the reaction to the post shown, and the reward that the recommender sees of it."""
    arm, cell, reacted, reward = rows[at.arm], rows[at.cell], rows[also.reacted], rows[also.reward]
    feel(rows[at.mean], rows[at.std], rows[at.state], arm, rows[at.noise], cell, reacted)
    if mechanisms.graded:
        floor, level = rows[also.floor], rows[also.level]
        habituate(mechanisms.level, arm, floor, mechanisms.slope, mechanisms.inverse_width, level, reacted)
    if mechanisms.extended:
        if lens.priming != ZERO or lens.retrieved > 0:
            recent, recent_total = rows[also.recent], rows[also.recent_total]
            prime(recent, recent_total, arm, rows[also.quality], lens.priming, lens.even, reacted)
        take_in(reacted, inverse_count, rows[also.felt], rows[also.felt_lost])
    copy_row(reacted, reward)
    if lens.acts.asked:
        judge(rows, words[also.acting], at, also, lens.acts)
    if lens.deliberate > ZERO:
        label(
            rows[also.label_mean], rows[also.label_std], cell, rows[also.label_noise], rows[also.rated],
            lens.involuntary, lens.deliberate, reward, rows[also.heard],
        )  # fmt: skip


@inlined
def draw_lens(rows: Any, words: Any, at: Any, also: Any, lens: Any) -> None:
    """Draw whether and how a post is rated, and pick its item."""
    if lens.labelled:
        draw_labels(words[also.labelling], lens.rate, rows[also.rated], rows[also.label_noise])
    elif lens.deliberate > ZERO:
        set_row(ONE, rows[also.rated])
        set_row(ZERO, rows[also.label_noise])
    if lens.retrieved > 0:
        rungs = len(rows[at.shown]) // len(rows[at.susceptibility])
        pick_item(rows[also.shelf], words[also.picking], rows[at.arm], rows[also.quality], rungs, lens)


@inlined
def take_to_memory(rows: Any, at: Any, also: Any, lens: Any) -> None:
    """Take a post into the session memory, and into the history of items."""
    if lens.remembers:
        remember(rows[also.recent], rows[at.arm], rows[also.reacted], lens.forget, rows[also.recent_total])
    if lens.retrieved > 0:
        remember_item(rows[also.shelf], rows[also.reacted], lens)


@inlined
def renew_context(rows: Any, words: Any, also: Any, lens: Any, posts: Any, level: Any, cap: Any) -> None:
    """Set the context of what comes next from the memory, and retrieve anew where that is due."""
    if lens.looks_back:
        look_back(rows[also.recent], rows[also.recent_total], lens.kappa, lens.blur, lens.even, rows[also.tilt])
    if lens.retrieved > 0 and posts % lens.refresh == 0:
        retrieve(rows[also.shelf], words[also.retrieving], rows[also.found], lens)
        open_arms(rows[also.opened], rows[also.found], level, cap)


@inlined
def meddle(rows: Any, words: Any, also: Any, serving: Any) -> None:
    """Find out whose post the partner's feed chooses, and whose reaction is seen; swap their odds."""
    swapped, heard, odds = rows[also.swapped], rows[also.heard], rows[also.odds]
    draw_meddling(words[also.meddling], serving.swap, serving.friction, swapped, heard)
    if serving.swap > ZERO:
        for k in range(len(odds)):
            swap_row(swapped, odds[k])
        swap_row(swapped, rows[also.odds_total])


@inlined
def learn_at_once(rows: Any, at: Any, also: Any, alters: bool, learning_rate: Any, update: Any) -> None:
    """Learn from a post as soon as it is seen."""
    weight, arm, gain = rows[at.weight], rows[at.arm], rows[at.gain]
    observe(
        rows[also.reward], rows[also.heard], rows[also.seen], rows[at.baseline], rows[at.baseline_lost], gain
    )  # fmt: skip
    if alters:
        weigh_importance(weight, rows[also.odds], arm, gain)
    if update.address == 0:
        learn(rows[at.logits], rows[at.shown], weight, rows[at.total], rows[at.state], arm, gain, learning_rate)
    else:
        call_at(update.address, rows, update.places[1 if alters else 0], update.numbers)


@inlined
def keep_post(
    rows: Any, at: Any, also: Any, memory: Any, place: Any, inverse_count: Any, rule: Any, tables: Any
) -> None:
    """Keep a post and its reward until the session ends."""
    arm, reward, cell, target = rows[at.arm], rows[also.reward], memory.cell[place], memory.target[place]
    count(arm, rows[at.shown])
    take_in(reward, inverse_count, rows[at.baseline], rows[at.baseline_lost])
    copy_row(reward, target)
    keep_cell(rows[at.cell] if tables == S else arm, cell)
    if rule.in_reward or rule.adaptive:
        leash_post(rows, also, cell, target, rule)


@compiled
def advance(rows: Any, words: Any, first: Any, last: Any, phase: Any, task: Any) -> None:
    """Run posts first + 1 ... last for the people of one block, (rows, n), with the words of their luck, (20, n)."""
    rule, memory, serving = phase.rule, phase.memory, phase.serving
    at, also, mechanisms, lens, tables = task.at, task.also, task.mechanisms, task.lens, task.tables
    state, choice, target, reached, arm = (
        rows[at.state], rows[at.choice], rows[at.target], rows[at.reached], rows[at.arm]
    )  # fmt: skip
    odds, odds_total = rows[at.weight], rows[at.total]
    if serving.alters:
        odds, odds_total = rows[also.odds], rows[also.odds_total]
    for t in range(first, last):
        place, sessions = (t - serving.origin) % rule.posts, t // rule.posts
        inverse_count, fresh = ONE / F32(t + 1), True
        draw_luck(words[at.luck], choice, rows[at.noise], target, rows[at.transition])
        if tables == 0:
            weigh_all(rows, at, also, rows[task.update.seen], mechanisms.closes)
        else:
            if rule.returns != IMMEDIATE:
                sessions = (t - serving.origin) // rule.posts
            if place == 0:
                begin_session(rows, at, also, rule, tables, mechanisms, lens)
            if place % rule.horizon == 0:
                begin_rollout(rows, at, also, mechanisms, lens)
            fresh = t == first or place == 0 or rule.horizon > 1
            if fresh:
                recall(rows[also.prior], rows[also.prior_total], tables, state, rows[at.weight], rows[at.total])
        if fresh and serving.alters:
            serve(rows, at, also, serving)
        if serving.meddled:
            meddle(rows, words, also, serving)
        else:
            set_row(ONE, rows[also.heard])
        choose(odds, odds_total, choice, target, reached, arm)
        if mechanisms.lensed:
            draw_lens(rows, words, at, also, lens)
        respond(rows, words, at, also, inverse_count, mechanisms, lens)
        if tables == 0:
            learn_at_once(rows, at, also, serving.alters, rule.step_size, task.update)
        else:
            keep_post(rows, at, also, memory, place, inverse_count, rule, tables)
        move(rows[at.calm_to], rows[at.hooked_at], rows[at.cell], rows[at.transition], state)
        if mechanisms.graded:
            move_floor(rows[also.level], mechanisms.eta, mechanisms.decay, rows[also.floor])
        if mechanisms.lensed:
            take_to_memory(rows, at, also, lens)
        if tables > 0 and (place + 1) % rule.horizon == 0:
            copy_row(state, memory.end[place // rule.horizon])
        if tables > 0 and place + 1 == rule.posts:
            learn_session(rows, at, also, memory, rule, tables, mechanisms.closes, sessions)
        if mechanisms.lensed and (tables == 0 or place + 1 == rule.posts):
            renew_context(rows, words, also, lens, t + 1, mechanisms.level, serving.cap)


@inlined
def pass_through(
    rows: Any, words: Any, seed: Any, first_user: Any, first: Any, last: Any, profiles: Any, task: Any
) -> None:
    """Run posts first + 1 ... last for the people of one block, and intervene where that falls among them."""
    at = task.mechanisms.at
    for part in range(2):
        begin_at = max(first, at) if part else first
        end_at = last if part else min(last, at)
        if begin_at < end_at:
            if part > 0 and first <= at:
                intervene(rows, seed, first_user, profiles, task)
            advance(rows, words, begin_at, end_at, task.after if part else task.before, task)


@lanewise
def add_level(shares: Any, levels: Any, height: Any) -> None:
    """Set the mean intensity of what is served; shares, (K, n)."""
    for j in range(len(height)):
        height[j] = ZERO
    for k in range(len(shares)):
        row, x = shares[k], levels[k]
        for j in range(len(height)):
            height[j] = height[j] + row[j] * x


@compiled
def record(rows: Any, trace: Any, c: Any, start: Any, serving: Any, task: Any) -> None:
    """Write everyone's diet, what they would be served next, their state and mean reaction, as recorded step c."""
    at, also, mechanisms, heights = task.at, task.also, task.mechanisms, trace.served_intensity
    odds, total = rows[at.weight], rows[at.total]
    if serving.alters:
        odds, total = rows[also.odds], rows[also.odds_total]
    spare, stop = rows[at.spare], start + rows.shape[1]
    for s in range(S):
        set_row(F32(s) if task.update.seen == at.state else ZERO, spare)
        weigh_all(rows, at, also, spare, mechanisms.closes)
        if serving.alters:
            serve(rows, at, also, serving)
        look_from(rows, at, s, odds, total)
        if len(trace.floor) > 0:
            add_level(odds, mechanisms.level, heights[s, start:stop])
    mix_states(
        rows[at.state], rows[at.served], rows[at.moves], rows[at.dwell], rows[at.crest], spare, trace, c, start
    )  # fmt: skip
    copy_row(rows[also.felt] if mechanisms.extended else rows[at.baseline], trace.mean_reaction[c, start:stop])
    if len(trace.floor) > 0:
        mix_heights(rows[at.state], rows[at.dwell], trace, c, start)
        copy_row(rows[also.floor], trace.floor[c, start:stop])


@inlined
def run_batch(
    seed: Any, first_user: Any, blocks: Any, steps: Any, task: Any, start_logits: Any, profiles: Any, population: Any,
    trace: Any,
) -> None:  # fmt: skip
    """Run `blocks` blocks of people to the last of the recorded `steps`, and fill the trace."""
    lanes, at, end = task.lanes, task.at, task.update.end
    rows = aligned(end * lanes, np.float32).reshape(end, lanes)
    words = aligned(WORDS * lanes, np.uint32).reshape(WORDS, lanes)
    for block in range(blocks):
        start = block * lanes
        first = first_user + U64(start)
        set_row(ZERO, rows.reshape(-1))
        load_people(rows, words, at, seed, first, start_logits, profiles, population)
        enter(rows, words, seed, first, profiles, task)
        done = np.int64(0)
        for c in range(len(steps)):
            pass_through(rows, words, seed, first, done, steps[c], profiles, task)
            serving = task.after.serving if steps[c] > task.mechanisms.at else task.before.serving
            record(rows, trace, c, start, serving, task)
            done = steps[c]
        finish(rows, at, trace, start)


@entry
def run_users(
    seed: Any, first_user: Any, users: int, steps: Any, task: Any, start_logits: Any, profiles: Any, population: Any,
    scales: Any, trace: Any, notes: Any, totals: Any, momentary: Any, kept_users: Any, kept: Any, row: int,
) -> Any:  # fmt: skip
    """Run people and fold them, as `plain.run_users` does, with every mechanism."""
    worst, width = ZERO, trace.state.shape[1]
    for start in range(0, users, width):
        number, first = min(width, users - start), first_user + U64(start)
        blocks = (number + task.lanes - 1) // task.lanes
        run_batch(seed, first, blocks, steps, task, start_logits, profiles, population, trace)
        largest, flawed, row = count_in(trace, first, number, scales, notes, totals, momentary, kept_users, kept, row)
        worst = max(worst, largest)
        if flawed >= 0:
            return worst, start + flawed
    return worst, np.int64(-1)
