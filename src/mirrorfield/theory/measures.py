"""Measures of people and crowds, each in another way than `metrics` computes it: by loops, pairs and textbook sums."""

from collections.abc import Sequence
from itertools import combinations, combinations_with_replacement
from math import comb
from typing import Any

import numpy as np
from scipy import stats

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.theory.figures import entropy


def hill(feed: FloatArray, order: float) -> FloatArray:
    """Return the reciprocal of the weighted power mean of a feed's own entries, with the exponent order - 1."""
    return np.array([1 / stats.pmean(p, order - 1, weights=p) for p in feed])


def gini(share: FloatArray) -> float:
    """Return half the mean difference of two categories' shares, over their mean."""
    pairs = [abs(a - b) for a in share for b in share]
    return float(np.mean(pairs) / 2 / np.mean(share))


def miscalibration(feed: FloatArray, interest: FloatArray) -> FloatArray:
    """Return the relative entropy of each interest to a feed that has one hundredth of it mixed in."""
    return np.array([
        sum(q * (np.log(q) - np.log(0.99 * p + 0.01 * q)) for p, q in zip(one, other, strict=True) if q > 0)
        for one, other in zip(feed, interest, strict=True)
    ])  # fmt: skip


def product_limit(events: Sequence[int], users: int) -> tuple[FloatArray, FloatArray]:
    """Return the share without an event after each time, and Greenwood's variance of ln S; nobody is lost."""
    left = users
    share: list[float] = []
    spread: list[float] = []
    for lost in events:
        share.append((share[-1] if share else 1.0) * (left - lost) / left)
        spread.append((spread[-1] if spread else 0.0) + lost / (left * (left - lost)))
        left -= lost
    return np.array(share), np.array(spread)


def rates(flow: IntArray) -> dict[str, float]:
    """Return how often users rose, fell and recovered, from users counted one by one in a table of moves."""
    people = [(i, j) for i in range(3) for j in range(3) for _ in range(int(flow[i, j]))]
    return {
        "up": sum(j > i for i, j in people) / sum(i < 2 for i, _ in people),
        "down": sum(j < i for i, j in people) / sum(i > 0 for i, _ in people),
        "recovery": sum(i == 2 and j < 2 for i, j in people) / sum(i == 2 for i, _ in people),
        "net": sum(int(np.sign(j - i)) for i, j in people) / len(people),
    }


def wilson(successes: int, trials: int) -> FloatArray:
    """Return both shares at which the count is 1.96 standard errors away: the roots of a quadratic."""
    z, p = stats.norm.ppf(0.975), successes / trials
    found = np.roots([1 + z**2 / trials, -(2 * p + z**2 / trials), p**2])
    return np.asarray(np.sort(found.real))


def decided(one: IntArray, other: IntArray, categories: int) -> float:
    """Return the correlation of two runs' categories: agreement beyond chance over its most, by indicators."""
    n, agreed = len(one), np.mean(one == other)
    mean = [(np.sum(one == a) + np.sum(other == a)) / (2 * n) for a in range(categories)]
    chance = sum(m * m for m in mean)
    return float((agreed - chance) / (1 - chance))


def polarization(position: FloatArray, alpha: float) -> dict[str, float]:
    """Return the measures of polarization of a list of people: sums over people and pairs of them."""
    n = len(position)
    sizes = {x: int((position == x).sum()) for x in position.tolist()}
    return {
        "bipolarity": 4 * sum((x - y) ** 2 for x in position for y in position) / (2 * n * n),
        "esteban_ray": sum((a / n) ** (1 + alpha) * b / n * abs(x - y)
                           for x, a in sizes.items() for y, b in sizes.items()),
        "reynal_querol": 1 - sum((0.5 - a / n) ** 2 / 0.25 * a / n for a in sizes.values()),
        "bimodality": (stats.skew(position, bias=False) ** 2 + 1)
        / (stats.kurtosis(position, bias=False) + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))),
        "two_sides": (1 - abs((position > 0.5).mean() - (position < 0.5).mean()))
        * (position[position > 0.5].mean() - position[position < 0.5].mean()),
    }  # fmt: skip


def pair_agreement(one: IntArray, other: IntArray) -> float:
    """Return the adjusted Rand index, from all pairs of users: together in both, in one, in the other."""
    pairs = [(one[u] == one[v], other[u] == other[v]) for u, v in combinations(range(len(one)), 2)]
    both = sum(a and b for a, b in pairs)
    first, second = sum(a for a, _ in pairs), sum(b for _, b in pairs)
    chance = first * second / comb(len(one), 2)
    return float((both - chance) / ((first + second) / 2 - chance))


def divergence(p: FloatArray, q: FloatArray) -> float:
    """Return the Jensen-Shannon divergence of two feeds in bits: the mean relative entropy to their middle."""
    middle = (p + q) / 2
    return sum(float(x * np.log2(x / m)) / 2 for feed in (p, q) for x, m in zip(feed, middle, strict=True) if x > 0)


def from_mean(feed: FloatArray) -> FloatArray:
    """Return the relative entropy of each feed to the mean feed, over ln K."""
    mean = feed.mean(axis=0)
    return np.array([(-(p * np.log(mean)).sum() - entropy(p)) / np.log(len(p)) for p in feed])


def cosines(vectors: FloatArray, category: IntArray, categories: int) -> FloatArray:
    """Return the mean cosine of two different items, one of each of two categories, over all pairs."""
    found = np.full((categories, categories), np.nan)
    items = range(len(category))
    for a, b in combinations_with_replacement(range(categories), 2):
        pairs = [vectors[i] @ vectors[j] for i in items for j in items if i != j and category[i] == a
                 and category[j] == b]  # fmt: skip
        found[a, b] = found[b, a] = np.mean(pairs) if pairs else np.nan
    return found


def paired(base: FloatArray, changed: FloatArray) -> dict[str, Any]:
    """Return the mean difference of the same users in two runs, its interval by Student, and what pairing saves."""
    test = stats.ttest_rel(changed, base)
    low, high = test.confidence_interval(0.95)
    unpaired = np.var(base) + np.var(changed)
    return {"difference": np.mean(changed) - np.mean(base), "low": low, "high": high,
            "variance_ratio": unpaired / np.var(changed - base)}  # fmt: skip
