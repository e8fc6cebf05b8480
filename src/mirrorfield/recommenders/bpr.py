"""Bayesian personalised ranking: one matrix factorisation for everybody."""

from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray

Factors = tuple[FloatArray, FloatArray, FloatArray]


class BPR:
    """Rank arms by the inner product of a person's and an arm's factors; what pays above their mean ranks higher.

    Formula: after a post that beat the person's mean reward, for the arm i shown and another arm j, one step up
    ln sigmoid(x_ui - x_uj), x_ui = <p_u, q_i>; after one that did not, i and j change places. Served by softmax(x / T).
    Parameters: factors, rate, decay, temperature T. Source: Rendle et al. (2009), https://arxiv.org/abs/1205.2618,
    section 4.3.
    """

    shared = True

    def __init__(self, factors: int = 4, rate: float = 0.1, decay: float = 0.01, temperature: float = 0.2) -> None:
        self.factors, self.rate, self.decay, self.temperature = factors, rate, decay, temperature

    def start(self, people: int, categories: int, rng: np.random.Generator) -> Factors:
        """Return small random factors of people and arms, and everyone's mean reward."""
        p, q = rng.normal(size=(people, self.factors)), rng.normal(size=(categories, self.factors))
        return 0.1 * p, 0.1 * q, np.zeros(people)

    def serve(self, state: Factors, seen: Any) -> FloatArray:
        """Return probabilities, (n, K)."""
        score = np.where(seen.allowed, state[0] @ state[1].T / self.temperature, -np.inf)
        weight = np.exp(score - score.max(1, keepdims=True))
        return np.asarray(weight / weight.sum(1, keepdims=True))

    def learn(self, state: Factors, seen: Any, shown: Any, reward: Any, propensity: Any) -> Factors:
        """Take one step for everyone, on the arm shown and the next one round."""
        p, q, mean = state
        other = (shown + 1 + seen.step % (len(q) - 1)) % len(q)
        away = q[shown] - q[other]
        push = np.sign(reward - mean) / (1 + np.exp(np.sign(reward - mean) * (p * away).sum(1)))
        step = self.rate * push[:, None] * p
        p = p + self.rate * (push[:, None] * away - self.decay * p)
        q = q - self.rate * self.decay * q
        for arm in range(len(q)):
            q[arm] += (step[shown == arm].sum(0) - step[other == arm].sum(0)) / len(p)
        return p, q, mean + (reward - mean) / (seen.step + 1)
