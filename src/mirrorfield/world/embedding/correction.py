"""From candidates to an update: what a nominated item counts for, one equation a function."""

from typing import Any

import numpy as np

from mirrorfield.maths import F32, HALF, ONE


def log_mass(log_count: Any, mean_logit: Any, variance_logit: Any) -> Any:
    """Return the logarithm of a category's part of the normaliser, from two moments of its items' logits.

    Formula: l_c = ln n_c + m_c + s_c / 2, which is ln sum_{i in c} exp(f_i) where the f_i are normal, or all equal.

    Parameters: log_count ln n_c; mean_logit m_c and variance_logit s_c >= 0 over the category's items, in nats and
    nats squared; floats of one shape. Returns that shape, in nats. Source: docs/embedding.md, eq. 10; the first two
    cumulants.

    >>> float(log_mass(0.0, 1.0, 0.0))
    1.0
    """
    return log_count + mean_logit + HALF * variance_logit


def nomination(mass: Any, exploration: Any, count: Any, inverse_items: Any) -> Any:
    """Return the probability that a candidate comes from a category.

    Formula: r(c) = (1 - epsilon) exp(l_c) / sum_b exp(l_b) + epsilon n_c / M.

    Parameters: mass exp(l_c) / sum_b exp(l_b); exploration epsilon in (0, 1]; count n_c; inverse_items 1/M; floats.
    Returns a probability. Source: docs/embedding.md, eq. 11.

    >>> float(nomination(0.5, 0.5, 1.0, 0.25))
    0.375
    """
    return (ONE - exploration) * mass + exploration * count * inverse_items


def capped_weight(normaliser: Any, cap: Any) -> Any:
    """Return the importance weight of a page whose items were chosen among candidates.

    Formula: omega = min(Z_S / Z, c), with Z_S the mean over candidates of exp(f_j) / r_j.

    Parameters: normaliser Z_S / Z > 0; cap c >= 1; floats of one shape. Returns that shape. Source: weight capping of
    Chen et al. (2019), https://doi.org/10.1145/3289600.3290999, for pi / beta on the pair of candidates and choice,
    which is Z_S / Z; docs/embedding.md, eq. 13.

    >>> float(capped_weight(3.0, 2.0))
    2.0
    """
    return np.minimum(normaliser, cap)


def top_k(probability: Any, slate: int) -> Any:
    """Return what top-K correction multiplies an update by.

    Formula: lambda_K = K (1 - pi)**(K - 1), the derivative by pi of 1 - (1 - pi)**K, the probability that an item is
    on a page of K draws.

    Parameters: probability pi in [0, 1], a float; slate K >= 1. Returns a float, 1 for K = 1. Source: the top-K
    multiplier of Chen et al. (2019), https://doi.org/10.1145/3289600.3290999.

    >>> float(top_k(0.5, 3))
    0.75
    """
    factor = F32(slate)
    for _ in range(slate - 1):
        factor = factor * (ONE - probability)
    return factor


def corrected(item: Any, own: Any, others: Any, others_item: Any) -> Any:
    """Return one coordinate of the direction in which an update moves the user tower.

    Formula: omega (zeta v_j - V), with zeta the mean of exp(f_k) / (r_k Z) over the other candidates k and V that of
    exp(f_k) v_k / (r_k Z). Its mean over candidates and choices is (Z_true / Z)**2 times that of the full softmax.

    Parameters: item v_j; own omega; others zeta; others_item V; floats of one shape. Returns that shape. Source:
    docs/embedding.md, eq. 14.

    >>> corrected(1.0, 2.0, 1.0, 0.25)
    1.5
    """
    return own * (others * item - others_item)
