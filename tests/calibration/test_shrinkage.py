"""Profiles against a known truth: variances recovered, means nearer to the truth than simpler ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mirrorfield.calibration.designs import events_by_cell, sum_by
from mirrorfield.calibration.log import InteractionLog
from mirrorfield.calibration.scaling import Scaling
from mirrorfield.calibration.shrinkage import shrink
from mirrorfield.errors import InputError

Array = NDArray[np.float64]
UNIT = Scaling(0.0, 1.0)
MU, SIGMA = np.array([0.35, 0.45, 0.55, 0.65]), np.array([0.10, 0.15, 0.20, 0.25])
LEVELS = np.linspace(0.35, 0.65, 6)
TAU_USER, TAU_CELL, NOISE = 0.08, 0.1, 0.2
Simulate = Callable[..., Any]


def standard_errors(log: InteractionLog, k: int) -> Array:
    """Return those of the maximum likelihood tau_user^2, tau_cell^2 and sigma^2, from the Fisher information.

    Formula: I_ij = 1/2 sum_u tr(V_u^-1 D_i V_u^-1 D_j), D = 11', X_u X_u' and I, V_u the sum of variances times D.
    """
    x = np.zeros((len(log.user), k))
    x[log.event, log.category] = log.weight
    information = np.zeros((3, 3))
    for user in range(len(log.user_names)):
        mine = x[log.user == user]
        parts = [np.ones((len(mine), len(mine))), mine @ mine.T, np.eye(len(mine))]
        v = TAU_USER**2 * parts[0] + TAU_CELL**2 * parts[1] + NOISE**2 * parts[2]
        scaled = [np.linalg.solve(v, part) for part in parts]
        information += 0.5 * np.array([[(a * b.T).sum() for b in scaled] for a in scaled])
    return np.sqrt(np.diag(np.linalg.inv(information)))


@pytest.mark.parametrize("labels", [1, 2, 3])
def test_variance_components_are_recovered(simulated_labels: Simulate, labels: int) -> None:
    """Within 4 standard errors, which are small enough to tell."""
    log = simulated_labels(np.full(500, 50), labels, LEVELS, NOISE, TAU_USER, TAU_CELL, seed=labels).log
    profiles = shrink(log, UNIT)
    found = np.array([profiles.tau_user, profiles.tau_cell, profiles.sigma]) ** 2
    truth = np.array([TAU_USER, TAU_CELL, NOISE]) ** 2
    se = standard_errors(log, len(LEVELS))
    assert np.all(np.abs(found - truth) < 4 * se)
    assert np.all(4 * se < [0.4 * truth[0], 0.45 * truth[1], 0.05 * truth[2]])
    assert not profiles.thin.any()
    degrees = 500 * 50 / len(LEVELS) * 0.8
    assert np.all(np.abs(profiles.std**2 - truth[2]) < 4 * truth[2] * np.sqrt(2 / degrees))


def means_by_cell(log: InteractionLog) -> Array:
    n, k = len(log.user_names), len(log.category_names)
    total = sum_by(log.user[log.event] * k + log.category, log.weight * log.reaction[log.event], n * k)
    events = events_by_cell(log)
    return np.divide(total.reshape(n, k), events, out=np.zeros((n, k)), where=events > 0)


@pytest.mark.parametrize("labels", [1, 2, 3])
def test_profiles_are_closer_to_the_truth_than_raw_means_and_user_means(
    simulated_labels: Simulate, labels: int
) -> None:
    """Mean gains in squared error above 4 standard errors, taken over users, whose cells are not independent."""
    events = np.random.default_rng(9).integers(5, 100, size=400)
    drawn = simulated_labels(events, labels, LEVELS, NOISE, TAU_USER, TAU_CELL, seed=10 + labels)
    profiles, met = shrink(drawn.log, UNIT), events_by_cell(drawn.log) > 0
    own = (sum_by(drawn.log.user, drawn.log.reaction, 400) / events)[:, None]
    ours = (profiles.mean - drawn.truth) ** 2
    for other in (means_by_cell(drawn.log), own):
        gain = ((other - drawn.truth) ** 2 - ours).mean(axis=1, where=met)
        assert gain.mean() > 4 * gain.std() / np.sqrt(400)
    assert np.all(ours[~met].mean() < TAU_USER**2 + TAU_CELL**2) or met.all()


@pytest.mark.parametrize("labels", [1, 3])
def test_shrinkage_tells_the_error_of_a_mean(simulated_labels: Simulate, labels: int) -> None:
    """Squared error, over (1 - shrinkage) prior variance, averages 1; its standard error over users is under 3%."""
    events = np.random.default_rng(4).integers(5, 60, size=800)
    drawn = simulated_labels(events, labels, LEVELS, NOISE, TAU_USER, TAU_CELL, seed=20 + labels)
    p = shrink(drawn.log, Scaling(0.0, 1.0))
    prior = p.tau_user**2 + p.tau_cell**2
    ratio = ((p.mean - drawn.truth) ** 2 / ((1 - p.shrinkage) * prior)).mean(axis=1)
    se = ratio.std() / np.sqrt(800)
    assert se < 0.03 and abs(ratio.mean() - 1) < 4 * se


def test_a_user_with_three_events_is_pulled_most_of_the_way(simulated: Simulate) -> None:
    events = np.full((400, 4), 40)
    events[0] = [3, 0, 0, 0]
    log = simulated(events, MU, np.full(4, 0.2), 0.05, 0.05, seed=4).log
    profiles, raw = shrink(log, UNIT), means_by_cell(log)
    assert abs(profiles.mean[0, 0] - profiles.mu[0]) < 0.4 * abs(raw[0, 0] - profiles.mu[0])
    assert np.all(profiles.shrinkage[0, 1:] < profiles.shrinkage[0, 0])
    assert profiles.shrinkage[0, 0] < 0.4 < 0.6 < profiles.shrinkage[1].min()
    shift = profiles.mean[0, 1:] - profiles.mu[1:]
    np.testing.assert_allclose(shift, shift[0], rtol=1e-9)


def test_a_user_without_events_has_the_population_mean_and_shrinkage_0(simulated: Simulate) -> None:
    events = np.full((50, 4), 10)
    events[7] = 0
    profiles = shrink(simulated(events, MU, SIGMA, 0.05, 0.05, seed=5).log, UNIT)
    np.testing.assert_allclose(profiles.mean[7], profiles.mu, rtol=1e-12)
    np.testing.assert_allclose(profiles.shrinkage[7], 0.0, atol=1e-12)


def test_no_spread_is_found_where_there_is_none(simulated: Simulate) -> None:
    log = simulated(np.full((300, 4), 10), MU, np.full(4, NOISE), 0.0, 0.0, seed=8).log
    profiles = shrink(log, UNIT)
    assert profiles.tau_user < 0.02 and profiles.tau_cell < 0.02
    np.testing.assert_allclose(profiles.mean, np.broadcast_to(profiles.mu, profiles.mean.shape), atol=0.03)


def test_noise_that_differs_between_categories_is_measured(simulated: Simulate) -> None:
    """4 standard errors of a pooled variance with 300 x 19 degrees of freedom, and 3% for the one sigma assumed."""
    profiles = shrink(simulated(np.full((300, 4), 20), MU, SIGMA, TAU_USER, TAU_CELL, seed=9).log, UNIT)
    np.testing.assert_allclose(profiles.std, SIGMA, rtol=4 / np.sqrt(2 * 300 * 19) + 0.03)
    assert profiles.sigma == pytest.approx(np.sqrt((SIGMA**2).mean()), rel=0.05)


def test_thin_categories_take_the_overall_std(simulated: Simulate) -> None:
    events = np.full((60, 4), 8)
    events[:, 3] = 0
    events[0, 3] = 25
    profiles = shrink(simulated(events, MU, SIGMA, TAU_USER, TAU_CELL, seed=10).log, UNIT)
    assert profiles.thin.tolist() == [False, False, False, True]
    assert profiles.std[3] == profiles.sigma and not np.any(profiles.std[:3] == profiles.sigma)


def test_noise_needs_repetition(simulated: Simulate) -> None:
    log = simulated(np.ones((5, 4), dtype=np.int64), MU, SIGMA, 0.1, 0.1, seed=10).log
    with pytest.raises(InputError, match="No user reacted twice to the same category: noise and taste cannot be told"):
        shrink(log, UNIT)


def test_reactions_without_noise_are_kept_whole(simulated: Simulate) -> None:
    drawn = simulated(np.full((50, 4), 3), MU, np.zeros(4), 0.05, 0.05, seed=11)
    profiles = shrink(drawn.log, UNIT)
    np.testing.assert_allclose(profiles.mean, drawn.truth, atol=1e-6)
    np.testing.assert_allclose(profiles.shrinkage, 1.0, atol=1e-6)
    assert np.all(profiles.std < 1e-4)


def test_reactions_all_alike_teach_that_nothing_varies(simulated: Simulate) -> None:
    log = simulated(np.full((20, 4), 3), MU, SIGMA, 0.05, 0.05, seed=11).log
    log.reaction[:] = 0.5
    profiles = shrink(log, UNIT)
    np.testing.assert_allclose(profiles.mean, 0.5)
    assert max(profiles.tau_user, profiles.tau_cell, profiles.sigma) < 1e-5


def test_means_outside_the_unit_are_clipped_and_counted(simulated: Simulate) -> None:
    log = simulated(np.full((50, 4), 20), MU, SIGMA, TAU_USER, TAU_CELL, seed=12).log
    profiles = shrink(log, Scaling(0.4, 0.6))
    assert profiles.clipped > 0
    assert profiles.clipped == int(((profiles.mean == 0) | (profiles.mean == 1)).sum())


def test_rescaling_the_log_changes_nothing_in_the_unit_of_the_model(simulated_labels: Simulate) -> None:
    log = simulated_labels(np.full(200, 30), 2, LEVELS, NOISE, TAU_USER, TAU_CELL, seed=14).log
    before = shrink(log, UNIT)
    log.reaction[:] = 4 * log.reaction + 1
    after = shrink(log, Scaling(1.0, 5.0))
    np.testing.assert_allclose(after.mean, before.mean, atol=1e-6)
    np.testing.assert_allclose(after.tau_cell, before.tau_cell, rtol=1e-4)
