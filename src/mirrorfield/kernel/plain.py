"""Plain REINFORCE with a running-mean baseline: learn from every post as soon as it is seen."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import S
from mirrorfield.kernel.batch import count_in
from mirrorfield.kernel.habituation import feel
from mirrorfield.kernel.jit import aligned, call_at, compiled, inlined
from mirrorfield.kernel.people import load_people
from mirrorfield.kernel.posts import choose, compare, draw_luck, learn, move, react, weigh
from mirrorfield.kernel.record import finish, look_from, mix_states
from mirrorfield.kernel.rows import At, copy_row, set_row
from mirrorfield.kernel.updates import start_memory
from mirrorfield.maths import F32, ONE, ZERO
from mirrorfield.streams import U64


class Plain(NamedTuple):
    """What the plain loop needs beside people."""

    lanes: int
    at: At
    learning_rate: Any
    update: Any  # an Update


@compiled
def advance(rows: Any, words: Any, at: Any, first: Any, last: Any, learning_rate: Any, update: Any) -> None:
    """Run posts first + 1 ... last for the people of one block, (rows, n), with the words of their luck, (4, n)."""
    logits, shown, weight, total, largest = (
        rows[at.logits], rows[at.shown], rows[at.weight], rows[at.total], rows[at.largest]
    )  # fmt: skip
    mean, std, fall, rise, state = rows[at.mean], rows[at.std], rows[at.fall], rows[at.rise], rows[at.state]
    choice, noise, transition, luck = rows[at.choice], rows[at.noise], rows[at.transition], words[at.luck]
    target, reached, arm, cell, gain = rows[at.target], rows[at.reached], rows[at.arm], rows[at.cell], rows[at.gain]
    baseline, lost, seen, reward = rows[at.baseline], rows[at.baseline_lost], rows[update.seen], rows[update.reward]
    for t in range(first, last):
        inverse_count = ONE / F32(t + 1)
        draw_luck(luck, choice, noise, transition)
        weigh(logits, seen, weight, largest, total)
        choose(weight, total, choice, target, reached, arm)
        if update.address == 0:
            react(mean, std, state, arm, noise, inverse_count, baseline, lost, gain, cell)
            learn(logits, shown, weight, total, state, arm, gain, learning_rate)
        else:
            feel(mean, std, state, arm, noise, cell, reward)
            compare(reward, inverse_count, baseline, lost, gain)
            call_at(update.address, rows, update.places[0], update.numbers)
        move(fall, rise, cell, transition, state)


@compiled
def record(rows: Any, at: Any, trace: Any, c: Any, start: Any, update: Any) -> None:
    """Write everyone's diet, what they would be served next, their state and mean reaction, as recorded step c."""
    weight, total, spare, crest = rows[at.weight], rows[at.total], rows[at.spare], rows[at.crest]
    fall, rise, arms = rows[at.fall], rows[at.rise], len(weight)
    for s in range(S):
        set_row(F32(s) if update.seen == at.state else ZERO, spare)
        weigh(rows[at.logits], spare, weight, rows[at.largest], total)
        here = s * arms
        look_from(weight, total, fall[here : here + arms], rise[here : here + arms], crest, trace, s, start)
    mix_states(rows[at.state], rows[at.dwell], crest, spare, trace, c, start)
    copy_row(rows[at.baseline], trace.mean_reaction[c, start : start + rows.shape[1]])


@inlined
def run_batch(
    seed: Any, first_user: Any, blocks: Any, steps: Any, task: Any, start_logits: Any, profiles: Any, population: Any,
    trace: Any,
) -> None:  # fmt: skip
    """Run `blocks` blocks of people to the last of the recorded `steps`, and fill the trace."""
    lanes, at, update = task.lanes, task.at, task.update
    rows = aligned(update.end * lanes, np.float32).reshape(update.end, lanes)
    words = aligned(4 * lanes, np.uint32).reshape(4, lanes)
    for block in range(blocks):
        start = block * lanes
        set_row(ZERO, rows.reshape(-1))
        load_people(rows, words, at, seed, first_user + U64(start), start_logits, profiles, population)
        start_memory(rows, update)
        done = np.int64(0)
        for c in range(len(steps)):
            advance(rows, words, at, done, steps[c], task.learning_rate, update)
            record(rows, at, trace, c, start, update)
            done = steps[c]
        finish(rows, at, trace, start)


@compiled
def run_users(
    seed: Any, first_user: Any, users: int, steps: Any, task: Any, start_logits: Any, profiles: Any, population: Any,
    scales: Any, trace: Any, notes: Any, totals: Any, momentary: Any, kept_users: Any, kept: Any, row: int,
) -> Any:  # fmt: skip
    """Run people first_user, first_user + 1, ..., a trace's width at a time, and fold them into the totals.

    Those of `kept_users`, ids in ascending order, that are among them are copied to `kept`, from column `row` on.
    Returns the largest mean reaction there was, up to sign, and -1; or, as soon as a batch has a person with a number
    that is not finite, that person's place instead of -1, with nothing of the batch folded.
    """
    worst, width = ZERO, trace.state.shape[1]
    for start in range(0, users, width):
        count, first = min(width, users - start), first_user + U64(start)
        blocks = (count + task.lanes - 1) // task.lanes
        run_batch(seed, first, blocks, steps, task, start_logits, profiles, population, trace)
        largest, flawed, row = count_in(trace, first, count, scales, notes, totals, momentary, kept_users, kept, row)
        worst = max(worst, largest)
        if flawed >= 0:
            return worst, start + flawed
    return worst, np.int64(-1)
