"""Hostile logs and tables of items, CSV and Parquet."""

import io
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from hostile.mutate import cuts, mutate
from mirrorfield.calibration.log import LogColumns, read_log
from mirrorfield.calibration.log import read_items as read_kinds
from mirrorfield.calibration.scaling import scaling_of
from mirrorfield.cli.fit import fit
from mirrorfield.errors import InputError
from mirrorfield.store.population import read_population
from mirrorfield.world.text.items import ItemColumns, read_items

FITTED = 12
"""One log in so many is fitted after it is read: a fit takes fifty times as long as reading."""
CELLS = [
    "ann",
    "bob",
    "a",
    "b",
    "a|b",
    "1",
    "2.5",
    "",
    "nan",
    "1e308",
    "-1e308",
    "5e-324",
    "x" * 61,
    "9" * 400,
    "2020-01-01",
    "\0",
]
CELLS += ["0001-01-01T00:00:00+14:00", "9999-12-31", "1_0", "\u00a0", "'", '"']


def table(rows: list[list[str]], fault: list[tuple[int, int, bytes]]) -> bytes:
    """Return rows below a header as CSV, bytes of it changed."""
    good = [[u, c, str(1 + i % 5), str(i)] for i, (u, c) in enumerate([("ann", "a"), ("bob", "b"), ("ann", "b")] * 4)]
    lines = [["who", "what", "score", "when"], *good, *rows]
    return mutate("\n".join(",".join(line) for line in lines).encode(), fault)


tables = st.builds(
    table, st.lists(st.lists(st.sampled_from(CELLS), min_size=3, max_size=5), max_size=3), st.lists(cuts, max_size=2)
)


def read_reactions(folder: Path, data: bytes, name: str = "log.csv", items: Path | None = None) -> None:
    """Fit a log; the folder must hold a population if it was accepted, and nothing new else."""
    (folder / name).write_bytes(data)
    joined = {"items": items, "item": "what"} if items else {"items": None, "item": None}
    if items is None and zlib.crc32(data) % FITTED:
        log = read_log(folder / name, LogColumns("who", "what", "score", "when", "|"), skip_bad_rows=True)
        scaling_of(log)
        return
    options = {"scenario": "default", "low": None, "high": None, "max_categories": None, "seed": 0, "overwrite": False}
    before = {path.name for path in folder.iterdir()}
    whole = False
    try:
        fit(
            folder / name,
            "who",
            "score",
            category="score" if items else "what",
            time="when",
            session=None,
            transform=None,
            delimiter=None,
            no_header=False,
            separator="|",
            skip_bad_rows=True,
            out=folder / "out",
            quiet=True,
            json_=False,
            **joined,
            **options,
        )  # type: ignore[arg-type]
        read_population(folder / "out")
        whole = True
    finally:
        made = {path.name for path in folder.iterdir()} - before
        assert made == ({"out"} if whole else set()), f"half begun: {made}"


def read_catalogue(folder: Path, data: bytes) -> None:
    """Fit a log with a table of items, and read that table as items to embed."""
    (folder / "items.csv").write_bytes(data)
    with suppress(InputError):
        read_items(folder / "items.csv", ItemColumns("what", "score", "when"))
    if zlib.crc32(data) % FITTED:
        read_kinds(folder / "items.csv", LogColumns("who", "score", "score", "when", item="what"), skip_bad_rows=True)
    else:
        read_reactions(folder, table([], []), items=folder / "items.csv")


def parquet(columns: dict[str, Any], fault: list[tuple[int, int, bytes]]) -> bytes:
    """Return columns as a Parquet file, bytes of it changed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    try:
        pq.write_table(pa.table(columns), file)
    except pa.ArrowInvalid:  # a date that Parquet itself refuses
        return b"PAR1"
    return mutate(file.getvalue(), fault)


def parquet_files() -> st.SearchStrategy[bytes]:
    """Return Parquet files of good and odd columns."""
    import pyarrow as pa

    n = 12
    good = {
        "who": ["ann", "bob", "cy"] * 4,
        "what": ["a", "b"] * 6,
        "score": [1.0, 2, 3] * 4,
        "when": list(range(n)),
    }
    odd = [
        pa.array([2**31 - 1] * n, pa.int32()).cast(pa.date32()),
        pa.array([2**62] * n, pa.int64()).cast(pa.timestamp("s")),
        pa.array([2**62] * n, pa.timestamp("us", "Mars/Base")),
        pa.array([[1]] * n),
        pa.array([{"a": 1}] * n),
        pa.array([b"\xff"] * n),
        pa.array([None] * n),
        pa.array([True] * n),
        pa.array([1e308] * n),
        pa.array([2**63] * n, pa.uint64()),
        pa.array([2**62] * n, pa.duration("ns")),
        pa.array([86399] * n, pa.time32("s")),
        pa.array(["x" * 70, "b"] * 6),
    ]
    change = st.dictionaries(st.sampled_from([*good, "who2"]), st.sampled_from(odd), max_size=2)
    return st.builds(lambda extra, fault: parquet(good | extra, fault), change, st.lists(cuts, max_size=2))
