"""Differences between two runs of the same users under common random numbers."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.metrics.exact import MOST, exact_products
from mirrorfield.metrics.moments import Moments


@dataclass(frozen=True)
class Effect:
    """The effect of a change on one metric, with an interval over `people`; `variance_ratio` is what pairing saves."""

    metric: str
    base: float
    changed: float
    difference: float
    low: float
    high: float
    variance_ratio: float
    people: int


@dataclass(frozen=True)
class PairedSums:
    """Exact sums over n users of x, y, x^2, y^2 and x y: the mergeable form of an effect, the same for any blocks."""

    users: int
    x: Fraction
    y: Fraction
    xx: Fraction
    yy: Fraction
    xy: Fraction

    @classmethod
    def of(cls, base: FloatArray, changed: FloatArray) -> "PairedSums":
        """Return the sums over users of x and y, finite floats of shape (n,), n <= exact.MOST."""
        (_, x, y), (_, xx, xy), (_, _, yy) = exact_products(np.stack([np.ones(len(base)), base, changed]))
        return cls(len(base), x, y, xx, yy, xy)

    def __add__(self, other: "PairedSums") -> "PairedSums":
        mine, others = vars(self).values(), vars(other).values()
        return PairedSums(*(one + another for one, another in zip(mine, others, strict=True)))

    def effect(self, metric: str, confidence: float = 0.95) -> Effect:
        """Return the mean difference of the same users in two runs.

        Formula: d = mean_u (y_u - x_u), interval d -+ t sd(y - x) / sqrt(n) with t Student's quantile for n - 1
        degrees; variance ratio = (var x + var y) / var(y - x): how many times as many users two runs with independent
        luck would need for the same interval.

        Parameters: confidence in (0, 1). Returns an Effect of n >= 2 users, whose interval is a point and ratio inf
        where no user differs. Source: Student (1908); for pairing by common random numbers, Law (2015), Simulation
        Modeling and Analysis.
        """
        n, apart = self.users, self.y - self.x
        of_x, of_y = self.xx - self.x**2 / n, self.yy - self.y**2 / n
        of_apart = self.xx + self.yy - 2 * self.xy - apart**2 / n
        found = Moments(n, float(apart / n), float(of_apart))
        ratio = float((of_x + of_y) / of_apart) if of_apart else np.inf
        means = float(self.x / n), float(self.y / n)
        return Effect(metric, *means, found.mean, *found.interval(confidence), ratio, n)


def paired_effect(metric: str, base: FloatArray, changed: FloatArray, confidence: float = 0.95) -> Effect:
    """Return the mean difference of the same users in two runs, as `PairedSums.effect` does.

    Parameters: base and changed, x and y, floats of shape (n,), n >= 2; confidence in (0, 1).

    >>> effect = paired_effect("x", np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.5, 3.5]))
    >>> effect.difference, round(effect.variance_ratio, 1)
    (0.75, 33.0)
    """
    pieces = range(0, len(base), MOST)
    first, *more = (PairedSums.of(base[i : i + MOST], changed[i : i + MOST]) for i in pieces)
    return sum(more, first).effect(metric, confidence)


def of_everyone(sampled: Effect, base: float, changed: float, people: int) -> Effect:
    """Return an effect whose values are those of everyone and whose spread over people is that of a sample.

    Formula: the interval's half-width of n sampled people, times sqrt(n / N), around the difference of all N.

    Parameters: sampled, the effect over the sample; base and changed, the values of all; people N.
    """
    half = (sampled.high - sampled.low) / 2 * np.sqrt(sampled.people / people)
    apart = changed - base
    return replace(
        sampled,
        base=base,
        changed=changed,
        difference=apart,
        low=float(apart - half),
        high=float(apart + half),
        people=people,
    )


def moves(before: IntArray, after: IntArray, categories: int) -> IntArray:
    """Return how many users went from each category to each.

    Parameters: before and after, 0 to K - 1, of shape (n,); categories K. Returns int64 of shape (K, K): row before,
    column after. Source: the definition.

    >>> moves(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    table = np.zeros((categories, categories), np.int64)
    np.add.at(table, (before, after), 1)
    return table
