"""Means by category as if all items had been shown evenly, from logs whose truth is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mirrorfield as mf
from mirrorfield.calibration.shown import Ratio

APPEAL = np.array([[0.1, 0.3, 0.9], [0.2, 0.4, 0.6]])
"""Mean reaction to the three items of each of two categories."""


def shown(people: int, posts: int, seed: int) -> pd.DataFrame:
    """Draw a log of a recommender that shows what pleases: items in proportion to the square of their appeal."""
    rng = np.random.default_rng(seed)
    chance = (APPEAL**2 / (APPEAL**2).sum()).ravel()
    item = rng.choice(6, p=chance, size=people * posts)
    who = np.repeat(np.arange(people), posts)
    reaction = APPEAL.ravel()[item] + 0.1 * rng.standard_normal(people)[who] + 0.1 * rng.standard_normal(len(who))
    return pd.DataFrame({"who": who, "kind": np.array(["a", "b"])[item // 3], "y": reaction, "p": chance[item]})


def categories(frame: pd.DataFrame) -> dict[str, dict]:
    found = mf.fit(frame, user="who", category="kind", reaction="y", propensity="p", low=0, high=1)
    return found.found.summary()["variance_components"]["categories"]


def test_propensities_undo_what_was_picked_to_please() -> None:
    told = categories(shown(300, 40, seed=1))
    for name, mean, picked in zip("ab", APPEAL.mean(axis=1), (APPEAL**3).sum(1) / (APPEAL**2).sum(1), strict=True):
        evenly, logged = told[name]["shown_evenly"], told[name]["as_logged"]
        assert evenly["low"] < mean < evenly["high"] and evenly["high"] - evenly["low"] < 0.1
        assert logged["low"] < picked < logged["high"] and logged["low"] > evenly["high"]


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """95% of 400, with 4 standard errors; people's own moods make their events depend on one another."""
    covered = 0
    for seed in range(400):
        frame = shown(100, 20, seed)
        a = frame[frame["kind"] == "a"].assign(top=lambda rows: rows["y"] / rows["p"], below=lambda rows: 1 / rows["p"])
        sums = a.groupby("who")[["top", "below"]].sum().reindex(range(100), fill_value=0.0).to_numpy()
        ratio = Ratio(np.zeros((5, 1)))
        ratio.add(sums[:, :1], sums[:, 1:])
        (told,) = ratio.interval()
        assert told is not None
        covered += told["low"] < APPEAL[0].mean() < told["high"]
    assert abs(covered / 400 - 0.95) < 4 * np.sqrt(0.05 * 0.95 / 400)


def test_equal_propensities_change_nothing(tmp_path: Path) -> None:
    told = categories(shown(50, 20, seed=2).assign(p=0.25))
    assert all(row["shown_evenly"] == pytest.approx(row["as_logged"], rel=1e-6) for row in told.values())


@pytest.mark.parametrize("p", [0.0, -0.1, 1.5, np.nan, 1e-300])
def test_a_propensity_that_is_none_is_a_bad_row(p: float) -> None:
    frame = shown(5, 20, seed=3)
    frame.loc[4, "p"] = p
    with pytest.raises(
        mf.InputError, match=r"1 of 100 rows cannot be used: row 5: propensity is not above 0 and at most"
    ):
        categories(frame)
