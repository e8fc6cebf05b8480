"""Rules in the compiled kernel: against the arrays engine, against plain REINFORCE, and against each other."""

from dataclasses import replace
from enum import IntEnum

import numpy as np
import pytest

from mirrorfield import Scenario
from mirrorfield.contract import Own
from mirrorfield.engine.learner import SessionRule
from mirrorfield.engine.rerun import rerun
from mirrorfield.kernel import ready
from mirrorfield.policy.learner import learner_of
from mirrorfield.policy.options import Aggregate, Baseline, Leash, Normalise, Returns
from mirrorfield.policy.presets import PRESETS, preset
from mirrorfield.policy.rule import Rule
from mirrorfield.population.policy import Policy

REFERENCE = ((0.5, 0.0, -0.5, 1.0), (0.0, 0.0, 0.0, 0.0), (1.0, -1.0, 0.0, 0.0))
FINITE_CLIP = {"clip_low": 0.2, "clip_high": 0.2}


def assert_follows(kernel_trace, policy: Policy, scenario: Scenario, learner: str | None = None) -> None:
    scenario = Scenario(**(scenario.model_dump() | {"policy": policy}))
    plan, trace = kernel_trace(scenario, 0, 128, learner=learner)
    ids = np.arange(128)
    own = Own(SessionRule(policy.to_rule(), scenario.seed, ids), None, "state")
    run = rerun(replace(plan, own=own), ids, tuple(plan.steps.tolist()))
    assert np.array_equal(trace.exposures.T.ravel(), run.loop.exposures)
    assert np.array_equal(trace.state, run.state[plan.steps])
    np.testing.assert_allclose(trace.feed.transpose(0, 2, 1), run.feeds, atol=2e-4)
    np.testing.assert_allclose(trace.logits.transpose(2, 0, 1), run.loop.state.logits, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(trace.mean_reaction[-1], run.loop.mean_reaction, atol=1e-5)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_follows_the_reference_user_by_user(name: str, kernel_trace) -> None:
    scenario = Scenario(users=128, steps=330, seed=7, record={"steps": 40})
    assert_follows(kernel_trace, Policy(rule=name, learning_rate=0.2), scenario, "sessions")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ppo", "ppo-trl", "grpo", "rloo"])
def test_many_categories_follow_the_reference(name: str, scenario_with, kernel_trace) -> None:
    scenario = scenario_with(19, users=128, steps=200, seed=3, record={"steps": 20})
    assert_follows(kernel_trace, Policy(rule=name, learning_rate=0.3), scenario)


PARTS = {
    "inclusive": {"baseline": "welford-inclusive", "horizon": 5},
    "exponential": {"baseline": "exponential", "exponential_weight": 0.1},
    "none": {"baseline": "none"},
    "session returns": {"horizon": 6, "returns": "session", "discount": 0.9, "aggregate": "sum"},
    "value": {"horizon": 6, "returns": "session", "baseline": "value", "value_rate": 0.15},
    "gae to the end": {
        "horizon": 6, "returns": "gae", "bootstrap": False, "trace_decay": 0.5, "baseline": "value", "value_rate": 0.15,
    },
    "groups of rollouts": {"horizon": 4, "group": 3, "returns": "session", "baseline": "leave-one-out", "epochs": 2},
    "z-score": {"group": 4, "baseline": "group-mean", "normalise": "group", "ddof": 0, "eps": 1e-4, "epochs": 2},
    "batch": {"horizon": 8, "normalise": "batch", "eps_inside_root": True},
    "minibatch": {"horizon": 8, "normalise": "minibatch", "epochs": 3, "minibatches": 2, **FINITE_CLIP},
    "one minibatch": {"horizon": 8, "normalise": "minibatch", "epochs": 3},
    "dual clip": {"horizon": 8, "epochs": 4, "minibatches": 2, "clip_low": 0.1, "clip_high": 0.3, "dual_clip": 1.5},
    "k1 in reward": {"leash": "k1-in-reward", "beta": 0.2, "reference": REFERENCE, "horizon": 4, "returns": "session"},
    "k2": {"leash": "k2-in-loss", "beta": 0.2, "reference": REFERENCE, "epochs": 3, "horizon": 4},
    "k3": {"leash": "k3-in-loss", "beta": 0.2, "reference": REFERENCE, "epochs": 3, "horizon": 4},
    "k3 rho": {"leash": "k3*rho", "beta": 0.2, "reference": REFERENCE, "epochs": 3, "horizon": 4},
    **{f"{kind} once": {"leash": kind, "beta": 0.2, "reference": REFERENCE, "horizon": 4}
       for kind in ("k1-in-reward", "k2-in-loss", "k3-in-loss", "k3*rho")},
    "adaptive": {"leash": "k2-in-loss", "beta": 0.2, "kl_target": 0.05, "kl_horizon": 40.0, "horizon": 4},
    "entropy": {"entropy": 0.2, "horizon": 4, "epochs": 2},
    "start": {"start": REFERENCE},
    "start and leash": {"start": REFERENCE, "beta": 0.2, "horizon": 2},
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_a_part_follows_the_reference_user_by_user(name: str, kernel_trace) -> None:
    scenario = Scenario(users=128, steps=250, seed=11, record={"steps": 20})
    assert_follows(kernel_trace, Policy(learning_rate=0.2, **PARTS[name]), scenario)


OFF = {
    "nothing": {},
    "sum": {"aggregate": Aggregate.SUM},
    "mean of one": {"aggregate": Aggregate.MEAN},
    "session return": {"returns": Returns.SESSION, "discount": 0.5},
    "clip at ratio 1": {"clip_low": 0.2, "clip_high": 0.28, "dual_clip": 3.0},
    **{kind.name: {"leash": kind, "reference": REFERENCE} for kind in Leash},
}


@pytest.mark.parametrize("name", OFF)
def test_off_is_plain_reinforce_bit_for_bit(name: str, kernel_trace) -> None:
    scenario = Scenario(users=128, steps=700, seed=5)
    _, plain = kernel_trace(scenario, 0, 128, learner="plain")
    rule = replace(Rule(0.1), **OFF[name])
    for learner in ("sessions", "groups"):
        _, trace = kernel_trace(with_rule(scenario, rule), 0, 128, learner=learner)
        for one, other in zip(plain, trace, strict=True):
            assert one.tobytes() == other.tobytes()


def with_rule(scenario: Scenario, rule: Rule) -> Scenario:
    """Return the scenario with a policy that stands for this very rule."""
    start = preset("reinforce", rule.learning_rate)
    changes = {name: value for name, value in vars(rule).items() if value != getattr(start, name)}
    words = {
        name: value.name.lower().replace("_", "-") if isinstance(value, IntEnum) else value
        for name, value in changes.items()
    }
    scenario = Scenario(**(scenario.model_dump() | {"policy": {"learning_rate": rule.learning_rate, **words}}))
    assert scenario.policy.to_rule() == rule
    return scenario


def test_each_rule_has_the_code_that_fits() -> None:
    learners = {name: learner_of(preset(name)) for name in PRESETS}
    assert {name for name, learner in learners.items() if learner == "plain"} == {"reinforce"}
    assert {name for name, learner in learners.items() if learner == "sessions"} == {"a2c", "ppo", "ppo-trl"}
    assert learner_of(Rule(0.1, start=((1.0, 0.0),))) == "plain" and learner_of(Rule(0.1, beta=0.1)) == "groups"
    assert [ready(preset(name), 4).task.tables for name in ("grpo", "ppo")] == [1, 3]


SINGLE_POSTS = {name: {"rule": name} for name in ("grpo", "grpo-verl", "dr-grpo", "rloo", "dapo")} | {
    "leash": {"beta": 0.3, "reference": REFERENCE, "start": REFERENCE},
    "reward": {"leash": "k1-in-reward", "beta": 0.3, "kl_target": 0.05, "kl_horizon": 40.0},
    "epochs": {"rule": "grpo", "epochs": 3, "minibatches": 2, "entropy": 0.1},
}


@pytest.mark.parametrize("name", SINGLE_POSTS)
def test_the_table_of_one_state_gives_the_bits_of_those_of_all(name: str, kernel_trace) -> None:
    scenario = Scenario(users=128, steps=300, seed=4, policy=SINGLE_POSTS[name])
    _, one = kernel_trace(scenario, 0, 128, learner="groups")
    _, every = kernel_trace(scenario, 0, 128, learner="sessions")
    for a, b in zip(one, every, strict=True):
        assert a.tobytes() == b.tobytes()


def same_run(kernel_trace, rule: Rule, other: Rule, atol: float) -> None:
    scenario = Scenario(users=128, steps=160, seed=2)
    _, one = kernel_trace(with_rule(scenario, rule), 0, 128)
    _, two = kernel_trace(with_rule(scenario, other), 0, 128)
    assert np.array_equal(one.exposures, two.exposures)
    np.testing.assert_allclose(one.logits, two.logits, atol=atol, rtol=0)


def test_one_epoch_of_ppo_without_clip_is_reinforce(kernel_trace) -> None:
    session = replace(Rule(0.1), horizon=4, aggregate=Aggregate.SUM)
    same_run(kernel_trace, session, replace(session, clip_low=0.2, clip_high=0.2, dual_clip=3.0), 0)


def test_grpo_without_std_and_centred_by_leave_one_out_is_rloo(kernel_trace) -> None:
    grpo = replace(preset("grpo", 0.5), normalise=Normalise.NONE, beta=0.0, baseline=Baseline.LEAVE_ONE_OUT)
    same_run(kernel_trace, grpo, replace(preset("rloo", 0.5), group=8, beta=0.0), 0)


def test_dr_grpo_is_rloo_at_a_smaller_step(kernel_trace) -> None:
    same_run(kernel_trace, preset("dr-grpo", 0.5), replace(preset("rloo", 0.5 * 7 / 8), group=8, beta=0.0), 1e-5)


@pytest.mark.parametrize("name", ["grpo-trl", "dr-grpo", "dapo"])
def test_a_group_of_equal_reactions_moves_nothing(name: str, kernel_trace) -> None:
    same = {"mean": 0.7, "std": 0.0, "up": 0.3, "down": 0.3}
    population = {
        "susceptibility": {"distribution": "point", "value": 1.1},
        "intentionality": {"distribution": "point", "value": 0.3},
    }
    scenario = Scenario(
        users=128, steps=80, policy={"rule": name}, reactive=same, intentional=same, population=population
    )
    _, trace = kernel_trace(scenario, 0, 128)
    assert (trace.logits == 0).all() and (trace.mean_reaction[-1] > 0).all()


@pytest.mark.parametrize("name", ["ppo", "grpo", "a2c"])
def test_a_trajectory_does_not_depend_on_the_users_beside_it(name: str, kernel_trace) -> None:
    scenario = Scenario(users=300, steps=100, policy={"rule": name})
    _, whole = kernel_trace(scenario, 0, 300)
    _, tail = kernel_trace(scenario, 37, 263)
    for one, two in zip(whole, tail, strict=True):
        assert one[..., 37:].tobytes() == two.tobytes()


@pytest.mark.parametrize("name", PRESETS)
def test_a_run_begins_with_a_shorter_one(name: str, kernel_trace) -> None:
    long = Scenario(users=128, steps=100, policy={"rule": name}, record={"steps": 200})
    plan, whole = kernel_trace(long, 0, 128)
    _, short = kernel_trace(long.model_copy(update={"steps": 37}), 0, 128)
    place = plan.steps.tolist().index(37)
    assert whole.feed[place].tobytes() == short.feed[-1].tobytes()
    assert whole.mean_reaction[place].tobytes() == short.mean_reaction[-1].tobytes()
