"""Rows of a CSV or Parquet table as text, each with the place where a person can find it."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from mirrorfield.errors import InputError, nearest
from mirrorfield.reading import reason_of

SHOWN, KEPT = 5, 20
ROW_BYTES = 100
"""What reading takes for each row, about."""
LISTED = 400
"""Characters of a header that a message shows."""


class Row(NamedTuple):
    """One record: its place (physical line or row number, from 1), the wanted fields, or why it has none."""

    place: int
    fields: Sequence[str]
    fault: str = ""


@dataclass
class BadRows:
    """A tally of the rows of one table that cannot be used, by reason.

    >>> bad = BadRows(Path("log.csv"), rows=9)
    >>> bad.add(4, "empty user")
    >>> bad.report()["bad"]
    {'empty user': {'count': 1, 'first': [4]}}
    """

    path: Path
    rows: int = 0
    places: str = ""
    count: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[int]] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.places = self.places or place_name(self.path)

    @property
    def total(self) -> int:
        """The number of rows that cannot be used."""
        return sum(self.count.values())

    def add(self, place: int, reason: str, value: str | None = None) -> None:
        """Count one row; the offending value is quoted in the refusal."""
        self.count[reason] = self.count.get(reason, 0) + 1
        first = self.first.setdefault(reason, [])
        if len(first) < KEPT:
            first.append(place)
        if len(self.shown) < SHOWN:
            quoted = "" if value is None else f' ("{" ".join(value.split())[:40]}")'
            self.shown.append(f"{self.places} {place}: {reason}{quoted}")

    def refuse(self) -> None:
        """Raise InputError naming the first bad rows, when there is any."""
        if self.total:
            more = "; ..." if self.total > len(self.shown) else ""
            raise InputError(
                f"{self.path}: {self.total} of {self.rows} rows cannot be used: {'; '.join(self.shown)}{more}. "
                "Correct them, or leave them out and have them counted with --skip-bad-rows."
            )

    def report(self) -> dict[str, Any]:
        """Return the counts as plain data: rows read, used, and bad by reason with the first 20 places."""
        bad = {reason: {"count": n, "first": self.first[reason]} for reason, n in self.count.items()}
        used = self.rows - self.total
        return {"file": self.path.name, "rows": self.rows, "used": used, "places": self.places, "bad": bad}


def place_name(path: Path) -> str:
    """Return what the rows of this file are numbered by: "row" for Parquet, else "line".

    >>> place_name(Path("log.parquet"))
    'row'
    """
    return "row" if path.suffix.lower() == ".parquet" else "line"


def read_table(path: Path, wanted: Sequence[str]) -> Iterator[Row]:
    """Yield the wanted columns of every record, streaming; blank lines of a CSV file are no records.

    A record with fewer or more fields than the header comes with a fault instead of fields. Parquet values become
    text, a null the empty string, a boolean 0 or 1.

    Parameters: path to a .parquet file, or to CSV text in UTF-8 with or without a byte order mark; wanted, column
    names. Raises InputError for an unreadable file, an unknown or repeated column, and broken quoting.
    """
    return _parquet_rows(path, wanted) if place_name(path) == "row" else _csv_rows(path, wanted)


def _csv_rows(path: Path, wanted: Sequence[str]) -> Iterator[Row]:
    with csv_records(path) as records:
        _, header = next(records, (0, []))
        at = [position(path, header, name) for name in wanted]
        for line, fields in records:
            if len(fields) == len(header):
                yield Row(line, [fields[i] for i in at])
            else:
                yield Row(line, (), "missing field" if len(fields) < len(header) else "too many fields")


@contextmanager
def csv_records(path: Path, delimiter: str = ",") -> Iterator[Iterator[tuple[int, list[str]]]]:
    """Yield the records of a CSV file with their lines, without blank ones, while it is open; refuse what is no CSV."""
    with readable(path), path.open(encoding="utf-8-sig", newline="") as file:
        yield _numbered(csv.reader(file, delimiter=delimiter, strict=True), path)


def _numbered(reader: Any, path: Path) -> Iterator[tuple[int, list[str]]]:
    line = 1
    try:
        for fields in reader:
            if fields:
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{path}, line {line}: not well-formed CSV ({error}). Check the quotes of the record that begins there."
        ) from None


def parquet_schema(path: Path) -> Any:
    """Return the Arrow schema of a Parquet file; raise InputError if its rows do not fit in memory."""
    parquet = pyarrow("pyarrow.parquet")
    with readable(path, Exception), parquet.ParquetFile(path) as file:
        _check_rows_fit(path, file.metadata)
        return file.schema_arrow


def _parquet_rows(path: Path, wanted: Sequence[str]) -> Iterator[Row]:
    arrow, parquet = pyarrow("pyarrow"), pyarrow("pyarrow.parquet")
    schema = parquet_schema(path)
    for name in wanted:
        check_flat(path, name, schema.field(position(path, schema.names, name)).type)
    with readable(path, Exception):
        yield from _parquet_batches(parquet.ParquetFile(path, read_dictionary=list(wanted)), wanted, arrow)


def check_flat(path: Path, name: str, kind: Any) -> None:
    """Raise InputError for a column of lists or tables."""
    if pyarrow("pyarrow").types.is_nested(kind):
        raise InputError(
            f'{path}: column "{name}" holds {str(kind)[:LISTED]}; join its values into text with a separator.'
        )


def _parquet_batches(opened: Any, wanted: Sequence[str], arrow: Any) -> Iterator[Row]:
    with opened as file:
        done = 0
        for batch in file.iter_batches(columns=sorted(set(wanted))):
            columns = [texts(batch.column(name), arrow) for name in wanted]
            for number, fields in enumerate(zip(*columns, strict=True), start=done + 1):
                yield Row(number, fields)
            done += len(batch)


def _check_rows_fit(path: Path, told: Any) -> None:
    """Raise InputError for more rows than fit in free memory: a small file can announce many."""
    import psutil

    largest = max((told.row_group(i).total_byte_size for i in range(told.num_row_groups)), default=0)
    needed, free = ROW_BYTES * told.num_rows + largest, psutil.virtual_memory().available
    if needed > free:
        raise InputError(
            f"{path}: {told.num_rows:,} rows need about {needed / 2**30:.1f} GiB of memory and {free / 2**30:.1f} GiB "
            "is free; keep the columns and rows that are needed, in smaller row groups"
        )


def texts(column: Any, arrow: Any) -> list[str]:
    """Return an Arrow column as texts: a null the empty one, a boolean 0 or 1."""
    if arrow.types.is_dictionary(column.type):  # one text for many rows stays one
        labels = texts(column.dictionary, arrow)
        return ["" if place is None else labels[place] for place in column.indices.to_pylist()]
    if arrow.types.is_timestamp(column.type):
        column = column.cast(arrow.timestamp("us", column.type.tz), safe=False)
    elif arrow.types.is_boolean(column.type):
        column = column.cast(arrow.int8())
    return ["" if value is None else str(value) for value in column.to_pylist()]


def pyarrow(module: str, what: str = "Reading Parquet") -> Any:
    """Return a module of pyarrow, or raise InputError saying how to install it."""
    try:
        return import_module(module)
    except ImportError:
        raise InputError(f'{what} needs pyarrow: pip install "mirrorfield[parquet]"') from None


def position(path: Path, header: Sequence[str], name: str) -> int:
    """Return where a column is in a header; raise InputError if it is not there, or twice."""
    if not header:
        raise InputError(f"{path} is empty: expected a header line and one row per record.")
    if name not in header:
        raise InputError(
            f'{path} has no column "{name}".{nearest(name, header)[:LISTED]} Its columns: {", ".join(header)[:LISTED]}.'
        )
    if list(header).count(name) > 1:
        raise InputError(f'{path} has more than one column "{name}"; rename all but one.')
    return list(header).index(name)


@contextmanager
def readable(path: Path, *others: type[Exception]) -> Iterator[None]:
    """Turn errors of the disk, of UTF-8 and of the other kinds into InputError, in one line that names the file."""
    unreadable: tuple[type[Exception], ...] = (OSError, *others)
    try:
        yield
    except UnicodeDecodeError:
        raise InputError(f"{path}, line {_undecodable_line(path)}: not UTF-8 text. Save the file as UTF-8.") from None
    except unreadable as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or reason_of(error)
        raise InputError(f"{path} cannot be read: {reason}.") from None


def _undecodable_line(path: Path) -> int:
    with path.open("rb") as file:
        return next(number for number, line in enumerate(file, start=1) if not _is_utf8(line))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
