"""Thompson sampling: each arm as often as it is the best, as far as is known."""

from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.recommenders.means import Means

F32 = np.float32
A, B = F32(1.5976), F32(0.07056)  # Phi(z) = 1 / (1 + exp(-z (A + B z^2))) to 2e-4


class Thompson:
    """Show each arm with the probability that it is the best under normal posteriors of the arms' means.

    Formula: P(a best) = integral of phi_a(x) prod_{b != a} Phi_b(x) dx, posteriors Normal(n_a m_a / (n_a + q), s^2 /
    (n_a + q)) with q = s^2 / prior^2; by `nodes` equal steps over the range that matters, to 1e-4. So the propensity
    is exact, where one draw of every arm would leave 0 or 1. Parameters: spread s of a reward; prior spread of a mean.
    Source: Russo et al. (2018), A Tutorial on Thompson Sampling, https://arxiv.org/abs/1707.02038, section 3.
    """

    shared = False

    def __init__(self, spread: float = 0.5, prior: float = 1.0, nodes: int = 24) -> None:
        self.spread, self.prior, self.nodes = spread, prior, nodes

    def start(self, people: int, categories: int, rng: Any) -> Means:
        """Return means over no post."""
        return Means.empty(people, categories)

    def serve(self, state: Means, seen: Any) -> FloatArray:
        """Return probabilities, (n, K)."""
        weight = state.count + (self.spread / self.prior) ** 2
        centre, width = (state.mean * state.count / weight).astype(F32), (self.spread / np.sqrt(weight)).astype(F32)
        low, high = (np.where(seen.allowed, centre + side * width, -np.inf).max(1) for side in (F32(-4), F32(4)))
        total = np.zeros_like(centre)
        for node in (np.arange(self.nodes, dtype=F32) + F32(0.5)) / F32(self.nodes):
            z = np.where(seen.allowed, ((low + node * (high - low))[:, None] - centre) / width, 0)
            under = np.where(seen.allowed, 1 / (1 + np.exp(-z * (A + B * z * z))), 1)
            total += np.where(seen.allowed, np.exp(-z * z / 2) / (width * under), 0) * under.prod(1, keepdims=True)
        best = total.astype(float)
        return np.asarray(best / best.sum(1, keepdims=True))

    def learn(self, state: Means, seen: Any, shown: Any, reward: Any, propensity: Any) -> Means:
        """Take the reward into the mean of its arm."""
        return state.after(shown, reward)
