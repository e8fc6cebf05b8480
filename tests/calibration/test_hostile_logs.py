"""Logs that no person wrote: one line, and no folder."""

from pathlib import Path
from typing import Any

import pytest

from mirrorfield.calibration.fit import fit
from mirrorfield.calibration.log import LogColumns, read_log
from mirrorfield.calibration.scaling import Scaling
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
