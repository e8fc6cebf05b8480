"""Logs hold every post with its exact propensity; estimators are right where people stand still, and only there."""

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.errors import InputError
from mirrorfield.metrics.ope import doubly_robust, ips, snips
from mirrorfield.recommenders import EpsilonGreedy

STILL = {"mean": [0.9, 0.2, 0.5, 0.4], "std": 0.5, "up": 0.0, "down": 0.0}
WORLD = mf.Scenario(users=3000, steps=20, seed=4, reactive=STILL, intentional=STILL)


def test_logs_are_the_posts_of_the_run() -> None:
    run = mf.simulate(mf.Scenario(users=40, steps=30), recommender=EpsilonGreedy())
    logs = run.logs(40)
    frame = logs.to_frame()
    assert len(frame) == len(logs) == 1200
    shown = frame.groupby(["person", "shown"], observed=False).size().unstack().to_numpy()
    assert np.array_equal(shown.T, run.part.sample.exposures)
    np.testing.assert_allclose(frame.groupby("person")["reward"].mean(), run.part.sample.mean_reaction[-1], atol=1e-6)
    policy = frame[[f"p:{category.name}" for category in run.scenario.categories]].to_numpy()
    np.testing.assert_allclose(policy.sum(axis=1), 1)
    assert np.array_equal(policy[np.arange(1200), logs.shown], frame["propensity"])


def test_lanes_and_logs_show_the_same_posts() -> None:
    run = mf.simulate(mf.Scenario(users=60, steps=40))
    frame = run.logs(60).to_frame()
    shown = frame.groupby(["person", "shown"], observed=False).size().unstack().to_numpy()
    assert (run.part.sample.exposures == shown.T).all(axis=0).mean() > 0.95


def test_the_dictionary_of_open_bandit_pipeline() -> None:
    feedback = mf.simulate(mf.Scenario(users=5, steps=6)).logs().bandit_feedback()
    assert set(feedback) == {"n_rounds", "n_actions", "context", "action", "position", "reward", "pscore", "pi_b"}
    assert feedback["context"].shape == (30, 14) and feedback["pi_b"].shape == (30, 4, 1)
    assert feedback["context"].dtype == np.float32
    np.testing.assert_allclose(feedback["pi_b"][np.arange(30), feedback["action"], 0], feedback["pscore"], rtol=1e-12)


def estimates(world: mf.Scenario, target: np.ndarray):
    logs = mf.simulate(world).logs(world.users)
    weight = target[logs.shown] / logs.propensity
    model = np.bincount(logs.shown, logs.reward) / np.bincount(logs.shown)
    expected = np.full(len(logs), target @ model)
    return (
        ips(logs.reward, weight, logs.person),
        snips(logs.reward, weight, logs.person),
        doubly_robust(logs.reward, weight, logs.person, model[logs.shown], expected),
    )


@pytest.mark.slow
def test_estimators_find_the_value_of_people_who_stand_still() -> None:
    """Susceptibility is the same for all, states do not move: the value is the mean of the target's rewards."""
    target = np.array([0.1, 0.2, 0.3, 0.4])
    world = mf.Scenario(
        **(WORLD.model_dump() | {"population": {"susceptibility": {"distribution": "point", "value": 1}}})
    )
    truth = target @ np.array(STILL["mean"])
    for found in estimates(world, target):
        assert abs(found.value - truth) < 4 * found.error
        assert found.error < 0.01


def test_the_standard_error_is_of_people() -> None:
    """A thousand copies of each person's posts are no more people, and leave the error as it is."""
    rng = np.random.default_rng(1)
    reward, weight, person = rng.normal(size=500), rng.gamma(2, size=500), np.arange(500)
    one, many = ips(reward, weight, person), ips(reward.repeat(9), weight.repeat(9), person.repeat(9))
    assert one.error == pytest.approx((weight * reward).std(ddof=1) / np.sqrt(500))
    assert many.error == pytest.approx(one.error)


def test_what_cannot_be_logged_is_one_line() -> None:
    with pytest.raises(InputError, match=r"^people: expected both of every pair of partners under swap"):
        mf.simulate(mf.Scenario(users=3, steps=64, intervention={"swap": 0.5})).logs()
    heard = mf.simulate(mf.Scenario(users=3, steps=64, intervention={"friction": 0.5})).logs()
    assert 0 < np.isnan(heard.reward).sum() < 192 and np.isfinite(heard.context).all()
    with pytest.raises(InputError, match=r"^ope: expected a reward for every post, got nan"):
        ips(heard.reward, np.ones(192), heard.person)
    with pytest.raises(InputError, match=r"^ope: expected a weight"):
        ips(np.ones(2), np.array([-1.0, 1.0]), np.arange(2))
