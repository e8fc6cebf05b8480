"""Context: the step under it is the gradient of what is earned under it, and with another score it is not."""

import numpy as np
import pytest

from mirrorfield import Scenario, simulate
from mirrorfield.errors import InputError
from mirrorfield.policy.softmax import softmax
from mirrorfield.population.lens_tables import deliberate_wish

USERS, START, KAPPA, BLUR = 200_000, np.array([0.5, -0.2, 0.3, 0.0]), 1.5, 0.05
SAME = {"susceptibility": {"distribution": "point"}, "intentionality": {"distribution": "point", "value": 0.2}}


def tilt(scenario: Scenario) -> np.ndarray:
    return KAPPA * np.log(BLUR + (1 - BLUR) * deliberate_wish(scenario))


def test_the_step_under_a_context_is_the_gradient_and_with_the_other_score_it_is_not() -> None:
    scenario = Scenario(
        users=USERS, steps=1, policy={"start": [START.tolist()], "learning_rate": 1.0}, population=SAME,
        context={"source": "query", "kappa": KAPPA}, record={"users": USERS, "steps": 1},
    )  # fmt: skip
    steps = simulate(scenario).part.sample.logits[0].T.astype(float) - START
    value = 0.8 * scenario.reactive.table("mean", 4)[0] + 0.2 * scenario.intentional.table("mean", 4)[0]

    def earned(logits: np.ndarray) -> float:
        return float(softmax(logits + tilt(scenario)) @ value)

    nudges = 1e-5 * np.eye(4)
    gradient = np.array([(earned(START + h) - earned(START - h)) / 2e-5 for h in nudges])
    error = steps.std(axis=0) / np.sqrt(USERS)
    assert (abs(steps.mean(axis=0) - gradient) < 4 * error + 1e-6).all()
    context, policy = softmax(START + tilt(scenario)), softmax(START)
    off_policy = context * value - (context @ value) * policy
    assert (abs(off_policy - gradient) > 10 * error).any()


def test_a_query_is_served_from_the_first_post_on() -> None:
    scenario = Scenario(users=1000, steps=1, policy={"learning_rate": 0.0}, context={"source": "query", "kappa": KAPPA})
    feed = simulate(scenario).part.sample.feed[-1]
    np.testing.assert_allclose(feed[:, 0], softmax(tilt(scenario)), atol=1e-6)
    assert (feed == feed[:, :1]).all()


def test_a_session_memory_pulls_towards_what_was_shown_and_reacted_to() -> None:
    """A frozen even policy shows what it showed before: feeds are no longer even, the less so the larger kappa."""
    frozen = {"users": 2000, "steps": 200, "policy": {"learning_rate": 0.0}}
    largest = [
        simulate(Scenario(**frozen, context={"kappa": kappa})).part.sample.feed[-1].max(axis=0).mean()
        for kappa in (0.0, 0.5, 1.0)
    ]
    assert largest[0] == 0.25 and largest[0] + 0.1 < largest[1] < largest[2] - 0.1


def test_priming_scales_reactions_and_leaves_the_mean_of_an_even_memory() -> None:
    """With b = -1 a category that fills the memory earns nothing: one category that is always shown stays at 0."""
    alone = [[30.0, 0.0, 0.0, 0.0]]
    base = {"users": 500, "steps": 200, "policy": {"learning_rate": 0.0, "start": alone}}
    runs = [simulate(Scenario(**base, context={"priming": b})) for b in (-1.0, 0.0, 0.5)]
    felt = [run.part.sample.mean_reaction[-1].mean() for run in runs]
    first = felt[1] / 200
    assert abs(felt[0]) < 3 * first and felt[2] == pytest.approx(1.5 * felt[1], rel=0.02)


def test_a_leash_beside_a_context_is_refused() -> None:
    with pytest.raises(InputError, match=r"context\.kappa: expected 0 with a leash"):
        Scenario(policy={"beta": 0.1}, context={"kappa": 1.0})
    with pytest.raises(InputError, match=r"context\.blur: expected greater than or equal to 0.000001"):
        Scenario(context={"blur": 0.0})
