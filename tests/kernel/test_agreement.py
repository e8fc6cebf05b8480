"""The lanes against the arrays engine and against themselves as plain Python."""

import os
import subprocess
import sys

import numpy as np
import pytest

from mirrorfield import Scenario, simulate
from mirrorfield.engine.rerun import rerun
from mirrorfield.model.draw import draw_user
from mirrorfield.streams import U64


@pytest.mark.parametrize("categories", [2, 4, 19])
def test_the_lanes_follow_the_arrays_engine_person_by_person(categories: int, kernel_trace, scenario_with) -> None:
    scenario = scenario_with(categories, users=64, steps=300, seed=7, record={"steps": 40})
    plan, trace = kernel_trace(scenario, 0, 64)
    again = rerun(plan, np.arange(64), tuple(plan.steps.tolist()))
    assert np.array_equal(trace.exposures.T.ravel(), again.loop.exposures)
    assert np.array_equal(trace.state, again.state[plan.steps])
    np.testing.assert_allclose(trace.logits.transpose(2, 0, 1), again.loop.state.logits, atol=2e-4)
    np.testing.assert_allclose(trace.feed.transpose(0, 2, 1), again.feeds, atol=1e-4)
    np.testing.assert_allclose(trace.mean_reaction[-1], again.loop.state.baseline, atol=1e-5)


def test_default_scenario_follows_the_arrays_engine(kernel_trace) -> None:
    scenario = Scenario(users=2000, steps=400, seed=3)
    plan, trace = kernel_trace(scenario, 1000, 64)
    again = rerun(plan, np.arange(1000, 1064))
    assert np.array_equal(trace.exposures.T.ravel(), again.loop.exposures)
    assert np.array_equal(trace.state[-1], again.state[-1])
    np.testing.assert_allclose(trace.susceptibility.T, again.loop.memory.susceptibility, rtol=1e-6)


POINT = {"distribution": "point", "value": 0.3}
HALF_RANGE = {"distribution": "uniform", "low": 0.25, "high": 0.75}
BETA = {"distribution": "beta", "a": 0.5, "b": 2}
LOGNORMAL = {"distribution": "lognormal", "median": 1.5, "sigma": 0.7}


@pytest.mark.parametrize("categories", [4, 19])
@pytest.mark.parametrize("susceptibility", [POINT, LOGNORMAL, {"distribution": "dirichlet", "concentration": 2}])
@pytest.mark.parametrize("intentionality", [POINT, HALF_RANGE, BETA])
def test_users_drawn_side_by_side_are_those_drawn_one_by_one(
    categories, susceptibility, intentionality, kernel_trace, scenario_with
) -> None:
    population = {"susceptibility": susceptibility, "intentionality": intentionality}
    plan, trace = kernel_trace(scenario_with(categories, users=100, steps=1, population=population), 900, 100)
    w, words = np.empty(categories, np.float32), np.empty(4, np.uint32)
    for user in range(100):
        with np.errstate(over="ignore"):
            drawn, _ = draw_user(U64(plan.scenario.seed), U64(900 + user), plan.population, words, w)
        assert w.tobytes() == trace.susceptibility[:, user].tobytes()
        assert drawn == trace.intentionality[user]


def test_a_trajectory_does_not_depend_on_the_users_beside_it(kernel_trace, scenario_with) -> None:
    scenario = scenario_with(4, users=100, steps=60)
    _, whole = kernel_trace(scenario, 0, 100)
    _, tail = kernel_trace(scenario, 37, 63)
    _, narrow = kernel_trace(scenario, 0, 100, lanes=16)
    for one, two, three in zip(whole, tail, narrow, strict=True):
        assert one[..., 37:].tobytes() == two.tobytes()
        assert one.tobytes() == three.tobytes()


DIGEST = """
import hashlib, json, sys
import mirrorfield as mf
from mirrorfield.population.run import plan_run, run_block
part = run_block(plan_run(mf.Scenario(users=64, steps={steps}, seed=11, policy={{"rule": "{rule}"}})), 0, 64)
digest = hashlib.sha256()
for array in (*part.totals, *part.sample):
    digest.update(array.tobytes())
print(digest.hexdigest())
"""


def digest(rule: str, steps: int, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", DIGEST.format(rule=rule, steps=steps)],
        env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "steps"), [("reinforce", 20), ("ppo", 40), ("grpo", 20)])
def test_plain_python_computes_the_same_bits(rule: str, steps: int, tmp_path) -> None:
    compiled = digest(rule, steps)
    assert compiled == digest(rule, steps, NUMBA_DISABLE_JIT="1", MIRRORFIELD_CACHE_DIR=str(tmp_path))


@pytest.mark.slow
@pytest.mark.cold
def test_other_instruction_sets_compute_the_same_bits_from_a_cold_cache(monkeypatch, tmp_path) -> None:
    """A process compiles the extended loop into an empty cache and says so; then two compile the plain one at once."""
    pytest.importorskip("distributed")
    scenario = Scenario(users=6000, steps=300, seed=11, record={"users": 300, "steps": 9})
    with monkeypatch.context() as other:
        other.setenv("MIRRORFIELD_CACHE_DIR", str(tmp_path / "cache"))
        other.setenv("NUMBA_CPU_NAME", "generic")
        other.setenv("NUMBA_CPU_FEATURES", "")
        words = [sys.executable, "-m", "mirrorfield", "run", "--users", "10", "--steps", "5", "--rule", "ppo"]
        told = subprocess.run([*words, "--out", "x"], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert "mirrorfield: kernel compiled in " in told.stderr
        ppo, kept = digest("ppo", 300), set(tmp_path.glob("cache/kernel-*/**/*.nbc"))
        parts = [simulate(scenario, dask="local:2", block=1500).part for _ in range(2)]
        assert kept and set(tmp_path.glob("cache/kernel-*/**/*.nbc")) - kept
    native = simulate(scenario).part
    for part in parts:
        for one, same in zip((*part.totals, *part.sample), (*native.totals, *native.sample), strict=True):
            assert np.ascontiguousarray(one).tobytes() == np.ascontiguousarray(same).tobytes()
    assert ppo == digest("ppo", 300)
