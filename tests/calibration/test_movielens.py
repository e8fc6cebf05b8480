"""The whole fit on a real log: MovieLens, latest small release."""

import json
from pathlib import Path

import numpy as np
import pytest

from mirrorfield.calibration.fit import Fit, fit, population_dataset
from mirrorfield.calibration.log import LogColumns

DATA = Path(__file__).parents[2].parent / "shared/data/ml-latest-small"
COLUMNS = LogColumns("userId", "genres", "rating", "timestamp", separator="|", item="movieId")


@pytest.fixture(scope="module")
def fitted() -> Fit:
    if not (DATA / "ratings.csv").exists():
        pytest.skip("the MovieLens log is not here")
    return fit(DATA / "ratings.csv", COLUMNS, items=DATA / "movies.csv")


def test_every_rating_is_used(fitted: Fit) -> None:
    report = fitted.log_report
    assert (report["rows"], report["used"], report["bad"]) == (100836, 100836, {})
    assert (report["users"], report["events"], report["categories"]) == (610, 100836, 20)
    assert (report["items"]["rows"], report["items"]["bad"]) == (9742, {})
    assert fitted.profiles.events.sum() == pytest.approx(100836)
    assert (fitted.scaling.low, fitted.scaling.high) == (0.5, 5.0)
    assert fitted.category_names[0] == "(no genres listed)"


def test_profiles_are_usable(fitted: Fit) -> None:
    p = fitted.profiles
    assert p.mean.shape == p.events.shape == p.shrinkage.shape == (610, 20)
    assert np.all((p.mean >= 0) & (p.mean <= 1))
    assert np.all((p.shrinkage >= 0) & (p.shrinkage < 1))
    assert np.all((p.std > 0.1) & (p.std < 0.3))
    assert np.all(np.abs(p.mu - 0.7) < 0.2)
    assert 0.05 < p.tau_user < 0.15 and 0.08 < p.tau_cell < 0.14 and 0.18 < p.sigma < 0.21
    assert not p.thin.any()


def test_profiles_predict_held_out_ratings_better_than_both_baselines(fitted: Fit) -> None:
    heldout = fitted.heldout
    assert (heldout["events"], heldout["training_events"], heldout["users"]) == (19940, 80896, 610)
    assert heldout["difference"]["global_mean"]["log_unit"]["high"] < 0
    assert heldout["difference"]["user_mean"]["log_unit"]["high"] < 0


def test_the_summary_is_plain_data_and_says_what_is_not_observed(fitted: Fit) -> None:
    summary = json.loads(json.dumps(fitted.summary(), allow_nan=False))
    assert summary["scaling"]["formula"].endswith("= (reaction in the log - 0.5) / (5 - 0.5)")
    assert "arousal state" in summary["not_observed"] and "intentionality" in summary["not_observed"]
    assert summary["log"]["labels"] / summary["log"]["events"] == pytest.approx(2.72, abs=0.01)
    assert set(summary["variance_components"]["categories"]) == set(fitted.category_names)


def test_the_dataset_names_its_units(fitted: Fit) -> None:
    data = population_dataset(fitted)
    assert dict(data.sizes) == {"user": 610, "category": 20}
    assert all(v.attrs["units"] and v.attrs["long_name"] for v in data.variables.values())
    assert data["susceptibility"].dtype == np.float32
    assert float(data["susceptibility"].sel(user="1", category="War")) == pytest.approx(
        fitted.profiles.mean[0, fitted.category_names.index("War")]
    )
