"""What no single trajectory shows: means over people who differ, in all three states, against exact expectations."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.kernel import Trace
from mirrorfield.population.run import plan_run, run_block
from mirrorfield.population.scenario import Profile, Scenario
from mirrorfield.theory.diet import long_run
from mirrorfield.theory.gradient import expected_update, softmax
from mirrorfield.theory.markov import under_policy
from mirrorfield.theory.paths import mean_policy
from mirrorfield.theory.people import moves, table
from mirrorfield.validation.bandit import equals, learners
from mirrorfield.validation.claim import Claim
from mirrorfield.validation.worlds import INTENTIONAL, REACTIVE, START, uneven

GROUP = "laws"


def _sample(scenario: Scenario, users: int, steps: int) -> Trace:
    record = scenario.record.model_copy(update={"users": users, "steps": 1})
    scenario = scenario.model_copy(update={"users": users, "steps": steps, "record": record})
    return run_block(plan_run(scenario), 0, users).sample


def every_state(users: int) -> Iterator[Claim]:
    """Yield that one update moves the logits of each state by alpha pi (mu_u - J_u) on average over unequal people.

    People are moved up after every post, so posts 1, 2 and 3 are seen calm, engaged and hooked; each is compared with
    what is expected of that very person.
    """
    alpha, always = 0.1, {"up": 1.0, "down": 0.0}
    ends: Any = [Profile(**(end | always)) for end in (REACTIVE, INTENTIONAL)]
    scenario = uneven(policy={"learning_rate": alpha, "start": START}, reactive=ends[0], intentional=ends[1])
    sample = _sample(scenario, users, 3)
    lam, w = sample.intentionality.astype(float)[:, None], sample.susceptibility.T.astype(float)
    one, other = table(REACTIVE["mean"], 4), table(INTENTIONAL["mean"], 4)
    for s, name in enumerate(("calm", "engaged", "hooked")):
        mean, start = (1 - lam) * w * one[s] + lam * other[s], np.array(START[s])
        moved = (sample.logits[s].T.astype(float) - start) / alpha
        away = moved - expected_update(np.broadcast_to(start, mean.shape), mean)
        for a in range(4):
            yield equals(
                GROUP, f"mean update of logit {a + 1}, {name}, minus that expected of the person", 0, away[:, a]
            )


def long_run_shares(users: int) -> Iterator[Claim]:
    """Yield that unequal people under a frozen policy are in each state as often as their own chains say."""
    scenario = uneven(policy={"learning_rate": 0.0, "start": START})
    sample = _sample(scenario, users, 60)
    lam = sample.intentionality.astype(float)[:, None, None]
    policy = softmax(np.array(START))
    one, other = (under_policy(moves(end, 4), policy) for end in (REACTIVE, INTENTIONAL))
    law = long_run((1 - lam) * one + lam * other, np.zeros(users, int))
    for s, name in enumerate(("calm", "engaged", "hooked")):
        away = (sample.state[-1] == s) - law[:, s]
        yield equals(GROUP, f"share of people {name} under a frozen policy, minus that of their own chains", 0, away)


def paths(users: int) -> Iterator[Claim]:
    """Yield the expected policy after 7 posts without noise, against all paths that they can take."""
    mean, alpha, posts = np.array([1.0, 0.9, 0.5, 0.2]), 1.0, 7
    for kind in ("welford", "none", "welford-inclusive"):
        expected = mean_policy(mean, alpha, posts, kind)
        policy: FloatArray = learners(mean, 0 * mean, {"learning_rate": alpha, "baseline": kind}, users, posts, 9)[1]
        for a in range(4):
            text = f"mean of pi_{a + 1} after {posts} posts without noise, baseline {kind}, alpha = {alpha:g}"
            yield equals(GROUP, text, float(expected[a]), policy[:, a])
