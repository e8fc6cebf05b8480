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
        self.steps, self.arms, self.observe, self.people = steps, arms, observe, people
        # Flat, a cell for each person and arm: NumPy is several times slower where the index is a row and a column.
        self.count, self.total, self.mean = (np.zeros(people * arms) for _ in range(3))

    @staticmethod
    def size(arms: int, observe: Observe) -> int:
        """Return the length of an observation."""
        return 3 * arms + 2 + (S if observe == "state" else 0)

    def add(self, shown: IntArray, reward: FloatArray) -> None:
        """Take in a post and its reward, (n,) each."""
        cell = np.arange(0, self.count.size, self.arms) + shown
        count, total = self.count[cell] + 1, self.total[cell] + heard(reward)
        self.count[cell], self.total[cell], self.mean[cell] = count, total, total / count

    def observation(self, seen: Seen) -> F32Array:
        """Return everyone's observation."""
        k, size = self.arms, self.size(self.arms, self.observe)
        out = np.zeros(self.people * size, np.float32)
        first, shown = np.arange(0, out.size, size), seen.last_shown
        out[(first + shown)[shown >= 0]] = 1
        if self.observe == "state":
            out[first + 3 * k + 2 + seen.state] = 1
        rows = out.reshape(self.people, size)
        rows[:, k] = heard(seen.last_reward)
        rows[:, k + 1 : 2 * k + 1] = self.mean.reshape(-1, k)
        rows[:, 2 * k + 1 : 3 * k + 1] = (self.count / max(seen.step, 1)).reshape(-1, k)
        rows[:, 3 * k + 1] = seen.step / self.steps
        return rows


def heard(reward: FloatArray) -> FloatArray:
    """Return rewards, (n,), with 0 for those not heard."""
    return np.where(np.isnan(reward), 0.0, reward)
