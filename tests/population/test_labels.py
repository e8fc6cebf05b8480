"""Labels: their expected update, missing labels, reward models for everyone and for each, and what is refused."""

import numpy as np
import pytest

from mirrorfield import Scenario, simulate
from mirrorfield.arrays import S
from mirrorfield.errors import CorruptError, InputError
from mirrorfield.policy.softmax import softmax

USERS, START = 100_000, (0.5, -0.2, 0.3, 0.0)
MODEL = ((0.1, 0.4, 0.2, 1.0),) * S
SAME = {"susceptibility": {"distribution": "point"}, "intentionality": {"distribution": "point", "value": 0.2}}


def first_step(**reward) -> np.ndarray:
    """Return what the first post of every user does to its calm logits, (n, K)."""
    policy = {"start": [list(START)], "learning_rate": 1.0}
    scenario = Scenario(
        users=USERS, steps=1, policy=policy, population=SAME, reward=reward, record={"users": USERS, "steps": 1}
    )
    return simulate(scenario).part.sample.logits[0].T.astype(float) - np.array(START)


def gradient(value: np.ndarray) -> np.ndarray:
    policy = softmax(np.array(START))
    return policy * (value - policy @ value)


def assert_mean(steps: np.ndarray, expected: np.ndarray) -> None:
    error = steps.std(axis=0) / np.sqrt(len(steps))
    assert (abs(steps.mean(axis=0) - expected) < 4 * error + 1e-6).all()


def value_at(intentionality: float) -> np.ndarray:
    scenario = Scenario()
    reactive, intentional = (getattr(scenario, name).table("mean", 4)[0] for name in ("reactive", "intentional"))
    return (1 - intentionality) * reactive + intentionality * intentional


@pytest.mark.parametrize("rate", [1.0, 0.3])
def test_missing_ratings_leave_the_expected_update_where_it_was(rate: float) -> None:
    steps = first_step(source="ratings", intentionality=0.7, rate=rate)
    assert_mean(steps, rate * gradient(value_at(0.7)))
    rated = abs(steps).sum(axis=1) > 1e-6
    assert abs(rated.mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / USERS) + 1e-12


def test_a_mixture_is_as_much_of_each_as_its_weight_says() -> None:
    steps = first_step(source="mixture", weight=0.3, intentionality=0.9)
    assert_mean(steps, gradient(0.7 * value_at(0.2) + 0.3 * value_at(0.9)))


def test_a_mixture_without_a_rating_is_the_click_alone() -> None:
    steps = first_step(source="mixture", weight=0.6, rate=0.5)
    assert_mean(steps, 0.5 * gradient(value_at(0.2)) + 0.5 * gradient(0.4 * value_at(0.2) + 0.6 * value_at(1.0)))


def test_a_reward_model_is_climbed_in_expectation() -> None:
    assert_mean(first_step(source="reward_model", model=MODEL), gradient(np.array(MODEL[0])))


def test_noise_of_ratings_changes_the_spread_and_not_the_mean() -> None:
    quiet, loud = (first_step(source="ratings", noise=noise) for noise in (0.0, 8.0))
    assert_mean(loud, gradient(value_at(1.0)))
    assert loud.std() > 2 * quiet.std()


def test_every_user_has_its_own_row_of_a_model_file(tmp_path) -> None:
    models = np.zeros((3, S, 4), np.float32)
    models[0, :, 0] = models[1, :, 1] = models[2, :, 2] = 1
    np.save(tmp_path / "models.npy", models)
    reward = {"source": "reward_model", "model_file": str(tmp_path / "models.npy")}
    run = simulate(Scenario(users=600, steps=400, policy={"learning_rate": 0.5}, reward=reward, record={"users": 600}))
    assert (run.part.sample.feed[-1].argmax(axis=0) == np.arange(600) % 3).mean() > 0.99


def test_labels_change_what_is_learned_and_not_what_is_felt() -> None:
    """With a frozen policy the source leaves feeds, arousal and reactions bit for bit where they were."""
    frozen = {"users": 500, "steps": 100, "policy": {"learning_rate": 0.0}}
    clicks, ratings = (simulate(Scenario(**frozen, reward={"source": s})).part.sample for s in ("clicks", "ratings"))
    for name in ("feed", "state", "mean_reaction", "exposures"):
        assert getattr(clicks, name).tobytes() == getattr(ratings, name).tobytes(), name


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"source": "rating"}, "'clicks', 'ratings', 'reward_model' or 'mixture'"),
        ({"source": "reward_model"}, 'expected model or model_file with source = "reward_model", got neither'),
        ({"model": MODEL}, 'model: expected source = "reward_model" beside it, got "clicks"'),
        (
            {"source": "reward_model", "model": MODEL[:2]},
            r"expected 3 rows \(one per state\) of 4 numbers, got 2",
        ),
        ({"source": "reward_model", "model": ((float("nan"),) * 4,) * 3}, "within 1000 of zero"),
        ({"source": "ratings", "rate": 0.0}, "rate: expected greater than or equal to 0.000001"),
        ({"sourc": "ratings"}, 'unknown key "reward.sourc". Did you mean "source"'),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(values, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        Scenario(reward=values)
    assert "\n" not in str(caught.value)


def test_rules_that_learn_from_sessions_need_every_label() -> None:
    with pytest.raises(InputError, match=r"reward\.rate: expected 1 with a rule that learns from whole sessions"):
        Scenario(policy={"rule": "grpo"}, reward={"source": "ratings", "rate": 0.5})


def test_a_model_file_is_checked_and_a_damaged_one_named(tmp_path) -> None:
    def run(name: str) -> None:
        reward = {"source": "reward_model", "model_file": str(tmp_path / name)}
        simulate(Scenario(users=10, steps=1, reward=reward))

    with pytest.raises(InputError, match="which is not there"):
        run("none.npy")
    (tmp_path / "torn.npy").write_bytes(b"\x93NUMPY\x01")
    with pytest.raises(CorruptError, match=r"torn\.npy"):
        run("torn.npy")
    np.save(tmp_path / "flat.npy", np.zeros((3, 4)))
    with pytest.raises(InputError, match=r"expected rewards of shape \(n, 3, 4\), got \(3, 4\)"):
        run("flat.npy")
    np.save(tmp_path / "wild.npy", np.full((1, 3, 4), np.inf))
    with pytest.raises(InputError, match="within 1000 of zero"):
        run("wild.npy")
