"""Traces of the compiled kernel, without the fold."""

import numpy as np
import pytest

from mirrorfield import Category, Profile, Scenario
from mirrorfield.population.run import new_trace, plan_run, ready_for
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


def kernel_trace(scenario: Scenario, first_user: int, users: int, lanes: int | None = None, learner: str | None = None):
    ready = ready_for(scenario, lanes, learner)
    blocks = -(-users // ready.lanes)
    plan = plan_run(scenario)
    trace = new_trace(scenario, len(plan.steps), blocks * ready.lanes)
    with np.errstate(over="ignore"):
        ready.run_batch(
            U64(scenario.seed), U64(first_user), blocks, plan.steps, ready.task, ready.start,
            plan.profiles, plan.population, trace,
        )  # fmt: skip
    return plan, type(trace)(*(array[..., :users] for array in trace))


@pytest.fixture(name="scenario_with")
def scenario_with_fixture():
    """Return a function that makes a scenario with K categories of random tables."""
    return scenario_with


@pytest.fixture(name="kernel_trace")
def kernel_trace_fixture():
    """Return a function that runs some users of a scenario: the plan, and their trace."""
    return kernel_trace
