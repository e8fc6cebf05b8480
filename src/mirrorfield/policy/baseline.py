"""Baselines: what a reaction is compared with."""

from typing import Any


def compensated(mean: Any, lost: Any, step: Any) -> Any:
    """Return a running sum after one more step, and what rounding lost of it, to be added to the next step.

    Formula: y = step + lost, mean' = fl(mean + y), lost' = y - (mean' - mean). In exact arithmetic lost stays 0.
    Without it a float32 mean stands still once A_t / t is below half of its last place: after about 10^6 posts.

    Parameters: mean, lost and step, floats of one shape and unit. Returns (mean', lost'), of that shape and unit.
    Source: Kahan (1965), https://doi.org/10.1145/363707.363723.

    >>> compensated(1.0, 0.0, 2.0**-60)
    (1.0, 8.673617379884035e-19)
    """
    step = step + lost
    after = mean + step
    return after, step - (after - mean)


def welford(baseline: Any, lost: Any, advantage: Any, inverse_count: Any) -> Any:
    """Return the running mean after one more reaction, and what rounding lost of it.

    Formula: Gbar_t = Gbar_{t-1} + A_t / t, with Gbar_0 = 0, as a `compensated` sum.

    Parameters: baseline, lost (0 before the first reaction) and advantage, floats in the reaction's unit;
    inverse_count = 1/t. Returns (Gbar_t, lost). Source: Welford (1962),
    https://doi.org/10.1080/00401706.1962.10490022.

    >>> welford(1.0, 0.0, 0.5, 0.5)
    (1.25, 0.0)
    """
    return compensated(baseline, lost, advantage * inverse_count)


def exponential(baseline: Any, lost: Any, advantage: Any, weight: Any) -> Any:
    """Return the exponentially weighted mean after one more return, and what rounding lost of it.

    Formula: b_n = b_{n-1} + w (G_n - b_{n-1}), with b_0 = 0, as a `compensated` sum.

    Parameters: baseline, lost (0 before the first return) and advantage = G_n - b_{n-1}, floats in the reaction's unit;
    weight w in (0, 1]. Returns (b_n, lost). Source: Sutton and Barto (2018), section 2.5.

    >>> exponential(1.0, 0.0, 0.5, 0.5)
    (1.25, 0.0)
    """
    return compensated(baseline, lost, weight * advantage)


def group_mean(total: Any, inverse_size: Any) -> Any:
    """Return the mean return of a group of rollouts, which is every rollout's baseline.

    Formula: b = sum_j R_j / K.

    Parameters: total = sum_j R_j, floats in the reaction's unit; inverse_size = 1/K. Returns total's shape.
    Source: Shao et al. (2024), section 4.1.2, https://arxiv.org/abs/2402.03300.

    >>> group_mean(2.0, 0.25)
    0.5
    """
    return total * inverse_size


def leave_one_out(total: Any, own: Any, inverse_others: Any) -> Any:
    """Return the mean return of the other rollouts of a group: a baseline that does not hold the own return.

    Formula: b_i = (sum_j R_j - R_i) / (K - 1).

    Parameters: total = sum_j R_j and own = R_i, floats in the reaction's unit; inverse_others = 1/(K - 1).
    Returns own's shape. Source: Kool et al. (2019), for REINFORCE; Ahmadian et al. (2024),
    https://arxiv.org/abs/2402.14740.

    >>> leave_one_out(2.0, 0.5, 0.5)
    0.75
    """
    return (total - own) * inverse_others


def value_step(value_rate: Any, target: Any, value: Any) -> Any:
    """Return the change of the learned value of one state: a gradient step on half the squared error.

    Formula: V(s) += eta (R - V(s)).

    Parameters: value_rate eta > 0; target R and value V(s), floats of one shape in the reaction's unit. Returns that
    shape and unit. Source: Sutton and Barto (2018), eq. 9.7 for a table.

    >>> value_step(0.5, 2.0, 1.0)
    0.5
    """
    return value_rate * (target - value)
