"""The environments keep Gymnasium's own rules, and their people are those of any run."""

import warnings

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.contract import Seen
from mirrorfield.engine.history import History
from mirrorfield.errors import InputError
from mirrorfield.people import Satiated

gymnasium = pytest.importorskip("gymnasium")

from gymnasium.utils.env_checker import check_env  # noqa: E402

from mirrorfield.gym import FEED, Feed, FeedVector, Trained  # noqa: E402

SHORT = mf.Scenario(steps=12, users=50)


@pytest.mark.parametrize("observe", ["history", "state"])
def test_gymnasiums_checkers_find_nothing(observe) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Box observation space (minimum|maximum) value is.*infinity.*")
        check_env(Feed(SHORT, observe=observe), skip_render_check=True)
        env = gymnasium.make(FEED, scenario=SHORT, observe=observe)  # wraps it in the passive checker
        env.reset(seed=1)
        for _ in range(12):
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        assert truncated and not terminated


def test_a_vector_is_its_environments_side_by_side() -> None:
    vector = gymnasium.make_vec(FEED, num_envs=5, scenario=SHORT, observe="state")
    seen, info = vector.reset(seed=3)
    assert seen in vector.observation_space
    actions = np.random.default_rng(0).integers(4, size=(12, 5))
    rewards = []
    for t in range(12):
        seen, reward, terminated, truncated, _ = vector.step(actions[t])
        assert seen in vector.observation_space and not terminated.any() and truncated.all() == (t == 11)
        rewards.append(reward)
    for i, person in enumerate(info["person"]):
        alone = Feed(SHORT, observe="state")
        alone.reset()
        from mirrorfield.gym.episode import Episode

        alone.episode = Episode(SHORT, alone.people, "state", np.array([person]))
        for t in range(12):
            observation, reward, *_ = alone.step(actions[t, i])
            assert reward == rewards[t][i]
        assert np.array_equal(observation, seen[i])
    again, reward, _, truncated, info = vector.step(actions[0])
    assert not truncated.any() and (reward == 0).all() and (again[:, :4] == 0).all() and len(info["person"]) == 5


def test_a_person_reacts_as_in_a_run() -> None:
    """Someone shown one arm only is, in an episode, who they are in a run whose policy never leaves that arm."""
    start = [[30.0, 0.0, 0.0, 0.0]] * 3
    world = mf.Scenario(users=7, steps=12, policy={"learning_rate": 0.0, "start": start})
    sample = mf.simulate(world).part.sample
    vector = FeedVector(7, world, observe="state")
    vector.reset()
    from mirrorfield.gym.episode import Episode

    vector.episode = Episode(world, vector.people, "state", np.arange(7))
    total = np.zeros(7)
    for _ in range(12):
        seen, reward, *_ = vector.step(np.zeros(7, int))
        total += reward
    np.testing.assert_allclose(total / 12, sample.mean_reaction[-1], atol=1e-6)
    assert np.array_equal(seen[:, -3:].argmax(1), sample.state[-1])


class Always:
    """A trained policy that can be pickled: shows the arm that paid best so far, nearly always."""

    def __call__(self, observation):
        mean = observation[:, 5:9]
        best = mean == mean.max(axis=1, keepdims=True)
        return 0.8 * best / best.sum(axis=1, keepdims=True) + 0.05


def test_a_trained_policy_is_a_recommender() -> None:
    """It sees what an agent in the environment would see, so its rule is epsilon-greedy with epsilon 0.2."""
    world = mf.Scenario(users=50, steps=40)
    trained = mf.simulate(world, recommender=Trained(Always(), 40)).part.sample
    greedy = mf.simulate(world, recommender=mf.recommenders.EpsilonGreedy(0.2)).part.sample
    assert (trained.exposures == greedy.exposures).all(
        axis=0
    ).mean() > 0.9  # float32 means may tie where float64 do not


def test_bad_actions_and_scenarios_are_one_line() -> None:
    env = Feed(SHORT, people=Satiated)
    env.reset(seed=0)
    with pytest.raises(InputError, match=r"^action: expected 1 whole numbers from 0 to 3, got \[4\]$"):
        env.step(4)
    with pytest.raises(InputError, match=r"^gym: expected a scenario without"):
        Feed(mf.Scenario(context={"kappa": 1.0}))


@pytest.mark.parametrize("observe", ["history", "state"])
def test_an_observation_is_what_its_formula_says(observe) -> None:
    """Worked out for one person at a time, from all their posts; a post whose reward was not heard pays 0."""
    n, arms, steps = 5, 4, 9
    luck = np.random.default_rng(7)
    shown, reward = luck.integers(arms, size=(steps, n)), luck.normal(size=(steps, n))
    reward[luck.random((steps, n)) < 0.3] = np.nan
    state, history = luck.integers(3, size=(steps + 1, n)), History(n, arms, steps, observe)
    nothing = np.full(n, -1), np.zeros(n)
    for t in range(steps + 1):
        last, paid = (shown[t - 1], reward[t - 1]) if t else nothing
        seen = history.observation(Seen(t, last, paid, None, None, None, state[t]))
        for i in range(n):
            paid_by = [[np.nan_to_num(reward[u, i]) for u in range(t) if shown[u, i] == a] for a in range(arms)]
            expected = [float(last[i] == a) for a in range(arms)] + [np.nan_to_num(paid[i])]
            expected += [sum(x) / max(len(x), 1) for x in paid_by] + [len(x) / max(t, 1) for x in paid_by] + [t / steps]
            expected += [float(state[t, i] == s) for s in range(3)] if observe == "state" else []
            np.testing.assert_array_equal(seen[i], np.float32(expected))
        if t < steps:
            history.add(shown[t], reward[t])
