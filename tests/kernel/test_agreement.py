"""The kernel against the NumPy reference and against itself as plain Python."""

import os
import subprocess
import sys

import numpy as np
import pytest

from mirrorfield import Category, Profile, Scenario
from mirrorfield.kernel import empty_trace, lane_kernel, lanes_for
from mirrorfield.model.draw import draw_user
from mirrorfield.population.reference import simulate_reference
from mirrorfield.population.run import plan_run
from mirrorfield.streams import U64


def scenario_with(categories: int, **changes) -> Scenario:
    rng = np.random.default_rng(categories)
    table = rng.uniform(0.1, 1.2, (3, categories))
    up = rng.uniform(0.05, 0.5, categories)
    return Scenario(
        categories=tuple(Category(name=f"c{i}", color="#000000") for i in range(categories)),
        reactive=Profile(mean=table.tolist(), std=(0.4 * table).tolist(), up=up.tolist(), down=0.3),
        intentional=Profile(mean=rng.uniform(0, 1, categories).tolist(), std=0.2, up=0.05, down=0.4),
        **changes,
    )


def kernel_trace(scenario: Scenario, first_user: int, users: int, lanes: int | None = None):
    lanes = lanes or lanes_for(scenario.k)
    blocks = -(-users // lanes)
    plan = plan_run(scenario)
    trace = empty_trace(len(plan.steps), scenario.k, blocks * lanes)
    with np.errstate(over="ignore"):
        lane_kernel(scenario.k, lanes).run_batch(
            U64(scenario.seed), U64(first_user), blocks, plan.steps, np.float32(scenario.policy.learning_rate),
            plan.profiles, plan.population, trace,
        )  # fmt: skip
    return plan, type(trace)(*(array[..., :users] for array in trace))


@pytest.mark.parametrize("categories", [2, 4, 7, 19])
def test_kernel_follows_the_reference_user_by_user(categories: int) -> None:
    scenario = scenario_with(categories, users=64, steps=300, seed=7, record={"steps": 40})
    plan, trace = kernel_trace(scenario, 0, 64)
    reference = simulate_reference(scenario, np.arange(64), tuple(plan.steps.tolist()))
    assert np.array_equal(trace.exposures.T, reference.users.exposures)
    assert np.array_equal(trace.state, reference.states[plan.steps - 1])
    np.testing.assert_allclose(trace.logits.transpose(2, 0, 1), reference.users.logits, atol=2e-4)
    np.testing.assert_allclose(trace.feed.transpose(0, 2, 1), reference.feeds, atol=1e-4)
    np.testing.assert_allclose(trace.mean_reaction[-1], reference.users.baseline, atol=1e-5)


def test_default_scenario_follows_the_reference() -> None:
    scenario = Scenario(users=64, steps=400, seed=3)
    _, trace = kernel_trace(scenario, 1000, 64)
    reference = simulate_reference(scenario, np.arange(1000, 1064))
    assert np.array_equal(trace.exposures.T, reference.users.exposures)
    assert np.array_equal(trace.state[-1], reference.states[-1])
    np.testing.assert_allclose(trace.susceptibility.T, reference.users.susceptibility, rtol=1e-6)


POINT = {"distribution": "point", "value": 0.3}
HALF_RANGE = {"distribution": "uniform", "low": 0.25, "high": 0.75}
BETA = {"distribution": "beta", "a": 0.5, "b": 2}
LOGNORMAL = {"distribution": "lognormal", "median": 1.5, "sigma": 0.7}


@pytest.mark.parametrize("categories", [4, 19])
@pytest.mark.parametrize("susceptibility", [POINT, LOGNORMAL, {"distribution": "dirichlet", "concentration": 2}])
@pytest.mark.parametrize("intentionality", [POINT, HALF_RANGE, BETA])
def test_users_drawn_side_by_side_are_those_drawn_one_by_one(categories, susceptibility, intentionality) -> None:
    population = {"susceptibility": susceptibility, "intentionality": intentionality}
    plan, trace = kernel_trace(scenario_with(categories, users=100, steps=1, population=population), 900, 100)
    w, words = np.empty(categories, np.float32), np.empty(4, np.uint32)
    for user in range(100):
        with np.errstate(over="ignore"):
            drawn, _ = draw_user(U64(plan.scenario.seed), U64(900 + user), plan.population, words, w)
        assert w.tobytes() == trace.susceptibility[:, user].tobytes()
        assert drawn == trace.intentionality[user]


@pytest.mark.parametrize("categories", [4, 19])
def test_a_trajectory_does_not_depend_on_the_users_beside_it(categories: int) -> None:
    scenario = scenario_with(categories, users=100, steps=60)
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
part = run_block(plan_run(mf.Scenario(users=64, steps={steps}, seed=11)), 0, 64)
digest = hashlib.sha256()
for array in (*part.totals, *part.sample):
    digest.update(array.tobytes())
print(digest.hexdigest())
"""


def digest(tmp_path, steps: int, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", DIGEST.format(steps=steps)],
        env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.slow
def test_plain_python_computes_the_same_bits(tmp_path) -> None:
    compiled = digest(tmp_path, 20)
    assert compiled == digest(tmp_path, 20, NUMBA_DISABLE_JIT="1", MIRRORFIELD_CACHE_DIR=str(tmp_path))


@pytest.mark.slow
def test_other_instruction_sets_compute_the_same_bits(tmp_path) -> None:
    native = digest(tmp_path, 300)
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "MIRRORFIELD_CACHE_DIR": str(tmp_path)}
    assert native == digest(tmp_path, 300, **plain)
