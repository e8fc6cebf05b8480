"""How many categories a feed has, how unequal they are, and how far it is from what a person cared for. Arrays in."""

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.metrics.concentration import effective_categories

SMOOTHING = 0.01


def hill(feed: FloatArray, order: float) -> FloatArray:
    """Return the effective number of categories of an order.

    Formula: (sum_a p_a**q)**(1 / (1 - q)); at q = 1 its limit, exp(H(p)); at q = 2 the inverse of the Herfindahl index.

    Parameters: feed, probabilities of shape (..., K); order q >= 0. Returns shape (...), from 1 (one category) to K
    (all alike). A feed estimated from m posts has too few on average, by about (K - 1)/2m of its value at q = 1; feeds
    that are policies have no such bias. Source: Hill (1973), https://doi.org/10.2307/1934352.

    >>> float(hill(np.array([0.5, 0.5, 0.0]), 2))
    2.0
    """
    if order == 1:
        return effective_categories(feed)
    powers = np.where(feed > 0, feed, 1.0) ** order * (feed > 0)
    return np.asarray(powers.sum(axis=-1) ** (1 / (1 - order)))


def herfindahl(feed: FloatArray) -> FloatArray:
    """Return the Herfindahl-Hirschman index of a feed: the chance that two of its posts share a category.

    Formula: sum_a p_a**2.

    Parameters: feed, probabilities of shape (..., K). Returns shape (...), from 1/K (all alike) to 1 (one category).
    From m posts, the plug-in is too large by (1 - value)/m on average. Its mean over users follows from totals: the
    trace of the second moment. Source: Herfindahl (1950); Simpson (1949), https://doi.org/10.1038/163688a0.

    >>> float(herfindahl(np.array([0.5, 0.5])))
    0.5
    """
    return np.asarray((feed**2).sum(axis=-1))


def gini(share: FloatArray) -> FloatArray:
    """Return the Gini coefficient of shares over categories.

    Formula: sum_i (2 i - K - 1) p_(i) / (K sum p), with p_(1) <= ... <= p_(K).

    Parameters: share, numbers >= 0 with a positive sum, shape (..., K). Returns shape (...), from 0 (all alike) to (K
    - 1)/K (one has all). Source: Gini (1912); as a measure of recommended items, Fleder and Hosanagar (2009),
    https://doi.org/10.1287/mnsc.1080.0974.

    >>> float(gini(np.array([0.0, 0.0, 0.0, 1.0])))
    0.75
    """
    k = share.shape[-1]
    rank = 2 * np.arange(1, k + 1) - k - 1
    return np.asarray((np.sort(share, axis=-1) * rank).sum(axis=-1) / (k * share.sum(axis=-1)))


def coverage(share: FloatArray, least: float = 0.0) -> FloatArray:
    """Return the fraction of categories that are served at all.

    Formula: |{a: p_a > least}| / K.

    Parameters: share, shape (..., K); least, a share that does not count. Returns shape (...), in [0, 1]. Source:
    catalogue coverage, Ge et al. (2010), https://doi.org/10.1145/1864708.1864761.

    >>> float(coverage(np.array([0.7, 0.3, 0.0, 0.0])))
    0.5
    """
    return np.asarray((share > least).mean(axis=-1))


def miscalibration(feed: FloatArray, interest: FloatArray) -> FloatArray:
    """Return how far a feed is from the user's own prior interest.

    Formula: KL(q || p~) = sum_a q_a ln(q_a / p~_a) with p~ = (1 - 0.01) p + 0.01 q, q the interest and p the feed.

    Parameters: feed and interest, probabilities of one shape (..., K). Returns shape (...), nats, from 0 (equal) to
    ln 100 (the feed has nothing of the interest). Source: Steck (2018), https://doi.org/10.1145/3240323.3240372.

    >>> float(miscalibration(np.array([0.5, 0.5]), np.array([0.5, 0.5])))
    0.0
    """
    smooth = (1 - SMOOTHING) * feed + SMOOTHING * interest
    ratio = np.where(interest > 0, interest, 1.0) / np.where(interest > 0, smooth, 1.0)
    return np.asarray((interest * np.log(ratio)).sum(axis=-1))
