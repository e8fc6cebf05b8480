"""The held-out check: what is held out, what the errors are, and how sure they are."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mirrorfield.calibration.designs import predict, subset
from mirrorfield.calibration.heldout import bootstrap_rmse, heldout_check, last_events
from mirrorfield.calibration.log import InteractionLog
from mirrorfield.calibration.scaling import Scaling
from mirrorfield.calibration.shrinkage import shrink

UNIT = Scaling(0.0, 1.0)
MU, SIGMA = np.array([0.3, 0.4, 0.6, 0.7]), np.full(4, 0.15)
Simulate = Callable[..., Any]


def tasteful(simulated: Simulate, users: int = 300, seed: int = 1) -> Any:
    events = np.random.default_rng(seed).integers(1, 15, size=(users, 4))
    return simulated(events, MU, SIGMA, 0.06, 0.08, seed=seed)


def test_the_last_fifth_by_time_is_held_out_with_ties_in_file_order() -> None:
    user = np.array([0] * 11 + [1] * 4 + [2] * 5)
    time = np.array([9.0, *range(8), 9.0, 9.0, 1, 2, 3, 4, 7, 7, 7, 7, 7])
    assert np.flatnonzero(last_events(user, time)).tolist() == [9, 10, 19]


def test_interleaving_users_holds_out_the_same_events(simulated: Simulate) -> None:
    log = tasteful(simulated).log
    held = last_events(log.user, log.time)
    order = np.random.default_rng(0).permutation(len(held))
    np.testing.assert_array_equal(last_events(log.user[order], log.time[order]), held[order])
    counts = np.bincount(log.user)
    np.testing.assert_array_equal(np.bincount(log.user, weights=held), np.where(counts >= 5, counts // 5, 0))


def test_the_prediction_of_an_event_is_the_average_over_its_labels() -> None:
    one = np.ones(2)
    log = InteractionLog(
        np.array([0, 1]), one, one, np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([0.5, 0.5, 1.0]),
        ("a", "b"), ("x", "y"), {},
    )  # fmt: skip
    np.testing.assert_allclose(predict(log, np.array([[0.2, 0.4], [0.6, 0.8]])), [0.3, 0.8])


def test_errors_by_hand(simulated: Simulate) -> None:
    log = tasteful(simulated).log
    held = last_events(log.user, log.time)
    scaling = Scaling(-1.0, 3.0)
    result = heldout_check(log, seed=0, scaling=scaling)
    y, user = scaling.to_unit(log.reaction), log.user
    own = np.array([y[(user == u) & ~held].mean() for u in range(300)])[user]
    ours = predict(log, shrink(subset(log, ~held), scaling).mean)
    for name, guess in {"profiles": ours, "global_mean": y[~held].mean(), "user_mean": own}.items():
        expected = np.sqrt(((y - guess)[held] ** 2).mean())
        np.testing.assert_allclose(result["rmse"][name]["unit"]["value"], expected)
        np.testing.assert_allclose(result["rmse"][name]["log_unit"]["value"], 4 * expected)
    assert result["events"] + result["training_events"] == len(user)
    json.dumps(result)


def test_profiles_beat_both_baselines_where_tastes_differ(simulated: Simulate) -> None:
    result = heldout_check(tasteful(simulated).log, seed=0, scaling=UNIT)
    for baseline in ("global_mean", "user_mean"):
        assert result["difference"][baseline]["unit"]["high"] < 0
    ours = result["rmse"]["profiles"]["unit"]
    assert SIGMA[0] < ours["value"] < np.hypot(SIGMA[0], 0.08)
    assert ours["low"] < ours["value"] < ours["high"]


def test_profiles_beat_both_baselines_with_several_labels(simulated_labels: Simulate) -> None:
    events = np.random.default_rng(5).integers(20, 100, size=300)
    drawn = simulated_labels(events, 2, np.linspace(0.3, 0.7, 6), 0.15, 0.05, 0.12, seed=5)
    result = heldout_check(drawn.log, seed=0, scaling=UNIT)
    for baseline in ("global_mean", "user_mean"):
        assert result["difference"][baseline]["unit"]["high"] < 0


def test_the_interval_has_the_width_of_the_standard_error(simulated: Simulate) -> None:
    """Delta method on the ratio of per-user sums: se(RMSE) = se(mean square) / (2 RMSE)."""
    rng = np.random.default_rng(2)
    count = rng.integers(1, 20, size=400)
    squares = np.array([(rng.standard_normal(c) ** 2).sum() for c in count])
    rmse = np.sqrt(squares.sum() / count.sum())
    expected = np.sqrt(((squares - rmse**2 * count) ** 2).sum()) / count.sum() / (2 * rmse)
    replicates = bootstrap_rmse(squares[:, None], count, np.random.default_rng(3))
    assert replicates.shape == (1000, 1)
    assert abs(replicates.std() / expected - 1) < 4 / np.sqrt(2 * 1000)


def test_the_seed_decides_the_interval_alone(simulated: Simulate) -> None:
    log = tasteful(simulated).log
    assert heldout_check(log, seed=7) == heldout_check(log, seed=7)
    first, second = (heldout_check(log, seed=seed)["rmse"]["profiles"]["unit"] for seed in (7, 8))
    assert first["value"] == second["value"] and first["low"] != second["low"]


def test_short_users_stay_in_training_and_are_counted(simulated: Simulate) -> None:
    events = np.full((30, 4), 5)
    events[:3] = 1
    result = heldout_check(simulated(events, MU, SIGMA, 0.06, 0.08, seed=3).log, seed=0, scaling=UNIT)
    assert (result["users_kept_whole"], result["users"]) == (3, 27)
    assert (result["events"], result["training_events"]) == (27 * 4, 27 * 16 + 12)


def test_nothing_to_hold_out_is_said(simulated: Simulate) -> None:
    log = simulated(np.ones((10, 4), dtype=np.int64), MU, SIGMA, 0.06, 0.08, seed=4).log
    result = heldout_check(log, seed=0)
    assert result["events"] == 0
    assert result["note"] == "No user has 5 events or more: nothing could be held out."


def test_too_little_left_for_training_is_said(simulated: Simulate) -> None:
    log = simulated(np.array([[2, 1, 1, 1]]), MU, SIGMA, 0.06, 0.08, seed=5).log
    the_repeat_comes_last = replace(log, time=np.array([0.0, 9.0, 1.0, 2.0, 3.0]))
    result = heldout_check(the_repeat_comes_last, seed=0)
    assert result["events"] == 0
    assert result["note"].startswith("The events left for training are too few. No user reacted twice")
