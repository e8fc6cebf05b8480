"""Interaction logs: who reacted how strongly to which categories, and when."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.categories import choose_categories, codes_of, count_labels, incidence
from mirrorfield.calibration.events import GROUP, Events, Records, in_parts, parts_of, records_of
from mirrorfield.calibration.objective import Objective, objective_of
from mirrorfield.calibration.source import Batch, Coded, Column, Kind, Source
from mirrorfield.calibration.table import BadRows, place_name
from mirrorfield.calibration.transform import check_transform, transform_of
from mirrorfield.errors import InputError

NUMBER, DATE, ZONED = "number", "date", "date with an offset"
NO_LABEL, NO_ITEM = -1, -2
FEWEST, SAMPLED = 2000, 1 << 21
LISTED_BEFORE = "item listed before with another category"
MAX_REACTION = 1e100
"""The largest reaction, up to sign: squares of a billion of these add up in float64."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LogColumns:
    """The column of each role, and how the log is written.

    reaction is a column, an expression over columns, or an Objective. Without time, events are in the order of the log.
    separator splits a category field into labels; item joins with an items table; session names the column whose
    events belong together, propensity that with the chance of having been shown, deliberate that with a second signal,
    given on purpose. delimiter and named are of CSV files:
    what separates fields, and whether a header is there.
    """

    user: str
    category: str
    reaction: str | Objective
    time: str | None = None
    separator: str | None = None
    item: str | None = None
    session: str | None = None
    propensity: str | None = None
    deliberate: str | None = None
    delimiter: str | None = None
    named: bool = True
    transform: str | None = None


@dataclass(frozen=True)
class InteractionLog:
    """The usable events of a log in its order, and which categories each carries.

    user, reaction and time have one entry per event (E,); event, category and weight one per pair of an event and
    one of its labels (R >= E,), ordered by event, with weight 1 / (number of labels of the event).

    user: int64 index into user_names, numbered by first appearance. reaction: float64, the log's unit.
    time: float64, the log's number, seconds since 1970-01-01 UTC for dates, or the place in the log. event: int64 index
    into the events. session: int64 (E,), equal for events of one session, or None. propensity: float64 (E,), the chance
    with which the event's item was shown, above 0 and at most 1, or None. deliberate: float64 (E,), NaN where an event
    has none, or None.
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
    session: NDArray[np.int64] | None = None
    propensity: NDArray[np.float64] | None = None
    deliberate: NDArray[np.float64] | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest reaction."""
        return float(self.reaction.min()), float(self.reaction.max())

    def outside(self, low: float, high: float) -> int:
        """Return how many reactions lie outside [low, high]."""
        return int(((self.reaction < low) | (self.reaction > high)).sum())


@dataclass
class EventLog:
    """The usable events of a log, in groups of people; `blocks`, `sample` and `whole` give them as InteractionLogs.

    codes has the categories of each label set.
    """

    events: Events
    codes: Sequence[Sequence[int]]
    user_names: tuple[str, ...]
    category_names: tuple[str, ...]
    report: dict[str, Any]

    def blocks(self, people: int) -> Iterator[tuple[int, InteractionLog]]:
        """Yield the first person and the log of at most so many people at a time; its user 0 is that person."""
        for first, records in self.events.each():
            end = min(first + GROUP, len(self.user_names))
            bounds = parts_of(records["user"], first, end, people)
            for start, stop, places in in_parts(records["user"], bounds):
                yield start, self._log(records[places], self.user_names[start:stop], start)

    def sample(self, people: int) -> InteractionLog:
        """Return the log of so many people, spread evenly over all, or of all of them if there are fewer.

        Where they have more than 2^21 events, fewer are taken, but not fewer than 2,000.
        """
        total = len(self.user_names)
        people = min(people, max(FEWEST, SAMPLED * total // self.events.size))
        if total <= people:
            return self.whole()
        chosen = np.arange(people, dtype=np.int64) * total // people
        place = np.full(total, -1, np.int32)
        place[chosen] = np.arange(people)
        found = np.concatenate([records[place[records["user"]] >= 0] for _, records in self.events.each()])
        found["user"] = place[found["user"]]
        return self._log(found, tuple(self.user_names[i] for i in chosen))

    def whole(self) -> InteractionLog:
        """Return all events in memory, a group of 65,536 people after the other, each in the order of the log."""
        return self._log(np.concatenate([records for _, records in self.events.each()]), self.user_names)

    def outside(self, low: float, high: float) -> int:
        """Return how many reactions lie outside [low, high]."""
        return sum(int(((r["reaction"] < low) | (r["reaction"] > high)).sum()) for _, r in self.events.each())

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest reaction."""
        least, most = self.events.transform.of(np.array([self.events.least, self.events.most]))
        return float(least), float(most)

    def _log(self, records: Records, names: tuple[str, ...], first: int = 0) -> InteractionLog:
        event, category, weight = incidence(self.codes, records["labels"])
        session = records["session"].astype(np.int64) if self.report["sessions"] else None
        propensity = records["propensity"].astype(np.float64) if self.report["propensity"] else None
        deliberate = records["deliberate"].astype(np.float64) if self.report["deliberate"] else None
        return InteractionLog(
            records["user"].astype(np.int64) - first, records["reaction"].copy(), records["time"].copy(),
            event, category, weight, names, self.category_names, self.report, session, propensity, deliberate,
        )  # fmt: skip


@dataclass
class _Reading:
    """What is known while a log is read; a category field and a name are held once, however often they occur."""

    separator: str | None
    catalogue: Mapping[str, str] | None
    objective: Objective
    bad: BadRows
    others: Sequence[str]
    events: Events = field(default_factory=Events)
    users: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)
    label_sets: list[tuple[str, ...]] = field(default_factory=list)
    count: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    clocks: set[str] = field(default_factory=set)

    def labels_of(self, text: str) -> int:
        """Return the number of the label set of a category field, or of an item; NO_LABEL or NO_ITEM if it has none."""
        if text not in self.known:
            given = text if self.catalogue is None else self.catalogue.get(text.strip())
            self.known[text] = NO_ITEM if given is None else self._labels_in(given)
        return self.known[text]

    def _labels_in(self, text: str) -> int:
        if text not in self.fields:
            parts = text.split(self.separator) if self.separator else [text]
            labels = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
            self.fields[text] = len(self.label_sets) if labels else NO_LABEL
            self.label_sets += [labels] if labels else []
        return self.fields[text]

    def take(self, batch: Batch) -> None:
        """Keep the events of a batch that can be used, and count the others with the reason and the value at fault."""
        user, category, *rest = batch.columns
        columns, others = rest[: len(self.objective.columns)], rest[len(self.objective.columns) :]
        labels = _mapped(category, self.labels_of)
        reaction, problems = self.objective.of([numbers(column) for column in columns])
        found: list[tuple[NDArray[np.bool_], str, Sequence[Column]]] = [
            (labels == NO_ITEM, "item is not in the items table", [category]),
            (empty(user), "empty user", []),
            (labels == NO_LABEL, "empty category", []),
            *((mask, reason, columns) for mask, reason in problems),
            (~np.isfinite(reaction), "reaction is not a finite number", columns),
            (np.abs(reaction) > MAX_REACTION, f"reaction is beyond {MAX_REACTION:g}", columns),
        ]
        given = dict(zip(self.others, others, strict=True))
        time = self.events.size + np.arange(len(reaction), dtype=np.float64)
        if "time" in given:
            time = times(given["time"], self.clocks)
            found.append((np.isnan(time), "time is neither a number nor an ISO date", [given["time"]]))
        chance = numbers(given["propensity"]) if "propensity" in given else np.ones(len(reaction))
        if "propensity" in given:
            least = np.finfo(np.float32).tiny
            found.append(
                (~((chance >= least) & (chance <= 1)), "propensity is not above 0 and at most 1", [given["propensity"]])
            )
        meant = np.full(len(reaction), np.nan)
        if "deliberate" in given:
            meant, wrong = some_numbers(given["deliberate"])
            found.append((wrong, "deliberate is neither empty nor a finite number", [given["deliberate"]]))
        if "session" in given:
            found.append((empty(given["session"]), "empty session", []))
        good = count_bad(self.bad, batch, found)
        self.count = _added(self.count, np.bincount(labels[good], minlength=len(self.label_sets)))
        session = coded(given["session"], good, self.sessions) if "session" in given else 0
        self.events.add(
            records_of(
                user=coded(user, good, self.users), labels=labels[good], session=session,
                propensity=chance[good], reaction=reaction[good], time=time[good], deliberate=meant[good],
            )
        )  # fmt: skip


def count_bad(
    bad: BadRows, batch: Batch, found: Sequence[tuple[NDArray[np.bool_], str, Sequence[Column]]]
) -> NDArray[np.bool_]:
    """Count the bad records of a batch in the order of their places, each for the first reason; return the good."""
    good: NDArray[np.bool_] = ~np.any([mask for mask, _, _ in found], axis=0)
    wrong: list[tuple[int, str, str | None]] = [(place, reason, None) for place, reason in batch.faults]
    for i in np.flatnonzero(~good).tolist():
        reason, columns = next((reason, columns) for mask, reason, columns in found if mask[i])
        wrong.append((batch.places[i], reason, ", ".join(_text(column, i) for column in columns) if columns else None))
    for place, reason, value in sorted(wrong, key=lambda told: told[0]):
        bad.add(place, reason, value)
    bad.rows += len(good) + len(batch.faults)
    return good


def empty(column: Column) -> NDArray[np.bool_]:
    """Return which texts of a column are empty or blank."""
    if isinstance(column, Coded):
        return np.array([not text.strip() for text in column.texts], np.bool_)[column.indices]
    texts = _texts(column)
    return np.zeros(len(texts), np.bool_) if all(map(str.strip, texts)) else np.array([not t.strip() for t in texts])


def _added(count: NDArray[np.int64], more: NDArray[np.int64]) -> NDArray[np.int64]:
    found = more.astype(np.int64)
    found[: len(count)] += count
    return found


def _mapped(column: Column, function: Callable[[str], int]) -> NDArray[np.int64]:
    """Return an integer for every text of a column; the function is asked once for each distinct one."""
    if isinstance(column, Coded):
        used = np.unique(column.indices)
        values = np.zeros(len(column.texts), np.int64)
        values[used] = [function(column.texts[i]) for i in used.tolist()]
        return values[column.indices]
    texts = _texts(column)
    known = {text: function(text) for text in dict.fromkeys(texts)}
    return np.array([known[text] for text in texts], np.int64)


def coded(column: Column, good: NDArray[np.bool_], table: dict[str, int]) -> NDArray[np.int64]:
    """Return the number of every name in the good places, numbered by first appearance; new ones join the table."""
    if isinstance(column, Coded):
        indices = column.indices[good]
        used, first = np.unique(indices, return_index=True)
        values = np.zeros(len(column.texts), np.int64)
        for i in used[np.argsort(first)].tolist():
            values[i] = table.setdefault(column.texts[i].strip(), len(table))
        return values[indices]
    texts = _texts(column)
    names = map(str.strip, texts if good.all() else compress(texts, good))
    return np.array([table.setdefault(name, len(table)) for name in names], np.int64)


def _text(column: Column, i: int) -> str:
    return column.texts[column.indices[i]] if isinstance(column, Coded) else str(column[i])


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


def numbers(column: Column) -> Floats:
    """Return the finite numbers of a column, NaN where there is none, float64.

    >>> numbers(["1", "x", "inf"]).tolist()
    [1.0, nan, nan]
    """
    if isinstance(column, np.ndarray):
        found = column
    else:
        texts = _texts(column)
        try:
            found = np.array(list(map(float, texts)), np.float64)
            if "_" in "".join(texts):
                raise ValueError
        except ValueError:
            parsed = (parse_number(text) for text in texts)
            found = np.array([math.nan if value is None else value for value in parsed], np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def some_numbers(column: Column) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the numbers of a column, NaN where it is empty, and where it is neither empty nor a finite number.

    >>> found, wrong = some_numbers(["3", "", "x"])
    >>> found.tolist(), wrong.tolist()
    ([3.0, nan, nan], [False, False, True])
    """
    found = numbers(column)
    if isinstance(column, np.ndarray):
        return found, np.isinf(column)
    return found, np.isnan(found) & ~empty(column)


def times(column: Column, clocks: set[str]) -> Floats:
    """Return the times of a column, NaN where there is none, float64, and note in `clocks` what kinds they are of."""
    found = numbers(column)
    if isinstance(column, np.ndarray):
        clocks.add(NUMBER)
        return found
    is_number = ~np.isnan(found)
    if is_number.any():
        clocks.add(NUMBER)
    texts = _texts(column)
    for i in np.flatnonzero(~is_number).tolist():
        if moment := parse_time(texts[i]):
            found[i] = moment[0]
            clocks.add(moment[1])
    return found


def _texts(column: Column) -> Sequence[str]:
    if isinstance(column, Coded):
        return [column.texts[i] for i in column.indices]
    return [f"{x:g}" for x in column] if isinstance(column, np.ndarray) else column


def parse_time(text: str) -> tuple[float, str] | None:
    """Return a number as it is, or an ISO 8601 date in seconds since 1970-01-01 UTC, with its kind; or None.

    A date without an offset from UTC is taken as UTC.

    >>> parse_time("12"), parse_time("1970-01-02"), parse_time("1970-01-01T02:00+02:00"), parse_time("noon")
    ((12.0, 'number'), (86400.0, 'date'), (0.0, 'date with an offset'), None)
    """
    if (value := parse_number(text)) is not None:
        return value, NUMBER
    try:
        moment = datetime.fromisoformat(text.strip())
        zoned = moment.tzinfo is not None
        return (moment if zoned else moment.replace(tzinfo=UTC)).timestamp(), ZONED if zoned else DATE
    except (ValueError, OverflowError):
        return None


def read_log(
    log: Any,
    columns: LogColumns,
    *,
    items: Any = None,
    skip_bad_rows: bool = False,
    max_categories: int | None = None,
) -> InteractionLog:
    """Read a log as `read_events` does, and return all of its events in memory.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "log.csv")
    ...     _ = path.write_text("who,what,score,when\\nann,a|b,1,1\\nbob,b,3,2\\n")
    ...     log = read_log(path, LogColumns("who", "what", "score", "when", separator="|"))
    >>> log.category_names, log.weight.tolist()
    (('a', 'b'), [0.5, 0.5, 1.0])
    """
    found = read_events(log, columns, items=items, skip_bad_rows=skip_bad_rows, max_categories=max_categories)
    with closing(found.events):
        return found.whole()


def read_events(
    log: Any,
    columns: LogColumns,
    *,
    items: Any = None,
    skip_bad_rows: bool = False,
    max_categories: int | None = None,
) -> EventLog:
    """Read an interaction log, refusing rows that cannot be used or counting them.

    Parameters: log, a path to CSV or Parquet, or a data frame; columns, the column of each role; items, a second table
    from which the category of columns.item is taken; skip_bad_rows, leave bad rows out and count them in the report
    instead of refusing; max_categories, 2 to 32, merge the rarest categories into "other" when there are more. Returns
    an EventLog, whose `events` are to be closed. Raises InputError, in one line, for anything that cannot be used.
    """
    if (items is None) != (columns.item is None):
        raise InputError("--items TABLE and --item COLUMN go together: the table, and the column both tables share.")
    if columns.separator == "":
        raise InputError(
            '--separator: expected one character or more, got ""; leave it out if every event has one category.'
        )
    check_transform(columns.transform)
    source = Source(log, columns.delimiter, columns.named)
    given = columns.reaction
    objective = given if isinstance(given, Objective) else objective_of(given, source.header)
    catalogue, items_report = (None, None) if items is None else read_items(items, columns, skip_bad_rows)
    bad = BadRows(source.path, places=source.places)
    others = [name for name in ("time", "propensity", "deliberate", "session") if getattr(columns, name) is not None]
    reading = _Reading(columns.separator, catalogue, objective, bad, others)
    try:
        for batch in source.batches(_wanted(columns, objective, items is not None)):
            reading.take(batch)
        _check_read(reading, columns, skip_bad_rows)
        reading.events.transform = transform_of(columns.transform, reading.events.some_reactions)
        return _assemble(reading, columns, bad.report() | {"items": items_report}, max_categories)
    except BaseException:
        reading.events.close()
        raise


def _wanted(columns: LogColumns, objective: Objective, joined: bool) -> list[tuple[str, Kind]]:
    wanted: list[tuple[str, Kind]] = [
        (columns.user, "text"), (str(columns.item) if joined else columns.category, "text"),
        *((name, "number") for name in objective.columns),
    ]  # fmt: skip
    wanted += [(columns.time, "time")] if columns.time is not None else []
    wanted += [(columns.propensity, "number")] if columns.propensity is not None else []
    wanted += [(columns.deliberate, "number")] if columns.deliberate is not None else []
    return wanted + ([(columns.session, "text")] if columns.session is not None else [])


def _check_read(reading: _Reading, columns: LogColumns, skip_bad_rows: bool) -> None:
    """Raise InputError unless there are events, all rows are good or may be bad, and times can be put in order."""
    bad, clocks = reading.bad, reading.clocks
    if bad.rows == 0:
        raise InputError(f"{bad.path} holds a header but no rows: expected one row per reaction.")
    if not skip_bad_rows:
        bad.refuse()
    if not reading.events.size:
        raise InputError(f"{bad.path}: none of its {bad.rows} rows can be used: {'; '.join(bad.shown)}.")
    check_clocks(bad.path, columns.time, clocks)


def check_clocks(path: Path, column: str | None, clocks: set[str]) -> None:
    """Raise InputError unless all times of a column are of one kind, which can be put in order."""
    if NUMBER in clocks and len(clocks) > 1:
        raise InputError(f'{path}: column "{column}" mixes numbers and dates, which cannot be put in order.')
    if len(clocks) > 1:
        raise InputError(
            f'{path}: column "{column}" mixes dates with and without an offset from UTC, such as +02:00, '
            "which cannot be put in order; give all of them one, or leave all without."
        )


def read_items(items: Any, columns: LogColumns, skip_bad_rows: bool) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the category field of every item, and a report like a log's; raises InputError as read_events does."""
    source = Source(items, None if _is_table(items) else columns.delimiter)
    bad, catalogue = BadRows(source.path, places=source.places), dict[str, str]()
    for batch in source.batches([(str(columns.item), "text"), (columns.category, "text")]):
        wrong = list(batch.faults)
        for i, place in enumerate(batch.places):
            item, category = _text(batch.columns[0], i).strip(), _text(batch.columns[1], i)
            if not item:
                wrong.append((place, "empty item"))
            elif catalogue.setdefault(item, category) != category:
                wrong.append((place, f"{LISTED_BEFORE} {item}"))
        for place, reason in sorted(wrong):
            again = reason.startswith(LISTED_BEFORE)
            bad.add(place, LISTED_BEFORE if again else reason, reason[len(LISTED_BEFORE) + 1 :] if again else None)
        bad.rows += len(batch.places) + len(batch.faults)
    if not skip_bad_rows:
        bad.refuse()
    return catalogue, bad.report()


def _is_table(source: Any) -> bool:
    return not isinstance(source, str | Path) or place_name(Path(source)) == "row"


def _assemble(reading: _Reading, columns: LogColumns, report: dict[str, Any], max_categories: int | None) -> EventLog:
    count = count_labels(reading.label_sets, reading.count)
    names, merged = choose_categories(count, max_categories, f'{reading.bad.path}, column "{columns.category}"')
    codes = codes_of(reading.label_sets, names)
    labels = int(sum(len(codes[i]) * n for i, n in enumerate(reading.count.tolist())))
    report |= {
        "users": len(reading.users), "events": reading.events.size, "labels": labels, "categories": len(names),
        "sessions": len(reading.sessions), "reaction": reading.objective.text,
        "time": columns.time or "order of the log", "propensity": columns.propensity, "deliberate": columns.deliberate,
        "transform": reading.events.transform.words, "merged": merged,
    }  # fmt: skip
    return EventLog(reading.events, codes, tuple(reading.users), names, report)
