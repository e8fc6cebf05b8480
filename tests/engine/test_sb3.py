"""Stable-Baselines3 takes the environments as they are, learns from them, and its policy is a recommender."""

import warnings

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.errors import InputError

pytest.importorskip("gymnasium")
sb3 = pytest.importorskip("stable_baselines3")

from stable_baselines3.common.env_checker import check_env  # noqa: E402
from stable_baselines3.common.vec_env import VecMonitor  # noqa: E402

from mirrorfield.gym import Feed, FeedVector  # noqa: E402
from mirrorfield.gym.sb3 import FeedVecEnv, recommender_of  # noqa: E402

WORLD = mf.Scenario(steps=10, seed=5)


@pytest.mark.parametrize("observe", ["history", "state"])
def test_its_checker_finds_nothing(observe) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(Feed(WORLD, observe=observe))


def test_the_adapter_is_the_vector_environment() -> None:
    """Episode after episode; but the observation after a last post is of the next people, who begin at once."""
    mine, theirs = FeedVecEnv(6, WORLD), FeedVector(6, WORLD)
    mine.seed(3)
    seen, (expected, info) = mine.reset(), theirs.reset(seed=3)
    assert [i["person"] for i in mine.reset_infos] == info["person"].tolist()
    actions = np.random.default_rng(0).integers(4, size=(25, 6))
    for t, action in enumerate(actions):
        assert np.array_equal(seen, expected)
        seen, reward, done, infos = mine.step(action)
        expected, paid, _, truncated, _ = theirs.step(action)
        assert np.array_equal(reward, paid.astype(np.float32)) and np.array_equal(done, truncated)
        assert done.all() == (t % 10 == 9)
        if done.all():
            assert all(np.array_equal(i["terminal_observation"], row) for i, row in zip(infos, expected, strict=True))
            assert all(i["TimeLimit.truncated"] for i in infos)
            expected, *_ = theirs.step(action)
    for refused in (lambda: mine.set_attr("scenario", None), lambda: mine.env_method("step")):
        with pytest.raises(InputError, match="all people are in one environment"):
            refused()
    assert mine.get_attr("num_envs", [0, 1]) == [6, 6] and mine.env_is_wrapped(VecMonitor) == [False] * 6


def test_ppo_learns_what_pays_and_serves_a_run() -> None:
    """People who are all intentional and pay for depth: 0.1 to 0.2 of a reaction for all else, and 1 for depth."""
    people = {"intentionality": {"distribution": "point", "value": 1.0}}
    world = mf.Scenario(steps=10, users=400, population=people)
    model = sb3.PPO(
        "MlpPolicy", FeedVecEnv(50, world), n_steps=10, batch_size=250, seed=1, device="cpu", learning_rate=3e-3
    )
    served = [mf.simulate(world, recommender=recommender_of(model, 10)).part.sample.exposures]
    model.learn(10_000)
    served.append(mf.simulate(world, recommender=recommender_of(model, 10)).part.sample.exposures)
    before, after = (exposures[3].sum() / exposures.sum() for exposures in served)
    assert before == pytest.approx(0.25, abs=0.1) and after > 0.8
