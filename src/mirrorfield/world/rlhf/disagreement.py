"""How far labellers disagree: with the majority, with themselves, and with each other."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.world.rlhf.labellers import Labellers
from mirrorfield.world.rlhf.preferences import Preferences, win_probability


@dataclass(frozen=True)
class Disagreement:
    """Shares, 0 to 1; NaN where nothing was asked twice.

    against: labels that differ from the majority of their cell, a cell being a state and two categories. within: pairs
    of labels of one labeller on one cell that differ. between: pairs of labels of two labellers on one cell that do.
    """

    against: float
    within: float
    between: float


def measure(preferences: Preferences) -> Disagreement:
    """Return how far the labels of a set of preferences disagree.

    Formula: with c_u of the n_u labels of labeller u on a cell for the first category, c and n their sums:
    against = sum min(c, n - c) / sum n; within = sum_u 2 c_u (n_u - c_u) / sum_u n_u (n_u - 1);
    between = (sum 2 c (n - c) - sum_u 2 c_u (n_u - c_u)) / (sum n (n - 1) - sum_u n_u (n_u - 1)), over all cells.

    Parameters: preferences. Returns a Disagreement. Source: docs/rlhf.md, eq. 2; the expectation of between - within is
    twice the variance of the labellers' probabilities.

    >>> both = Preferences(2, 2, *np.array([[0, 0, 1, 1], [0] * 4, [0] * 4, [1] * 4, [1, 1, 0, 0]]))
    >>> measure(both)
    Disagreement(against=0.5, within=0.0, between=1.0)
    """
    a, b = np.triu_indices(preferences.categories, 1)
    own = preferences.wins_by_labeller()
    chosen, other = own[:, :, a, b], own[:, :, b, a]
    same, mine = 2 * (chosen * other).sum(), _pairs(chosen + other)
    c, d = chosen.sum(axis=0), other.sum(axis=0)
    apart, others = 2 * (c * d).sum() - same, _pairs(c + d) - mine
    return Disagreement(_share(np.minimum(c, d).sum(), (c + d).sum()), _share(same, mine), _share(apart, others))


def _pairs(labels: IntArray) -> int:
    return int((labels * (labels - 1)).sum())


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else float("nan")


def expected(labellers: Labellers) -> tuple[float, float]:
    """Return the within and between shares that labellers asked evenly about every cell would show, on average.

    Formula: within = mean_cells mean_u 2 p_u (1 - p_u), between = mean_cells of mean_{u != v} p_u + p_v - 2 p_u p_v.

    Parameters: labellers, n >= 2. Source: docs/rlhf.md, eq. 2, in expectation.
    """
    p = probabilities(labellers)
    n, within = len(p), float((2 * p * (1 - p)).mean())
    total = p.sum(axis=0)
    return within, float(((total * (n - total) - (p * (1 - p)).sum(axis=0)) * 2 / (n * (n - 1))).mean())


def minority(labellers: Labellers) -> float:
    """Return the share of cells, over labellers, on which a labeller's own preference is not that of most labellers.

    A tie of the labeller is no disagreement. Parameters: labellers. Source: the definition.
    """
    p = probabilities(labellers)
    side = np.sign(np.where(abs(p - 0.5) < 1e-12, 0.0, p - 0.5))
    majority = np.sign(side.sum(axis=0))
    return float((side * majority < 0).mean())


def probabilities(labellers: Labellers) -> FloatArray:
    """Return each labeller's probability of preferring the first of two categories: (n, S, K (K-1) / 2)."""
    a, b = np.triu_indices(labellers.k, 1)
    return win_probability(labellers.value[:, :, a], labellers.value[:, :, b], labellers.temperature)
