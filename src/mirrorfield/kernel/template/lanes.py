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
from mirrorfield.kernel.template.posts import HOOKED, select, weigh
from mirrorfield.kernel.template.profiles import blend_profiles, start_streams
from mirrorfield.kernel.template.serving import serve
from mirrorfield.kernel.trace import keep
from mirrorfield.maths import F32, HALF, ONE, ZERO, exp, normal
from mirrorfield.model.diet import LIVED_IN, mixed, time_in_states
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
def look_from(scratch: Any, trace: Any, s: int, start: int, serving: Any) -> None:
    """Find what each user would be served in state s, and where they would go from there."""
    here = F32(s)
    for j in range(LANES):
        state[0, j] = here
    weigh(scratch)
    if EXTENDED:
        serve(scratch, serving)
    for j in range(LANES):
        inverse_total[0, j] = ONE / odds_total[0, j]
        to_calm[0, j] = ZERO
        to_engaged[0, j] = ZERO
        to_hooked[0, j] = ZERO
    for k in range(K):
        for j in range(LANES):
            calm, hooked = state[0, j] < HALF, state[0, j] > HOOKED
            low = select(calm, hooked, fall[k, j], fall[PITCH + k, j], fall[2 * PITCH + k, j])
            high = select(calm, hooked, rise[k, j], rise[PITCH + k, j], rise[2 * PITCH + k, j])
            odds[k, j] = odds[k, j] * inverse_total[0, j]
            to_calm[0, j] = to_calm[0, j] + odds[k, j] * low
            to_engaged[0, j] = to_engaged[0, j] + odds[k, j] * (high - low if high > low else ZERO)
            to_hooked[0, j] = to_hooked[0, j] + odds[k, j] * (ONE - high)
    calmed = trace.moves[s, 0, start : start + LANES]
    for j in range(LANES):
        calmed[j] = to_calm[0, j]
    moved = trace.moves[s, 1, start : start + LANES]
    for j in range(LANES):
        moved[j] = to_engaged[0, j]
    stirred = trace.moves[s, 2, start : start + LANES]
    for j in range(LANES):
        stirred[j] = to_hooked[0, j]
    for i in range(CATEGORIES):
        row = trace.served[s, i, start : start + LANES]
        for j in range(LANES):
            row[j] = odds[i * RUNGS, j]
        for r in range(1, RUNGS):
            for j in range(LANES):
                row[j] = row[j] + odds[i * RUNGS + r, j]
    if EXTENDED:
        height = trace.served_intensity[s, start : start + LANES]
        height[:] = ZERO
        for i in range(K):
            for j in range(LANES):
                height[j] = height[j] + odds[i, j] * level[i, j]


@compiled
def dwell_in_states(scratch: Any, trace: Any, start: int) -> None:
    """Find the long run of each user's states."""
    up, leap = trace.moves[0, 1, start : start + LANES], trace.moves[0, 2, start : start + LANES]
    back, rose = trace.moves[1, 0, start : start + LANES], trace.moves[1, 2, start : start + LANES]
    plunge, down = trace.moves[2, 0, start : start + LANES], trace.moves[2, 1, start : start + LANES]
    for j in range(LANES):
        calm, hooked = state[0, j] < HALF, state[0, j] > HOOKED
        a, b, c = time_in_states(up[j], leap[j], back[j], rose[j], plunge[j], down[j], calm, hooked)
        dwell[0, j] = a
        dwell[1, j] = b
        dwell[2, j] = c
    for j in range(LANES):
        trace.time_in_state[0, start + j] = dwell[0, j]
    for j in range(LANES):
        trace.time_in_state[1, start + j] = dwell[1, j]
    for j in range(LANES):
        trace.time_in_state[2, start + j] = dwell[2, j]


@compiled
def mix_states(scratch: Any, trace: Any, c: int, start: int) -> None:
    """Write each user's diet and feed, and whether they have two faces."""
    for j in range(LANES):
        crest[0, j] = ZERO
        crest[1, j] = ZERO
        crest[2, j] = ZERO
        agreed[0, j] = ZERO
    for i in range(CATEGORIES):
        one, two = trace.served[0, i, start : start + LANES], trace.served[1, i, start : start + LANES]
        three = trace.served[2, i, start : start + LANES]
        for j in range(LANES):
            crest[0, j] = one[j] if one[j] > crest[0, j] else crest[0, j]
            crest[1, j] = two[j] if two[j] > crest[1, j] else crest[1, j]
            crest[2, j] = three[j] if three[j] > crest[2, j] else crest[2, j]
    for i in range(CATEGORIES):
        one, two = trace.served[0, i, start : start + LANES], trace.served[1, i, start : start + LANES]
        three = trace.served[2, i, start : start + LANES]
        eaten = trace.diet[c, i, start : start + LANES]
        for j in range(LANES):
            eaten[j] = mixed(dwell[0, j], dwell[1, j], dwell[2, j], one[j], two[j], three[j])
        upcoming = trace.feed[c, i, start : start + LANES]
        for j in range(LANES):
            upcoming[j] = select(state[0, j] < HALF, state[0, j] > HOOKED, one[j], two[j], three[j])
        for j in range(LANES):
            leads = (one[j] >= crest[0, j]) | (dwell[0, j] <= LIVED_IN)
            leads = leads & ((two[j] >= crest[1, j]) | (dwell[1, j] <= LIVED_IN))
            leads = leads & ((three[j] >= crest[2, j]) | (dwell[2, j] <= LIVED_IN))
            agreed[0, j] = ONE if leads else agreed[0, j]
    for j in range(LANES):
        trace.two_faced[c, start + j] = np.int8(ONE - agreed[0, j])


@compiled
def record(scratch: Any, trace: Any, c: int, start: int, serving: Any) -> None:
    """Write each user's diet, what they would be served next, their state and mean reaction, as recorded step c."""
    for j in range(LANES):
        present[0, j] = state[0, j]
    for s in range(S):
        look_from(scratch, trace, s, start, serving)
    for j in range(LANES):
        state[0, j] = present[0, j]
    dwell_in_states(scratch, trace, start)
    mix_states(scratch, trace, c, start)
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
    momentary: Any,
    kept_users: Any,
    kept: Any,
    row: int,
) -> Any:
    """Run users first_user, first_user + 1, ..., a trace's width at a time, and fold them into the totals.

    The totals are of diets at every recorded step, `momentary` of feeds at the last.

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
        worst = max(worst, fold(trace, trace.diet, trace.intensity, 0, first, count, scales, notes, totals))
        fold(trace, trace.feed, trace.next_intensity, len(steps) - 1, first, count, scales, notes, momentary)
        while row < len(kept_users) and U64(kept_users[row]) < first + U64(count):
            keep(trace, np.int64(U64(kept_users[row]) - first), kept, row)
            row += 1
    return worst, np.int64(-1)
