"""Differences between two runs of the same users under common random numbers."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.metrics.moments import Moments


@dataclass(frozen=True)
class Effect:
    """The effect of a change on one metric, with an interval; `variance_ratio` is what pairing saves."""

    metric: str
    base: float
    changed: float
    difference: float
    low: float
    high: float
    variance_ratio: float


def paired_effect(metric: str, base: FloatArray, changed: FloatArray, confidence: float = 0.95) -> Effect:
    """Return the mean difference of the same users in two runs.

    Formula: d = mean_u (y_u - x_u), interval d -+ t sd(y - x) / sqrt(n) with t Student's quantile for n - 1 degrees;
    variance ratio = (var x + var y) / var(y - x): how many times as many users two runs with independent luck would
    need for the same interval.

    Parameters: base and changed, x and y, floats of shape (n,), n >= 2; confidence in (0, 1). Returns an Effect, whose
    interval is a point and ratio inf where no user differs. Raises nothing. Source: Student (1908);
    for pairing by common random numbers, Law (2015), Simulation Modeling and Analysis.

    >>> effect = paired_effect("x", np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.5, 3.5]))
    >>> effect.difference, round(effect.variance_ratio, 1)
    (0.75, 33.0)
    """
    one, other, difference = (Moments.of(values) for values in (base, changed, changed - base))
    ratio = (one.squares + other.squares) / difference.squares if difference.squares > 0 else np.inf
    return Effect(metric, one.mean, other.mean, difference.mean, *difference.interval(confidence), ratio)


def moves(before: IntArray, after: IntArray, categories: int) -> IntArray:
    """Return how many users went from each category to each.

    Parameters: before and after, 0 to K - 1, of shape (n,); categories K. Returns int64 of shape (K, K): row before,
    column after. Raises nothing. Source: the definition.

    >>> moves(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    table = np.zeros((categories, categories), np.int64)
    np.add.at(table, (before, after), 1)
    return table
