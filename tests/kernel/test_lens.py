"""Labels, context and retrieval: against the arrays engine person by person; off, the plain loop bit for bit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mirrorfield import Scenario, simulate
from mirrorfield.engine.rerun import rerun
from mirrorfield.kernel.plain import Plain
from mirrorfield.population.corpus import corpus_bytes, load_corpus
from mirrorfield.population.lens_tables import make_lens
from mirrorfield.population.run import ready_for

USERS = 128
MODEL = [[0.1, 0.4, 0.2, 1.0], [0.3, 0.1, 0.9, 0.5], [1.2, 0.2, 0.2, 0.1]]
RULES: dict[str, dict[str, Any]] = {
    "reinforce": {},
    "grpo": {"policy": {"rule": "grpo", "learning_rate": 0.3, "beta": 0.0}},
    "ppo": {"policy": {"rule": "ppo", "horizon": 8, "group": 2, "learning_rate": 0.3}},
}
LENSES: dict[str, dict[str, Any]] = {
    "ratings": {"reward": {"source": "ratings", "intentionality": 0.7, "noise": 1.5}},
    "reward model": {"reward": {"source": "reward_model", "model": MODEL}},
    "mixture": {"reward": {"source": "mixture", "weight": 0.3, "intentionality": 0.9}},
    "session": {"context": {"kappa": 0.7, "memory": 10.0, "priming": 0.5}},
    "query": {"context": {"source": "query", "kappa": 0.5, "priming": -0.5}},
}
RETRIEVED: dict[str, dict[str, Any]] = {
    "no retriever": {"corpus": "posts"},
    "history": {"corpus": "posts", "retriever": "history", "count": 6, "refresh": 16, "memory": 10.0},
    "query": {"corpus": "posts", "retriever": "query", "count": 20, "refresh": 16},
    "random": {"corpus": "posts", "retriever": "random", "count": 3, "refresh": 16},
    "diverse": {"corpus": "posts", "retriever": "diverse", "count": 6, "refresh": 16, "diversity": 0.7},
}
LENSES |= {f"retrieval: {name}": {"retrieval": part} for name, part in RETRIEVED.items()}


def scenario_of(**changes: Any) -> Scenario:
    fixed: dict[str, Any] = {"users": USERS, "steps": 240, "seed": 10, "record": {"steps": 20}}
    return Scenario(**(fixed | changes))


def assert_follows(scenario: Scenario, kernel_trace) -> None:
    plan, trace = kernel_trace(scenario, 0, USERS)
    run = rerun(plan, np.arange(USERS), tuple(plan.steps.tolist()))
    assert np.array_equal(trace.exposures.T.ravel(), run.loop.exposures)
    assert np.array_equal(trace.state, run.state[plan.steps])
    np.testing.assert_allclose(trace.logits.transpose(2, 0, 1), run.loop.state.logits, atol=1e-3)
    feeds = run.feeds.reshape(*run.feeds.shape[:2], scenario.k, -1).sum(3)
    np.testing.assert_allclose(trace.feed.transpose(0, 2, 1), feeds, atol=3e-4)
    np.testing.assert_allclose(trace.mean_reaction[-1], run.loop.mean_reaction, atol=1e-5)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", LENSES)
def test_a_lens_follows_the_arrays_engine_person_by_person(name: str, rule: str, kernel_trace) -> None:
    assert_follows(scenario_of(**LENSES[name], **RULES[rule]), kernel_trace)


def test_ratings_that_are_seldom_given_follow_the_arrays_engine(kernel_trace) -> None:
    seldom = {"source": "mixture", "weight": 1.0, "rate": 0.3, "intentionality": 0.5}
    assert_follows(scenario_of(reward=seldom), kernel_trace)
    assert_follows(scenario_of(reward=seldom | {"weight": 0.6}, intervention={"friction": 0.3}), kernel_trace)


def test_all_at_once_with_intensity_follows_the_arrays_engine(kernel_trace) -> None:
    habit = {"rungs": 2, "slope": 0.2, "width": 0.4, "eta": 0.1, "decay": 0.02}
    change = {"at": 80, "exploration": 0.2, "intensity_cap": 0.5}
    lens = LENSES["mixture"] | LENSES["session"]
    plan, trace = kernel_trace(scenario_of(intensity=habit, intervention=change, **lens), 0, USERS)
    loop = rerun(plan, np.arange(USERS)).loop
    assert np.array_equal(trace.exposures.T.ravel(), loop.exposures)
    np.testing.assert_allclose(trace.mean_reaction[-1], loop.mean_reaction, atol=1e-5)
    np.testing.assert_allclose(trace.floor[-1], loop.memory.floor, atol=1e-5)


def same(one, other) -> bool:
    names = ("feed", "state", "mean_reaction", "logits", "exposures", "susceptibility", "intentionality")
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in names)


OFF: dict[str, dict[str, Any]] = {
    "weight 0": {"reward": {"source": "mixture", "weight": 0.0, "rate": 0.5}},
    "kappa 0": {"context": {"kappa": 0.0, "memory": 5.0}},
    "query, kappa 0": {"context": {"source": "query"}},
}


@pytest.fixture
def alike(tmp_path) -> dict[str, Any]:
    """Return items between which nobody can tell."""
    posts = load_corpus("posts")
    even = replace(posts, quality=np.ones_like(posts.quality))
    (tmp_path / "even.npz").write_bytes(corpus_bytes(even))
    return {"retrieval": {"corpus": str(tmp_path / "even.npz")}}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", OFF)
def test_what_is_off_in_a_lens_is_the_plain_loop_bit_for_bit(name: str, rule: str, kernel_trace, alike) -> None:
    off = OFF[name] if rule == "reinforce" else {"reward": {"source": "mixture", "weight": 0.0}}
    _, plain = kernel_trace(scenario_of(**RULES[rule]), 0, USERS)
    scenario = scenario_of(**off, **alike, **RULES[rule])
    assert scenario.lensed and make_lens(scenario).deliberate == 0
    _, through = kernel_trace(scenario, 0, USERS)
    assert same(plain, through)


@pytest.mark.parametrize(
    "off",
    [
        *OFF.values(),
        {"reward": {"intentionality": 0.3, "rate": 0.5}},
        {"intensity": {"slope": 2.0, "width": 0.7, "eta": 0.1, "decay": 0.1}},
        {"intervention": {"at": 20, "nudge_share": 0.5}},
    ],
)
def test_where_everything_is_off_the_plain_loop_runs(off: dict[str, Any]) -> None:
    scenario = scenario_of(**off)
    assert isinstance(ready_for(scenario).task, Plain)
    assert simulate(scenario).summary == simulate(scenario_of()).summary


@pytest.mark.parametrize("retriever", ["history", "query", "random", "diverse"])
def test_retrieving_everything_is_no_retrieval_bit_for_bit(retriever: str, kernel_trace) -> None:
    _, none = kernel_trace(scenario_of(retrieval={"corpus": "posts"}), 0, USERS)
    _, everything = kernel_trace(
        scenario_of(retrieval={"corpus": "posts", "retriever": retriever, "count": "all"}), 0, USERS
    )
    assert same(none, everything)


@pytest.mark.parametrize("rule", RULES)
def test_items_that_are_all_alike_are_no_items_bit_for_bit(rule: str, kernel_trace, alike) -> None:
    _, plain = kernel_trace(scenario_of(**RULES[rule]), 0, USERS)
    _, through = kernel_trace(scenario_of(**alike, **RULES[rule]), 0, USERS)
    assert same(plain, through)


def test_a_result_does_not_depend_on_threads_or_blocks() -> None:
    scenario = scenario_of(users=1000, **LENSES["session"], reward={"source": "ratings", "rate": 0.5})
    one, other = simulate(scenario, threads=1, block=1024), simulate(scenario, threads=2, block=256)
    for a, b in zip((*one.part.totals, *one.part.sample), (*other.part.totals, *other.part.sample), strict=True):
        assert a.tobytes() == b.tobytes()
