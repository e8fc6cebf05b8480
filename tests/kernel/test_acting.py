"""Actions and objectives: against the arrays engine person by person, against closed forms, and off bit for bit."""

import math
from typing import Any

import numpy as np
import pytest

from mirrorfield import Scenario, simulate
from mirrorfield.engine.acting import Acting
from mirrorfield.engine.arrays import Loop
from mirrorfield.engine.rerun import rerun
from mirrorfield.errors import InputError
from mirrorfield.model.action import normal_below, raised
from mirrorfield.population.action import DEFAULT, PRESETS
from mirrorfield.population.lens_tables import make_lens
from mirrorfield.population.run import plan_run

USERS = 128
FIXED: dict[str, Any] = {"users": USERS, "steps": 240, "seed": 10, "record": {"steps": 20}}
ALL = {name: 0.3 + 0.1 * i for i, name in enumerate(DEFAULT.names)}
RULES: dict[str, dict[str, Any]] = {
    "reinforce": {},
    "grpo": {"policy": {"rule": "grpo", "learning_rate": 0.3, "beta": 0.0}},
    "ppo": {"policy": {"rule": "ppo", "horizon": 8, "learning_rate": 0.3}},
}
OBJECTIVES: dict[str, dict[str, Any]] = {
    "x": {"preset": "x-2026"},
    "twitter": {"preset": "twitter-2023", "scale": 5.0},
    "dwell": {"preset": "dwell", "scale": 4.0},
    "everything": {"weights": ALL},
}


def scenario_of(**changes: Any) -> Scenario:
    return Scenario(**(FIXED | changes))


# PPO takes advantages in units of their spread, and the predictions of a session may all be one number: what is left of
# their spread is then rounding, and differs between float32 and float64.
CASES = [(rule, "actions") for rule in RULES] + [("reinforce", "predictions"), ("grpo", "predictions")]


@pytest.mark.parametrize(("rule", "learns_from"), CASES)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_follows_the_arrays_engine_person_by_person(
    name: str, rule: str, learns_from: str, kernel_trace
) -> None:
    scenario = scenario_of(objective=OBJECTIVES[name] | {"learns_from": learns_from}, **RULES[rule])
    plan, trace = kernel_trace(scenario, 0, USERS)
    run = rerun(plan, np.arange(USERS), tuple(plan.steps.tolist()))
    assert np.array_equal(trace.exposures.T.ravel(), run.loop.exposures)
    assert np.array_equal(trace.state, run.state[plan.steps])
    np.testing.assert_allclose(trace.feed.transpose(0, 2, 1), run.feeds, atol=3e-4)
    np.testing.assert_allclose(trace.mean_reaction[-1], run.loop.mean_reaction, atol=1e-5)


def test_beside_ratings_interventions_and_a_nudge_it_follows_the_arrays_engine(kernel_trace) -> None:
    scenario = scenario_of(
        objective={"preset": "x-2026", "weights": {"reaction": 0.5}},
        reward={"source": "mixture", "weight": 0.3, "rate": 0.6},
        intervention={"at": 80, "nudge": 0.4, "nudge_share": 0.5, "exploration": 0.1, "friction": 0.2},
    )
    plan, trace = kernel_trace(scenario, 0, USERS)
    loop = rerun(plan, np.arange(USERS)).loop
    assert np.array_equal(trace.exposures.T.ravel(), loop.exposures)


def same(one: Any, other: Any) -> bool:
    names = ("feed", "state", "mean_reaction", "logits", "exposures")
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in names)


@pytest.mark.parametrize("rule", RULES)
def test_the_felt_reaction_alone_is_the_plain_loop_bit_for_bit(rule: str, kernel_trace) -> None:
    plain = scenario_of(objective={"preset": "reaction"}, **RULES[rule])
    assert not plain.lensed
    through = scenario_of(objective={"weights": {"like": 1e-6}, "scale": 1.0}, actions=never_liking(), **RULES[rule])
    assert through.lensed and make_lens(through).acts.asked
    assert same(kernel_trace(plain, 0, USERS)[1], kernel_trace(through, 0, USERS)[1])


def never_liking() -> dict[str, Any]:
    return {
        "dwell": {"reactive": 1.0, "intentional": 1.0},
        "kinds": [{"name": "like", "reactive": 0, "intentional": 0}],
    }


def test_what_happens_has_the_laws_of_the_tables() -> None:
    """Every action's frequency, and the moments of the dwell, within 4.5 standard errors for 200,000 people."""
    n = 200_000
    lens = make_lens(scenario_of(objective={"weights": ALL}))
    acting = Acting(lens.acts, 5, np.arange(n))
    rng = np.random.default_rng(1)
    k, lam, w = 4, 0.3, 1.7
    for state, arm in ((0, 0), (1, 1), (2, 2), (2, 3)):
        cell = np.full(n, state * k + arm)
        noise = rng.standard_normal(n)
        acting.objective(np.zeros(n), cell, np.full(n, lam), np.full(n, w), noise)
        for action, done in zip(DEFAULT.kinds, acting.done, strict=True):
            reactive = np.broadcast_to(action.reactive, (3, 4))[state, arm]
            odds = (w if action.susceptible else 1.0) * reactive / (1 - reactive)
            p = (1 - lam) * odds / (1 + odds) + lam * np.broadcast_to(action.intentional, (3, 4))[state, arm]
            assert abs(done.mean() - p) < 4.5 * math.sqrt(p * (1 - p) / n), action.name
        median = (1 - lam) * w * DEFAULT.dwell.reactive[state][arm] + lam * DEFAULT.dwell.intentional[arm]  # type: ignore[index]
        logs = np.log(acting.seconds)
        assert abs(logs.mean() - math.log(median)) < 4.5 * 0.8 / math.sqrt(n)
        assert abs(logs.std() - 0.8) < 4.5 * 0.8 / math.sqrt(2 * n)


def test_predictions_are_the_means_of_what_happens() -> None:
    """Under a policy that never learns, both have one mean for each person; the gap has its own standard error."""
    means = {}
    for learns_from in ("actions", "predictions"):
        objective = {"weights": ALL, "learns_from": learns_from}
        loop = Loop(plan_run(scenario_of(policy={"learning_rate": 0.0}, objective=objective)), np.arange(4000))
        total = np.zeros(4000)
        for _ in range(50):
            loop.post()
            total += loop.reward
        means[learns_from] = total / 50
    gap = means["actions"] - means["predictions"]
    assert abs(gap.mean()) < 4.5 * gap.std() / math.sqrt(len(gap))
    assert gap.std() > 0.01


def test_the_closed_forms_of_the_laws() -> None:
    z = np.linspace(-6, 6, 1001).astype(np.float32)
    below = np.array([normal_below(x) for x in z])
    exact = np.array([0.5 * math.erfc(-float(x) / math.sqrt(2)) for x in z])
    assert abs(below - exact).max() < 3e-7
    assert raised(0.0, 0.0) == 0 and raised(1.0, 0.0) == 0 and raised(1.0, 2.0) == 1


def test_a_weight_of_the_same_actions_moves_only_what_is_learned() -> None:
    """Weights share their luck: at learning rate 0 everybody sees and feels the same whatever is weighed."""
    runs = [
        simulate(scenario_of(policy={"learning_rate": 0.0}, objective=objective))
        for objective in ({"preset": "x-2026"}, {"preset": "like"}, {"preset": "reaction"})
    ]
    assert len({run.summary["mean_reaction"] for run in runs}) == 1


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown preset": ({"preset": "x-206"}, 'Did you mean "x-2026"?'),
    "unknown action": ({"weights": {"likes": 1.0}}, 'Did you mean "like"?'),
    "all zero": ({"weights": {"reaction": 0.0}}, "a weight that is not 0"),
    "not finite": ({"weights": {"like": math.inf}}, "finite"),
    "no scale": ({"preset": "like", "scale": 0.0}, "scale"),
    "learns from": ({"preset": "like", "learns_from": "wishes"}, "learns_from"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_an_objective_is_refused_in_one_line(name: str) -> None:
    asked, said = REFUSED[name]
    with pytest.raises(InputError, match="objective") as refused:
        scenario_of(objective=asked)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_tables_that_do_not_fit_are_refused_in_one_line() -> None:
    whole = {
        "dwell": {"reactive": 1.0, "intentional": 1.0},
        "kinds": [{"name": "like", "reactive": 0.1, "intentional": 0}],
    }
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"dwell": {"reactive": -1.0, "intentional": 1.0}}, "seconds from 0"),
        ({"kinds": [{"name": "like", "reactive": 1.5, "intentional": 0}]}, "probabilities, got 1.5"),
        ({"kinds": [{"name": "like", "reactive": [0.1, 0.2], "intentional": 0}]}, "one per category"),
        ({"kinds": [{"name": "dwell", "reactive": 0.1, "intentional": 0}]}, 'got "dwell"'),
        ({"kinds": []}, "actions.kinds"),
    ]
    for change, said in wrong:
        with pytest.raises(InputError) as refused:
            scenario_of(actions=whole | change)
        assert said in str(refused.value), change
    colours = [{"name": name, "color": "#000000"} for name in ("a", "b", "c", "d")]
    with pytest.raises(InputError, match=r"expected \[actions\] for these categories"):
        scenario_of(objective={"preset": "like"}, categories=colours)


@pytest.mark.parametrize(
    "beside", [{"intensity": {"rungs": 2}}, {"context": {"priming": 0.5}}, {"retrieval": {"corpus": "posts"}}]
)
def test_what_has_no_law_for_actions_is_refused_beside_them(beside: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="objective: expected no"):
        scenario_of(objective={"preset": "like"}, **beside)


def test_a_log_has_what_people_did_and_the_objective_is_made_of_it() -> None:
    weights, scale = PRESETS["x-2026"]
    logs = simulate(scenario_of(objective={"preset": "x-2026"})).logs(people=20).to_frame()
    total = sum(weights[action.name] * logs[action.name] for action in DEFAULT.kinds)
    total += weights["dwell"] * logs["dwell"] + weights["scroll"] * (logs["dwell"] < DEFAULT.dwell.short)
    np.testing.assert_allclose(total / scale, logs["reward"], atol=1e-5)
    assert logs["like"].isin([0, 1]).all() and logs["like"].sum() > 0
    assert "like" not in simulate(scenario_of()).logs(people=20).to_frame()


def test_a_scenario_with_actions_is_written_and_read_back() -> None:
    scenario = scenario_of(objective={"preset": "x-2026", "weights": {"report": 0.0}}, actions=DEFAULT)
    assert Scenario.from_toml(scenario.to_toml()) == scenario
    assert hash(scenario) == hash(Scenario.from_toml(scenario.to_toml()))
    assert set(PRESETS["x-2026"][0]) <= set(DEFAULT.names)


def test_a_result_does_not_depend_on_threads_or_blocks() -> None:
    scenario = scenario_of(users=1000, objective={"preset": "x-2026"})
    one = simulate(scenario, threads=1, block=1000)
    two = simulate(scenario, threads=2, block=128)
    assert one.summary == two.summary
