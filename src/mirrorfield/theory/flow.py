"""The limit of a small learning rate alpha: with tau = alpha t, the policy of a user with one state follows an ODE."""

from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

from mirrorfield.arrays import FloatArray
from mirrorfield.theory.gradient import expected_update, softmax, update_covariance


def policy_flow(start: FloatArray, mean: FloatArray, times: FloatArray) -> FloatArray:
    """Return the logits along the softmax policy-gradient flow. It is not the replicator equation.

    Formula: d theta_a / d tau = pi_a (mu_a - J).

    Parameters: start, logits (K,) at tau = 0; mean reactions (K,); times, increasing tau >= 0, (n,), in 1/reaction.
    Returns float64 (n, K). Raises RuntimeError if the integration fails. Source: docs/model.md, section 6.

    >>> from mirrorfield.theory.gradient import softmax
    >>> logits = policy_flow(np.zeros(4), np.array([1, 0.9, 0.5, 0.2]), np.array([10.0, 50.0, 200.0]))
    >>> softmax(logits)[:, 0].round(3).tolist()
    [0.476, 0.888, 0.98]
    """
    return _integrate(lambda _, logits: expected_update(logits, mean), start, times)


def drift_jacobian(logits: FloatArray, mean: FloatArray) -> FloatArray:
    """Return the derivative of the expected update by the logits.

    Formula: J_ab = pi_a (delta_ab - pi_b) (mu_a - J) - pi_a pi_b (mu_b - J).

    Parameters: logits and mean, (K,). Returns float64 (K, K), in reaction. Source: differentiation of
    `expected_update`.

    >>> drift_jacobian(np.zeros(2), np.array([1.0, 0.0])).round(12).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    policy = softmax(logits)
    better = mean - policy @ mean
    return np.asarray(np.diag(policy * better) - np.outer(policy * better, policy) - np.outer(policy, policy * better))


def flow_with_spread(
    start: FloatArray, mean: FloatArray, std: FloatArray, times: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the flow's logits, and the covariance of a learner around it per unit of learning rate.

    Formula: dC / d tau = J C + C J^T + Sigma along the flow, C(0) = 0; the logits of a learner with a running-mean
    baseline then have mean theta(tau) + O(alpha) and covariance alpha C(tau) + O(alpha**2). The baseline that Sigma
    needs is the mean of J over the flow so far.

    Parameters: start, mean and std, (K,); times, increasing tau > 0, (n,). Returns float64 (n, K) and (n, K, K).
    Raises RuntimeError if the integration fails. Source: Kurtz (1971); van Kampen (2007).

    >>> flow_with_spread(np.zeros(2), np.zeros(2), np.ones(2), np.array([1.0]))[1].round(6).tolist()
    [[[0.25, -0.25], [-0.25, 0.25]]]
    """
    k = len(mean)

    def right(tau: float, y: FloatArray) -> FloatArray:
        logits, earned, spread = y[:k], y[k], y[k + 1 :].reshape(k, k)
        paid = float(softmax(logits) @ mean)
        noise = update_covariance(logits, mean, std, float(earned) / tau if tau > 0 else 0.0)
        slope = drift_jacobian(logits, mean)
        change = slope @ spread + spread @ slope.T + noise
        return np.concatenate([expected_update(logits, mean), [paid], change.ravel()])

    found = _integrate(right, np.concatenate([start, [0.0], np.zeros(k * k)]), times)
    return found[:, :k], found[:, k + 1 :].reshape(-1, k, k)


def replicator_flow(start: FloatArray, mean: FloatArray, times: FloatArray) -> FloatArray:
    """Return the policies along the replicator equation, to set beside `policy_flow`.

    Formula: pi_a(tau) is proportional to pi_a(0) exp(mu_a tau), the solution of d pi_a / d tau = pi_a (mu_a - J).

    Parameters: start, a policy (K,) without zeros; mean (K,); times (n,). Returns float64 (n, K). Source: Hofbauer and
    Sigmund (1998).

    >>> replicator_flow(np.full(4, 0.25), np.array([1, 0.9, 0.5, 0.2]), np.array([10.0]))[0, 0].round(3).item()
    0.727
    """
    logits = np.log(start) + np.outer(times, mean)
    weight = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _integrate(right: Callable[[float, FloatArray], FloatArray], start: FloatArray, times: FloatArray) -> FloatArray:
    span = (0.0, float(times[-1]))
    found = solve_ivp(right, span, np.asarray(start, float), "DOP853", times, rtol=1e-10, atol=1e-12)
    if not found.success:
        raise RuntimeError(f"the flow could not be integrated: {found.message}")
    return np.asarray(found.y.T)
