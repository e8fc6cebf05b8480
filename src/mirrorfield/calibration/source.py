"""Batches of records from a file or a data frame: a column is numbers where it can be, else texts."""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.table import (
    check_flat,
    csv_records,
    parquet_schema,
    place_name,
    position,
    pyarrow,
    readable,
    texts,
)
from mirrorfield.errors import InputError

ROWS = 1 << 16
"""Records in a batch of a data frame."""
LINES = 1 << 14
"""Records in a batch of a CSV file."""
TAB = {"tab": "\t", "\\t": "\t"}
Kind = Literal["text", "number", "time"]


class Coded(NamedTuple):
    """A column of texts, each distinct one held once: indices (E,) into texts."""

    indices: NDArray[np.int64]
    texts: Sequence[str]


Column = Sequence[str] | NDArray[np.float64] | Coded


class Batch(NamedTuple):
    """Some records: their places (line or row, from 1), a column for each wanted one, and records without fields."""

    places: Sequence[int]
    columns: Sequence[Column]
    faults: Sequence[tuple[int, str]] = ()


class Source:
    """A log on disk or in memory: `header`, and `batches`.

    Parameters: log, a path to .parquet, or to CSV text in UTF-8 with or without a byte order mark, or a data frame of
    pandas, polars, pyarrow or whatever else has `__arrow_c_stream__`; delimiter, one character, or "tab"; named,
    whether CSV begins with a header: without one the columns are c1, c2 and so on. Raises InputError for what cannot
    be read.
    """

    def __init__(self, log: Any, delimiter: str | None = None, named: bool = True) -> None:
        self.frame = None if isinstance(log, str | Path) else log
        self.path = Path(log) if self.frame is None else Path("data frame")
        self.is_table = self.frame is not None or place_name(self.path) == "row"
        self.places = "row" if self.is_table else "line"
        if self.is_table and (delimiter is not None or not named):
            raise InputError(f"{self.path}: a delimiter and a missing header are of CSV files; leave them out.")
        self.delimiter, self.named = _delimiter(delimiter), named
        if self.frame is not None and not hasattr(self.frame, "__arrow_c_stream__"):
            raise InputError(
                f"fit: expected a path or a data frame of pandas, polars or pyarrow, got {type(self.frame).__name__}."
            )
        self._stream: Any = None
        self._kinds: dict[str, Any] = {}
        self.header = self._header()

    def _header(self) -> list[str]:
        if self.frame is not None:
            with readable(self.path, Exception):
                self._stream = pyarrow("pyarrow", "A data frame").RecordBatchReader.from_stream(self.frame)
            return self._told(self._stream.schema)
        if self.is_table:
            return self._told(parquet_schema(self.path))
        with csv_records(self.path, self.delimiter) as records:
            _, first = next(records, (0, []))
        return first if self.named else [f"c{i}" for i in range(1, len(first) + 1)]

    def _told(self, schema: Any) -> list[str]:
        self._kinds = dict(zip(schema.names, schema.types, strict=True))
        return list(map(str, schema.names))

    def batches(self, wanted: Sequence[tuple[str, Kind]]) -> Iterator[Batch]:
        """Yield all records; raise InputError for an unknown or repeated column and for what is no table."""
        at = [position(self.path, self.header, name) for name, _ in wanted]
        if not self.is_table:
            return self._csv_batches(at)
        for name, _ in wanted:
            check_flat(self.path, name, self._kinds[name])
        return self._arrow_batches(wanted)

    def _csv_batches(self, at: Sequence[int]) -> Iterator[Batch]:
        width, wanted = len(self.header), len(at)
        pick = itemgetter(*at, *at[:1])  # a tuple even of one
        lines: list[int] = []
        fields: list[str] = []
        faults: list[tuple[int, str]] = []
        with csv_records(self.path, self.delimiter) as records:
            if self.named:
                next(records)
            for line, record in records:
                if len(record) == width:
                    lines.append(line)
                    fields.extend(pick(record))
                else:
                    faults.append((line, "missing field" if len(record) < width else "too many fields"))
                if len(lines) + len(faults) == LINES:
                    yield Batch(lines, [fields[i :: wanted + 1] for i in range(wanted)], faults)
                    lines, fields, faults = [], [], []
            yield Batch(lines, [fields[i :: wanted + 1] for i in range(wanted)], faults)

    def _arrow_batches(self, wanted: Sequence[tuple[str, Kind]]) -> Iterator[Batch]:
        arrow = pyarrow("pyarrow")
        done = 0
        with readable(self.path, Exception):
            for batch in self._record_batches([name for name, _ in wanted]):
                for start in range(0, len(batch), ROWS):
                    part = batch.slice(start, ROWS)
                    columns = [
                        _column(part.column(part.schema.names.index(name)), kind, arrow) for name, kind in wanted
                    ]
                    yield Batch(range(done + 1, done + len(part) + 1), columns)
                    done += len(part)

    def _record_batches(self, names: Sequence[str]) -> Iterator[Any]:
        if self.frame is not None:
            yield from self._stream
            return
        coded = [name for name in names if not _is_number(self._kinds[name], pyarrow("pyarrow"))]
        with pyarrow("pyarrow.parquet").ParquetFile(self.path, read_dictionary=coded) as file:
            yield from file.iter_batches(batch_size=ROWS, columns=sorted(set(names)))


def _delimiter(word: str | None) -> str:
    delimiter = "," if word is None else TAB.get(word, word)
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise InputError(f'--delimiter: expected one character, or "tab", got "{delimiter[:20]!r}".')
    return delimiter


def _is_number(kind: Any, arrow: Any) -> bool:
    of = arrow.types
    return bool(of.is_integer(kind) or of.is_floating(kind) or of.is_boolean(kind) or of.is_decimal(kind))


def _column(column: Any, kind: Kind, arrow: Any) -> Column:
    if "view" in str(column.type):
        column = column.cast(arrow.large_string())
    if kind == "text":
        coded = column if arrow.types.is_dictionary(column.type) else column.dictionary_encode()
        indices = coded.indices.cast(arrow.int64()).fill_null(len(coded.dictionary))
        return Coded(indices.to_numpy(zero_copy_only=False), [*texts(coded.dictionary, arrow), ""])
    if _is_number(column.type, arrow):
        if arrow.types.is_boolean(column.type):
            column = column.cast(arrow.int8())
        found = column.cast(arrow.float64(), safe=False).to_numpy(zero_copy_only=False)
        return np.asarray(found, np.float64)
    return texts(column, arrow)
