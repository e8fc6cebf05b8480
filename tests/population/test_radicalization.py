"""The preset `radicalization`: intensity climbs because users adapt, and only then."""

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.metrics.escalation import slope


def run(eta: float, **changes) -> mf.Run:
    values = mf.Scenario.load("radicalization").model_dump()
    values |= {"users": 3000, "steps": 2000, "record": {"users": 3000, "steps": 20}} | changes
    values["intensity"] |= {"eta": eta}
    return mf.simulate(mf.Scenario(**values))


@pytest.fixture(scope="module")
def adaptive() -> mf.Run:
    return run(0.05)


@pytest.fixture(scope="module")
def stationary() -> mf.Run:
    return run(0.0)


def escalation(found: mf.Run) -> np.ndarray:
    return slope(np.log10(found.plan.steps), found.part.sample.intensity.astype(float))


def test_the_same_rule_climbs_with_adaptive_users_and_falls_with_stationary_ones(adaptive, stationary) -> None:
    """Signs more than 20 standard errors from zero, on the same users with the same luck."""
    up, down = escalation(adaptive), escalation(stationary)
    error = np.sqrt(up.var() / len(up) + down.var() / len(down))
    assert up.mean() > 20 * error and down.mean() < -20 * error
    assert adaptive.summary["intensity"] > 0.85 and stationary.summary["intensity"] < 0.25
    assert adaptive.summary["mean_reaction"] < stationary.summary["mean_reaction"]


def test_the_floor_follows_what_is_shown_and_stays_at_zero_without_eta(adaptive, stationary) -> None:
    floor = adaptive.part.sample.floor.mean(axis=1)
    assert (np.diff(floor) > 0).all() and floor[-1] > 0.9
    assert not stationary.part.sample.floor.any() and stationary.summary["floor"] == 0


def test_a_floor_that_sees_one_intensity_approaches_it_exponentially() -> None:
    """Only the top rung is served: h_t = 1 - (1 - eta)**t, in closed form."""
    start = tuple([-80.0, -80.0, 0.0] * 4)
    found = run(0.05, policy={"learning_rate": 0.0, "start": (start,)}, users=64, steps=100)
    expected = 1 - 0.95 ** found.plan.steps.astype(float)
    np.testing.assert_allclose(found.part.sample.floor, np.tile(expected[:, None], (1, 64)), atol=1e-5)


def test_a_dulled_reaction_is_the_formula() -> None:
    """Mild posts only, floor held at 0 by eta = 0: reactions scale by 1 + slope i, here by rung."""
    means = []
    for rung in range(3):
        logits = [-80.0] * 3
        logits[rung] = 0.0
        found = run(0.0, policy={"learning_rate": 0.0, "start": (tuple(logits * 4),)}, users=500, steps=50)
        means.append(found.part.sample.mean_reaction[-1].astype(float))
    np.testing.assert_allclose(means[1], means[0] * 0.9, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(means[2], means[0] * 0.8, rtol=2e-5, atol=1e-6)


def test_a_cap_on_intensity_holds() -> None:
    found = run(0.05, intervention={"at": 1000, "intensity_cap": 0.5})
    late = found.plan.steps > 1000
    assert found.part.sample.intensity[late].max() <= 0.5 < found.part.sample.intensity[~late].max()
