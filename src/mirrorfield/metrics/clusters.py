"""Clusters that are found in feeds alone, how stable they are, and who is in them."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.metrics.concentration import entropy
from mirrorfield.metrics.paired import moves

MIXED_BELOW = 0.5
HALVES = 20


def by_largest(feed: FloatArray, least: float = MIXED_BELOW) -> IntArray:
    """Return each user's cluster: the category with most of its feed, or K, mixed, if none has more than `least`.

    Formula: argmax_a p_a if max_a p_a > least, else K.

    Parameters: feed, probabilities (n, K); least in [0, 1). Returns int64 (n,), 0 to K. Above one half there are no
    ties. Source: docs/phenomena/clusters.md.

    >>> by_largest(np.array([[0.9, 0.1], [0.5, 0.5]])).tolist()
    [0, 2]
    """
    return np.asarray(np.where(feed.max(axis=1) > least, feed.argmax(axis=1), feed.shape[1]), np.int64)


def by_k_means(feed: FloatArray, clusters: int, seed: int = 1) -> IntArray:
    """Return each user's cluster by k-means on feeds, clusters ordered from the largest.

    Formula: min sum_u ||p_u - c_(cluster of u)||^2, from k-means++ starts, the best of ten.

    Parameters: feed, probabilities (n, K); clusters k >= 1; seed of the starts. Returns int64 (n,), 0 to k - 1. Source:
    Lloyd (1982), https://doi.org/10.1109/TIT.1982.1056489, as SciPy computes it.

    >>> by_k_means(np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]), 2).tolist()
    [0, 0, 1]
    """
    from scipy.cluster.vq import kmeans2

    rng, best, label = np.random.default_rng(seed), np.inf, np.zeros(len(feed), np.int64)
    for _ in range(10):
        centres, found = kmeans2(feed.astype(float), clusters, minit="++", missing="warn", rng=rng)
        cost = float(((feed - centres[found]) ** 2).sum())
        if cost < best - 1e-12:
            best, label = cost, found
    order = np.argsort(-np.bincount(label, minlength=clusters), kind="stable")
    return np.asarray(np.argsort(order)[label], np.int64)


def adjusted_rand(one: IntArray, other: IntArray) -> float:
    """Return how far two partitions of the same users agree, beyond what chance would give.

    Formula: (sum_ij C(n_ij, 2) - E) / ((A + B)/2 - E), A = sum_i C(a_i, 2), B = sum_j C(b_j, 2), E = A B / C(n, 2).

    Parameters: labels, whole numbers from 0, of shape (n,). Returns a number of at most 1, the same partition; 0 on
    average for unrelated ones; 1 if both have one cluster. Source: Hubert and Arabie (1985),
    https://doi.org/10.1007/BF01908075.

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    """
    table = moves(one, other, int(max(one.max(), other.max())) + 1).astype(float)

    def pairs(count: FloatArray) -> float:
        return float((count * (count - 1) / 2).sum())

    a, b, n = pairs(table.sum(axis=1)), pairs(table.sum(axis=0)), len(one)
    expected = a * b / (n * (n - 1) / 2)
    most = (a + b) / 2
    return 1.0 if most == expected else (pairs(table) - expected) / (most - expected)


def stability(feed: FloatArray, clusters: int, seed: int = 1) -> float:
    """Return how well k-means finds the same clusters again in two halves of the users.

    Formula: mean over 20 pairs of random halves of the adjusted Rand index of all users' clusters, each user going to
    the nearest centre of either half.

    Parameters: feed, probabilities (n, K), n >= 2 clusters; clusters k; seed. Returns a number of at most 1. Source:
    Lange et al. (2004), https://doi.org/10.1162/089976604773717621.
    """
    rng, found = np.random.default_rng(seed), []
    for _ in range(HALVES):
        order = rng.permutation(len(feed))
        labels = []
        for half in np.array_split(order, 2):
            label = by_k_means(feed[half], clusters, int(rng.integers(2**31)))
            centres = np.array([feed[half][label == c].mean(axis=0) for c in range(clusters) if (label == c).any()])
            labels.append(((feed[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1))
        found.append(adjusted_rand(*labels))
    return float(np.mean(found))


@dataclass(frozen=True)
class Cluster:
    """Who is in a cluster, and what they are served: share of users, means over them, and distances to the others.

    `apart` has the Jensen-Shannon divergence from each cluster's mean feed, in bits: 0 the same, 1 nothing in common.
    """

    share: float
    feed: FloatArray
    intentionality: float
    susceptibility: FloatArray
    hooked: float
    locked_in: float
    apart: FloatArray


def describe(
    label: IntArray, feed: FloatArray, intentionality: FloatArray, susceptibility: FloatArray, hooked: FloatArray
) -> list[Cluster]:
    """Return a description of every cluster that has users.

    Formula: JS(p, q) = (H((p + q)/2) - (H(p) + H(q))/2) / ln 2.

    Parameters: label (n,), from feeds alone; feed (n, K); intentionality (n,), susceptibility (n, K) and hooked (n,),
    which had no part in the label. Returns a Cluster for each label with users, in order. Source: Lin (1991),
    https://doi.org/10.1109/18.61115.

    >>> two = describe(np.array([0, 1]), np.eye(2), np.zeros(2), np.ones((2, 2)), np.zeros(2))
    >>> two[0].apart.tolist()
    [0.0, 1.0]
    """
    held = [label == c for c in np.unique(label)]
    means = np.array([feed[inside].mean(axis=0) for inside in held])
    middle = entropy((means[:, None] + means[None]) / 2)
    apart = (middle - (entropy(means)[:, None] + entropy(means)[None]) / 2) / np.log(2)
    return [
        Cluster(
            share=float(inside.mean()),
            feed=means[c],
            intentionality=float(intentionality[inside].mean()),
            susceptibility=susceptibility[inside].mean(axis=0),
            hooked=float(hooked[inside].mean()),
            locked_in=float((feed[inside].max(axis=1) > LOCKED_IN).mean()),
            apart=np.clip(apart[c], 0.0, 1.0),
        )
        for c, inside in enumerate(held)
    ]
