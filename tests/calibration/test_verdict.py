"""Whether a log bears out the people fitted to it: told from logs whose truth is known."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mirrorfield.calibration.designs import designs
from mirrorfield.calibration.fit import fit_log
from mirrorfield.calibration.heldout import last_events
from mirrorfield.calibration.likelihood import equal_people, estimate_spread, log_likelihood, population_mean
from mirrorfield.calibration.scaling import Scaling
from mirrorfield.calibration.scenario import fitted_scenario
from mirrorfield.calibration.verdict import p_of_no_differences, verdict_of
from mirrorfield.errors import InputError
from mirrorfield.population.scenario import Scenario

UNIT, MU, SIGMA = Scaling(0.0, 1.0), np.array([0.3, 0.4, 0.6, 0.7]), np.full(4, 0.15)
Simulate = Callable[..., Any]


def test_p_is_at_most_its_level_where_people_do_not_differ(simulated: Simulate) -> None:
    """Of 200 such logs at most 5% may have p <= 0.05, and 4 standard errors more; the mixture makes it about 2%."""
    found = []
    for seed in range(200):
        log = simulated(np.full((25, 4), 4), MU, SIGMA, 0.0, 0.0, seed=seed).log
        equal = designs(log, log.reaction)
        spread = estimate_spread(equal)
        best = log_likelihood(equal, population_mean(equal, spread), spread)
        found.append(p_of_no_differences(2 * (best - equal_people(equal))))
    assert np.mean(np.array(found) <= 0.05) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 200)
    assert max(found) > 0.5  # it is no constant


def test_a_log_without_differences_is_called_so(simulated: Simulate) -> None:
    fitted = fit_log(simulated(np.full((300, 4), 10), MU, SIGMA, 0.0, 0.0, seed=8).log, UNIT)
    assert not fitted.verdict.holds and fitted.verdict.line.startswith(
        "The log shows no differences between people (p ="
    )
    assert fitted.summary()["verdict"] == fitted.verdict._asdict()
    scenario = fitted_scenario(fitted, Scenario(), "people", ".")
    assert scenario.description.endswith(fitted.verdict.line)


def test_tastes_that_differ_and_last_hold(simulated: Simulate) -> None:
    fitted = fit_log(simulated(np.full((300, 4), 10), MU, SIGMA, 0.06, 0.08, seed=8).log, UNIT)
    assert fitted.verdict.holds and fitted.verdict.p < 1e-10
    assert fitted.verdict.line.startswith(
        "The profiles predict held-out reactions better than means do: RMSE minus that of the global mean -0."
    )
    assert (
        "fitted to a log; arousal taken from the scenario default."
        in fitted_scenario(fitted, Scenario(), "people", ".").description
    )


def test_tastes_that_turn_round_do_not_hold(simulated: Simulate) -> None:
    """People differ, and what they like at first they dislike at last: profiles are worse than any mean."""
    drawn = simulated(np.full((300, 4), 10), np.full(4, 0.5), SIGMA, 0.0, 0.1, seed=8)
    late = last_events(drawn.log.user, drawn.log.time)
    turned = np.where(late, 1 - drawn.log.reaction, drawn.log.reaction)
    verdict = fit_log(replace(drawn.log, reaction=turned), UNIT).verdict
    assert verdict.p < 1e-10 and not verdict.holds
    assert (
        "not predict held-out reactions better than the global mean or each person's own mean: RMSE minus"
        in verdict.line
    )


def test_a_difference_whose_interval_holds_0_is_no_gain() -> None:
    def interval(value: float) -> dict[str, dict[str, float]]:
        return {"log_unit": {"value": value, "low": value - 0.01, "high": value + 0.01}}

    heldout = {"difference": {"global_mean": interval(-0.2), "user_mean": interval(-0.005)}}
    told = verdict_of(1e3, heldout)
    assert not told.holds
    assert told.line == (
        "The profiles do not predict held-out reactions better than each person's own mean: RMSE minus that of the "
        "global mean -0.2000 [-0.2100, -0.1900] and that of each person's own mean -0.0050 [-0.0150, +0.0050]."
    )


def test_without_a_check_nothing_holds(simulated: Simulate) -> None:
    log = simulated(np.tile([2, 2, 0, 0], (200, 1)), MU, SIGMA, 0.2, 0.2, seed=4).log
    assert fit_log(log, UNIT).verdict.line == (
        "Nothing shows that these profiles predict anything. No user has 5 events or more: nothing could be held out."
    )


def test_one_person_differs_from_nobody(simulated: Simulate) -> None:
    with pytest.raises(InputError, match=r'The log has one person \("u0"\): expected at least 2'):
        fit_log(simulated(np.full((1, 4), 10), MU, SIGMA, 0.0, 0.1, seed=8).log, UNIT)
