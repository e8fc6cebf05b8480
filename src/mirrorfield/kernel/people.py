"""People before their first post: drawn from their ids, with a reaction profile of their own."""

from typing import Any

import numpy as np

from mirrorfield.arrays import S
from mirrorfield.kernel.jit import compiled, lanewise
from mirrorfield.kernel.rows import set_row
from mirrorfield.maths import F32, ONE, ZERO, exp, normal
from mirrorfield.model.draw import LOGNORMAL, UNIFORM, draw_user, vectorised
from mirrorfield.model.profile import blend
from mirrorfield.streams import (
    INTENTIONALITY,
    INTERACTION,
    SUSCEPTIBILITY,
    U64,
    next_word,
    stream,
    uniform,
    uniform_positive,
)


@lanewise
def start_streams(words: Any, seed: Any, first_user: Any, purpose: Any) -> None:
    """Put every lane at the start of its person's stream for one purpose; words, uint32 (4, n)."""
    one, two, three, four = words[0], words[1], words[2], words[3]
    for j in range(len(one)):
        one[j], two[j], three[j], four[j] = stream(seed, first_user + U64(j), purpose)


@lanewise
def draw_lognormal(words: Any, median: Any, sigma: Any, row: Any) -> None:
    """Draw one category's susceptibility."""
    one, two, three, four = words[0], words[1], words[2], words[3]
    for j in range(len(row)):
        a, b, c, d = one[j], two[j], three[j], four[j]
        radius_word, a, b, c, d = next_word(a, b, c, d)
        angle_word, a, b, c, d = next_word(a, b, c, d)
        one[j], two[j], three[j], four[j] = a, b, c, d
        n = normal(uniform_positive(radius_word), uniform(angle_word))
        row[j] = median * exp(sigma * n)


@lanewise
def draw_uniform(words: Any, low: Any, width: Any, row: Any) -> None:
    """Draw everyone's intentionality: the first word would choose among the components of a mixture."""
    one, two, three, four = words[0], words[1], words[2], words[3]
    for j in range(len(row)):
        a, b, c, d = one[j], two[j], three[j], four[j]
        _, a, b, c, d = next_word(a, b, c, d)
        place_word, a, b, c, d = next_word(a, b, c, d)
        row[j] = low + width * uniform(place_word)


@compiled
def draw_side_by_side(
    words: Any, seed: Any, first_user: Any, population: Any, susceptibility: Any, intentionality: Any
) -> None:
    """Draw people of a distribution that `vectorised` accepts: the operations of `draw_user`, lane by lane."""
    start_streams(words, seed, first_user, SUSCEPTIBILITY)
    for i in range(len(susceptibility)):
        median, sigma = population.susceptibility_a[0, i], population.susceptibility_b[0, i]
        if population.susceptibility_kind[0] == LOGNORMAL:
            draw_lognormal(words, median, sigma, susceptibility[i])
        else:
            set_row(median, susceptibility[i])
    start_streams(words, seed, first_user, INTENTIONALITY)
    low = population.intentionality_a[0, 0]
    width = population.intentionality_b[0, 0] - low if population.intentionality_kind[0, 0] == UNIFORM else ZERO
    draw_uniform(words, low, width, intentionality)


@compiled
def draw_one_by_one(
    seed: Any, first_user: Any, population: Any, susceptibility: Any, intentionality: Any, segment: Any
) -> None:
    """Draw people of any distribution."""
    draw_words = np.empty(4, np.uint32)
    w = np.empty(len(susceptibility), np.float32)
    for j in range(len(segment)):
        drawn, drawn_segment = draw_user(seed, first_user + U64(j), population, draw_words, w)
        intentionality[j] = drawn
        segment[j] = F32(drawn_segment)
        for i in range(len(w)):  # an array assigned to a slice would compile Numba's text of its errors, for seconds
            susceptibility[i, j] = w[i]


@lanewise
def blend_row(intentionality: Any, one: Any, other: Any, row: Any) -> None:
    """Set a row between two numbers."""
    for j in range(len(row)):
        row[j] = blend(intentionality[j], one, other)


@lanewise
def blend_mean(intentionality: Any, susceptibility: Any, one: Any, other: Any, row: Any) -> None:
    """Set a row between two mean reactions, of which susceptibility scales the first."""
    for j in range(len(row)):
        row[j] = blend(intentionality[j], susceptibility[j] * one, other)


@lanewise
def blend_rise(intentionality: Any, one: Any, other: Any, row: Any) -> None:
    """Set a row to the luck from which on people are hooked next."""
    for j in range(len(row)):
        row[j] = ONE - blend(intentionality[j], one, other)


@compiled
def blend_profiles(rows: Any, at: Any, leaning: Any, profiles: Any) -> None:
    """Give everyone their own reaction profile, between the two of the scenario by how they lean."""
    reactive, intentional = profiles.reactive, profiles.intentional
    mean, std, calm_to, hooked_at = rows[at.mean], rows[at.std], rows[at.calm_to], rows[at.hooked_at]
    susceptibility, arms = rows[at.susceptibility], len(mean) // S
    rungs = arms // len(susceptibility)
    for s in range(S):
        for a in range(arms):
            cell, i = s * arms + a, a // rungs
            blend_mean(leaning, susceptibility[i], reactive.mean[s, i], intentional.mean[s, i], mean[cell])
            blend_row(leaning, reactive.std[s, i], intentional.std[s, i], std[cell])
            blend_row(leaning, reactive.transition[s, i, 0], intentional.transition[s, i, 0], calm_to[cell])
            blend_rise(leaning, reactive.transition[s, i, 2], intentional.transition[s, i, 2], hooked_at[cell])


@compiled
def load_people(
    rows: Any, words: Any, at: Any, seed: Any, first_user: Any, start_logits: Any, profiles: Any, population: Any
) -> None:
    """Draw a block's people from their ids, and put them at the start: starting policy, no baseline, calm.

    The block's array must be zero.
    """
    logits, luck = rows[at.logits], words[at.luck]
    arms = start_logits.shape[1]
    for s in range(S):
        for k in range(arms):
            set_row(start_logits[s, k], logits[s * arms + k])
    susceptibility, intentionality = rows[at.susceptibility], rows[at.intentionality]
    if vectorised(population):
        draw_side_by_side(luck, seed, first_user, population, susceptibility, intentionality)
    else:
        draw_one_by_one(seed, first_user, population, susceptibility, intentionality, rows[at.segment])
    blend_profiles(rows, at, intentionality, profiles)
    start_streams(luck, seed, first_user, INTERACTION)
