"""Every gradient against finite differences, and the identities between the bolt-ons, over random tables."""

from collections.abc import Callable

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirrorfield.policy import leash
from mirrorfield.policy.baseline import exponential, group_mean, leave_one_out, value_step, welford
from mirrorfield.policy.entropy import entropy_gradient
from mirrorfield.policy.normalise import variance, whiten, z_score
from mirrorfield.policy.reinforce import advantage, logit_step
from mirrorfield.policy.returns import discounted, gae, td_error
from mirrorfield.policy.softmax import log_softmax, softmax
from mirrorfield.policy.surrogate import surrogate, surrogate_weight

INF = np.inf
K = 5
logits = arrays(np.float64, K, elements=st.floats(-3, 3))
actions = st.integers(0, K - 1)
floats = st.floats(-3, 3).map(np.float64)
groups = arrays(np.float64, st.integers(2, 9), elements=st.floats(-100, 100))
CLIPS = [(INF, INF, INF), (0.2, 0.2, INF), (0.2, 0.28, INF), (0.2, 0.2, 3.0)]


def numerical(function: Callable[[np.ndarray], float], theta: np.ndarray) -> np.ndarray:
    steps = 1e-6 * np.eye(len(theta))
    return np.array([(function(theta + h) - function(theta - h)) / 2e-6 for h in steps])


def on_score(weight, theta: np.ndarray, a: int) -> np.ndarray:
    return logit_step(1.0, weight, np.eye(K)[a], softmax(theta))


def agree(gradient: np.ndarray, function: Callable[[np.ndarray], float], theta: np.ndarray) -> None:
    np.testing.assert_allclose(gradient, numerical(function, theta), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("clips", CLIPS)
@given(theta=logits, old=logits, a=actions, adv=floats)
def test_surrogate(clips, theta, old, a, adv) -> None:
    def ratio(x):
        return np.exp(log_softmax(x)[a] - log_softmax(old)[a])

    corners = np.array([1 - clips[0], 1 + clips[1], clips[2]])
    if (abs(ratio(theta) - corners) > 1e-4).all():
        gradient = on_score(surrogate_weight(ratio(theta), adv, *clips), theta, a)
        agree(gradient, lambda x: float(surrogate(ratio(x), adv, *clips)), theta)


@given(theta=logits, reference=logits, old=logits, a=actions)
def test_leashes_in_the_loss(theta, reference, old, a) -> None:
    def log_ratio(x):
        return log_softmax(x)[a] - log_softmax(reference)[a]

    def ratio(x):
        return np.exp(log_softmax(x)[a] - log_softmax(old)[a])

    x = log_ratio(theta)
    agree(on_score(1.0, theta, a), lambda y: leash.k1(log_ratio(y)), theta)
    agree(on_score(leash.k2_weight(x), theta, a), lambda y: leash.k2(log_ratio(y)), theta)
    agree(
        on_score(leash.k3_weight(np.exp(-x)), theta, a), lambda y: leash.k3(log_ratio(y), np.exp(-log_ratio(y))), theta
    )
    agree(
        on_score(leash.k3_rho_weight(x, ratio(theta)), theta, a),
        lambda y: ratio(y) * leash.k3(log_ratio(y), np.exp(-log_ratio(y))),
        theta,
    )


@given(theta=logits)
def test_entropy(theta) -> None:
    def entropy(x):
        return -(softmax(x) * log_softmax(x)).sum()

    agree(entropy_gradient(softmax(theta), log_softmax(theta), entropy(theta)), entropy, theta)


@given(theta=logits, reference=logits)
def test_expected_forces_of_the_leashes(theta, reference) -> None:
    p, q = softmax(theta), softmax(reference)
    x, each = log_softmax(theta) - log_softmax(reference), np.eye(K) - p

    def divergence(y):
        return softmax(y) @ (log_softmax(y) - log_softmax(reference))

    agree(p @ (leash.k2_weight(x)[:, None] * each), divergence, theta)
    agree(p @ (leash.k3_rho_weight(x, 1.0)[:, None] * each), divergence, theta)
    agree(-(p @ (leash.shaped_reward(0.0, x, 1.0)[:, None] * each)), divergence, theta)
    np.testing.assert_allclose(p @ (leash.k3_weight(np.exp(-x))[:, None] * each), p - q, atol=1e-12)
    np.testing.assert_allclose(p @ each, np.zeros(K), atol=1e-12)


@given(adv=floats, ratio=st.floats(0.01, 20).map(np.float64))
def test_off_values_of_the_surrogate(adv, ratio) -> None:
    assert surrogate_weight(1.0, adv, INF, INF, INF) == adv
    for clips in CLIPS:
        assert surrogate_weight(1.0, adv, *clips) == surrogate(1.0, adv, *clips) == adv
    assert surrogate_weight(ratio, adv, INF, INF, INF) == surrogate(ratio, adv, INF, INF, INF) == ratio * adv


@given(beta=st.floats(0, 10).map(np.float64), kl=floats, reward=floats)
def test_off_values_of_the_leash(beta, kl, reward) -> None:
    assert leash.adapt(beta, kl, 6.0, 1 / INF) == beta
    assert leash.shaped_reward(reward, kl, 0.0) == reward


@given(rewards=groups)
def test_group_baselines(rewards) -> None:
    k, total = len(rewards), rewards.sum()
    centred = advantage(rewards, group_mean(total, 1 / k))
    left_out = advantage(rewards, leave_one_out(total, rewards, 1 / (k - 1)))
    np.testing.assert_allclose(centred, (k - 1) / k * left_out, atol=1e-10)
    np.testing.assert_allclose([advantage(r, np.delete(rewards, i).mean()) for i, r in enumerate(rewards)], left_out,
                               atol=1e-10)  # fmt: skip


@given(rewards=groups, theta=logits, a=actions)
def test_a_group_of_one_category_has_no_gradient(rewards, theta, a) -> None:
    score, total, k = on_score(1.0, theta, a), rewards.sum(), len(rewards)
    for adv in (
        advantage(rewards, group_mean(total, 1 / k)),
        advantage(rewards, leave_one_out(total, rewards, 1 / (k - 1))),
        z_score(rewards, rewards.mean(), rewards.std(ddof=1), 1e-4),
    ):
        np.testing.assert_allclose((adv[:, None] * score).sum(axis=0), np.zeros(K), atol=1e-8)


@given(rewards=groups, ddof=st.sampled_from([0, 1]), scale=st.floats(0.1, 10))
def test_z_scores(rewards, ddof, scale) -> None:
    spread = variance(((rewards - rewards.mean()) ** 2).sum(), len(rewards), ddof)
    if spread > 1e-6:
        z = z_score(rewards, rewards.mean(), np.sqrt(spread), 0.0)
        np.testing.assert_allclose(z, whiten(rewards, rewards.mean(), spread, 0.0), rtol=1e-12)
        np.testing.assert_allclose(variance((z**2).sum(), len(z), ddof), 1.0)
        np.testing.assert_allclose(z_score(scale * rewards, scale * rewards.mean(), scale * np.sqrt(spread), 0.0), z,
                                   atol=1e-8)  # fmt: skip


@given(rewards=arrays(np.float64, 6, elements=floats), values=arrays(np.float64, 7, elements=floats))
def test_gae_spans_one_step_and_the_whole_return(rewards, values) -> None:
    whole, later, one_step = values[6], 0.0, 0.0
    for h in reversed(range(6)):
        delta = td_error(rewards[h], values[h], values[h + 1], 0.9)
        whole, later = discounted(rewards[h], whole, 0.9), gae(delta, later, 0.9, 1.0)
        one_step = gae(delta, one_step, 0.9, 0.0)
        np.testing.assert_allclose(later, whole - values[h], atol=1e-12)
        assert one_step == delta


@given(value=floats, target=floats)
def test_value_step_descends_half_the_squared_error(value, target) -> None:
    slope = ((target - value - 1e-6) ** 2 - (target - value + 1e-6) ** 2) / 4e-6
    np.testing.assert_allclose(value_step(1.0, target, value), -slope, atol=1e-6)
    assert exponential(value, 0.0, advantage(target, value), 1.0)[0] == pytest.approx(target)


IN_THE_KERNEL = [
    surrogate_weight, leash.k2, leash.k3, leash.k2_weight, leash.k3_weight, leash.k3_rho_weight, leash.shaped_reward,
    leash.adapt, entropy_gradient, variance, z_score, whiten, leave_one_out, group_mean, value_step,
    discounted, td_error, gae,
]  # fmt: skip


@pytest.mark.parametrize("function", IN_THE_KERNEL)
def test_the_same_bits_compiled_and_for_scalars_and_arrays(function) -> None:
    numbers = np.random.default_rng(1).uniform(0.1, 2, (function.__code__.co_argcount, 50))
    for dtype in (np.float32, np.float64):
        columns = numbers.astype(dtype)
        compiled = numba.njit(function)
        whole = function(*columns)
        single = [function(*column) for column in columns.T]
        assert whole.dtype == np.asarray(single).dtype == dtype
        assert np.array_equal(whole, single)
        assert np.array_equal(whole, [compiled(*column) for column in columns.T])
        assert compiled.nopython_signatures[0].return_type == numba.from_dtype(np.dtype(dtype))


def test_a_compensated_mean_keeps_what_float32_would_lose() -> None:
    mean, plain, lost, exact = np.float32(0), np.float32(0), np.float32(0), 0.0
    rewards = np.random.default_rng(1).choice(np.array([0.3, 1.1, 1.65], np.float32), 200_000)
    for t, one in enumerate(rewards, 1):
        mean, lost = welford(mean, lost, advantage(one, mean), np.float32(1) / np.float32(t))
        plain = plain + advantage(one, plain) * (np.float32(1) / np.float32(t))
        exact += float(one)
    assert mean.dtype == lost.dtype == np.float32
    assert abs(mean - exact / 200_000) < 2e-7 < abs(plain - exact / 200_000)


def test_an_exponential_mean_of_a_small_weight_arrives() -> None:
    mean, lost = np.float32(0.9999), np.float32(0)
    for _ in range(50_000):
        mean, lost = exponential(mean, lost, advantage(np.float32(1), mean), np.float32(1e-4))
    assert abs(mean - 1) < 2e-6
