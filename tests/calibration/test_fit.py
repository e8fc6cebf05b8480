"""From a small log on disk to a fit: scaling, summary, and what a repeated label or a short log does to it."""

import json
from pathlib import Path

import numpy as np
import pytest

from mirrorfield.calibration.fit import AROUSAL, NO_LAMBDA, fit, population_dataset
from mirrorfield.calibration.log import LogColumns
from mirrorfield.errors import InputError

COLUMNS = LogColumns("user", "kind", "score", "when", separator="|")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    rows = [
        f"user {u},{rng.choice(['a', 'b', 'a|b', 'c'])},{rng.integers(-2, 3)},{t}" for u in range(20) for t in range(15)
    ]
    file = tmp_path / "log.csv"
    file.write_text("user,kind,score,when\n" + "\n".join(rows), encoding="utf-8")
    return file


def test_the_scale_is_the_range_of_the_log_or_as_asked(path: Path) -> None:
    own = fit(path, COLUMNS)
    assert (own.scaling.low, own.scaling.high, own.reactions_outside) == (-2.0, 2.0, 0)
    assert own.summary()["scaling"]["formula"].endswith("= (reaction in the log - (-2)) / (2 - (-2))")
    asked = fit(path, COLUMNS, low=-1.0, high=4.0)
    text = path.read_text(encoding="utf-8")
    assert asked.reactions_outside == text.count(",-2,") > 0
    with pytest.raises(InputError, match="needs low < high, got low 9 and high 2"):
        fit(path, COLUMNS, low=9.0)


def test_summary_and_dataset(path: Path) -> None:
    fitted = fit(path, COLUMNS)
    summary = json.loads(json.dumps(fitted.summary(), allow_nan=False))
    assert summary["not_observed"] == f"{AROUSAL}; {NO_LAMBDA}"
    assert set(summary) == {"verdict", "log", "scaling", "variance_components", "heldout", "not_observed"}
    assert {"tau_user", "tau_cell", "sigma", "categories"} <= set(summary["variance_components"])
    assert summary["log"]["used"] == summary["log"]["events"] == 300
    data = population_dataset(fitted)
    assert data["user"].values.tolist() == list(fitted.user_names)
    assert data["category"].values.tolist() == ["a", "b", "c"]
    assert float(data["events"].sum()) == pytest.approx(300)
    assert data["shrinkage"].attrs["long_name"].startswith("1 - posterior variance / prior variance")
    assert data.attrs["sigma"] == fitted.profiles.sigma
    np.testing.assert_array_equal(data["susceptibility"].values, fitted.profiles.mean.astype(np.float32))


def test_the_order_of_rows_changes_nothing_but_the_order_of_users(path: Path) -> None:
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    first = population_dataset(fit(path, COLUMNS))
    path.write_text("\n".join([header, *rows[::-1]]), encoding="utf-8")
    second = population_dataset(fit(path, COLUMNS)).sel(user=first["user"])
    np.testing.assert_allclose(second["susceptibility"], first["susceptibility"], atol=1e-5)
