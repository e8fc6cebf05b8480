"""Interaction logs: who reacted how strongly to which categories, and when."""

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.categories import choose_categories, count_labels, incidence
from mirrorfield.calibration.table import BadRows, read_table
from mirrorfield.errors import InputError

NUMBER, DATE = "number", "date"
MAX_REACTION = 1e100
"""The largest reaction, up to sign: squares of a billion of these add up in float64."""


@dataclass(frozen=True)
class LogColumns:
    """The column of each role; separator splits a category field into labels, item joins with an items table."""

    user: str
    category: str
    reaction: str
    time: str
    separator: str | None = None
    item: str | None = None


@dataclass(frozen=True)
class InteractionLog:
    """The usable events of a log in file order, and which categories each carries.

    user, reaction and time have one entry per event (E,); event, category and weight one per pair of an event and
    one of its labels (R >= E,), ordered by event, with weight 1 / (number of labels of the event).

    user: int64 index into user_names, numbered by first appearance. reaction: float64, the log's unit.
    time: float64, the log's number, or seconds since 1970-01-01 UTC for dates. event: int64 index into the events.
    category: int64 index into category_names. report: plain data on what was read, used and left out.
    """

    user: NDArray[np.int64]
    reaction: NDArray[np.float64]
    time: NDArray[np.float64]
    event: NDArray[np.int64]
    category: NDArray[np.int64]
    weight: NDArray[np.float64]
    user_names: tuple[str, ...]
    category_names: tuple[str, ...]
    report: dict[str, Any]


@dataclass
class _Events:
    """Columns that grow as rows are read; a category field is stored once, however often it occurs."""

    separator: str | None
    users: dict[str, int] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)
    label_sets: list[tuple[str, ...]] = field(default_factory=list)
    user: "array[int]" = field(default_factory=lambda: array("q"))
    label_set: "array[int]" = field(default_factory=lambda: array("q"))
    reaction: "array[float]" = field(default_factory=lambda: array("d"))
    time: "array[float]" = field(default_factory=lambda: array("d"))
    clocks: set[str] = field(default_factory=set)

    def labels_of(self, text: str) -> int:
        """Return the number of this category field's set of labels."""
        if text not in self.fields:
            parts = text.split(self.separator) if self.separator else [text]
            self.fields[text] = len(self.label_sets)
            self.label_sets.append(tuple(dict.fromkeys(part.strip() for part in parts if part.strip())))
        return self.fields[text]

    def take(self, user: str, category: str, reaction: str, time: str) -> tuple[str, str | None] | None:
        """Store one event, or return why it cannot be used and the value at fault."""
        value, moment, label_set = parse_number(reaction), parse_time(time), self.labels_of(category)
        if not user.strip():
            return "empty user", None
        if not self.label_sets[label_set]:
            return "empty category", None
        if value is None:
            return "reaction is not a finite number", reaction
        if abs(value) > MAX_REACTION:
            return f"reaction is beyond {MAX_REACTION:g}", reaction
        if moment is None:
            return "time is neither a number nor an ISO date", time
        self.user.append(self.users.setdefault(user.strip(), len(self.users)))
        self.label_set.append(label_set)
        self.reaction.append(value)
        self.time.append(moment[0])
        self.clocks.add(moment[1])
        return None


def parse_number(text: str) -> float | None:
    """Return the finite number a field holds, or None.

    >>> parse_number("4.5"), parse_number("nan"), parse_number("1_0")
    (4.5, None, None)
    """
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def parse_time(text: str) -> tuple[float, str] | None:
    """Return a number as it is, or an ISO 8601 date in seconds since 1970-01-01 UTC, with its kind; or None.

    A date without an offset is taken as UTC.

    >>> parse_time("12"), parse_time("1970-01-02"), parse_time("noon")
    ((12.0, 'number'), (86400.0, 'date'), None)
    """
    if (value := parse_number(text)) is not None:
        return value, NUMBER
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(), DATE
    except (ValueError, OverflowError):
        return None


def read_log(
    path: Path,
    columns: LogColumns,
    *,
    items: Path | None = None,
    skip_bad_rows: bool = False,
    max_categories: int | None = None,
) -> InteractionLog:
    """Read an interaction log from CSV or Parquet, refusing rows that cannot be used or counting them.

    Parameters: path, the log; columns, the column of each role; items, a second table from which the category of
    columns.item is taken; skip_bad_rows, leave bad rows out and count them in the report instead of refusing;
    max_categories, 2 to 32, merge the rarest categories into "other" when there are more. Returns an InteractionLog.
    Raises InputError, in one line, for anything that cannot be used.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "log.csv")
    ...     _ = path.write_text("who,what,score,when\\nann,a|b,1,1\\nbob,b,3,2\\n")
    ...     log = read_log(path, LogColumns("who", "what", "score", "when", separator="|"))
    >>> log.category_names, log.weight.tolist()
    (('a', 'b'), [0.5, 0.5, 1.0])
    """
    if (items is None) != (columns.item is None):
        raise InputError("--items TABLE and --item COLUMN go together: the table, and the column both tables share.")
    bad, events = BadRows(path), _Events(columns.separator)
    catalogue, items_report = read_items(items, columns, skip_bad_rows) if items else (None, None)
    _read_events(path, columns, catalogue, events, bad)
    if bad.rows == 0:
        raise InputError(f"{path} holds a header but no rows: expected one row per reaction.")
    if not skip_bad_rows:
        bad.refuse()
    if not events.user:
        raise InputError(f"{path}: none of its {bad.rows} rows can be used: {'; '.join(bad.shown)}.")
    if len(events.clocks) > 1:
        raise InputError(f'{path}: column "{columns.time}" mixes numbers and dates, which cannot be put in order.')
    return _assemble(path, columns, events, bad.report() | {"items": items_report}, max_categories)


def _read_events(
    path: Path, columns: LogColumns, catalogue: Mapping[str, str] | None, events: _Events, bad: BadRows
) -> None:
    third = columns.category if catalogue is None else str(columns.item)
    for place, fields, fault in read_table(path, (columns.user, columns.reaction, columns.time, third)):
        bad.rows += 1
        problem = (fault, None) if fault else _take(fields, catalogue, events)
        if problem:
            bad.add(place, *problem)


def _take(fields: Sequence[str], catalogue: Mapping[str, str] | None, events: _Events) -> tuple[str, str | None] | None:
    user, reaction, time, key = fields
    category = key if catalogue is None else catalogue.get(key.strip())
    return ("item is not in the items table", key) if category is None else events.take(user, category, reaction, time)


def read_items(path: Path, columns: LogColumns, skip_bad_rows: bool) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the category field of every item, and a report like a log's; raises InputError as read_log does."""
    bad, catalogue = BadRows(path), dict[str, str]()
    for place, fields, fault in read_table(path, (str(columns.item), columns.category)):
        bad.rows += 1
        item, category = (fields[0].strip(), fields[1]) if not fault else ("", "")
        if fault or not item:
            bad.add(place, fault or "empty item")
        elif catalogue.setdefault(item, category) != category:
            bad.add(place, "item listed before with another category", item)
    if not skip_bad_rows:
        bad.refuse()
    return catalogue, bad.report()


def _assemble(
    path: Path, columns: LogColumns, events: _Events, report: dict[str, Any], max_categories: int | None
) -> InteractionLog:
    label_set = np.frombuffer(events.label_set, dtype=np.int64)
    count = count_labels(events.label_sets, label_set)
    names, merged = choose_categories(count, max_categories, f'{path}, column "{columns.category}"')
    event, category, weight = incidence(events.label_sets, label_set, names)
    counts = {"users": len(events.users), "events": len(label_set), "labels": len(event), "categories": len(names)}
    report |= counts | {"merged": merged}
    user, reaction = np.frombuffer(events.user, dtype=np.int64), np.frombuffer(events.reaction, dtype=np.float64)
    time = np.frombuffer(events.time, dtype=np.float64)
    return InteractionLog(user, reaction, time, event, category, weight, tuple(events.users), names, report)
