"""The oracle against finite differences, closed forms, reference values and chains worked out by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

import mirrorfield as mf
from mirrorfield.theory.flow import drift_jacobian, flow_with_spread, policy_flow, replicator_flow
from mirrorfield.theory.gradient import expected_update, policy_gradient, softmax, update_covariance
from mirrorfield.theory.leash import forward_kl_policy, reverse_kl_policy
from mirrorfield.theory.lock_in import commitment, escape_time, never_leaving, welford_commitment
from mirrorfield.theory.markov import closed_classes, spectral_gap, stationary_law, under_policy

GOLDEN = json.loads((Path(__file__).parent.parent / "golden/golden_pg.json").read_text(encoding="utf-8"))
MEAN = np.array([1, 0.9, 0.5, 0.2])
seeds = st.integers(0, 2**32 - 1)


def random_user(seed: int, states: int = 3, categories: int = 4):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(states), (states, categories))
    return rng, rng.normal(size=(states, categories)), rng.normal(size=(states, categories)), transition


def test_the_exact_gradient_is_the_reference_one() -> None:
    case = GOLDEN["exact_pg_markov_user"]
    logits, mean, law, start = (np.array(case[name]) for name in ("theta", "R", "P", "rho"))
    found = policy_gradient(logits, mean, law, start, case["gamma"])
    assert found.objective == pytest.approx(case["J"], abs=1e-12)
    np.testing.assert_allclose(found.value, case["V"], atol=1e-12)
    np.testing.assert_allclose(found.action_value, case["Q"], atol=1e-12)
    np.testing.assert_allclose(found.occupancy, case["occupancy_unnormalised"], atol=1e-12)
    np.testing.assert_allclose(found.gradient, case["gradient"], atol=1e-12)


@given(seeds)
def test_the_exact_gradient_is_the_slope_of_the_objective(seed: int) -> None:
    rng, logits, mean, law = random_user(seed)
    start = rng.dirichlet(np.ones(3))

    def objective(flat: np.ndarray) -> float:
        return policy_gradient(flat.reshape(3, 4), mean, law, start, 0.8).objective

    slope = approx_fprime(logits.ravel(), objective, 1e-6).reshape(3, 4)
    np.testing.assert_allclose(policy_gradient(logits, mean, law, start, 0.8).gradient, slope, atol=2e-4)


@given(seeds)
def test_without_a_future_the_two_gradients_agree_where_the_user_starts(seed: int) -> None:
    _, logits, mean, law = random_user(seed)
    found = policy_gradient(logits, mean, law, np.array([1.0, 0, 0]), 0.0).gradient
    np.testing.assert_allclose(found[0], expected_update(logits, mean)[0], atol=1e-12)
    assert not found[1:].any()


def test_the_myopic_update_can_point_away_from_the_true_gradient() -> None:
    """A post that pays little now and leads to a state that pays much: the myopic update turns from it."""
    mean = np.array([[1.0, 0.5], [5.0, 5.0]])
    law = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.1, 0.9], [0.1, 0.9]]])
    logits, start = np.zeros((2, 2)), np.array([1.0, 0.0])
    assert expected_update(logits, mean)[0, 0] > 0
    assert policy_gradient(logits, mean, law, start, 0.9).gradient[0, 0] < 0


@given(seeds)
def test_the_mean_and_covariance_of_a_step_are_those_of_its_law(seed: int) -> None:
    rng, logits, mean, _ = random_user(seed)
    theta, mu, sigma, b = logits[0], mean[0], rng.uniform(0, 1, 4), float(rng.normal())
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    pi, first, second = softmax(theta), np.zeros(4), np.zeros((4, 4))
    for a in range(4):
        for node, weight in zip(nodes, weights / weights.sum(), strict=True):
            step = (mu[a] + sigma[a] * node - b) * (np.eye(4)[a] - pi)
            first += pi[a] * weight * step
            second += pi[a] * weight * np.outer(step, step)
    np.testing.assert_allclose(expected_update(theta, mu), first, atol=1e-10)
    np.testing.assert_allclose(update_covariance(theta, mu, sigma, b), second - np.outer(first, first), atol=1e-10)


@given(seeds)
def test_the_stationary_law_stays_and_powers_of_the_chain_reach_it(seed: int) -> None:
    _, logits, _, law = random_user(seed)
    chain = under_policy(law, softmax(logits))
    where = stationary_law(chain)
    np.testing.assert_allclose(where @ chain, where, atol=1e-12)
    n = 60
    distance = np.abs(np.linalg.matrix_power(chain, n) - where).max()
    assert distance <= 100 * n**2 * (1 - spectral_gap(chain)) ** n + 1e-12


def test_a_two_state_chain_by_hand() -> None:
    chain = np.array([[0.9, 0.1], [0.3, 0.7]])
    np.testing.assert_allclose(stationary_law(chain), [0.75, 0.25], atol=1e-14)
    assert spectral_gap(chain) == pytest.approx(0.4)


def test_a_chain_with_two_ends_is_refused_and_says_which() -> None:
    chain = np.array([[1.0, 0, 0], [0.2, 0.6, 0.2], [0, 0, 1.0]])
    assert closed_classes(chain) == [[0], [2]]
    with pytest.raises(mf.InputError, match=r"got 2: \{0\} and \{2\}; the long run depends on where the user starts"):
        stationary_law(chain)


def test_a_state_that_is_left_for_ever_has_no_share() -> None:
    assert stationary_law(np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0.5, 0.5]])).tolist()[0] == 0
    assert spectral_gap(np.array([[0.0, 1.0], [1.0, 0.0]])) == 0


def test_the_flow_is_not_the_replicator_equation() -> None:
    times = np.array([10.0, 50.0, 200.0, 800.0])
    flow = softmax(policy_flow(np.zeros(4), MEAN, times))[:, 0]
    np.testing.assert_allclose(flow, [0.476, 0.888, 0.980, 0.9956], atol=5e-4)
    replicator = replicator_flow(np.full(4, 0.25), MEAN, times)[:, 0]
    np.testing.assert_allclose(replicator[:2], [0.727, 0.9933], atol=5e-4)
    assert 1 - replicator[2] == pytest.approx(2.06e-9, rel=0.05)


@given(seeds)
def test_the_jacobian_is_the_slope_of_the_drift(seed: int) -> None:
    _, logits, mean, _ = random_user(seed)
    slope = np.array([approx_fprime(logits[0], lambda x, a=a: expected_update(x, mean[0])[a], 1e-7) for a in range(4)])
    np.testing.assert_allclose(drift_jacobian(logits[0], mean[0]), slope, atol=1e-5)


def test_the_spread_around_the_flow_is_that_of_many_learners() -> None:
    """20,000 learners with alpha = 0.02 at tau = 6: variance within 5% and 4 standard errors of alpha C."""
    alpha, tau, runs, std = 0.02, 6.0, 20_000, np.full(4, 0.5)
    rng, theta, baseline = np.random.default_rng(5), np.zeros((runs, 4)), np.zeros(runs)
    for t in range(1, round(tau / alpha) + 1):
        policy = softmax(theta)
        arm = (rng.random(runs)[:, None] >= policy.cumsum(axis=1)[:, :-1]).sum(axis=1)
        gain = MEAN[arm] + std[arm] * rng.standard_normal(runs) - baseline
        baseline += gain / t
        theta += alpha * gain[:, None] * (np.eye(4)[arm] - policy)
    logits, spread = flow_with_spread(np.zeros(4), MEAN, std, np.array([tau]))
    expected, found = alpha * np.diag(spread[0]), theta.var(axis=0)
    error = found * np.sqrt(2 / runs)
    assert (np.abs(found - expected) < 4 * error + 0.05 * expected).all()
    assert (np.abs(theta.mean(axis=0) - logits[0]) < 4 * np.sqrt(found / runs) + 2 * alpha).all()


@pytest.mark.parametrize("start, expected", [(0.0180, 312.9), (0.00247, 2077.1), (0.000335, 14984.8)])
def test_escape_takes_as_long_as_the_flow_says(start: float, expected: float) -> None:
    tau = escape_time(start, 0.1)
    assert tau == pytest.approx(expected, rel=3e-3)
    logits = policy_flow(np.array([0.0, np.log(1 / start - 1)]), np.array([0.1, 0.0]), np.array([tau]))
    assert softmax(logits)[0, 0] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("alpha, limit", [(0.2, 3.75), (0.5, 1.5), (0.3, 2.5)])
def test_commitment_is_never_complete(alpha: float, limit: float) -> None:
    assert 2e6 * (1 - commitment(1.0, alpha, 4, 2e6)) == pytest.approx(limit, rel=1e-3)


@pytest.mark.parametrize("prior, expected", [(1, 0.3370), (5, 0.0827), (20, 0.02189)])
def test_a_running_mean_keeps_exploration_alive(prior: int, expected: float) -> None:
    assert 1 - welford_commitment(prior, 0.2, 4, 200_000) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("alpha, expected", [(0.2, 1.2e-4), (0.5, 0.040), (1.0, 0.270)])
def test_without_the_jacobian_lock_in_can_be_for_ever(alpha: float, expected: float) -> None:
    assert never_leaving(alpha, 1.0, 4) == pytest.approx(expected, rel=0.04)


@given(seeds, st.floats(0.05, 5))
def test_leashed_policies_are_at_rest(seed: int, beta: float) -> None:
    rng, _, mean, _ = random_user(seed)
    mu, reference = mean[0], rng.dirichlet(np.ones(4)) * 0.96 + 0.01
    pi = reverse_kl_policy(mu, reference, beta)
    leashed = mu - beta * np.log(pi / reference)
    np.testing.assert_allclose(expected_update(np.log(pi), leashed), 0, atol=1e-10)
    pi = forward_kl_policy(mu, reference, beta)
    assert pi.sum() == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(pi * (mu - pi @ mu), beta * (pi - reference), atol=1e-8)


def test_the_leash_of_the_textbook_is_the_reference_value() -> None:
    case, inputs = GOLDEN["kl_regularised_optimum"], GOLDEN["inputs"]
    pi = reverse_kl_policy(np.array(case["r"]), np.array(inputs["pi_ref"]), case["beta"])
    np.testing.assert_allclose(pi, case["pi_star"], atol=1e-12)


def test_the_two_leashes_are_different_forces() -> None:
    """The forward one keeps what the reference holds: the worst arm, a hundred times as often."""
    reference = np.full(4, 0.25)
    assert forward_kl_policy(MEAN, reference, 0.1)[3] > 100 * reverse_kl_policy(MEAN, reference, 0.1)[3]


def test_discounts_outside_the_unit_interval_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 or more and less than 1, got 1"):
        policy_gradient(np.zeros((1, 2)), np.zeros((1, 2)), np.ones((1, 2, 1)), np.ones(1), 1)
