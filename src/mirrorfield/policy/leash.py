"""The leash: what keeps a policy near a frozen reference, by an estimate of KL(pi || pi_ref) from the post shown.

x = log pi(a) - log pi_ref(a) is the log-ratio of the category shown; pi_ref(a) / pi(a) = exp(-x) is passed beside it,
so that no function here needs an exponential. The estimators are Schulman's k1, k2 and k3
(http://joschu.net/blog/kl-approx.html). What a leash does depends on where the estimate enters, not on its value:

| where | expected force, on-policy |
|---|---|
| k1 in the reward | -grad KL(pi, pi_ref) |
| k1 in the loss | none, so it is not offered |
| k2 in the loss | -grad KL(pi, pi_ref) |
| k3 in the loss | -grad KL(pi_ref, pi) = pi_ref - pi |
| k3 times the ratio in the loss | -grad KL(pi, pi_ref) |
"""

from typing import Any

import numpy as np

from mirrorfield.maths import F32, HALF, ONE

_LIMIT, _MOST = F32(0.2), F32(1000)


def k1(log_ratio: Any) -> Any:
    """Return the plain estimate of KL(pi || pi_ref): unbiased, of either sign.

    Formula: k1 = x.

    Parameters: log_ratio x, floats in nats. Returns the same. Source: Schulman (2020), k1.

    >>> k1(0.5)
    0.5
    """
    return log_ratio


def k2(log_ratio: Any) -> Any:
    """Return the squared estimate of KL(pi || pi_ref): never negative, biased.

    Formula: k2 = x**2 / 2.

    Parameters: log_ratio x, floats in nats. Returns the same shape, in nats. Source: Schulman (2020), k2.

    >>> float(k2(2.0))
    2.0
    """
    return HALF * log_ratio * log_ratio


def k3(log_ratio: Any, reference_ratio: Any) -> Any:
    """Return the corrected estimate of KL(pi || pi_ref): never negative, unbiased.

    Formula: k3 = exp(-x) - 1 + x.

    Parameters: log_ratio x, floats in nats; reference_ratio = pi_ref(a) / pi(a) = exp(-x). Returns the same shape, in
    nats. Source: Schulman (2020), k3; Shao et al. (2024), https://arxiv.org/abs/2402.03300.

    >>> float(k3(0.0, 1.0))
    0.0
    """
    return (reference_ratio - ONE) + log_ratio


def k2_weight(log_ratio: Any) -> Any:
    """Return the derivative of k2 with respect to log pi(a_t): what multiplies the score.

    Formula: d k2 / d log pi = x.

    Parameters: log_ratio x, floats in nats. Returns the same. Source: derivative of `k2`.

    >>> k2_weight(0.5)
    0.5
    """
    return log_ratio


def k3_weight(reference_ratio: Any) -> Any:
    """Return the derivative of k3 with respect to log pi(a_t): what multiplies the score.

    Formula: d k3 / d log pi = 1 - exp(-x).

    Parameters: reference_ratio = pi_ref(a) / pi(a), floats > 0. Returns the same shape, a pure number. Source:
    derivative of `k3`.

    >>> float(k3_weight(0.25))
    0.75
    """
    return ONE - reference_ratio


def k3_rho_weight(log_ratio: Any, ratio: Any) -> Any:
    """Return the derivative of rho k3 with respect to log pi(a_t): what multiplies the score.

    Formula: d (rho k3) / d log pi = rho (k3 + 1 - exp(-x)) = rho x, with rho = pi(a) / pi_old(a).

    Parameters: log_ratio x, floats in nats; ratio rho > 0. Returns the same shape, in nats. Source: derivative of rho
    times `k3`.

    >>> k3_rho_weight(0.5, 2.0)
    1.0
    """
    return ratio * log_ratio


def shaped_reward(reaction: Any, log_ratio: Any, beta: Any) -> Any:
    """Return the reward with the leash in it, which stays as it is while the session is reused.

    Formula: r = G - beta (log pi_old(a) - log pi_ref(a)), with pi_old the policy that chose the post.

    Parameters: reaction G, floats; log_ratio of the same shape, in nats; beta >= 0, reaction per nat. Returns that
    shape, in the reaction's unit. Source: Ziegler et al. (2019), eq. 2, https://arxiv.org/abs/1909.08593.

    >>> shaped_reward(1.0, 0.5, 0.5)
    0.75
    """
    return reaction - beta * log_ratio


def adapt(beta: Any, kl: Any, target: Any, posts_per_horizon: Any) -> Any:
    """Return the leash's coefficient after a session: stronger if the policy strayed further than the target.

    Formula: e = clip(KL / target - 1, -0.2, 0.2); beta (1 + e n / horizon), at most 1000. horizon = inf leaves beta
    as it is.

    Parameters: beta >= 0; kl, the session's mean k1, in nats; target > 0, in nats; posts_per_horizon = n / horizon.
    Returns beta's shape. Source: Ziegler et al. (2019), section 2.2.

    >>> round(float(adapt(0.2, 12.0, 6.0, 256 / 10_000)), 6)
    0.201024
    """
    error = np.minimum(np.maximum(kl / target - ONE, -_LIMIT), _LIMIT)
    return np.minimum(beta * (ONE + error * posts_per_horizon), _MOST)
