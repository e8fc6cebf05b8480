"""How narrow a feed is, and how far apart feeds are. Arrays in, numbers out.

These figures are published as bytes: logarithms are the package's own, and sums are exact or in the order of the
categories, because a matrix product or NumPy's logarithm has other last bits on another processor.
"""

from math import fsum

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.maths64 import exp, log


def entropy(feed: FloatArray) -> FloatArray:
    """Return the Shannon entropy of each feed.

    Formula: H(p) = -sum_a p_a ln p_a, with 0 ln 0 = 0.

    Parameters: feed, probabilities of shape (..., K). Returns shape (...), in nats, in [0, ln K]. Source: Shannon
    (1948), section 6.

    >>> round(float(entropy(np.array([0.5, 0.5]))), 6)
    0.693147
    """
    return np.asarray(-(feed * log(np.where(feed > 0, feed, 1.0))).cumsum(axis=-1)[..., -1])


def effective_categories(feed: FloatArray) -> FloatArray:
    """Return the effective number of categories in each feed, the Hill number of order 1.

    Formula: N_eff = exp(H(p)).

    Parameters: feed, probabilities of shape (..., K). Returns shape (...), in [1, K]. Source: Hill (1973),
    https://doi.org/10.2307/1934352.

    >>> round(float(effective_categories(np.array([0.5, 0.5, 0.0]))), 6)
    2.0
    """
    return np.asarray(exp(entropy(feed)))


def filter_bubble(mean_feed: FloatArray, mean_entropy: float) -> float:
    """Return the filter-bubble index: how much knowing the user tells about the category served.

    Formula: I(user; category) / ln K = (H(mean feed) - mean H(feed)) / ln K, the generalised Jensen-Shannon divergence
    of all feeds, scaled to 1 for K equal groups that share nothing.

    Parameters: mean_feed, shape (K,); mean_entropy, in nats. Returns a number in [0, 1]; 0 when all feeds are equal.
    Source: Lin (1991), https://doi.org/10.1109/18.61115.

    >>> round(filter_bubble(np.array([0.5, 0.5]), 0.0), 6)
    1.0
    """
    information = float(entropy(mean_feed)) - mean_entropy
    return max(0.0, information / float(log(len(mean_feed))))


def within_and_between(
    feed_by_group: FloatArray, entropy_by_group: FloatArray, users_by_group: FloatArray
) -> tuple[float, float]:
    """Return the filter-bubble index split over groups of users: inside them, and between them.

    Formula: within = sum_d (n_d / N) (H(mean feed of d) - mean entropy of d) / ln K; between =
    (H(mean feed) - sum_d (n_d / N) H(mean feed of d)) / ln K. Their sum is the filter-bubble index.

    Parameters: feed_by_group, sums of feeds, shape (D, K); entropy_by_group, sums of entropies in nats, (D,);
    users_by_group, n_d, (D,), some of them positive. Returns two numbers in [0, 1]. Source: chain rule of mutual
    information, Cover and Thomas (2006), theorem 2.5.2.

    >>> within_and_between(np.eye(2), np.zeros(2), np.ones(2))
    (0.0, 1.0)
    """
    seen = users_by_group > 0
    users = fsum(users_by_group)
    weight = users_by_group[seen] / users
    group_mean = np.array([feed / fsum(feed) for feed in feed_by_group[seen]])
    inside = fsum(weight * entropy(group_mean))
    mean_entropy = fsum(entropy_by_group) / users
    whole = float(entropy(np.array([fsum(weight * share) for share in group_mean.T])))
    scale = float(log(feed_by_group.shape[1]))
    return max(0.0, inside - mean_entropy) / scale, max(0.0, whole - inside) / scale


def overlap(feed_sums: list[int], square_sum: int, users: int, unit: int) -> float | None:
    """Return the mean dot product of two users' feeds, over all distinct pairs.

    Formula: (sum_a (sum_u p_ua)**2 - sum_u sum_a p_ua**2) / (N (N - 1)), in exact integers until the last division.

    Parameters: feed_sums, K integers in units of 1/unit; square_sum in units of 1/unit**2; users, N. Returns a number
    in [0, 1], or None for fewer than two users, who form no pair. Source: docs/model.md, section 4.

    >>> overlap([4, 4], 16 + 16, 2, 4)
    0.0
    """
    if users < 2:
        return None
    return (sum(s * s for s in feed_sums) - square_sum) / (users * (users - 1) * unit * unit)
