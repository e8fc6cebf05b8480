"""A policy that was trained on `Feed`, as a recommender: run it on a million people beside the built-in ones."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mirrorfield.arrays import F32Array, FloatArray
from mirrorfield.contract import Observe, Seen
from mirrorfield.engine.history import History


class Trained:
    """Serve by a function from observations of `Feed`, float32 (n, size), to probabilities, (n, K).

    One model serves everybody, so people run in one block. Parameters: probabilities, the function; steps, the length
    of the episodes that it was trained on; observe, as in training; run it with the same `observe`.
    """

    shared = True

    def __init__(self, probabilities: Callable[[F32Array], Any], steps: int, observe: Observe = "history") -> None:
        self.probabilities, self.steps, self.observe = probabilities, steps, observe

    def start(self, people: int, categories: int, rng: Any) -> History:
        """Return an empty history of everyone."""
        return History(people, categories, self.steps, self.observe)

    def serve(self, state: History, seen: Seen) -> FloatArray:
        """Return the trained policy's probabilities, over the arms that may be shown, (n, K)."""
        policy = np.asarray(self.probabilities(state.observation(seen)), float) * seen.allowed
        return np.asarray(policy / policy.sum(axis=1, keepdims=True))

    def learn(self, state: History, seen: Seen, shown: Any, reward: Any, propensity: Any) -> History:
        """Remember the post; the policy itself stays as it was trained."""
        state.add(shown, reward)
        return state
