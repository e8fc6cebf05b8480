"""Epsilon-greedy: the arm that pays best so far, and now and then any."""

from typing import Any

from mirrorfield.arrays import FloatArray
from mirrorfield.recommenders.means import Means, best


class EpsilonGreedy:
    """Show the arm with the best mean reward, and with probability epsilon any: (1 - eps) 1[a best] + eps / m.

    Parameters: epsilon in [0, 1]. Source: Sutton and Barto (2018), Reinforcement Learning, section 2.2.
    """

    shared = False

    def __init__(self, epsilon: float = 0.1) -> None:
        self.epsilon = epsilon

    def start(self, people: int, categories: int, rng: Any) -> Means:
        """Return means over no post."""
        return Means.empty(people, categories)

    def serve(self, state: Means, seen: Any) -> FloatArray:
        """Return probabilities, (n, K)."""
        even: FloatArray = seen.allowed / seen.allowed.sum(1, keepdims=True)
        return (1 - self.epsilon) * best(state.mean, seen.allowed) + self.epsilon * even

    def learn(self, state: Means, seen: Any, shown: Any, reward: Any, propensity: Any) -> Means:
        """Take the reward into the mean of its arm."""
        return state.after(shown, reward)
