"""Users with one state and one profile, run by the compiled kernel: the bandits that the theory speaks of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.kernel import Trace
from mirrorfield.population.run import plan_run, run_block
from mirrorfield.population.scenario import Category, Profile, Record, Scenario
from mirrorfield.validation.claim import Claim, equal

POINT_ONE = {"distribution": "point", "value": 1}
POINT_ZERO = {"distribution": "point", "value": 0}


def bandit(
    mean: FloatArray, std: FloatArray, policy: float | dict[str, Any], users: int, steps: int, seed: int
) -> Scenario:
    """Return a scenario of equal users who stay calm; mean and std of their reactions have shape (K,).

    `policy` is a learning rate, or what stands in `[policy]`.
    """
    profile = Profile(mean=tuple(mean), std=tuple(std), up=0, down=0)
    values: dict[str, Any] = {"population": {"susceptibility": POINT_ONE, "intentionality": POINT_ZERO}}
    return Scenario(
        users=users,
        steps=steps,
        seed=seed,
        categories=tuple(Category(name=f"arm {a + 1}", color="#000000") for a in range(len(mean))),
        policy=policy if isinstance(policy, dict) else {"learning_rate": policy},
        reactive=profile,
        intentional=profile,
        record=Record(users=users, steps=1),
        **values,
    )


def learners(
    mean: FloatArray, std: FloatArray, policy: float | dict[str, Any], users: int, steps: int, seed: int = 1
) -> tuple[FloatArray, FloatArray]:
    """Return logits and policies after `steps` posts, float64 (users, K); equal seeds share their luck."""
    trace = trace_of(bandit(mean, std, policy, users, steps, seed))
    return trace.logits[0].T.astype(float), trace.feed[-1].T.astype(float)


def courses(
    mean: FloatArray, std: FloatArray, policy: float | dict[str, Any], users: int, times: Sequence[int], seed: int = 1
) -> FloatArray:
    """Return the policies of the same users after some numbers of posts, ascending; float64 (times, users, K)."""
    plan = plan_run(bandit(mean, std, policy, users, times[-1], seed))
    seen = replace(plan, steps=np.array(times, np.int64))
    return run_block(seen, 0, users).sample.feed.transpose(0, 2, 1).astype(float)


def trace_of(scenario: Scenario) -> Trace:
    """Return what the kernel leaves of every user of a scenario."""
    return run_block(plan_run(scenario), 0, scenario.users).sample


def share(hits: Any) -> tuple[float, float]:
    """Return the share of users for whom something holds, and its standard error, of one count at least."""
    n, p = len(hits), float(np.mean(hits))
    return p, float(np.sqrt(max(p * (1 - p), 1 / n) / n))


def equals(group: str, text: str, predicted: float, values: FloatArray) -> Claim:
    """Return the claim that the mean of one number for each user is as predicted."""
    error = float(np.std(values) / np.sqrt(len(values)))
    return equal(group, text, predicted, float(np.mean(values)), error)
