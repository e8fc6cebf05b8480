"""What one update does on average, and what a recommender that sees past the next reaction would do instead."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.theory.markov import under_policy


def softmax(logits: FloatArray) -> FloatArray:
    """Return the policy of some logits, over the last axis.

    Formula: pi_a = exp(theta_a) / sum_b exp(theta_b).

    Parameters: logits, shape (..., K), in nats. Returns float64 of that shape. Source: docs/model.md, eq. 3.

    >>> softmax(np.zeros(2)).tolist()
    [0.5, 0.5]
    """
    weight = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def expected_update(logits: FloatArray, mean: FloatArray) -> FloatArray:
    """Return the mean of one REINFORCE step in a state, per unit of learning rate: a myopic policy gradient.

    Formula: E[A (1[a] - pi)] = pi_a (mu_a - J) with J = sum_b pi_b mu_b. It is the same for every baseline that does
    not look at the choice, and for every spread of the reactions.

    Parameters: logits and mean reactions mu, shape (..., K). Returns float64 of that shape, in reaction; rows sum to
    0. Source: Williams (1992), for one choice.

    >>> expected_update(np.zeros(2), np.array([1.0, 0.0])).tolist()
    [0.25, -0.25]
    """
    policy = softmax(logits)
    return np.asarray(policy * (mean - (policy * mean).sum(axis=-1, keepdims=True)))


def update_covariance(logits: FloatArray, mean: FloatArray, std: FloatArray, baseline: float) -> FloatArray:
    """Return the covariance of one REINFORCE step in a state, per squared unit of learning rate.

    Formula: sum_a pi_a (sigma_a**2 + (mu_a - b)**2) (e_a - pi)(e_a - pi)^T - g g^T, with g the expected update.

    Parameters: logits, mean and std of the reactions, shape (K,); baseline b, a number. Returns float64 (K, K), in
    reaction squared. Source: the definition of covariance, G = mu + sigma n independent of a.

    >>> update_covariance(np.zeros(2), np.zeros(2), np.ones(2), 0.0).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    policy = softmax(logits)
    score = np.eye(len(policy)) - policy
    second = policy * (std**2 + (mean - baseline) ** 2)
    drift = expected_update(logits, mean)
    return np.asarray(np.einsum("a,ai,aj->ij", second, score, score) - np.outer(drift, drift))


@dataclass(frozen=True)
class PolicyValue:
    """The exact value of a policy: J; state values (S,); action values and gradient (S, K); occupancy (S,)."""

    objective: float
    value: FloatArray
    action_value: FloatArray
    occupancy: FloatArray
    gradient: FloatArray


def policy_gradient(
    logits: FloatArray, mean: FloatArray, transition: FloatArray, start: FloatArray, discount: float
) -> PolicyValue:
    """Return the exact gradient of the discounted sum of reactions: what the myopic update leaves out.

    Formula: grad_{s,a} J = d(s) pi(a|s) (Q(s,a) - V(s)), with d = (I - gamma P_pi^T)^-1 rho, V = (I - gamma P_pi)^-1
    r_pi, Q = mu + gamma P V, J = rho . V.

    Parameters: logits and mean, (S, K); transition, (S, K, S); start, probabilities rho (S,); discount gamma in [0, 1).
    Returns a PolicyValue in float64. Raises ValueError for another discount. Source: Sutton et al. (2000), theorem 1.

    >>> bandit = policy_gradient(np.zeros((1, 2)), np.array([[1.0, 0.0]]), np.ones((1, 2, 1)), np.ones(1), 0.0)
    >>> bandit.gradient.tolist()
    [[0.25, -0.25]]
    """
    if not 0 <= discount < 1:
        raise ValueError(f"discount: expected 0 or more and less than 1, got {discount}")
    policy = softmax(logits)
    ahead = np.eye(len(policy)) - discount * under_policy(transition, policy)
    value = np.linalg.solve(ahead, (policy * mean).sum(axis=1))
    action_value = mean + discount * transition @ value
    occupancy = np.linalg.solve(ahead.T, start)
    gradient = occupancy[:, None] * policy * (action_value - value[:, None])
    return PolicyValue(float(start @ value), value, action_value, occupancy, gradient)
