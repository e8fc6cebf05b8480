"""A block of users from their ids to their trace, and the fold over all of them.

A template, like the others of this folder: `specialise` turns them into code for one K. A block of LANES users lives
in one float32 scratch array. `name[row, j]` is a row of it, one number per lane (`specialise.first_rows` lists them);
the innermost loop runs over lanes, and nothing else varies in it. Branches over states are selections between values
already loaded, because a chain of comparisons with integers becomes a jump table and stops vectorisation.
"""

from typing import Any

import numpy as np

from mirrorfield.arrays import S
from mirrorfield.kernel.fold import fold
from mirrorfield.kernel.items import shelf_rows
from mirrorfield.kernel.jit import aligned, compiled
from mirrorfield.kernel.sound import first_unsound
from mirrorfield.kernel.template.intervention import enter, pass_through, record_intensity
from mirrorfield.kernel.template.plain import advance, begin
from mirrorfield.kernel.template.posts import weigh
from mirrorfield.kernel.template.profiles import blend_profiles, start_streams
from mirrorfield.kernel.template.serving import serve
from mirrorfield.kernel.trace import keep
from mirrorfield.maths import F32, ONE, ZERO, exp, normal
from mirrorfield.model.draw import LOGNORMAL, UNIFORM, draw_user, vectorised
from mirrorfield.streams import (
    INTENTIONALITY,
    INTERACTION,
    SUSCEPTIBILITY,
    U64,
    next_word,
    uniform,
    uniform_positive,
)

K = ...
LANES = ...
PITCH = ...
RUNGS = ...
CATEGORIES = ...
EXTENDED = ...
LENS = ...
WORDS = ...
ROWS = ...


@compiled
def draw_side_by_side(scratch: Any, words: Any, seed: Any, first_user: Any, population: Any) -> None:
    """Draw LANES users of a distribution that `vectorised` accepts: the operations of `draw_user`, lane by lane."""
    if population.susceptibility_kind[0] == LOGNORMAL:
        start_streams(words, seed, first_user, SUSCEPTIBILITY)
        for i in range(CATEGORIES):
            median, sigma = population.susceptibility_a[0, i], population.susceptibility_b[0, i]
            for j in range(LANES):
                a, b, c, d = words[j], words[LANES + j], words[2 * LANES + j], words[3 * LANES + j]
                radius_word, a, b, c, d = next_word(a, b, c, d)
                angle_word, a, b, c, d = next_word(a, b, c, d)
                words[j], words[LANES + j], words[2 * LANES + j], words[3 * LANES + j] = a, b, c, d
                n = normal(uniform_positive(radius_word), uniform(angle_word))
                susceptibility[i, j] = median * exp(sigma * n)
    else:
        for i in range(CATEGORIES):
            median = population.susceptibility_a[0, i]
            for j in range(LANES):
                susceptibility[i, j] = median
    start_streams(words, seed, first_user, INTENTIONALITY)
    low = population.intentionality_a[0, 0]
    width = population.intentionality_b[0, 0] - low if population.intentionality_kind[0, 0] == UNIFORM else ZERO
    for j in range(LANES):
        a, b, c, d = words[j], words[LANES + j], words[2 * LANES + j], words[3 * LANES + j]
        _, a, b, c, d = next_word(a, b, c, d)
        place_word, a, b, c, d = next_word(a, b, c, d)
        intentionality[0, j] = low + width * uniform(place_word)


@compiled
def draw_one_by_one(scratch: Any, seed: Any, first_user: Any, population: Any) -> None:
    """Draw LANES users of any distribution."""
    draw_words = np.empty(4, np.uint32)
    w = np.empty(CATEGORIES, np.float32)
    for j in range(LANES):
        drawn, drawn_segment = draw_user(seed, first_user + U64(j), population, draw_words, w)
        intentionality[0, j] = drawn
        segment[0, j] = F32(drawn_segment)
        for i in range(CATEGORIES):
            susceptibility[i, j] = w[i]


@compiled
def load_users(
    scratch: Any, words: Any, seed: Any, first_user: Any, start_logits: Any, profiles: Any, population: Any
) -> None:
    """Draw LANES users from their ids, and put them at the start: starting policy, no baseline, calm."""
    scratch[:] = ZERO
    for s in range(S):
        for i in range(K):
            for j in range(LANES):
                logits[s * PITCH + i, j] = start_logits[s, i]
    if vectorised(population):
        draw_side_by_side(scratch, words, seed, first_user, population)
    else:
        draw_one_by_one(scratch, seed, first_user, population)
    if EXTENDED:
        for j in range(LANES):
            leaning[0, j] = intentionality[0, j]
    blend_profiles(scratch, profiles)
    start_streams(words, seed, first_user, INTERACTION)


@compiled
def record(scratch: Any, trace: Any, c: int, start: int, serving: Any) -> None:
    """Write what each user of a block would be served next, its state and its mean reaction, as recorded step c."""
    weigh(scratch)
    if EXTENDED:
        serve(scratch, serving)
    for j in range(LANES):
        inverse_total[0, j] = ONE / odds_total[0, j]
    for k in range(K):
        for j in range(LANES):
            odds[k, j] = odds[k, j] * inverse_total[0, j]
    for i in range(CATEGORIES):
        row = trace.feed[c, i, start : start + LANES]
        for j in range(LANES):
            row[j] = odds[i * RUNGS, j]
        for r in range(1, RUNGS):
            for j in range(LANES):
                row[j] = row[j] + odds[i * RUNGS + r, j]
    for j in range(LANES):
        trace.state[c, start + j] = np.int8(state[0, j])
    if EXTENDED:
        record_intensity(scratch, trace, c, start)
    else:
        for j in range(LANES):
            trace.mean_reaction[c, start + j] = baseline[0, j]


@compiled
def finish(scratch: Any, trace: Any, start: int) -> None:
    """Write what a block's users are and what the recommender has learned of them."""
    for j in range(LANES):
        trace.intentionality[start + j] = intentionality[0, j]
        trace.segment[start + j] = np.int32(segment[0, j])
    for i in range(CATEGORIES):
        w = trace.susceptibility[i, start : start + LANES]
        for j in range(LANES):
            w[j] = susceptibility[i, j]
    for i in range(K):
        posts = trace.exposures[i, start : start + LANES]
        for j in range(LANES):
            posts[j] = np.int32(shown[i, j])
        for s in range(S):
            row = trace.logits[s, i, start : start + LANES]
            for j in range(LANES):
                row[j] = logits[s * PITCH + i, j]


@compiled
def run_batch(
    seed: Any,
    first_user: Any,
    blocks: int,
    steps: Any,
    rule: Any,
    memory: Any,
    start_logits: Any,
    profiles: Any,
    population: Any,
    world: Any,
    trace: Any,
) -> None:
    """Run `blocks` blocks of LANES users to the last of the recorded `steps`, and fill the trace."""
    rows = ROWS
    if LENS:
        rows += shelf_rows(len(world.lens.kind), CATEGORIES)
    scratch, words = aligned(rows * LANES, np.float32), aligned(WORDS * LANES, np.uint32)
    for block in range(blocks):
        first = first_user + U64(block * LANES)
        load_users(scratch, words, seed, first, start_logits, profiles, population)
        if EXTENDED:
            enter(scratch, words, seed, first, profiles, world)
            begin(scratch, memory[0], seed, first, rule[0])
        else:
            begin(scratch, memory, seed, first, rule)
        done = np.int64(0)
        for c in range(len(steps)):
            if EXTENDED:
                pass_through(scratch, words, memory, seed, first, done, steps[c], rule, profiles, world)
                record(scratch, trace, c, block * LANES, world.after if steps[c] > world.at else world.before)
            else:
                advance(scratch, words, memory, done, steps[c], rule, (), ())
                record(scratch, trace, c, block * LANES, ())
            done = steps[c]
        finish(scratch, trace, block * LANES)


@compiled
def run_users(
    seed: Any,
    first_user: Any,
    users: int,
    steps: Any,
    rule: Any,
    memory: Any,
    start_logits: Any,
    profiles: Any,
    population: Any,
    world: Any,
    scales: Any,
    trace: Any,
    notes: Any,
    totals: Any,
    kept_users: Any,
    kept: Any,
    row: int,
) -> Any:
    """Run users first_user, first_user + 1, ..., a trace's width at a time, and fold them into the totals.

    Those of `kept_users`, ids in ascending order, that are among them are copied to `kept`, from column `row` on.
    Returns the largest mean reaction there was, up to sign, and -1; or, as soon as a batch has a user with a number
    that is not finite, that user's place instead of -1, with nothing of the batch folded.
    """
    worst = ZERO
    width = trace.state.shape[1]
    for start in range(0, users, width):
        count = min(width, users - start)
        first = first_user + U64(start)
        blocks = (count + LANES - 1) // LANES
        run_batch(seed, first, blocks, steps, rule, memory, start_logits, profiles, population, world, trace)
        flawed = first_unsound(trace, count, notes)
        if flawed >= 0:
            return worst, start + flawed
        worst = max(worst, fold(trace, first, count, scales, notes, totals))
        while row < len(kept_users) and U64(kept_users[row]) < first + U64(count):
            keep(trace, np.int64(U64(kept_users[row]) - first), kept, row)
            row += 1
    return worst, np.int64(-1)
