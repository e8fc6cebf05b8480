"""Empirical Bayes profiles against the truth, and their closed forms against dense linear algebra."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from mirrorfield.calibration.cells import Cells, Scaling, cell_statistics, pooled_std, scaling_of
from mirrorfield.calibration.log import InteractionLog
from mirrorfield.calibration.shrinkage import (
    estimate_spread,
    log_likelihood,
    population_mean,
    posterior_mean,
    precision,
    shrink,
)
from mirrorfield.errors import InputError

UNIT = Scaling(0.0, 1.0)
MU, SIGMA = np.array([0.35, 0.45, 0.55, 0.65]), np.array([0.10, 0.15, 0.20, 0.25])
TAU_USER, TAU_CELL = 0.08, 0.05
Simulate = Callable[..., Any]


def test_variance_components_are_recovered(simulated: Simulate) -> None:
    """Balanced design, so the standard errors are those of the analysis of variance; 4 of them allowed."""
    n, k, m = 800, len(MU), 12
    sigma = np.full(k, 0.2)
    profiles = shrink(cell_statistics(simulated(np.full((n, k), m), MU, sigma, TAU_USER, TAU_CELL, seed=1).log, UNIT))
    noise = TAU_CELL**2 + sigma[0] ** 2 / m
    within, between = 2 * noise**2 / ((n - 1) * (k - 1)), 2 * (k * TAU_USER**2 + noise) ** 2 / (n - 1)
    se_sigma = sigma[0] ** 2 * np.sqrt(2 / (n * (m - 1)))
    se_cell = np.sqrt(within + (se_sigma / m) ** 2 / k)
    se_user = np.sqrt((between + within) / k**2)
    se_mu = np.sqrt((TAU_USER**2 + noise) / n)
    assert np.all(np.abs(profiles.std**2 - sigma**2) < 4 * se_sigma)
    assert abs(profiles.tau_cell**2 - TAU_CELL**2) < 4 * se_cell
    assert abs(profiles.tau_user**2 - TAU_USER**2) < 4 * se_user
    assert np.all(np.abs(profiles.mu - MU) < 4 * se_mu)
    assert 4 * se_cell < 0.3 * TAU_CELL**2 and 4 * se_user < 0.3 * TAU_USER**2


def uneven(simulated: Simulate, seed: int) -> Any:
    events = np.random.default_rng(seed).negative_binomial(1, 0.12, size=(500, len(MU)))
    return simulated(events, MU, SIGMA, TAU_USER, TAU_CELL, seed=seed)


def test_shrunk_means_are_closer_to_the_truth_than_raw_means(simulated: Simulate) -> None:
    drawn = uneven(simulated, seed=2)
    cells = cell_statistics(drawn.log, UNIT)
    profiles = shrink(cells)
    met = cells.events > 0
    gain = (cells.mean - drawn.truth)[met] ** 2 - (profiles.mean - drawn.truth)[met] ** 2
    assert gain.mean() > 4 * gain.std() / np.sqrt(met.sum())
    never = (profiles.mean - drawn.truth)[~met] ** 2
    assert never.mean() < ((MU - drawn.truth)[~met] ** 2).mean()


def test_posterior_variance_is_what_the_errors_show(simulated: Simulate) -> None:
    """A cell's error variance is at least tau_cell^2 (1 - B), which is exact when b_u is known, and not much more."""
    drawn = uneven(simulated, seed=3)
    profiles = shrink(cell_statistics(drawn.log, UNIT))
    least = profiles.tau_cell**2 * (1 - profiles.shrinkage).mean()
    assert least < ((profiles.mean - drawn.truth) ** 2).mean() < least + 0.5 * TAU_USER**2


def test_a_user_with_three_events_is_pulled_most_of_the_way(simulated: Simulate) -> None:
    events = np.full((400, 4), 40)
    events[0] = [3, 0, 0, 0]
    cells = cell_statistics(simulated(events, MU, np.full(4, 0.2), 0.05, 0.05, seed=4).log, UNIT)
    profiles = shrink(cells)
    assert abs(profiles.mean[0, 0] - profiles.mu[0]) < 0.4 * abs(cells.mean[0, 0] - profiles.mu[0])
    assert profiles.shrinkage[0, 0] < 0.25 < 0.6 < profiles.shrinkage[1, 0]
    shift = profiles.mean[0, 1:] - profiles.mu[1:]
    np.testing.assert_allclose(shift, shift[0], rtol=1e-9)
    assert np.all(profiles.shrinkage[0, 1:] == 0)


def dense_posterior(log: Any, user: int, mu: Any, std: Any, tau_user: float, tau_cell: float) -> Any:
    """Posterior mean of all cells of one user from its single reactions, by conditioning one joint Gaussian."""
    mine = log.user == user
    y, a = log.reaction[mine], log.category[mine]
    prior = tau_user**2 + tau_cell**2 * np.eye(len(mu))
    observed = prior[np.ix_(a, a)] + np.diag(std[a] ** 2)
    return mu + prior[:, a] @ np.linalg.solve(observed, y - mu[a])


@pytest.mark.parametrize(("tau_user", "tau_cell"), [(0.08, 0.05), (0.0, 0.2), (0.3, 0.01)])
def test_posterior_mean_equals_the_dense_gaussian_posterior(
    simulated: Simulate, tau_user: float, tau_cell: float
) -> None:
    events = np.random.default_rng(5).integers(0, 4, size=(12, 4))
    events[0] = 0
    log = simulated(events, MU, SIGMA, 0.1, 0.1, seed=5).log
    mean, kept = posterior_mean(cell_statistics(log, UNIT), SIGMA, MU, tau_user, tau_cell)
    for user in range(12):
        expected = dense_posterior(log, user, MU, SIGMA, tau_user, tau_cell)
        np.testing.assert_allclose(mean[user], expected, rtol=1e-9)
    np.testing.assert_array_equal(kept == 0, events == 0)


def test_likelihood_and_population_mean_equal_the_dense_ones(simulated: Simulate) -> None:
    events = np.random.default_rng(6).integers(0, 3, size=(15, 4))
    cells = cell_statistics(simulated(events, MU, SIGMA, 0.1, 0.1, seed=6).log, UNIT)
    p = precision(cells.effective, SIGMA, TAU_CELL)
    total, left, right = 0.0, np.zeros((4, 4)), np.zeros(4)
    for n, ybar in zip(events, cells.mean, strict=True):
        a = np.flatnonzero(n)
        if len(a):
            v = TAU_USER**2 + np.diag(TAU_CELL**2 + SIGMA[a] ** 2 / n[a])
            total += float(multivariate_normal(MU[a], v).logpdf(ybar[a]))
            left[np.ix_(a, a)] += np.linalg.inv(v)
            right[a] += np.linalg.solve(v, ybar[a])
    np.testing.assert_allclose(log_likelihood(cells.mean, p, MU, TAU_USER), total, rtol=1e-9)
    np.testing.assert_allclose(population_mean(cells.mean, p, TAU_USER), np.linalg.solve(left, right), rtol=1e-9)


def test_the_estimate_maximises_the_likelihood(simulated: Simulate) -> None:
    cells = cell_statistics(uneven(simulated, seed=7).log, UNIT)
    std, _ = pooled_std(cells)

    def likelihood(tau_user: float, tau_cell: float) -> float:
        p = precision(cells.effective, std, tau_cell)
        return log_likelihood(cells.mean, p, population_mean(cells.mean, p, tau_user), tau_user)

    tau_user, tau_cell = estimate_spread(cells, std)
    best = likelihood(tau_user, tau_cell)
    for factor in (0.5, 0.97, 1.03, 2.0):
        assert likelihood(tau_user * factor, tau_cell) < best
        assert likelihood(tau_user, tau_cell * factor) < best


def test_no_spread_is_found_where_there_is_none(simulated: Simulate) -> None:
    log = simulated(np.full((300, 4), 10), MU, SIGMA, 0.0, 0.0, seed=8).log
    profiles = shrink(cell_statistics(log, UNIT))
    assert profiles.tau_user < 0.02 and profiles.tau_cell < 0.02
    np.testing.assert_allclose(profiles.mean, np.broadcast_to(profiles.mu, profiles.mean.shape), atol=0.03)


def test_weighted_statistics_are_unbiased() -> None:
    """Reactions of variance 1 with weights 1, 1/2, 1/3: expectation of the residual, and variance of the mean."""
    w, draws = np.array([1.0, 0.5, 0.5, 1 / 3]), 200_000
    y = np.random.default_rng(9).standard_normal((draws, 4))
    mean = y @ w / w.sum()
    residual = ((y - mean[:, None]) ** 2) @ w
    effective, degrees = w.sum() ** 2 / (w**2).sum(), w.sum() - (w**2).sum() / w.sum()
    assert abs(residual.mean() - degrees) < 4 * residual.std() / np.sqrt(draws)
    assert abs(mean.var() * effective - 1) < 4 * np.sqrt(2 / draws)


def test_several_labels_per_event_understate_tastes_as_documented() -> None:
    rng, n, k, m = np.random.default_rng(15), 300, 8, 60
    truth = 0.5 + 0.1 * rng.standard_normal((n, 1)) + 0.1 * rng.standard_normal((n, k))
    user = np.repeat(np.arange(n), m)
    labels = np.argsort(rng.random((n * m, k)), axis=1)[:, :2]
    reaction = truth[user[:, None], labels].mean(axis=1) + 0.2 * rng.standard_normal(n * m)
    event, weight = np.repeat(np.arange(n * m), 2), np.full(2 * n * m, 0.5)
    log = InteractionLog(user, reaction, reaction, event, labels.ravel(), weight, ("",) * n, ("",) * k, {})
    profiles = shrink(cell_statistics(log, UNIT))
    assert 0.02 < profiles.tau_cell < 0.06
    assert 0.08 < profiles.tau_user < 0.12


def test_thin_categories_take_the_overall_std() -> None:
    one = np.ones((1, 3))
    std, thin = pooled_std(Cells(one, one, one, np.array([[4.0, 1.0, 0.0]]), np.array([[100.0, 29.0, 0.0]])))
    assert thin.tolist() == [False, True, True]
    np.testing.assert_allclose(std**2, [0.04, 5 / 129, 5 / 129])


def test_noise_needs_repetition(simulated: Simulate) -> None:
    log = simulated(np.ones((5, 4), dtype=np.int64), MU, SIGMA, 0.1, 0.1, seed=10).log
    with pytest.raises(InputError, match="No user reacted twice to the same category: noise and taste cannot be told"):
        shrink(cell_statistics(log, UNIT))


def test_reactions_without_noise_are_kept_whole(simulated: Simulate) -> None:
    drawn = simulated(np.full((50, 4), 3), MU, np.zeros(4), 0.05, 0.05, seed=11)
    profiles = shrink(cell_statistics(drawn.log, UNIT))
    np.testing.assert_allclose(profiles.mean, drawn.truth, rtol=1e-9)
    np.testing.assert_allclose(profiles.shrinkage, 1.0)


def test_means_outside_the_unit_are_clipped_and_counted(simulated: Simulate) -> None:
    log = simulated(np.full((50, 4), 20), MU, SIGMA, TAU_USER, TAU_CELL, seed=12).log
    profiles = shrink(cell_statistics(log, Scaling(0.4, 0.6)))
    assert profiles.clipped > 0
    assert profiles.clipped == int(((profiles.mean == 0) | (profiles.mean == 1)).sum())


def test_scaling(simulated: Simulate) -> None:
    log = simulated(np.full((3, 2), 4), MU[:2], SIGMA[:2], 0.1, 0.1, seed=13).log
    own = scaling_of(log).to_unit(log.reaction)
    assert (own.min(), own.max()) == (0.0, 1.0)
    assert scaling_of(log, -1.0, 3.0).to_unit(np.array([0.0])).tolist() == [0.25]
    with pytest.raises(InputError, match="needs low < high, got low 2 and high 1"):
        scaling_of(log, 2.0, 1.0)
    log.reaction[:] = 4.0
    with pytest.raises(InputError, match="Every reaction in the log is 4: there is nothing to learn"):
        scaling_of(log)


def test_rescaling_the_log_changes_nothing_in_the_unit_of_the_model(simulated: Simulate) -> None:
    log = uneven(simulated, seed=14).log
    before = shrink(cell_statistics(log, UNIT))
    log.reaction[:] = 4 * log.reaction + 1
    after = shrink(cell_statistics(log, Scaling(1.0, 5.0)))
    np.testing.assert_allclose(after.mean, before.mean, atol=1e-6)
    np.testing.assert_allclose(after.tau_cell, before.tau_cell, rtol=1e-4)
