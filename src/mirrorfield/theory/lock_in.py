"""How long a policy stays where it is: closed forms for escaping an arm, committing to one, and never leaving it."""

import numpy as np
from scipy.optimize import brentq


def escape_time(start: float, gap: float) -> float:
    """Return the tau at which the better of two arms, rare at first, is as likely as the worse.

    Formula: tau = (1/x - 1/(1-x) + 2 ln((1-x)/x)) / (2 Delta), where d x / d tau = 2 Delta (x (1-x))**2.

    Parameters: start, its probability x in (0, 1/2]; gap Delta > 0, in reaction. Returns tau in 1/reaction. Raises
    ValueError for others. Source: separation of variables in `policy_flow` for K = 2.

    >>> round(escape_time(0.018, 0.1), 1)
    312.7
    """
    if not (0 < start <= 0.5 and gap > 0):
        raise ValueError(f"expected a start in (0, 1/2] and a gap > 0, got {start} and {gap}")
    other = 1 - start
    return float(1 / start - 1 / other + 2 * np.log(other / start)) / (2 * gap)


def commitment(advantage: float, learning_rate: float, categories: int, steps: float) -> float:
    """Return the probability of an arm that alone was shown, t times, with a constant advantage A > 0.

    Formula: (exp(g) - 1) / (K - 1) + g = alpha A K t / (K - 1) with pi = exp(g) / (exp(g) + K - 1), continuous in t;
    hence 1 - pi falls like (K - 1) / (K alpha A t), and the other arms are seen again, with probability one.

    Parameters: advantage A and learning rate alpha, > 0; K >= 2; t >= 0. Returns pi in [1/K, 1). Source: integration of
    d theta = alpha A (e_a - pi) dt from equal logits.

    >>> round(200_000 * (1 - commitment(1.0, 0.2, 4, 200_000)), 2)
    3.75
    """
    others = categories - 1
    return _committed(learning_rate * advantage * categories * steps / others, others)


def _committed(push: float, others: int) -> float:
    lead = brentq(lambda g: np.expm1(g) / others + g - push, 0.0, np.log1p(others * push) + 1e-9)
    return float(1 / (1 + others * np.exp(-lead)))


def welford_commitment(prior_pulls: float, learning_rate: float, categories: int, steps: int) -> float:
    """Return the probability of an arm that alone is shown, when the running mean catches up with what it pays.

    Formula: as `commitment`, with alpha K / (K - 1) sum_{k < t} n0 / (n0 + k) on the right: 1 - pi falls like 1/ln t.

    Parameters: prior pulls n0, whose mean was lower by 1; alpha; K; t. Returns pi in [1/K, 1). Source: the advantage
    after k pulls is n0 / (n0 + k).

    >>> round(1 - welford_commitment(1, 0.2, 4, 200_000), 3)
    0.337
    """
    others = categories - 1
    decay = float((prior_pulls / (prior_pulls + np.arange(steps))).sum())
    return _committed(learning_rate * categories * decay / others, others)


def never_leaving(learning_rate: float, reaction: float, categories: int, terms: int = 100_000) -> float:
    """Return the chance that an update without the factor 1 - pi never leaves the first arm that it showed.

    Formula: prod_{t >= 1} 1 / (1 + (K - 1) exp(-alpha r t)). It is positive: lock-in for ever. For softmax policy
    gradient the same product is 0, so lock-in is metastable.

    Parameters: alpha and reaction r, > 0; K >= 2; terms of the product. Returns a number in [0, 1]. Source: the chance
    of showing the same arm again, step by step.

    >>> round(never_leaving(1.0, 1.0, 4), 3)
    0.27
    """
    steps = np.arange(1, terms + 1)
    return float(np.exp(-np.log1p((categories - 1) * np.exp(-learning_rate * reaction * steps)).sum()))
