"""Popularity: everyone is served what most people liked."""

from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray


class Popularity:
    """Serve everyone every arm in proportion to the rewards that it has brought from all people, above 0.

    One model for everybody. Parameters: start, what every arm is taken to have brought before the first post.
    """

    shared = True

    def __init__(self, start: float = 1.0) -> None:
        self.before = start

    def start(self, people: int, categories: int, rng: Any) -> FloatArray:
        """Return what every arm has brought for each person, (K,)."""
        return np.full(categories, self.before)

    def serve(self, state: FloatArray, seen: Any) -> FloatArray:
        """Return the same probabilities for everyone, (n, K), but for arms that they may not be shown."""
        share = state * seen.allowed
        return np.asarray(share / share.sum(1, keepdims=True))

    def learn(self, state: FloatArray, seen: Any, shown: Any, reward: Any, propensity: Any) -> FloatArray:
        """Add the rewards of everybody."""
        return np.asarray(state + np.bincount(shown, reward.clip(min=0), len(state)) / len(shown))
