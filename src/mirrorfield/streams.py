"""Random streams: one per (seed, user, purpose), so a user's luck never depends on who else is simulated.

A stream is xoshiro128++ (Blackman and Vigna 2021, https://doi.org/10.1145/3460772), its four words filled by
splitmix64. Streams of one run differ in user and purpose; what-ifs that share a seed therefore share their random
numbers user by user, step by step and purpose by purpose.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.maths import F32, I32, UNIT

U32, U64 = np.uint32, np.uint64
Words = list[NDArray[np.uint32]]

INTERACTION, SEGMENT, SUSCEPTIBILITY, INTENTIONALITY, SHUFFLE = U64(1), U64(2), U64(3), U64(4), U64(5)
INTERVENTION, NUDGE, LABEL, PICK, RETRIEVAL, ACTION = U64(6), U64(7), U64(8), U64(9), U64(10), U64(11)
PREFERENCE, HOLDOUT, RATING = U64(16), U64(17), U64(18)
ITEM, CANDIDATES, INTEREST = U64(32), U64(33), U64(34)
OWN_RECOMMENDER, OWN_PEOPLE = U64(48), U64(49)

_GOLDEN = U64(0x9E3779B97F4A7C15)
_MIX_A, _MIX_B = U64(0xBF58476D1CE4E5B9), U64(0x94D049BB133111EB)
_ONE64, _TWO64, _LOW32 = U64(1), U64(2), U64(0xFFFFFFFF)
_EIGHT, _NINE, _SEVEN, _ELEVEN, _21, _25 = U32(8), U32(9), U32(7), U32(11), U32(21), U32(25)


def mix64(x: Any) -> Any:
    """Return the splitmix64 finaliser of a 64-bit word: a bijection that spreads every bit.

    Formula: z = (x ^ x>>30) A; z = (z ^ z>>27) B; z ^ z>>31, modulo 2**64.

    Parameters: x, uint64 scalar or array. Returns the same shape, uint64. Source: Steele, Lea and Flood (2014),
    https://doi.org/10.1145/2660193.2660195.

    >>> with np.errstate(over="ignore"):
    ...     hex(mix64(np.uint64(0x9E3779B97F4A7C15)))
    '0xe220a8397b1dcdaf'
    """
    x = (x ^ (x >> U64(30))) * _MIX_A
    x = (x ^ (x >> U64(27))) * _MIX_B
    return x ^ (x >> U64(31))


def stream(seed: Any, user: Any, purpose: Any) -> Any:
    """Return the four starting words of the stream that belongs to (seed, user, purpose).

    Formula: key = mix64(seed + purpose g); words = the halves of mix64(key + 2 user g), mix64(key + (2 user + 1) g).

    Parameters: seed, user, purpose: uint64 (user may be an array). Returns four uint32 of user's shape, never all
    zero, because mix64 is a bijection. Source: seeding advised by Blackman and Vigna (2021).

    >>> with np.errstate(over="ignore"):
    ...     [int(word) for word in stream(np.uint64(1), np.uint64(0), INTERACTION)] == [0, 0, 0, 0]
    False
    """
    key = mix64(seed + purpose * _GOLDEN)
    a = mix64(key + (_TWO64 * user) * _GOLDEN)
    b = mix64(key + (_TWO64 * user + _ONE64) * _GOLDEN)
    return U32(a & _LOW32), U32(a >> U64(32)), U32(b & _LOW32), U32(b >> U64(32))


def next_word(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return the next 32 random bits and the four words that follow: one xoshiro128++ step.

    Formula: word = rotl(a + d, 7) + a, then the linear engine of xoshiro128.

    Parameters: a, b, c, d: uint32 scalars or arrays. Returns (word, a, b, c, d), uint32. Source: Blackman and Vigna
    (2021), xoshiro128++.

    >>> with np.errstate(over="ignore"):
    ...     int(next_word(*(np.uint32(i) for i in (1, 2, 3, 4)))[0])
    641
    """
    total = U32(a + d)
    word = U32(U32(U32(total << _SEVEN) | U32(total >> _25)) + a)
    shifted = U32(b << _NINE)
    c = U32(c ^ a)
    d = U32(d ^ b)
    b = U32(b ^ c)
    a = U32(a ^ d)
    c = U32(c ^ shifted)
    d = U32(U32(d << _ELEVEN) | U32(d >> _21))
    return word, a, b, c, d


def uniform(word: Any) -> Any:
    """Return a uniform variate in [0, 1) from 32 random bits: the top 24 of them, times 2**-24.

    Parameters: word, uint32 scalar or array. Returns the same shape, float32. Source: every value is exact in a
    float32's 24-bit significand.

    >>> float(uniform(np.uint32(0xFFFFFFFF)))
    0.9999999403953552
    """
    return F32(I32(word >> _EIGHT)) * UNIT


def uniform_positive(word: Any) -> Any:
    """Return a uniform variate in (0, 1] from 32 random bits, safe under a logarithm.

    Parameters: word, uint32 scalar or array. Returns the same shape, float32. Source: `uniform`, moved up by 2**-24.

    >>> float(uniform_positive(np.uint32(0xFFFFFFFF)))
    1.0
    """
    return F32(I32(word >> _EIGHT) + I32(1)) * UNIT


def below(word: Any, bound: Any) -> Any:
    """Return a whole number from 0 to bound - 1 from 32 random bits, each with probability 1/bound up to 2**-24.

    Formula: floor(u bound) with u = uniform(word); in float32 u bound never rounds up to bound.

    Parameters: word, uint32 scalar or array; bound, a whole number from 1 to 2**24. Returns word's shape, int32.
    Source: inversion of the discrete uniform distribution.

    >>> int(below(np.uint32(0xFFFFFFFF), 6))
    5
    """
    return I32(uniform(word) * F32(bound))
