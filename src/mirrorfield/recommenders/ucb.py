"""UCB1: the arm that could pay best, given how little is known of it."""

from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.recommenders.means import Means, best


class UCB:
    """Show the arm with the largest upper bound, mean + scale sqrt(2 ln t / n_a); one not shown yet comes first.

    Parameters: scale, the range of rewards that the bound is for. Source: Auer, Cesa-Bianchi and Fischer (2002),
    https://doi.org/10.1023/A:1013689704352, UCB1.
    """

    shared = False

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def start(self, people: int, categories: int, rng: Any) -> Means:
        """Return means over no post."""
        return Means.empty(people, categories)

    def serve(self, state: Means, seen: Any) -> FloatArray:
        """Return probabilities, (n, K): 1 for one arm, or shared evenly by those that tie."""
        bonus = np.sqrt(2 * np.log(max(seen.step, 1)) / np.maximum(state.count, 1))
        return best(np.where(state.count > 0, state.mean + self.scale * bonus, 1e9), seen.allowed)

    def learn(self, state: Means, seen: Any, shown: Any, reward: Any, propensity: Any) -> Means:
        """Take the reward into the mean of its arm."""
        return state.after(shown, reward)
