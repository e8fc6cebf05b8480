"""A person's luck, worked out anew in whole numbers of Python: nothing here calls the package's own streams."""

import math

PURPOSE = {
    "interaction": 1,
    "segment": 2,
    "susceptibility": 3,
    "intentionality": 4,
    "shuffle": 5,
    "intervention": 6,
    "nudge": 7,
    "label": 8,
    "pick": 9,
    "retrieval": 10,
    "action": 11,
    "item": 32,
    "candidates": 33,
    "interest": 34,
}
WORD, LONG, GOLDEN = 2**32, 2**64, 0x9E3779B97F4A7C15


def _mixed(x: int) -> int:
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % LONG
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % LONG
    return x ^ (x >> 31)


def _turned(x: int, by: int) -> int:
    return (x << by | x >> (32 - by)) % WORD


class Luck:
    """The stream of one (seed, user, purpose): xoshiro128++, filled by splitmix64.

    Source: Blackman and Vigna (2021), https://doi.org/10.1145/3460772; docs/model.md, section 3.

    >>> Luck(1, 0, "interaction").uniform() < 1
    True
    """

    def __init__(self, seed: int, user: int, purpose: str) -> None:
        key = _mixed((seed + PURPOSE[purpose] * GOLDEN) % LONG)
        low, high = (_mixed((key + n * GOLDEN) % LONG) for n in (2 * user, 2 * user + 1))
        self.words = [low % WORD, low // WORD, high % WORD, high // WORD]

    def word(self) -> int:
        """Return the next 32 random bits."""
        a, b, c, d = self.words
        drawn = (_turned((a + d) % WORD, 7) + a) % WORD
        c, d, shifted = c ^ a, d ^ b, b * 2**9 % WORD
        self.words = [a ^ d, b ^ c, c ^ shifted, _turned(d, 11)]
        return drawn

    def uniform(self) -> float:
        """Return a multiple of 2**-24 in [0, 1)."""
        return (self.word() >> 8) / 2**24

    def positive(self) -> float:
        """Return a multiple of 2**-24 in (0, 1]."""
        return self.uniform() + 2.0**-24

    def below(self, bound: int) -> int:
        """Return a whole number from 0 to bound - 1."""
        return int(self.uniform() * bound)

    def normal(self) -> float:
        """Return a standard normal variate by the transform of Box and Muller: a radius, then an angle."""
        radius = math.sqrt(-2 * math.log(self.positive()))
        return radius * math.cos(2 * math.pi * self.uniform())

    def gamma(self, shape: float) -> float:
        """Return a Gamma(shape, 1) variate by the rejection of Marsaglia and Tsang (2000)."""
        boost = 1.0
        if shape < 1:
            boost, shape = self.positive() ** (1 / shape), shape + 1
        d = shape - 1 / 3
        while True:
            n, u = self.normal(), self.positive()
            v = (1 + n / math.sqrt(9 * d)) ** 3
            if v > 0 and math.log(u) < n * n / 2 + d * (1 - v + math.log(v)):
                return d * v * boost
