"""Intensity, habituation and interventions: against the arrays engine, and bit for bit the plain loop when off."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from mirrorfield import Scenario, simulate
from mirrorfield.engine.rerun import rerun
from mirrorfield.errors import InputError
from mirrorfield.population.run import plan_run, run_block

HABIT = {"rungs": 3, "slope": 0.2, "width": 0.4, "eta": 0.1, "decay": 0.02}
USERS = 128


FIXED: dict[str, Any] = {"users": USERS, "steps": 240, "seed": 9, "record": {"steps": 20}}


def scenario_of(intensity: dict[str, Any] | None = None, make: Any = Scenario, **changes: Any) -> Scenario:
    return make(**(FIXED | {"intensity": intensity or {}} | changes))


@pytest.fixture(name="two")
def two_categories(scenario_with) -> Any:
    """Return what makes scenarios of two categories: sessions of few arms compile in half the time."""
    return partial(scenario_with, 2)


def assert_follows(scenario: Scenario, kernel_trace) -> None:
    plan, trace = kernel_trace(scenario, 0, USERS)
    run = rerun(plan, np.arange(USERS), tuple(plan.steps.tolist()))
    loop = run.loop
    assert np.array_equal(trace.exposures.T.ravel(), loop.exposures)
    assert np.array_equal(trace.state, run.state[plan.steps])
    opened = np.broadcast_to(loop.allowed[:, None], loop.state.logits.shape)
    np.testing.assert_allclose(trace.logits.transpose(2, 0, 1)[opened], loop.state.logits[opened], atol=1e-3)
    feeds = run.feeds.reshape(*run.feeds.shape[:2], scenario.k, -1).sum(3)
    np.testing.assert_allclose(trace.feed.transpose(0, 2, 1), feeds, atol=2e-4)
    np.testing.assert_allclose(trace.next_intensity[-1], run.feeds[-1] @ loop.level, atol=2e-4)
    np.testing.assert_allclose(trace.floor[-1], loop.memory.floor, atol=1e-5)
    np.testing.assert_allclose(trace.mean_reaction[-1], loop.mean_reaction, atol=1e-5)


CHANGES: dict[str, dict[str, Any]] = {
    "exploration": {"exploration": 0.2, "at": 100},
    "exploration from the start": {"exploration": 0.5},
    "quota": {"quota": 0.6, "at": 50},
    "cap": {"intensity_cap": 0.5, "at": 100},
    "friction": {"friction": 0.4, "at": 30},
    "swap": {"swap": 0.3, "at": 30},
    "nudge": {"nudge": 0.4, "nudge_share": 0.5, "at": 120},
    "nudge down": {"nudge": -0.9, "at": 120},
    "open loop": {"policy": {"learning_rate": 0.0}, "at": 90},
    "all at once": {
        "exploration": 0.1, "quota": 0.8, "intensity_cap": 0.5, "friction": 0.2, "swap": 0.2, "nudge": 0.1, "at": 77,
    },
}  # fmt: skip


@pytest.mark.parametrize("rungs", [1, 3])
@pytest.mark.parametrize("name", CHANGES)
def test_an_intervention_follows_the_arrays_engine_person_by_person(name: str, rungs: int, kernel_trace) -> None:
    assert_follows(scenario_of(HABIT | {"rungs": rungs}, intervention=CHANGES[name]), kernel_trace)


SWITCHES: dict[str, dict[str, Any]] = {
    "to grpo": {"policy": {"rule": "grpo", "learning_rate": 0.3}, "at": 50},
    "to a leash": {"policy": {"learning_rate": 0.2, "beta": 0.2, "leash": "k1-in-reward"}, "at": 50},
    "to ppo": {"policy": {"rule": "ppo", "horizon": 16, "learning_rate": 0.3}, "at": 50},
    "to session returns": {"policy": {"horizon": 5, "returns": "session"}, "at": 50},
}


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_of_algorithm_follows_the_arrays_engine(name: str, two, kernel_trace) -> None:
    assert_follows(scenario_of(HABIT, two, intervention=SWITCHES[name]), kernel_trace)


@pytest.mark.parametrize("rule", [{"rule": "grpo"}, {"rule": "ppo", "horizon": 16}])
def test_rules_on_adaptive_users_follow_the_arrays_engine(rule: dict[str, Any], two, kernel_trace) -> None:
    policy = rule | {"learning_rate": 0.3}
    change = {"intensity_cap": 0.5, "nudge": 0.3, "at": 160}
    assert_follows(scenario_of(HABIT, two, policy=policy, intervention=change, seed=10), kernel_trace)
    back = {"policy": {"learning_rate": 0.1}, "at": 160}
    assert_follows(scenario_of(HABIT, two, policy=policy, intervention=back, seed=10), kernel_trace)


def same(one, other) -> bool:
    names = ("feed", "state", "mean_reaction", "logits", "exposures", "susceptibility", "intentionality")
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in names)


@pytest.mark.parametrize("rule", ["reinforce", "grpo", "ppo-trl"])
def test_an_intervention_that_comes_too_late_is_the_plain_loop_bit_for_bit(rule: str, kernel_trace) -> None:
    late = {"intensity_cap": 0.0, "nudge": 0.5, "at": 2560} | ({"exploration": 0.5} if rule == "reinforce" else {})
    _, plain = kernel_trace(scenario_of(policy={"rule": rule}), 0, USERS)
    _, off = kernel_trace(scenario_of(policy={"rule": rule}, intervention=late), 0, USERS)
    assert same(plain, off) and not len(plain.floor) and len(off.floor)


def test_a_user_that_does_not_adapt_is_the_stationary_user_bit_for_bit(kernel_trace) -> None:
    """With eta = 0 the floor stays at 0, whatever the width; and one rung leaves nothing to adapt to."""
    _, still = kernel_trace(scenario_of(HABIT | {"eta": 0.0}), 0, USERS)
    _, wide = kernel_trace(scenario_of(HABIT | {"eta": 0.0, "width": 1e6, "decay": 1.0}), 0, USERS)
    assert same(still, wide) and (still.floor == 0).all()
    _, plain = kernel_trace(scenario_of(), 0, USERS)
    _, single = kernel_trace(scenario_of(HABIT | {"rungs": 1}), 0, USERS)
    assert same(plain, single)


def test_before_the_intervention_nothing_differs(kernel_trace) -> None:
    _, base = kernel_trace(scenario_of(HABIT), 0, USERS)
    plan, trace = kernel_trace(scenario_of(HABIT, intervention=CHANGES["all at once"]), 0, USERS)
    before = plan.steps <= 77
    assert np.array_equal(base.feed[before], trace.feed[before]) and not np.array_equal(base.feed, trace.feed)


def test_a_result_does_not_depend_on_threads_or_blocks() -> None:
    scenario = scenario_of(HABIT, users=999, intervention=CHANGES["all at once"])
    one, other = simulate(scenario, threads=1, block=1024), simulate(scenario, threads=2, block=33)
    for a, b in zip((*one.part.totals, *one.part.sample), (*other.part.totals, *other.part.sample), strict=True):
        assert a.tobytes() == b.tobytes()


def test_the_last_user_of_an_odd_number_has_its_partner_all_the_same() -> None:
    odd, even = (simulate(scenario_of(users=n, intervention={"swap": 0.5})).part.sample for n in (65, 66))
    for a, b in zip(odd, even, strict=True):
        assert a.tobytes() == b[..., :65].tobytes()


def test_partners_are_paired_by_id() -> None:
    scenario = scenario_of(steps=40, intervention={"swap": 0.5})
    ids = np.array([4, 6, 5, 7])
    plan = plan_run(scenario)
    sorted_ = rerun(plan, np.sort(ids)).shown
    assert np.array_equal(rerun(plan, ids).shown, sorted_[:, ids.argsort().argsort()])
    with pytest.raises(InputError, match="both of every pair"):
        rerun(plan, np.arange(3))
    with pytest.raises(ValueError, match="even id"):
        run_block(plan_run(scenario), 33, 33)
