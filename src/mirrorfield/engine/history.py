"""What a platform remembers of people, as numbers: the context of logs, and what an agent observes."""

import numpy as np

from mirrorfield.arrays import F32Array, FloatArray, IntArray, S
from mirrorfield.contract import Observe, Seen


class History:
    """What a platform remembers of n people: an observation for each, float32 (n, size). A reward not heard counts 0.

    Formula: [1[last shown = a], last reward, mean reward of a, share of posts of a, posts / steps, 1[state = s]], with
    a over K arms and, only under observe="state", s over 3 states.
    """

    def __init__(self, people: int, arms: int, steps: int, observe: Observe) -> None:
        self.steps, self.arms, self.observe = steps, arms, observe
        self.count, self.total = np.zeros((people, arms)), np.zeros((people, arms))

    @staticmethod
    def size(arms: int, observe: Observe) -> int:
        """Return the length of an observation."""
        return 3 * arms + 2 + (S if observe == "state" else 0)

    def add(self, shown: IntArray, reward: FloatArray) -> None:
        """Take in a post and its reward, (n,) each."""
        cell = np.arange(len(shown)), shown
        self.count[cell] += 1
        self.total[cell] += np.nan_to_num(reward)

    def observation(self, seen: Seen) -> F32Array:
        """Return everyone's observation."""
        last = (seen.last_shown[:, None] == np.arange(self.arms)).astype(float)
        mean = self.total / np.maximum(self.count, 1)
        parts = [last, np.nan_to_num(seen.last_reward)[:, None], mean, self.count / max(seen.step, 1)]
        parts.append(np.full((len(last), 1), seen.step / self.steps))
        if self.observe == "state":
            parts.append((seen.state[:, None] == np.arange(S)).astype(float))
        return np.concatenate(parts, axis=1).astype(np.float32)
