"""Logs that no person wrote: one line, and no folder."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from mirrorfield.calibration.fit import fit
from mirrorfield.calibration.log import LogColumns, read_log
from mirrorfield.calibration.scaling import Scaling
from mirrorfield.calibration.table import read_table
from mirrorfield.errors import InputError

COLUMNS = LogColumns("who", "what", "score", "when")


def written(folder: Path, *rows: str) -> Path:
    path = folder / "log.csv"
    path.write_text("who,what,score,when\n" + "\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (["ann,a,1,1", f"ann,{'x' * 61},2,2"], "expected categories of at most 60 characters"),
        (["ann,a,1e308,1", "ann,b,-1e308,2"], 'line 2: reaction is beyond 1e+100 ("1e308")'),
        (["ann,a,1,0001-01-01T00:00:00+23:59", "ann,b,2,x"], "line 3: time is neither a number nor an ISO date"),
    ],
)
def test_a_log_that_cannot_be_used_is_refused(tmp_path: Path, rows: list[str], line: str) -> None:
    with pytest.raises(InputError) as caught:
        fit(written(tmp_path, *rows), COLUMNS)
    assert line in str(caught.value) and "\n" not in str(caught.value)


def test_a_scale_too_narrow_for_its_own_arithmetic_is_refused() -> None:
    with pytest.raises(InputError, match="needs a width from 1e-100"):
        Scaling(0.0, 5e-324)


@pytest.mark.parametrize("kind", ["date32", "timestamp"])
def test_parquet_dates_beyond_the_calendar_are_refused(tmp_path: Path, kind: str) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    far: dict[str, Any] = {
        "date32": arrow.array([2**31 - 1] * 2, arrow.int32()).cast(arrow.date32()),
        "timestamp": arrow.array([2**62] * 2, arrow.timestamp("us")),
    }
    table = {"who": ["ann", "bob"], "what": ["a", "b"], "score": [1.0, 2.0], "when": far[kind]}
    parquet.write_table(arrow.table(table), tmp_path / "log.parquet")
    with pytest.raises(InputError, match=r"log\.parquet cannot be read: "):
        read_log(tmp_path / "log.parquet", COLUMNS)


def test_more_parquet_rows_than_fit_in_memory_are_refused_before_they_are_read(tmp_path: Path, monkeypatch) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = arrow.table(
        {"who": ["a"] * 200_000, "what": ["x"] * 200_000, "score": [1.0] * 200_000, "when": [1] * 200_000}
    )
    parquet.write_table(table, tmp_path / "log.parquet")
    assert (tmp_path / "log.parquet").stat().st_size < 10_000
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2**24))
    with pytest.raises(
        InputError, match=r"log\.parquet: 200,000 rows need about 0\.0 GiB of memory and 0\.0 GiB is free"
    ):
        read_log(tmp_path / "log.parquet", COLUMNS)


def test_a_long_text_that_many_parquet_rows_share_is_held_once(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = 15_000
    shared = arrow.DictionaryArray.from_arrays(np.zeros(rows, np.int32), ["x" * 100_000])  # 1.5 GB if it is repeated
    path = tmp_path / "log.parquet"
    parquet.write_table(arrow.table({"name": shared}), path, store_schema=False)
    assert path.stat().st_size < 200_000
    before = arrow.total_allocated_bytes()
    for row in read_table(path, ["name"]):
        assert len(row.fields[0]) == 100_000
        assert arrow.total_allocated_bytes() - before < 2**28
