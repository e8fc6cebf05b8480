"""Every post drawn evenly: what a feed is when nothing learns."""

from typing import Any

from mirrorfield.arrays import FloatArray


class Random:
    """Draw every post evenly from those that may be shown: pi(a) = 1 / m."""

    shared = False

    def start(self, people: int, categories: int, rng: Any) -> None:
        """Know nothing."""

    def serve(self, state: None, seen: Any) -> FloatArray:
        """Return an even share for every arm that may be shown, (n, K)."""
        allowed: FloatArray = seen.allowed / seen.allowed.sum(1, keepdims=True)
        return allowed

    def learn(self, state: None, seen: Any, shown: Any, reward: Any, propensity: Any) -> None:
        """Learn nothing."""
