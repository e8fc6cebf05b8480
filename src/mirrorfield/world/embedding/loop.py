"""The state of a run, and its steps: everyone sees a page, then the one policy moves."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mirrorfield.arrays import F32Array, FloatArray, IntArray, S
from mirrorfield.errors import InputError
from mirrorfield.maths import F32
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.world.embedding.crowd import Crowd, Laws, draw_crowd, laws_of
from mirrorfield.world.embedding.items import Catalogue, draw_items
from mirrorfield.world.embedding.kernel import BLOCK, measure, run_blocks
from mirrorfield.world.embedding.page import Scratch, Setting, scratch

Spread = Callable[[Callable[[int, int, int], None], int], None]
MAX_TOWER = 1e8


def setting_of(scenario: EmbeddingScenario) -> Setting:
    """Return the numbers that the loop reads."""
    policy, arousal = scenario.policy, scenario.arousal
    return Setting(
        temperature=F32(policy.temperature),
        memory=F32(policy.memory),
        exploration=F32(policy.exploration),
        cap=F32(policy.cap),
        drift=F32(scenario.interest.drift),
        step=F32(arousal.step),
        noise=F32(arousal.noise),
        candidates=np.int64(policy.candidates),
        slate=np.int64(policy.slate),
        correction=policy.correction,
    )


@dataclass
class World:
    """A run between two steps: fixed items and laws, people, and the user tower that all of them share."""

    scenario: EmbeddingScenario
    catalogue: Catalogue
    laws: Laws
    crowd: Crowd
    tower: FloatArray  # (S + d, d) float64
    step: int
    shown: IntArray  # (N, slate) int32, the last page of everyone
    sums: FloatArray = field(repr=False)  # (blocks, S + d, d)

    @classmethod
    def start(cls, scenario: EmbeddingScenario) -> "World":
        """Return the world before the first page: nobody has a history, and the policy is even."""
        shape = scenario.items.count, scenario.dimension, scenario.k
        blocks, tower = -(-scenario.users // BLOCK), (S + scenario.dimension, scenario.dimension)
        return cls(
            scenario=scenario,
            catalogue=draw_items(scenario.seed, *shape, scenario.items.spread),
            laws=laws_of(scenario),
            crowd=draw_crowd(scenario),
            tower=np.zeros(tower),
            step=0,
            shown=np.zeros((scenario.users, scenario.policy.slate), np.int32),
            sums=np.zeros((blocks, *tower)),
        )

    def rooms(self, threads: int) -> list[Scratch]:
        """Return the scratch of every thread."""
        size = self.scenario.policy.candidates or self.scenario.items.count
        return [scratch(self.scenario.k, self.scenario.dimension, size) for _ in range(threads)]

    def advance(self, spread: Spread, rooms: list[Scratch]) -> None:
        """Show everyone a page, and move the tower by the mean of what all taught: W = W + alpha mean_u (phi g^T).

        Raises InputError for a policy that runs away. Source: docs/embedding.md, eq. 15.
        """
        tower, setting = self.tower.astype(np.float32), setting_of(self.scenario)

        def work(thread: int, first: int, last: int) -> None:
            run_blocks(
                first, last, tower, self.catalogue, self.crowd, self.laws, setting, rooms[thread], self.sums, self.shown
            )

        spread(work, len(self.sums))
        self.tower += self.scenario.policy.learning_rate * self.sums.sum(axis=0) / self.scenario.users
        self.step += 1
        self._check((abs(self.tower) < MAX_TOWER).all())

    def feeds(self, people: IntArray, spread: Spread) -> tuple[F32Array, F32Array]:
        """Return the exact feeds over categories of some people, float32 (n, K), and their effective items, (n,)."""
        feed = np.empty((len(people), self.scenario.k), np.float32)
        effective = np.empty(len(people), np.float32)
        tower, temperature = self.tower.astype(np.float32), F32(self.scenario.policy.temperature)

        def work(_: int, first: int, last: int) -> None:
            measure(first, last, people, tower, self.catalogue, self.crowd, temperature, feed, effective)

        spread(work, len(people))
        self._check(np.isfinite(feed).all() and np.isfinite(effective).all())
        return feed, effective

    def _check(self, sound: Any) -> None:
        if not sound:
            raise InputError(
                f"policy: expected a policy within {MAX_TOWER:g} of zero and finite feeds, got others at step "
                f"{self.step:,}; use a smaller policy.learning_rate, or a higher policy.temperature"
            )


@contextmanager
def spread_over(threads: int) -> Iterator[Spread]:
    """Yield a function that splits work on n things into one range per thread, and waits for all of them."""
    with ThreadPoolExecutor(threads, thread_name_prefix="mirrorfield") as pool:

        def spread(work: Callable[[int, int, int], Any], count: int) -> None:
            ends = [count * thread // threads for thread in range(threads + 1)]
            jobs = [pool.submit(work, t, ends[t], ends[t + 1]) for t in range(threads) if ends[t] < ends[t + 1]]
            for job in jobs:
                job.result()

        yield spread
