"""Traces of the compiled kernel, without the fold."""

import numpy as np
import pytest

from mirrorfield import Category, Profile, Scenario
from mirrorfield.population.run import plan_run, ready_for, run_block


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
    plan = plan_run(scenario, keep_all=True)
    code = ready_for(scenario, lanes, learner, plan.lens)
    return plan, run_block(plan, first_user, users, code=code).table


@pytest.fixture(name="scenario_with")
def scenario_with_fixture():
    """Return a function that makes a scenario with K categories of random tables."""
    return scenario_with


@pytest.fixture(name="kernel_trace")
def kernel_trace_fixture():
    """Return a function that runs some users of a scenario: the plan, and their trace."""
    return kernel_trace
