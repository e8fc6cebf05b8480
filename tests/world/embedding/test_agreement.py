"""The compiled loop against its NumPy reference, and the base model inside the embedding world."""

import numpy as np
import pytest

from mirrorfield.engine.rerun import rerun
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.run import plan_run
from mirrorfield.population.scenario import Scenario
from mirrorfield.world.embedding.loop import World, spread_over
from mirrorfield.world.embedding.reference import ReferenceWorld

BASE = {
    "dimension": 4,
    "items": {"count": 4, "spread": 0.0},
    "interest": {"spread": 0.0},
    "arousal": {"step": 0.5, "noise": 1.0},
}


def policy(**changes) -> dict:
    return {"candidates": 0, "memory": 0.0, "learning_rate": 0.1} | changes


def advance(world: World, steps: int, threads: int = 1) -> np.ndarray:
    """Return the items shown, (steps, users, slate)."""
    pages, rooms = [], world.rooms(threads)
    with spread_over(threads) as spread:
        for _ in range(steps):
            world.advance(spread, rooms)
            pages.append(world.shown.copy())
    return np.array(pages)


@pytest.mark.parametrize("user", [0, 7, 1234, 99_991])
def test_one_person_with_one_item_per_category_is_the_base_model(user: int) -> None:
    scenario = EmbeddingScenario(users=1, first_user=user, policy=policy(), **BASE)
    world = World.start(scenario)
    pages = advance(world, 400)
    base = rerun(plan_run(Scenario(steps=400)), np.array([user]))
    assert (pages[:, 0, 0] == base.shown[:, 0]).all()
    assert world.crowd.arousal[0] * 2 == base.state[-1, 0]
    assert world.tower[:3] == pytest.approx(base.loop.state.logits[0], abs=2e-4)
    assert world.crowd.baseline[0] == pytest.approx(base.loop.state.baseline[0], abs=1e-4)


def test_without_learning_everyone_has_the_choices_and_states_of_the_base_model() -> None:
    users, steps = 500, 60
    scenario = EmbeddingScenario(users=users, policy=policy(learning_rate=0.0), **BASE)
    world, rooms = World.start(scenario), World.start(scenario).rooms(1)
    base = rerun(plan_run(Scenario(steps=steps, policy={"learning_rate": 0})), np.arange(users))
    with spread_over(1) as spread:
        for t in range(steps):
            world.advance(spread, rooms)
            assert (world.shown[:, 0] == base.shown[t]).all()
            assert (world.crowd.arousal * 2 == base.state[t + 1]).all()


CASES = {
    "default": {},
    "all items": {"policy": {"candidates": 0}},
    "uncorrected": {"policy": {"correction": False, "candidates": 8}},
    "page of three": {"policy": {"slate": 3, "candidates": 6}},
    "drift, one cap": {"interest": {"drift": 0.05}, "policy": {"cap": 1.0, "temperature": 0.5}},
}


@pytest.mark.parametrize("name", CASES)
def test_the_compiled_loop_follows_the_reference(name: str) -> None:
    scenario = EmbeddingScenario(users=300, steps=40, seed=5, dimension=6, items={"count": 90}, **CASES[name])
    world, reference = World.start(scenario), ReferenceWorld(scenario)
    pages = advance(world, 40)
    expected = np.array([reference.advance() for _ in range(40)])
    # A choice may differ where a uniform falls within rounding of a threshold; then the trajectories part.
    same = (pages == expected).all(axis=(0, 2))
    assert same.mean() > 0.98
    assert world.tower == pytest.approx(reference.tower, abs=2e-3)
    for got, wanted in zip(
        (world.crowd.arousal, world.crowd.history, world.crowd.interest, world.crowd.baseline),
        (reference.arousal, reference.history, reference.interest, reference.baseline),
        strict=True,
    ):
        assert got[same] == pytest.approx(wanted[same], abs=2e-3)
