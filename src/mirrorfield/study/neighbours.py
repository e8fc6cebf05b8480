"""Two neighbours: which part of a feed does the profile decide, and which the mirror one happened to stand before?

The Python door: `mirrorfield.neighbours`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirrorfield.api import execute, prepare
from mirrorfield.arrays import F32Array, FloatArray
from mirrorfield.contract import Observe
from mirrorfield.engine.own import with_own
from mirrorfield.errors import InputError
from mirrorfield.execution.bar import Progress, watched
from mirrorfield.kernel import Trace
from mirrorfield.metrics.mirrors import Share, common, decided, wilson_share
from mirrorfield.metrics.outcomes import category_of
from mirrorfield.people.markov import Markov
from mirrorfield.population.run import plan_run
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.worlds import one_by_one

APART, LEAST = 0.1, 1e-30
MOST_PAIRS = 1_000_000
DISTANCES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True)
class AtDistance:
    """Pairs at one distance: shares whose diets have less than a tenth in common, with same and other luck."""

    distance: float
    same_luck: Share
    other_luck: Share


@dataclass(frozen=True, repr=False)
class Neighbours:
    """What profile, luck and both together decide: first-order indices with standard errors, and pairs by distance.

    `strangers` are pairs of users drawn apart, each user in one of them: the value that every distance ends at.
    """

    scenario: Scenario
    pairs: int
    profile: tuple[float, float]
    luck: tuple[float, float]
    strangers: Share
    distances: list[AtDistance]

    def __repr__(self) -> str:
        from mirrorfield.report.card import text_card
        from mirrorfield.report.headline import neighbours_figures

        return text_card(self._title, neighbours_figures(self))

    def _repr_html_(self) -> str:
        from mirrorfield.report.card import html_card
        from mirrorfield.report.headline import neighbours_figures

        return html_card(
            self._title,
            neighbours_figures(self),
            "Parted: diets with less than a tenth in common. 95% Wilson intervals.",
        )

    @property
    def _title(self) -> str:
        return f"Neighbours of {self.scenario.name}: {self.pairs:,} pairs"


def neighbours(
    scenario: Scenario | None = None,
    distances: Sequence[float] = DISTANCES,
    *,
    pairs: int = 20_000,
    recommender: Any = None,
    people: Any = None,
    observe: Observe = "history",
    threads: int | None = None,
    progress: Progress = None,
) -> Neighbours:
    """Run users beside neighbours a small step away in profile, with the same and with other luck.

    A profile is the point (ln w_1, ..., ln w_K, lambda); its neighbour lies at Euclidean distance eps in a random
    direction, with lambda folded back into [0, 1] at its ends. Diets have parted when sum_a min(p_a, q_a) < 0.1. Luck
    is a stream: the same user id and seed, or another seed.

    Parameters: scenario, default `Scenario()`, whose `population.file` lists the users if it names one; distances eps
    >= 0; pairs, users that get a neighbour; recommender, people (built on `people.Markov`, for profiles are theirs),
    observe, threads and progress as in `simulate`, over (3 + 2 len(distances)) pairs users. Returns a Neighbours.
    Raises InputError for distances below 0 and more than a million pairs. Source: docs/phenomena/polarization.md.

    >>> found = neighbours(Scenario(steps=50), (0.0,), pairs=200)
    >>> found.distances[0].same_luck.value
    0.0
    """
    scenario = one_by_one(scenario or Scenario(), "neighbours")
    if not 2 <= pairs <= MOST_PAIRS:
        raise InputError(f"neighbours: expected 2 to {MOST_PAIRS:,} pairs, got {pairs:,}")
    if min(distances, default=0) < 0:
        raise InputError(f"neighbours: expected distances of 0 or more, got {min(distances):g}")
    record = scenario.record.model_copy(update={"users": pairs, "steps": 1})
    scenario = scenario.model_copy(update={"users": pairs, "record": record})
    other = scenario.model_copy(update={"seed": scenario.seed + 1})
    ids = np.arange(pairs)

    def run(world: Scenario, w: F32Array | None = None, lam: F32Array | None = None) -> Trace:
        drawn = prepare(world, None, threads, None) if w is None else plan_run(world, w, lam)
        plan = with_own(drawn, recommender, people, observe)
        if people is not None and not isinstance(plan.own.people, Markov):
            raise InputError("neighbours: expected people built on Markov, whose profile can be moved")
        return execute(plan, threads, progress=told).part.sample

    def feeds(world: Scenario, place: FloatArray) -> FloatArray:
        w, lam = np.exp(place[:, :-1]).astype(np.float32), _folded(place[:, -1]).astype(np.float32)
        return np.asarray(run(world, np.ascontiguousarray(w), lam).diet[-1].T, float)

    with watched(progress, (3 + 2 * len(distances)) * pairs) as told:
        first = run(scenario)
        w = np.maximum(first.susceptibility.T.astype(float), LEAST)
        point = np.column_stack([np.log(w), first.intentionality.astype(float)])
        home, away = np.asarray(first.diet[-1].T, float), feeds(other, point)
        direction = _directions(pairs, point.shape[1], scenario.seed)
        found = []
        for distance in distances:
            beside = point + distance * direction
            found.append(
                AtDistance(float(distance), _parted(home, feeds(scenario, beside)), _parted(home, feeds(other, beside)))
            )
        swapped = feeds(scenario, np.roll(point, 1, axis=0))
    category = category_of(home, ids)
    return Neighbours(
        scenario,
        pairs,
        decided(category, category_of(away, ids), scenario.k),
        decided(category, category_of(swapped, ids), scenario.k),
        _parted(home[: pairs // 2], home[pairs - pairs // 2 :]),
        found,
    )


def _folded(lam: FloatArray) -> FloatArray:
    """Return lambda reflected at 0 and 1."""
    lam = np.abs(lam) % 2
    return np.asarray(np.where(lam > 1, 2 - lam, lam))


def _directions(users: int, dimensions: int, seed: int) -> FloatArray:
    drawn = np.random.default_rng(seed).normal(size=(users, dimensions))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def _parted(one: FloatArray, other: FloatArray) -> Share:
    apart = common(one, other) < APART
    return wilson_share(int(apart.sum()), len(apart))
