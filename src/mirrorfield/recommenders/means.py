"""What several bandits keep of every person: how often each arm was shown, and the mean reward that it brought."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class Means:
    """count and mean of the reward by person and arm, float64 (n, K)."""

    count: FloatArray
    mean: FloatArray

    @classmethod
    def empty(cls, people: int, categories: int) -> "Means":
        """Return means over no post."""
        return cls(np.zeros((people, categories)), np.zeros((people, categories)))

    def after(self, shown: IntArray, reward: FloatArray) -> "Means":
        """Return the means with one more post for everyone; the old ones are used up."""
        cell = (np.arange(len(shown)), shown)
        self.count[cell] += 1
        self.mean[cell] += (reward - self.mean[cell]) / self.count[cell]
        return self


def best(score: FloatArray, allowed: Any) -> FloatArray:
    """Return probabilities (n, K), shared evenly by the arms of the largest score among those that may be shown."""
    score = np.where(allowed, score, -np.inf)
    top = score == score.max(1, keepdims=True)
    return np.asarray(top / top.sum(1, keepdims=True))
