"""Off-policy evaluation: what a policy would have earned, from the logs of another."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.errors import InputError


@dataclass(frozen=True)
class Estimate:
    """An estimate of the mean reward of a post, with its standard error over people."""

    value: float
    error: float


def _checked(weight: FloatArray, reward: FloatArray) -> None:
    if weight.shape != reward.shape or not np.isfinite(weight).all() or (weight < 0).any():
        raise InputError(f"ope: expected a weight of 0 or more for each of {len(reward):,} posts")
    if not np.isfinite(reward).all():
        raise InputError(
            "ope: expected a reward for every post, got nan where the reaction was not heard; leave it out"
        )


def _clustered(values: FloatArray, person: IntArray, value: float) -> Estimate:
    """Return an estimate from values whose mean it is, with the error of the mean over people."""
    _, of = np.unique(person, return_inverse=True)
    apart = np.bincount(of, values - value)
    n = len(apart)
    return Estimate(value, float(np.sqrt((apart**2).sum() * n / max(n - 1, 1)) / len(values)))


def ips(reward: FloatArray, weight: FloatArray, person: IntArray) -> Estimate:
    """Return the inverse-propensity estimate of a policy's mean reward.

    Formula: mean_t w_t r_t with w_t = pi_e(a_t | x_t) / pi_b(a_t | x_t). Unbiased where what a person is at post t does
    not depend on the policy before it. Parameters: reward r, weight w >= 0, person, of shape (n,). Raises InputError
    for weights that are none. Source: Horvitz and Thompson (1952), https://doi.org/10.1080/01621459.1952.10483446.

    >>> ips(np.array([1.0, 0.0]), np.array([2.0, 2.0]), np.array([0, 1])).value
    1.0
    """
    _checked(weight, reward)
    return _clustered(weight * reward, person, float((weight * reward).mean()))


def snips(reward: FloatArray, weight: FloatArray, person: IntArray) -> Estimate:
    """Return the self-normalised estimate, sum_t w_t r_t / sum_t w_t: less variance for a little bias.

    Parameters: as for `ips`. Source: Swaminathan and Joachims (2015), The self-normalized estimator for counterfactual
    learning.

    >>> snips(np.array([1.0, 0.0]), np.array([3.0, 1.0]), np.array([0, 1])).value
    0.75
    """
    _checked(weight, reward)
    value = float((weight * reward).sum() / weight.sum())
    spread = _clustered(weight * (reward - value), person, 0.0)
    return Estimate(value, spread.error * len(weight) / float(weight.sum()))


def doubly_robust(
    reward: FloatArray, weight: FloatArray, person: IntArray, modelled: FloatArray, expected: FloatArray
) -> Estimate:
    """Return the doubly robust estimate: a model of the reward, and its error on the posts that were shown.

    Formula: mean_t (sum_a pi_e(a | x_t) q(x_t, a) + w_t (r_t - q(x_t, a_t))). Parameters: as for `ips`; modelled,
    q(x_t, a_t), and expected, the sum, (n,). Source: Dudik, Langford and Li (2011), https://arxiv.org/abs/1103.4601.

    >>> one = np.ones(2)
    >>> doubly_robust(one, 2 * one, np.arange(2), one, one).value
    1.0
    """
    _checked(weight, reward)
    values = expected + weight * (reward - modelled)
    return _clustered(values, person, float(values.mean()))
