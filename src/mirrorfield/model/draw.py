"""Draw a population: a user's id and the seed alone decide its susceptibility, intentionality and segment.

The functions work on one user at a time, in float32, with the user's own random streams; compiled code and the
arrays engine call the same ones.
"""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array, IntArray
from mirrorfield.maths import F32, HALF, ONE, ZERO, exp, log, normal
from mirrorfield.streams import (
    INTENTIONALITY,
    SEGMENT,
    SUSCEPTIBILITY,
    U64,
    next_word,
    stream,
    uniform,
    uniform_positive,
)

POINT, UNIFORM, BETA, LOGNORMAL, DIRICHLET = 0, 1, 2, 3, 4
_THIRD, _NINE = F32(1 / 3), F32(9)


class ReactionTable(NamedTuple):
    """One reaction profile: mean and std of shape (S, K), transition of shape (S, K, S); float32."""

    mean: F32Array
    std: F32Array
    transition: F32Array


class ProfileTables(NamedTuple):
    """The two ends of the line that every user is a point on."""

    reactive: ReactionTable
    intentional: ReactionTable


class PopulationTables(NamedTuple):
    """The distribution of users in plain numbers: Q segments, M mixture components, K categories, R table rows."""

    cycle: bool
    segment_cdf: F32Array
    susceptibility_kind: IntArray
    susceptibility_a: F32Array
    susceptibility_b: F32Array
    intentionality_cdf: F32Array
    intentionality_kind: IntArray
    intentionality_a: F32Array
    intentionality_b: F32Array
    listed_susceptibility: F32Array
    listed_intentionality: F32Array


def draw_word(words: Any) -> Any:
    """Return the next word of a stream held in `words`, uint32 of shape (4,), and move the stream on."""
    word, words[0], words[1], words[2], words[3] = next_word(words[0], words[1], words[2], words[3])
    return word


def draw_normal(words: Any) -> Any:
    """Return one standard normal variate, float32."""
    u = uniform_positive(draw_word(words))
    return normal(u, uniform(draw_word(words)))


def draw_gamma(shape: Any, words: Any) -> Any:
    """Return one Gamma(shape, 1) variate, float32.

    Formula: d v with d = shape - 1/3, v = (1 + n / sqrt(9 d))**3, accepted when
    ln u < n**2/2 + d - d v + d ln v; for shape < 1, a Gamma(shape + 1) variate times u**(1/shape).

    Parameters: shape > 0, float32; words, uint32 (4,), moved on. Source: Marsaglia and Tsang (2000),
    https://doi.org/10.1145/358407.358414.
    """
    boost = ONE
    if shape < ONE:
        boost = exp(log(uniform_positive(draw_word(words))) / shape)
        shape = shape + ONE
    d = shape - _THIRD
    c = ONE / np.sqrt(_NINE * d)
    while True:
        n = draw_normal(words)
        u = uniform_positive(draw_word(words))
        v = ONE + c * n
        if v > ZERO:
            v = v * v * v
            if log(u) < HALF * n * n + d - d * v + d * log(v):
                return d * v * boost


def draw_from_cdf(cdf: Any, word: Any) -> Any:
    """Return the index of the first entry of a cumulative distribution above a uniform variate."""
    u = uniform(word)
    index = np.int64(0)
    for i in range(len(cdf) - 1):
        if u >= cdf[i]:
            index = np.int64(i + 1)
    return index


def draw_intentionality(kind: Any, a: Any, b: Any, words: Any) -> Any:
    """Return lambda_u in [0, 1]: the point a, Uniform(a, b), or Beta(a, b); float32."""
    if kind == UNIFORM:
        return a + (b - a) * uniform(draw_word(words))
    if kind == BETA:
        x = draw_gamma(a, words)
        y = draw_gamma(b, words)
        return x / (x + y)
    return a


def draw_susceptibility(kind: Any, a: Any, b: Any, words: Any, out: Any) -> None:
    """Fill `out`, float32 (K,), with w_u: the point a, a exp(b n), or K times a Dirichlet(a) variate."""
    total = ZERO
    for i in range(len(out)):
        if kind == LOGNORMAL:
            out[i] = a[i] * exp(b[i] * draw_normal(words))
        elif kind == DIRICHLET:
            out[i] = draw_gamma(a[i], words)
        else:
            out[i] = a[i]
        total += out[i]
    if kind == DIRICHLET:
        for i in range(len(out)):
            out[i] = F32(len(out)) * (out[i] / total)


def start_stream(seed: Any, user: Any, purpose: Any, words: Any) -> None:
    """Fill `words`, uint32 (4,), with the start of the stream of (seed, user, purpose)."""
    words[0], words[1], words[2], words[3] = stream(seed, user, purpose)


def draw_user(seed: Any, user: Any, tables: PopulationTables, words: Any, susceptibility: Any) -> Any:
    """Draw one user: fill `susceptibility` and return (intentionality, segment).

    Parameters: seed and user, uint64; tables; words, uint32 (4,) scratch; susceptibility, float32 (K,) to fill.
    Returns lambda_u, float32 in [0, 1], and the segment's index. Source: docs/model.md, section 1.
    """
    listed = len(tables.listed_intentionality)
    if listed > 0:
        row = user % U64(listed)
        for i in range(len(susceptibility)):
            susceptibility[i] = tables.listed_susceptibility[row, i]
        return tables.listed_intentionality[row], 0
    start_stream(seed, user, SEGMENT, words)
    segment = draw_from_cdf(tables.segment_cdf, draw_word(words))
    if tables.cycle:
        segment = np.int64(user % U64(len(tables.segment_cdf)))
    start_stream(seed, user, SUSCEPTIBILITY, words)
    draw_susceptibility(
        tables.susceptibility_kind[segment],
        tables.susceptibility_a[segment],
        tables.susceptibility_b[segment],
        words,
        susceptibility,
    )
    start_stream(seed, user, INTENTIONALITY, words)
    component = draw_from_cdf(tables.intentionality_cdf[segment], draw_word(words))
    intentionality = draw_intentionality(
        tables.intentionality_kind[segment, component],
        tables.intentionality_a[segment, component],
        tables.intentionality_b[segment, component],
        words,
    )
    return intentionality, segment


def vectorised(tables: PopulationTables) -> Any:
    """Return whether every user of these tables takes the same operations, so that users can be drawn side by side."""
    plain = len(tables.listed_intentionality) == 0 and tables.intentionality_cdf.size == 1
    susceptibility, intentionality = tables.susceptibility_kind[0], tables.intentionality_kind[0, 0]
    return plain and susceptibility in (LOGNORMAL, POINT) and intentionality in (UNIFORM, POINT)
