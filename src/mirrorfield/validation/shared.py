"""The embedding world's compiled loop against the theory's replay, and its figures against the definitions."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mirrorfield.arrays import IntArray
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.theory.figures import Crowd, figures
from mirrorfield.theory.shared import SharedWorld
from mirrorfield.validation.claim import Claim, near
from mirrorfield.validation.worlds import INTENTIONAL, REACTIVE
from mirrorfield.world.embedding.figures import feed_figures
from mirrorfield.world.embedding.loop import World
from mirrorfield.world.embedding.record import band_of

STEPS = 16
CASES: dict[str, dict[str, Any]] = {
    "candidates, corrected": {"policy": {"candidates": 12, "exploration": 0.3}},
    "candidates, as they come": {"policy": {"candidates": 12, "correction": False}},
    "every item scored": {"policy": {"candidates": 0, "temperature": 0.7}},
    "pages of three, capped": {"policy": {"candidates": 16, "slate": 3, "cap": 1.02, "memory": 0.3}},
    "drifting interests, arousal by chance": {"interest": {"drift": 0.1, "spread": 0.8},
                                              "arousal": {"step": 0.5, "noise": 1.0}, "policy": {"candidates": 8}},
}  # fmt: skip


def scenario_of(changes: dict[str, Any], users: int) -> EmbeddingScenario:
    """Return a small embedding scenario with uneven profiles."""
    intentional = INTENTIONAL | {"mean": (0.3, -0.2, 0.6, 1.0)}
    values = {"users": users, "steps": STEPS, "seed": 7, "dimension": 6, "items": {"count": 30}}
    return EmbeddingScenario(**(values | {"reactive": REACTIVE, "intentional": intentional} | changes))


def _apart(one: Any, other: Any) -> float:
    one, other = np.asarray(one, float), np.asarray(other, float)
    return float((np.abs(one - other) / np.maximum(1, np.abs(other))).max())


def alone(work: Callable[[int, int, int], None], count: int) -> None:
    """Do all work in this thread."""
    work(0, 0, count)


def follows(users: int) -> Iterator[Claim]:
    """Yield that the compiled loop follows the replay: what is shown, the tower, the people, and their feeds."""
    for name, changes in CASES.items():
        scenario = scenario_of(changes, users)
        theory, away = SharedWorld(scenario.model_dump()), 0.0
        with np.errstate(over="ignore"):
            world = World.start(scenario)
            rooms = world.rooms(1)
            for _ in range(STEPS):
                world.advance(alone, rooms)
                if not np.array_equal(world.shown, theory.step()):
                    away = np.inf
        feed, effective = world.feeds(np.arange(users), alone)
        served = [theory.feed(person) for person in theory.people]
        pairs = [
            (world.tower, theory.tower),
            *((getattr(world.crowd, part), [getattr(person, part) for person in theory.people])
              for part in ("interest", "history", "arousal", "baseline")),
            (feed, [one for one, _ in served]),
            (effective, [one for _, one in served]),
        ]  # fmt: skip
        text = f"{name}: {users} people x {STEPS} pages, largest relative deviation from the replay"
        yield near("embedding", text, max(away, *(_apart(one, other) for one, other in pairs)))
    yield from _figures(feed, world.crowd.arousal)


def _figures(feed: Any, arousal: Any) -> Iterator[Claim]:
    ids: IntArray = np.arange(len(feed))
    found = feed_figures(feed, ids)
    zeros, exact = np.zeros((1, len(feed))), feed.astype(float) / feed.astype(float).sum(axis=1, keepdims=True)
    expected = figures(Crowd(exact[None], zeros.astype(int), zeros, zeros[0], ids.tolist()), 0)
    expected["mean_feed"] = expected.pop("mean_diet")  # this world measures feeds
    away = max(float(np.max(np.abs(np.asarray(found[name]) - expected[name]))) for name in found)
    yield near("embedding", "figures of a step, largest difference from the definitions", away)
    thirds = [0 if h < 1 / 3 else (1 if h < 2 / 3 else 2) for h in arousal]
    yield near("embedding", "thirds of arousal, largest difference", float(np.abs(band_of(arousal) - thirds).max()))
