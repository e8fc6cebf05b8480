"""Posterior, likelihood and population mean against dense Gaussian algebra on single reactions."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from mirrorfield.calibration.designs import designs, subset
from mirrorfield.calibration.likelihood import Spread, estimate_spread, log_likelihood, population_mean, precision
from mirrorfield.calibration.log import InteractionLog
from mirrorfield.calibration.shrinkage import CategorySpread, posterior

Array = NDArray[np.float64]
Simulate = Callable[..., Any]
MU = np.array([0.35, 0.45, 0.55, 0.65, 0.5])
SPREADS = [Spread(0.08, 0.05, 0.2), Spread(0.0, 0.2, 0.1), Spread(0.3, 0.01, 0.15)]


def drawn(simulated_labels: Simulate, labels: int) -> InteractionLog:
    """Users with 0 to 11 events; labels 0 stands for events with one, two and three labels mixed."""
    events = np.arange(12)
    log: InteractionLog = simulated_labels(events, labels or 3, MU, 0.2, 0.1, 0.1, seed=5).log
    if labels:
        return log
    place = np.arange(len(log.event)) % 3
    keep = place <= log.event % 3
    count = np.bincount(log.event[keep])
    return InteractionLog(
        log.user, log.reaction, log.time, log.event[keep], log.category[keep], 1 / count[log.event[keep]],
        log.user_names, log.category_names, {},
    )  # fmt: skip


def dense(log: InteractionLog, spread: Spread) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Yield X, y, the prior covariance of m and the covariance of y, user by user."""
    x = np.zeros((len(log.user), len(MU)))
    x[log.event, log.category] = log.weight
    prior = spread.tau_user**2 + spread.tau_cell**2 * np.eye(len(MU))
    for user in range(len(log.user_names)):
        mine = x[log.user == user]
        yield mine, log.reaction[log.user == user], prior, mine @ prior @ mine.T + spread.sigma**2 * np.eye(len(mine))


@pytest.mark.parametrize("labels", [0, 1, 2, 3])
@pytest.mark.parametrize("spread", SPREADS)
def test_the_posterior_equals_the_dense_gaussian_one(simulated_labels: Simulate, labels: int, spread: Spread) -> None:
    log = drawn(simulated_labels, labels)
    mean, covariance = posterior(designs(log, log.reaction), MU, spread)
    for user, (x, y, prior, v) in enumerate(dense(log, spread)):
        gain = prior @ x.T @ np.linalg.inv(v)
        np.testing.assert_allclose(mean[user], MU + gain @ (y - x @ MU), rtol=1e-8)
        np.testing.assert_allclose(covariance[user], prior - gain @ x @ prior, rtol=1e-8, atol=1e-10 * prior.max())


@pytest.mark.parametrize("labels", [0, 1, 2, 3])
@pytest.mark.parametrize("spread", SPREADS)
def test_likelihood_and_population_mean_equal_the_dense_ones(
    simulated_labels: Simulate, labels: int, spread: Spread
) -> None:
    log = drawn(simulated_labels, labels)
    total, left, right = 0.0, np.zeros((len(MU), len(MU))), np.zeros(len(MU))
    for x, y, _, v in dense(log, spread):
        if len(y):
            total += float(multivariate_normal(x @ MU, v).logpdf(y))
            left += x.T @ np.linalg.solve(v, x)
            right += x.T @ np.linalg.solve(v, y)
    found = designs(log, log.reaction)
    np.testing.assert_allclose(log_likelihood(found, MU, spread), total, rtol=1e-8)
    np.testing.assert_allclose(population_mean(found, spread), np.linalg.solve(left, right), rtol=1e-8)


def test_one_label_per_event_gives_the_shrunk_cell_means(simulated: Simulate) -> None:
    """The cell formulas: B_ua = tau_cell^2 / (tau_cell^2 + sigma^2 / n_ua) of what mu_a and b_u leave is kept."""
    events = np.random.default_rng(6).integers(0, 5, size=(30, 4))
    log, mu, spread = simulated(events, MU[:4], np.full(4, 0.2), 0.1, 0.1, seed=6).log, MU[:4], SPREADS[0]
    cell = np.zeros((30, 4))
    np.add.at(cell, (log.user, log.category), log.reaction / events[log.user, log.category])
    p = precision(events.astype(float), spread)
    b = ((p * (cell - mu)).sum(axis=1) / (1 / spread.tau_user**2 + p.sum(axis=1)))[:, None]
    expected = mu + b + spread.tau_cell**2 * p * (cell - mu - b)
    np.testing.assert_allclose(posterior(designs(log, log.reaction), mu, spread)[0], expected, rtol=1e-8)


def test_the_std_by_category_uses_the_dense_leverages(simulated_labels: Simulate) -> None:
    log = simulated_labels(np.full(40, 15), 2, MU, 0.2, 0.1, 0.1, seed=7).log
    spread = SPREADS[0]
    mean, covariance = posterior(designs(log, log.reaction), MU, spread)
    top, bottom = np.zeros(len(MU)), np.zeros(len(MU))
    for user, (x, y, _, v) in enumerate(dense(log, spread)):
        top += x.T @ (y - x @ mean[user]) ** 2
        bottom += x.T @ (spread.sigma**2 * np.diag(np.linalg.inv(v)))
    x = np.zeros((len(log.user), len(MU)))
    x[log.event, log.category] = log.weight
    spreads = CategorySpread(np.zeros(len(MU)), np.zeros(len(MU)))
    spreads.add(log, log.reaction - (x * mean[log.user]).sum(axis=1), covariance, spread.sigma)
    std, thin = spreads.std(spread.sigma)
    assert not thin.any() and bottom.min() > 30
    np.testing.assert_allclose(std, np.sqrt(top / bottom), rtol=1e-8)


def test_the_estimate_maximises_the_likelihood(simulated_labels: Simulate) -> None:
    log = simulated_labels(np.random.default_rng(7).integers(0, 60, size=200), 2, MU, 0.2, 0.08, 0.1, seed=7).log
    found = designs(log, log.reaction)
    best = estimate_spread(found)
    values = np.array([best.tau_user, best.tau_cell, best.sigma])

    def likelihood(spread: Spread) -> float:
        return log_likelihood(found, population_mean(found, spread), spread)

    for factor in (0.5, 0.97, 1.03, 2.0):
        for i in range(3):
            moved = Spread(*(values * np.where(np.arange(3) == i, factor, 1.0)))
            assert likelihood(moved) < likelihood(best)


def test_labels_that_always_come_together_share_their_mean(simulated_labels: Simulate) -> None:
    log = simulated_labels(np.full(30, 20), 2, MU[:4], 0.2, 0.1, 0.1, seed=8).log
    log.category[:] = np.stack([log.event[::2] % 2 * 2, log.event[::2] % 2 * 2 + 1], axis=1).ravel()
    found = designs(log, log.reaction)
    mu = population_mean(found, SPREADS[0])
    np.testing.assert_allclose(mu[[0, 2]], mu[[1, 3]], rtol=1e-9)
    mean, _ = posterior(found, mu, SPREADS[0])
    np.testing.assert_allclose(mean[:, [0, 2]], mean[:, [1, 3]], rtol=1e-9)


def test_the_offset_of_reactions_costs_no_digits(simulated_labels: Simulate) -> None:
    log = drawn(simulated_labels, 2)
    near, far = designs(log, log.reaction), designs(log, log.reaction + 1e4)
    np.testing.assert_allclose(far.rest, near.rest, rtol=1e-6)
    spread = SPREADS[0]
    np.testing.assert_allclose(population_mean(far, spread) - 1e4, population_mean(near, spread), rtol=1e-6)


def test_a_subset_equals_the_log_of_its_events(simulated_labels: Simulate) -> None:
    log = drawn(simulated_labels, 0)
    keep = np.random.default_rng(0).random(len(log.user)) < 0.6
    part = subset(log, keep)
    x, y = np.zeros((len(keep), len(MU))), np.zeros((int(keep.sum()), len(MU)))
    x[log.event, log.category] = log.weight
    y[part.event, part.category] = part.weight
    np.testing.assert_array_equal(y, x[keep])
    np.testing.assert_array_equal(part.user, log.user[keep])
