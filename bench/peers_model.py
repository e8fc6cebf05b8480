"""What the peers share: the scenario in plain arrays, and the sums that each folds at every recorded step."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

import mirrorfield as mf

LOCKED_IN = 0.9


class End(NamedTuple):
    """A reaction profile, each of shape (S, K): the next state is 0 below `fall`, 2 from `rise` on, else 1."""

    mean: np.ndarray
    std: np.ndarray
    fall: np.ndarray
    rise: np.ndarray


class Sums(NamedTuple):
    """Sums over users at C recorded steps."""

    category: np.ndarray  # (C, K), by largest entry of the diet; a tie goes to one of the tied by the user's number
    state: np.ndarray  # (C, S)
    locked_in: np.ndarray  # (C,)
    diet: np.ndarray  # (C, K)
    diet_square: np.ndarray  # (C,)
    entropy: np.ndarray  # (C,)
    reaction: np.ndarray  # (C,)
    reaction_square: np.ndarray  # (C,)


class Figures(NamedTuple):
    """Means over users at C recorded steps, and the standard deviation of a user's mean reaction."""

    share: np.ndarray  # (C, K)
    state: np.ndarray  # (C, S)
    locked_in: np.ndarray  # (C,)
    reaction: np.ndarray  # (C,)
    spread: np.ndarray | None  # (C,)


def long_run(calm: np.ndarray, engaged: np.ndarray, hooked: np.ndarray) -> list[np.ndarray]:
    """Return the stationary shares of the three states, from the chances to go to each; element s is of state s."""
    weights = [
        calm[1] * (calm[2] + engaged[2]) + hooked[1] * calm[2],
        engaged[2] * (engaged[0] + hooked[0]) + engaged[0] * calm[2],
        hooked[0] * (hooked[1] + calm[1]) + engaged[0] * hooked[1],
    ]
    total = sum(weights)
    return [weight / total for weight in weights]


def add_up(
    diet: np.ndarray, users: int, largest: np.ndarray, category: np.ndarray, state: np.ndarray, baseline: np.ndarray
) -> Sums:
    """Return the sums of NumPy users at one step; `users` is the axis of the diet that they are on."""
    return Sums(
        category=np.bincount(category, minlength=diet.shape[1 - users]),
        state=np.bincount(state, minlength=3),
        locked_in=(largest > LOCKED_IN).sum(),
        diet=diet.sum(axis=users, dtype=float),
        diet_square=np.square(diet).sum(dtype=float),
        entropy=-(diet * np.log(np.maximum(diet, np.float32(1e-30)))).sum(dtype=float),
        reaction=baseline.sum(dtype=float),
        reaction_square=np.square(baseline).sum(dtype=float),
    )


def wide_scenario(users: int, steps: int, categories: int) -> mf.Scenario:
    """Return the default scenario with K categories, cut from or grown out of its four; 1 user in 20 is sampled."""
    base = mf.Scenario()
    pick = [i % base.k for i in range(categories)]

    def wide(profile: mf.Profile) -> mf.Profile:
        mean, std = (profile.table(name, base.k)[:, pick].tolist() for name in ("mean", "std"))
        up, down = (profile.table(name, base.k)[0, pick].tolist() for name in ("up", "down"))
        return mf.Profile(mean=mean, std=std, up=up, down=down)

    return mf.Scenario(
        users=users,
        steps=steps,
        categories=[mf.Category(name=f"category {i}", color="#000000") for i in range(categories)],
        reactive=wide(base.reactive),
        intentional=wide(base.intentional),
        record=mf.Record(users=users // 20),
    )


def end(profile: mf.Profile, categories: int) -> End:
    """Return a profile as float32 arrays."""
    law = profile.transition_table(categories)
    tables = profile.table("mean", categories), profile.table("std", categories), law[:, :, 0], 1 - law[:, :, 2]
    return End(*(table.astype(np.float32) for table in tables))


@dataclass(frozen=True)
class Model:
    """N users, T steps, K categories of the default scenario."""

    users: int
    steps: int
    categories: int

    @cached_property
    def scenario(self) -> mf.Scenario:
        """The scenario that mirrorfield runs."""
        return wide_scenario(self.users, self.steps, self.categories)

    @property
    def recorded(self) -> np.ndarray:
        """The log-spaced steps that mirrorfield records."""
        return np.unique(np.rint(np.geomspace(1, self.steps, self.scenario.record.steps)).astype(int))

    @property
    def learning_rate(self) -> float:
        """alpha."""
        return self.scenario.policy.learning_rate

    @property
    def sigma(self) -> float:
        """The standard deviation of the log of a susceptibility; its median is 1, and lambda is uniform on [0, 1]."""
        return self.scenario.population.susceptibility.sigma

    @property
    def ends(self) -> tuple[End, End]:
        """The reactive and the intentional profile."""
        return end(self.scenario.reactive, self.categories), end(self.scenario.intentional, self.categories)

    def block(self, most: int) -> int:
        """Return the largest number of users, at most `most`, that divides N."""
        return max(size for size in range(1, min(most, self.users) + 1) if self.users % size == 0)


def figures(sums: Sums, model: Model) -> Figures:
    """Return means from sums."""
    mean = Sums(*(np.asarray(values, float) / model.users for values in sums))
    spread = np.sqrt(np.maximum(mean.reaction_square - mean.reaction**2, 0))
    return Figures(mean.category, mean.state, mean.locked_in, mean.reaction, spread)
