"""Plain REINFORCE with a running-mean baseline: learn from every post as soon as it is seen."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import S
from mirrorfield.kernel.batch import count_in
from mirrorfield.kernel.jit import aligned, compiled
from mirrorfield.kernel.people import blend_profiles, load_people
from mirrorfield.kernel.posts import choose, draw_luck, learn, move, react, weigh
from mirrorfield.kernel.record import finish, look_from, mix_states
from mirrorfield.kernel.rows import row_count, rows_of
from mirrorfield.maths import F32, ONE, ZERO
from mirrorfield.streams import U64


class Plain(NamedTuple):
    """What the plain loop needs beside people."""

    lanes: int
    learning_rate: Any


def lanes_for(arms: int) -> int:
    """Return how many people share a block, so that one block's rows stay in the nearest caches."""
    return 128 if arms <= 8 else 64


@compiled
def advance(rows: Any, first: int, last: int, learning_rate: Any) -> None:
    """Run posts first + 1 ... last for the people of one block."""
    for t in range(first, last):
        draw_luck(rows.words, rows.choice, rows.noise, rows.transition)
        weigh(rows.logits, rows.state, rows.weight, rows.largest, rows.total)
        choose(rows.weight, rows.total, rows.choice, rows.target, rows.reached, rows.arm)
        inverse_count = ONE / F32(t + 1)
        react(
            rows.mean, rows.std, rows.state, rows.arm, rows.noise, inverse_count, rows.baseline, rows.baseline_lost,
            rows.gain, rows.cell,
        )  # fmt: skip
        learn(rows.logits, rows.shown, rows.weight, rows.total, rows.state, rows.arm, rows.gain, learning_rate)
        move(rows.fall, rows.rise, rows.cell, rows.transition, rows.state)


@compiled
def record(rows: Any, trace: Any, c: int, start: int) -> None:
    """Write everyone's diet, what they would be served next, their state and mean reaction, as recorded step c."""
    arms = len(rows.shown)
    for s in range(S):
        rows.spare[:] = F32(s)
        weigh(rows.logits, rows.spare, rows.weight, rows.largest, rows.total)
        fall, rise = rows.fall[s * arms : (s + 1) * arms], rows.rise[s * arms : (s + 1) * arms]
        look_from(rows.weight, rows.total, fall, rise, rows.crest, trace, s, start)
    mix_states(rows, trace, c, start)
    trace.mean_reaction[c, start : start + len(rows.state)] = rows.baseline


@compiled
def run_batch(
    seed: Any, first_user: Any, blocks: int, steps: Any, task: Any, start_logits: Any, profiles: Any, population: Any,
    trace: Any,
) -> None:  # fmt: skip
    """Run `blocks` blocks of people to the last of the recorded `steps`, and fill the trace."""
    lanes, arms = task.lanes, start_logits.shape[1]
    count = row_count(arms, arms)
    scratch = aligned(count * lanes, np.float32).reshape(count, lanes)
    rows = rows_of(scratch, aligned(4 * lanes, np.uint32).reshape(4, lanes), arms, arms)
    for block in range(blocks):
        scratch[:] = ZERO
        load_people(rows, seed, first_user + U64(block * lanes), start_logits, profiles, population)
        done = np.int64(0)
        for c in range(len(steps)):
            advance(rows, done, steps[c], task.learning_rate)
            record(rows, trace, c, block * lanes)
            done = steps[c]
        finish(rows, trace, block * lanes)


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


@compiled
def advance_blocks(scratch: Any, words: Any, arms: int, first: int, last: int, learning_rate: Any) -> None:
    """Run posts first + 1 ... last for a crowd of blocks: scratch (blocks, rows, n) and words (blocks, 4, n)."""
    for block in range(len(scratch)):
        advance(rows_of(scratch[block], words[block], arms, arms), first, last, learning_rate)


@compiled
def load_blocks(
    scratch: Any, words: Any, seed: Any, first_user: Any, start_logits: Any, profiles: Any, population: Any
) -> None:
    """Put a crowd of blocks, all zero, before its first post."""
    arms, lanes = start_logits.shape[1], scratch.shape[2]
    for block in range(len(scratch)):
        rows, first = rows_of(scratch[block], words[block], arms, arms), first_user + U64(block * lanes)
        load_people(rows, seed, first, start_logits, profiles, population)


@compiled
def lean_blocks(scratch: Any, words: Any, arms: int, shift: Any, profiles: Any) -> None:
    """Blend a crowd's profiles anew, with everyone's intentionality moved from its start, within [0, 1]."""
    for block in range(len(scratch)):
        rows = rows_of(scratch[block], words[block], arms, arms)
        for j in range(scratch.shape[2]):
            rows.spare[j] = min(max(rows.intentionality[j] + shift, ZERO), ONE)
        blend_profiles(rows, rows.spare, profiles)


@compiled
def record_blocks(scratch: Any, words: Any, arms: int, trace: Any, c: int) -> None:
    """Record a crowd of blocks, side by side, as recorded step c."""
    for block in range(len(scratch)):
        record(rows_of(scratch[block], words[block], arms, arms), trace, c, block * scratch.shape[2])


@compiled
def finish_blocks(scratch: Any, words: Any, arms: int, trace: Any) -> None:
    """Write what a crowd of blocks, side by side, is and what is learned of it."""
    for block in range(len(scratch)):
        finish(rows_of(scratch[block], words[block], arms, arms), trace, block * scratch.shape[2])
