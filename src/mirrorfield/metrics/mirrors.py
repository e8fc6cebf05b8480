"""Two mirrors side by side: do two feeds meet, and is it the profile or the luck that decides which one forms?"""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray

Z95 = 1.959963984540054


def common(feed: FloatArray, other: FloatArray) -> FloatArray:
    """Return how much two feeds have in common: the overlapping coefficient.

    Formula: sum_a min(p_a, q_a) = 1 - total variation.

    Parameters: feed and other, probabilities of shape (..., K). Returns shape (...), from 0 (nothing) to 1 (the same
    feed). Source: Weitzman (1970); the complement of the total variation distance.

    >>> float(common(np.array([0.5, 0.5]), np.array([1.0, 0.0])))
    0.5
    """
    return np.asarray(np.minimum(feed, other).sum(axis=-1))


@dataclass(frozen=True)
class Share:
    """A share of pairs with its 95% Wilson interval."""

    value: float
    low: float
    high: float


def wilson(successes: FloatArray | IntArray, trials: FloatArray | IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper ends of the 95% Wilson score interval of binomial proportions.

    Formula: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n), p = successes/trials, n = trials, z = 1.96.

    Parameters: successes and trials, counts >= 0 of shapes that broadcast; every trial count must be positive.
    Returns two arrays of fractions. Source: Wilson (1927).

    >>> low, high = wilson(np.array([5]), np.array([10]))
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.237, 0.763)
    """
    n = np.asarray(trials, dtype=float)
    p = np.asarray(successes, dtype=float) / n
    scale = 1 + Z95**2 / n
    center = (p + Z95**2 / (2 * n)) / scale
    half = Z95 * np.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2)) / scale
    return np.maximum(center - half, 0.0), np.minimum(center + half, 1.0)


def wilson_share(hits: int, pairs: int) -> Share:
    """Return a share with its 95% interval by `wilson`.

    Parameters: hits, from 0 to pairs; pairs, independent ones, > 0. Returns a Share.

    >>> wilson_share(5, 10).value
    0.5
    """
    low, high = wilson(np.array(hits), np.array(pairs))
    return Share(hits / pairs, float(low), float(high))


def decided(category: IntArray, other: IntArray, categories: int) -> tuple[float, float]:
    """Return the part of who ends up where that is decided by what two runs of each user have in common.

    Formula: sum_a cov(1[c = a], 1[c' = a]) / sum_a p_a (1 - p_a): the first-order Sobol index of what is shared, for
    the indicators of the category; with its standard error over pairs.

    Parameters: category and other, of the same users in two runs, 0 to K - 1, shape (n,); categories K. Returns
    (index, standard error); the index is 1 if both runs always agree, about 0 if they have nothing to do with each
    other, NaN if all are of one category. Source: Sobol (1993), by the pick-freeze estimator of Janon et al. (2014),
    https://doi.org/10.1051/ps/2013040.

    >>> decided(np.array([0, 1, 0, 1]), np.array([0, 1, 0, 1]), 2)[0]
    1.0
    """
    one, two = np.eye(categories)[category], np.eye(categories)[other]
    mean = (one + two).mean(axis=0) / 2
    spread = float((mean * (1 - mean)).sum())
    if spread == 0:
        return float("nan"), float("nan")
    product = ((one - mean) * (two - mean)).sum(axis=1)
    index = float(product.mean()) / spread
    own = (((one - mean) ** 2 + (two - mean) ** 2) / 2).sum(axis=1)
    influence = (product - index * own) / spread
    return index, float(influence.std(ddof=1) / np.sqrt(len(category)))
