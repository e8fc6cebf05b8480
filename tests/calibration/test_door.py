"""`mirrorfield.fit`: logs as they are, in files and in data frames, and the same people from all of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mirrorfield as mf
from mirrorfield.calibration import events, log, shrinkage
from mirrorfield.calibration.events import Events, records_of
from mirrorfield.calibration.heldout import last_of
from mirrorfield.calibration.log import EventLog, LogColumns, read_events, read_log
from mirrorfield.calibration.scaling import scaling_of
from mirrorfield.calibration.shrinkage import shrink

NAMES: dict[str, Any] = {"user": "who", "category": "what", "reaction": "score", "time": "when"}

Closed = Callable[[EventLog], EventLog]


@pytest.fixture
def frame() -> pd.DataFrame:
    """40 people of different tastes for three kinds, 30 events each; ids and kinds as a log has them."""
    rng = np.random.default_rng(5)
    who, what = np.repeat(np.arange(40), 30), rng.integers(3, size=1200)
    taste = rng.standard_normal((40, 3))
    order = rng.permutation(1200)
    columns = {
        "who": who + 1000,
        "what": np.array(["news", "sport", "pets"])[what],
        "score": np.round(taste[who, what] + 0.3 * rng.standard_normal(1200), 3),
        "when": order,
        "visit": who * 100 + order // 120,
    }
    return pd.DataFrame(columns)


@pytest.fixture
def closed() -> Iterator[Closed]:
    """Return a function that closes the files of a log after the test."""
    with ExitStack() as stack:

        def close_later(found: EventLog) -> EventLog:
            stack.callback(found.events.close)
            return found

        yield close_later


def polars(frame: pd.DataFrame) -> Any:
    return pytest.importorskip("polars").from_pandas(frame)


def arrow(frame: pd.DataFrame) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pandas(frame)


def chunks(frame: pd.DataFrame) -> Any:
    """Return a stream that can be read once, in small batches."""
    return arrow(frame).to_reader(max_chunksize=100)


def coded(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({"what": "category", "who": "string"})


def written(frame: pd.DataFrame, folder: Path) -> dict[str, tuple[Any, dict[str, Any]]]:
    frame.to_csv(folder / "log.csv", index=False)
    frame.to_csv(folder / "log.tsv", index=False, sep="\t", header=False)
    frame.to_parquet(folder / "log.parquet")
    numbered = {"user": "c1", "category": "c2", "reaction": "c3", "time": "c4", "delimiter": "tab", "header": False}
    return {
        "csv": (folder / "log.csv", NAMES),
        "tab": (str(folder / "log.tsv"), numbered),
        "parquet": (folder / "log.parquet", NAMES),
    }


def test_the_same_people_come_out_of_every_kind_of_log(frame: pd.DataFrame, tmp_path: Path) -> None:
    expected = mf.fit(frame, **NAMES)
    assert expected.verdict.holds
    others = written(frame, tmp_path) | {make.__name__: (make(frame), NAMES) for make in (polars, arrow, chunks, coded)}
    for name, (source, columns) in others.items():
        found = mf.fit(source, **columns)
        assert found.dataset.equals(expected.dataset), name
        assert found.summary["heldout"] == expected.summary["heldout"], name


def test_a_frame_s_bad_rows_are_named(frame: pd.DataFrame) -> None:
    frame.loc[7, "score"] = np.inf
    frame.loc[9, "score"] = np.nan
    with pytest.raises(
        mf.InputError, match=r"^data frame: 2 of 1200 rows cannot be used: row 8: reaction is not a fin"
    ):
        mf.fit(frame, **NAMES)
    assert mf.fit(frame, **NAMES, skip_bad_rows=True).summary["log"]["used"] == 1198


def test_actions_and_an_expression_say_the_same(frame: pd.DataFrame) -> None:
    frame["like"] = (frame["score"] > 0).astype(int)
    frame["secs"] = np.exp(frame["score"])
    names = {"user": "who", "category": "what"}
    weighted = mf.fit(frame, **names, actions={"like": "like", "dwell": "secs"}, weights={"dwell": 0.5})
    told = mf.fit(frame, **names, reaction="like + 0.5*secs")
    assert weighted.dataset.equals(told.dataset)
    assert told.summary["log"]["reaction"] == "like + 0.5*secs"
    assert mf.fit(frame, **names, actions=["like", "secs"]).summary["log"]["reaction"] == "1 like + 1 secs"


def test_without_time_the_order_of_the_log_is_that_of_the_events(frame: pd.DataFrame) -> None:
    names = {name: column for name, column in NAMES.items() if name != "time"}
    first = mf.fit(frame.sort_values("when"), **names)
    assert first.summary["heldout"]["rmse"] == mf.fit(frame.sort_values("when"), **NAMES).summary["heldout"]["rmse"]
    assert first.summary["log"]["time"] == "order of the log"


def test_items_are_categories_where_there_is_no_table_of_them(frame: pd.DataFrame) -> None:
    found = mf.fit(frame.rename(columns={"what": "film"}), user="who", item="film", reaction="score", time="when")
    assert found.dataset.equals(mf.fit(frame, **NAMES).dataset)
    table = pd.DataFrame({"film": ["news", "sport", "pets"], "what": ["dull", "dull", "dear"]})
    films = frame.rename(columns={"what": "film"})
    joined = mf.fit(films, user="who", item="film", items=table, category="what", reaction="score")
    assert joined.found.category_names == ("dear", "dull")


def test_whole_sessions_are_held_out(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.to_csv(tmp_path / "log.csv", index=False)
    found = read_log(tmp_path / "log.csv", LogColumns("who", "what", "score", "when", session="visit"))
    held = last_of(found)
    table = pd.DataFrame({"user": found.user, "visit": found.session, "time": found.time, "held": held})
    by_visit = table.groupby(["user", "visit"]).agg(held=("held", "mean"), begun=("time", "min")).reset_index()
    assert set(by_visit["held"]) == {0.0, 1.0}
    for _, visits in by_visit.sort_values("begun").groupby("user"):
        count = len(visits)
        assert visits["held"].tolist() == [0.0] * (count - count // 5) + [1.0] * (count // 5)
    assert mf.fit(frame, **NAMES, session="visit").summary["heldout"]["events"] == held.sum()


def test_heavy_tails_spoil_a_fit_until_they_are_drawn_in(frame: pd.DataFrame) -> None:
    """One outlier sets the scale; log and rank give profiles that hold, with another unit."""
    frame["plays"] = np.round(np.exp(3 * frame["score"]))
    frame.loc[0, "plays"] = 1e9
    names = NAMES | {"reaction": "plays"}
    assert not mf.fit(frame, **names).verdict.holds
    for transform in ("log", "rank"):
        assert mf.fit(frame, **names, transform=transform).verdict.holds, transform
    assert mf.fit(frame, **names, transform="rank").summary["log"]["transform"] == "share of reactions below y"


def test_groups_and_blocks_of_people_change_nothing(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: Closed
) -> None:
    """With 7 people a group, 3 a block and files that leave memory at once: the people of one block, to rounding."""
    frame.to_csv(tmp_path / "log.csv", index=False)
    columns = LogColumns("who", "what", "score", "when")
    whole = read_log(tmp_path / "log.csv", columns)
    expected = shrink(whole, scaling_of(whole))
    monkeypatch.setattr(events, "GROUP", 7)
    monkeypatch.setattr(log, "GROUP", 7)
    monkeypatch.setattr(events, "SPOOL", 1)
    monkeypatch.setattr(shrinkage, "BLOCK", 3 * 9)
    parted = closed(read_events(tmp_path / "log.csv", columns))
    assert len(parted.events.groups) == 6
    assert [first for first, _ in parted.blocks(3)] == [0, 3, 6, 7, 10, 13, 14, 17, 20, 21, 24, 27, 28, 31, 34, 35, 38]
    found = shrink(parted, scaling_of(parted))
    assert parted.outside(-1, 1) == whole.outside(-1, 1) > 0
    for name in ("mean", "std", "events", "shrinkage", "tau_user", "tau_cell", "sigma", "mu", "clipped"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-8, atol=1e-9, err_msg=name)


def test_variances_of_a_sample_of_people_are_those_of_all(
    simulated: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: Closed
) -> None:
    """Of 800 people 400 are looked at: tau_cell is within 4 standard errors of the truth, and all have profiles."""
    drawn = simulated(np.full((800, 4), 5), np.full(4, 0.5), np.full(4, 0.1), 0.0, 0.1, seed=2)
    source = drawn.log
    rows = {"who": source.user, "what": source.category, "score": source.reaction, "when": source.time}
    pd.DataFrame(rows).to_csv(tmp_path / "log.csv", index=False)
    monkeypatch.setattr(shrinkage, "MOST_USERS", 400)
    parted = closed(read_events(tmp_path / "log.csv", LogColumns("who", "what", "score", "when")))
    found = shrink(parted, scaling_of(parted, 0.0, 1.0))
    variance = 0.1**2 + 0.1**2 / 5
    assert abs(found.tau_cell**2 - 0.1**2) < 4 * variance * np.sqrt(2 / (400 * 3))
    order = [int(name) for name in parted.user_names]
    error = np.sqrt(((found.mean - drawn.truth[order]) ** 2).mean())
    assert error < 1.1 * np.sqrt(1 / (1 / 0.1**2 + 5 / 0.1**2))


def test_reactions_are_looked_at_evenly_in_a_long_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOOKED_AT", 100)
    with closing(Events()) as kept:
        for part in np.array_split(np.arange(1000.0), [3, 200, 207, 555]):
            kept.add(records_of(user=np.zeros(len(part)), labels=0, session=0, reaction=part, time=0))
        seen = kept.some_reactions
    assert 50 <= len(seen) <= 100 and seen[0] == 0 and np.ptp(np.diff(seen)) == 0


def test_people_are_simulated_and_saved(frame: pd.DataFrame, tmp_path: Path) -> None:
    fitted = mf.fit(frame, **NAMES)
    run = fitted.simulate({"steps": 20})
    folder = fitted.save(tmp_path / "people")
    saved = mf.Scenario.load(folder / "scenario.toml")
    again = mf.simulate(mf.Scenario(**saved.model_dump(exclude_none=True) | {"steps": 20}))
    assert run.summary == again.summary
    assert repr(fitted).startswith("The profiles predict held-out reactions better than means do")
    assert "locked in at learning rate 0.1 / 1 / 3" in fitted._repr_html_()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"reaction": None}, "expected either actions or reaction"),
        ({"actions": ["score"]}, "expected either actions or reaction"),
        ({"category": None}, "expected category or item"),
        ({"weights": {"score": 1}}, "weights: expected actions beside them"),
        ({"delimiter": ";"}, "data frame: a delimiter and a missing header are of CSV files"),
        ({"reaction": "scores"}, 'data frame has no column "scores". Did you mean "score"'),
        ({"reaction": "score + depth"}, 'data frame has no column "depth"'),
    ],
)
def test_words_that_do_not_go_together_are_refused(frame: pd.DataFrame, changes: dict[str, Any], line: str) -> None:
    with pytest.raises(mf.InputError) as caught:
        mf.fit(frame, **NAMES | changes)
    assert line in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_no_log_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(mf.InputError, match="expected a path or a data frame of pandas, polars or pyarrow, got list"):
        mf.fit([1, 2], **NAMES)
    frame.insert(0, "score", 1.0, allow_duplicates=True)
    with pytest.raises(mf.InputError, match=r"data frame (has more than one column|cannot be read)"):
        mf.fit(frame, **NAMES)
