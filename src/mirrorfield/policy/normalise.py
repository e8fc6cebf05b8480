"""Normalisation of advantages: two ways to divide by a spread, told apart by where epsilon stands."""

from typing import Any

import numpy as np


def variance(squares: Any, count: Any, ddof: Any) -> Any:
    """Return the variance from a sum of squared deviations.

    Formula: sum_i (A_i - mean)**2 / (n - ddof).

    Parameters: squares, the sum, floats; count n; ddof, 0 for the population and 1 for the sample, less than n.
    Returns squares' shape, in its unit. Source: the definition.

    >>> variance(3.0, 4, 1)
    1.0
    """
    return squares / (count - ddof)


def z_score(advantage: Any, mean: Any, std: Any, eps: Any) -> Any:
    """Return an advantage in units of its spread, epsilon outside the root.

    Formula: (A - mean) / (std + eps).

    Parameters: advantage, mean and std, floats in the reaction's unit; eps > 0 in the same unit. Returns a pure number.
    Source: Shao et al. (2024), section 4.1.2, https://arxiv.org/abs/2402.03300, plus eps.

    >>> z_score(3.0, 1.0, 1.5, 0.5)
    1.0
    """
    return (advantage - mean) / (std + eps)


def whiten(advantage: Any, mean: Any, variance: Any, eps: Any) -> Any:
    """Return an advantage in units of its spread, epsilon inside the root.

    Formula: (A - mean) / sqrt(var + eps).

    Parameters: advantage and mean, floats in the reaction's unit; variance and eps > 0 in its square. Returns a pure
    number. Source: the usual whitening of advantages; see docs/rules.md.

    >>> float(whiten(3.0, 1.0, 3.0, 1.0))
    1.0
    """
    return (advantage - mean) / np.sqrt(variance + eps)
