"""Sessions of a log: how long people stayed with each post, what they did, and in which order."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.log import check_clocks, coded, count_bad, empty, numbers, times
from mirrorfield.calibration.source import Batch, Column, Kind, Source
from mirrorfield.calibration.table import BadRows
from mirrorfield.errors import InputError

Array = NDArray[np.float64]
Index = NDArray[np.int64]

NO_DWELL, ACTION = "dwell of 0", "action: "
DWELL = 4
"""Features of an event that are of its dwell; the others are its actions."""


@dataclass(frozen=True)
class Sessions:
    """S sessions of E events, one session after the other, each in order.

    features (E, 4 + M) float64: 1, whether the dwell is above 0, x and x^2 for x = ln(dwell) - centre (0 where it is
    not), then the M actions, 0 or 1. length (S,) events of each session; person (S,) int64, whose it is; actions: the
    M names. If some dwells are 0, the last action is that the dwell is 0. has_dwell: whether the log has dwells.
    """

    features: Array
    length: Index
    person: Index
    actions: tuple[str, ...]
    centre: float
    has_dwell: bool

    @cached_property
    def packed(self) -> tuple[Index, Index, Index]:
        """The places of all first events, then of all second ones, and so on; how many; and the order of sessions.

        The longest session is the first of each: those that have ended are at the end.
        """
        longest = np.argsort(-self.length, kind="stable")
        first = (np.cumsum(self.length) - self.length)[longest]
        sizes = np.searchsorted(-self.length[longest], -np.arange(self.length.max()), side="left")
        return np.concatenate([first[:m] + t for t, m in enumerate(sizes)]), sizes, longest

    def keep(self, chosen: NDArray[np.bool_]) -> "Sessions":
        """Return the sessions marked in chosen (S,) bool."""
        features = self.features[np.repeat(chosen, self.length)]
        return replace(self, features=features, length=self.length[chosen], person=self.person[chosen])


def sessions_of(
    person: Index, session: Index, time: Array, dwell: Array | None, acted: Mapping[str, NDArray[np.bool_]]
) -> Sessions:
    """Return sessions from events in any order: those of one person and one session number, in order of time.

    Parameters: person, session (E,) int64; time (E,) float64, ties in the order given; dwell (E,) seconds, 0 or more,
    or None; acted, {action: whether it happened (E,) bool}. Raises InputError where nothing can be told from them.
    """
    order = np.lexsort((time, session, person))
    person, session = person[order], session[order]
    first = np.flatnonzero(np.append(True, (np.diff(person) != 0) | (np.diff(session) != 0)))
    length = np.diff(np.append(first, len(order)))
    if length.max() < 2:
        raise InputError(
            f"Each of the {len(length):,} sessions has one event: expected sessions of several, for a state is told "
            "from one event to the next. Check --session."
        )
    did = {name: values[order] for name, values in acted.items()}
    x, positive, centre = np.zeros(len(order)), np.zeros(len(order), np.bool_), 0.0
    if dwell is not None:
        positive = dwell[order] > 0
        logs = np.log(dwell[order], out=x, where=positive)
        centre = float(logs[positive].mean()) if positive.any() else 0.0
        x = np.where(positive, logs - centre, 0.0)
        if not positive.all():
            did[NO_DWELL] = ~positive
    columns = [np.ones(len(order)), positive, x, x * x, *did.values()]
    features = np.column_stack([np.asarray(column, np.float64) for column in columns])
    if np.ptp(features, axis=0).max() == 0:
        raise InputError("Every event has the same dwell and actions: expected some that differ, to tell states by.")
    return Sessions(features, length, person[first], tuple(did), centre, dwell is not None)


@dataclass
class _Reading:
    """What is known while a log is read: which columns a batch has, and the numbers of people and sessions."""

    bad: BadRows
    has_user: bool
    has_dwell: bool
    has_time: bool
    actions: tuple[str, ...]
    people: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)
    clocks: set[str] = field(default_factory=set)
    read: int = 0

    def take(self, batch: Batch) -> dict[str, NDArray[Any]]:
        """Return the events of a batch that can be used, by column, and count the others."""
        session, *rest = batch.columns
        user = rest.pop() if self.has_user else session
        found: list[tuple[NDArray[np.bool_], str, list[Column]]] = [
            (empty(session), "empty session", []), (empty(user), "empty user", []),
        ]  # fmt: skip
        values: dict[str, Array] = {}
        names = [f"{ACTION}{name}" for name in self.actions] + (["dwell"] if self.has_dwell else [])
        for name, column in zip(names, rest, strict=False):
            values[name] = numbers(column)
            said = name.removeprefix(ACTION)
            found += [(np.isnan(values[name]), f"{said} is not a finite number", [column])]
            found += [(values[name] < 0, f"{said} is negative", [column])]
        time = self.read + np.arange(len(batch.places), dtype=np.float64)
        if self.has_time:
            time = times(rest[-1], self.clocks)
            found.append((np.isnan(time), "time is neither a number nor an ISO date", [rest[-1]]))
        good = count_bad(self.bad, batch, found)
        self.read += len(good)
        kept = {name: value[good] if name == "dwell" else value[good] > 0 for name, value in values.items()}
        person, place = coded(user, good, self.people), coded(session, good, self.sessions)
        return {"person": person, "session": place, "time": time[good], **kept}


def read_sessions(
    log: Any,
    *,
    user: str | None,
    session: str,
    dwell: str | None,
    actions: Mapping[str, str],
    time: str | None = None,
    delimiter: str | None = None,
    named: bool = True,
    skip_bad_rows: bool = False,
) -> tuple[Sessions, dict[str, Any]]:
    """Read the sessions of a log, and return them with a report of what was read.

    Parameters: log, a path to CSV or Parquet, or a data frame; names of columns; without user, every session is a
    person of its own; an action happened where its column is above 0. Raises InputError, in one line, for rows that
    cannot be used, unless skip_bad_rows is set, which counts them.
    """
    source = Source(log, delimiter, named)
    bad = BadRows(source.path, places=source.places)
    wanted: list[tuple[str, Kind]] = [(session, "text"), *((column, "number") for column in actions.values())]
    wanted += [(dwell, "number")] if dwell is not None else []
    wanted += [(time, "time")] if time is not None else []
    wanted += [(user, "text")] if user is not None else []
    reading = _Reading(bad, user is not None, dwell is not None, time is not None, tuple(actions))
    parts = [reading.take(batch) for batch in source.batches(wanted)]
    if bad.rows == 0:
        raise InputError(f"{bad.path} holds a header but no rows: expected one row per event.")
    if not skip_bad_rows:
        bad.refuse()
    if bad.total == bad.rows:
        raise InputError(f"{bad.path}: none of its {bad.rows} rows can be used: {'; '.join(bad.shown)}.")
    check_clocks(bad.path, time, reading.clocks)
    every = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    acted = {name: every[f"{ACTION}{name}"] for name in actions}
    found = sessions_of(every["person"], every["session"], every["time"], every.get("dwell"), acted)
    told = {"people": len(reading.people), "sessions": len(found.length), "events": len(every["time"])}
    return found, bad.report() | told | {"time": time or "order of the log"}
