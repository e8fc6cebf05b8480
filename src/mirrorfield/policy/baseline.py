"""Baselines: what a reaction is compared with."""

from typing import Any


def welford(baseline: Any, advantage: Any, inverse_count: Any) -> Any:
    """Return the running mean after one more reaction.

    Formula: Gbar_t = Gbar_{t-1} + A_t / t, with Gbar_0 = 0.

    Parameters: baseline and advantage, floats in the reaction's unit; inverse_count = 1/t. Returns a float.
    Raises nothing. Source: Welford (1962), eq. for the mean; https://doi.org/10.1080/00401706.1962.10490022.

    >>> welford(1.0, 0.5, 0.5)
    1.25
    """
    return baseline + advantage * inverse_count
