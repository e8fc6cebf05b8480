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


def exponential(baseline: Any, advantage: Any, weight: Any) -> Any:
    """Return the exponentially weighted mean after one more return.

    Formula: b_n = b_{n-1} + w (G_n - b_{n-1}), with b_0 = 0.

    Parameters: baseline and advantage = G_n - b_{n-1}, floats in the reaction's unit; weight w in (0, 1].
    Returns a float. Raises nothing. Source: Sutton and Barto (2018), eq. 2.5.

    >>> exponential(1.0, 0.5, 0.1)
    1.05
    """
    return baseline + weight * advantage


def group_mean(total: Any, inverse_size: Any) -> Any:
    """Return the mean return of a group of rollouts, which is every rollout's baseline.

    Formula: b = sum_j R_j / K.

    Parameters: total = sum_j R_j, floats in the reaction's unit; inverse_size = 1/K. Returns total's shape.
    Raises nothing. Source: Shao et al. (2024), section 4.1.2, https://arxiv.org/abs/2402.03300.

    >>> group_mean(2.0, 0.25)
    0.5
    """
    return total * inverse_size


def leave_one_out(total: Any, own: Any, inverse_others: Any) -> Any:
    """Return the mean return of the other rollouts of a group: a baseline that does not hold the own return.

    Formula: b_i = (sum_j R_j - R_i) / (K - 1).

    Parameters: total = sum_j R_j and own = R_i, floats in the reaction's unit; inverse_others = 1/(K - 1).
    Returns own's shape. Raises nothing. Source: Kool et al. (2019), for REINFORCE; Ahmadian et al. (2024),
    https://arxiv.org/abs/2402.14740.

    >>> leave_one_out(2.0, 0.5, 0.5)
    0.75
    """
    return (total - own) * inverse_others


def value_step(value_rate: Any, target: Any, value: Any) -> Any:
    """Return the change of the learned value of one state: a gradient step on half the squared error.

    Formula: V(s) += eta (R - V(s)).

    Parameters: value_rate eta > 0; target R and value V(s), floats of one shape in the reaction's unit. Returns that
    shape and unit. Raises nothing. Source: Sutton and Barto (2018), eq. 9.7 for a table.

    >>> value_step(0.5, 2.0, 1.0)
    0.5
    """
    return value_rate * (target - value)
