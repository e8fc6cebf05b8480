"""What a run keeps at its recorded steps: feeds and arousal of the people measured, and means over everyone."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import F32Array, FloatArray, IntArray, S
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.run import recorded_steps, sampled_users
from mirrorfield.world.embedding.loop import Spread, World


def band_of(arousal: F32Array) -> IntArray:
    """Return the third of [0, 1] that an arousal lies in: 0 calm, 1 engaged, 2 hooked.

    Formula: min(2, floor(3 h)), so that h = 0, 1/2 and 1 are the three states of the base model.

    Parameters: arousal h, floats in [0, 1]. Returns integers of the same shape. Source: docs/embedding.md, section 4.

    >>> band_of(np.array([0.0, 0.5, 1.0], np.float32)).tolist()
    [0, 1, 2]
    """
    return np.minimum(S - 1, (S * arousal).astype(np.int64))


@dataclass
class Record:
    """C recorded steps of n measured people, and of all N."""

    steps: IntArray  # (C,)
    people: IntArray  # (n,) places in the crowd
    feed: F32Array  # (C, n, K)
    effective_items: F32Array  # (C, n)
    arousal: F32Array  # (C, n)
    mean_reaction: F32Array  # (C, n)
    everyone: FloatArray  # (C, 3) mean arousal, mean reaction, mean way the interest has moved

    @classmethod
    def empty(cls, scenario: EmbeddingScenario) -> "Record":
        """Return a record with room for all recorded steps of a scenario."""
        steps = recorded_steps(scenario.steps, scenario.record.steps)
        people = sampled_users(scenario.users, scenario.record.users)
        shape = len(steps), len(people)
        return cls(
            steps=steps,
            people=people,
            feed=np.zeros((*shape, scenario.k), np.float32),
            effective_items=np.zeros(shape, np.float32),
            arousal=np.zeros(shape, np.float32),
            mean_reaction=np.zeros(shape, np.float32),
            everyone=np.zeros((len(steps), 3)),
        )

    def take(self, world: World, start: F32Array, spread: Spread) -> None:
        """Take in the world if its step is a recorded one; `start` has everyone's interest before the first page."""
        place = np.searchsorted(self.steps, world.step)
        if place == len(self.steps) or self.steps[place] != world.step:
            return
        crowd = world.crowd
        self.feed[place], self.effective_items[place] = world.feeds(self.people, spread)
        self.arousal[place] = crowd.arousal[self.people]
        self.mean_reaction[place] = crowd.baseline[self.people]
        moved = np.sqrt(((crowd.interest - start).astype(float) ** 2).sum(axis=1))
        self.everyone[place] = [part.astype(float).mean() for part in (crowd.arousal, crowd.baseline, moved)]
