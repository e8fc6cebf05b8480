"""Events of a log, kept in groups of people outside memory, so that a fit needs one group at a time."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from os import SEEK_END
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.transform import SAME, Transform

GROUP = 1 << 16
"""People whose events are kept together."""
SPOOL = 1 << 20
"""Bytes of a group that stay in memory; what is beyond goes to a temporary file."""
RECORD = np.dtype(
    [
        ("user", "<i4"),
        ("labels", "<i4"),
        ("session", "<i4"),
        ("propensity", "<f4"),
        ("deliberate", "<f4"),
        ("reaction", "<f8"),
        ("time", "<f8"),
    ]
)
EVENTS = 1 << 18
"""Events, about, of the people that are fitted at a time."""
LOOKED_AT = 1 << 22
"""Reactions of which a transform takes percentiles and ranks, spread evenly over a longer log."""

Records = NDArray[np.void]


@dataclass
class Events:
    """Records of events in the order of a log, by groups of people; users and label sets are numbers.

    `least` and `most` are the bounds of the reactions, as read; `transform` is applied when records are given out.
    """

    size: int = 0
    least: float = np.inf
    most: float = -np.inf
    transform: Transform = SAME
    groups: "list[tempfile.SpooledTemporaryFile[bytes]]" = field(default_factory=list)
    open_files: ExitStack = field(default_factory=ExitStack)
    every: int = 1
    looked_at: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, records: Records) -> None:
        """Keep some records."""
        if not len(records):
            return
        reaction = records["reaction"]
        self.least, self.most = min(self.least, float(reaction.min())), max(self.most, float(reaction.max()))
        self._look(reaction)
        self.size += len(records)
        group = records["user"] // GROUP
        while len(self.groups) <= int(group.max()):
            file = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115
            self.groups.append(self.open_files.enter_context(file))
        order = np.argsort(group, kind="stable")
        ends = np.flatnonzero(np.diff(group[order])) + 1
        for part in np.split(order, ends):
            self.groups[int(group[part[0]])].write(records[part].tobytes())

    def _look(self, reaction: NDArray[np.float64]) -> None:
        """Keep every so many-th reaction; twice as many are left out whenever too many are held."""
        self.looked_at.append(reaction[(-self.size) % self.every :: self.every].copy())
        if sum(map(len, self.looked_at)) > LOOKED_AT:
            self.every *= 2
            self.looked_at = [np.concatenate(self.looked_at)[::2]]

    @property
    def some_reactions(self) -> NDArray[np.float64]:
        """Reactions as read: all of them, or every so many-th of a log with more than 2^22."""
        return np.concatenate(self.looked_at)

    def group(self, number: int) -> Records:
        """Return the records of a group of people, in the order of the log, with transformed reactions."""
        file = self.groups[number]
        records = np.zeros(file.seek(0, SEEK_END) // RECORD.itemsize, RECORD)
        file.seek(0)
        file.readinto(records.view(np.uint8).data)
        records["reaction"] = self.transform.of(records["reaction"])
        return records

    def each(self) -> Iterator[tuple[int, Records]]:
        """Yield the first person and the records of every group."""
        for number in range(len(self.groups)):
            yield number * GROUP, self.group(number)

    def close(self) -> None:
        """Remove the temporary files."""
        self.open_files.close()


def records_of(**columns: Any) -> Records:
    """Return one record for each row of the columns, whose names are those of a record."""
    found = np.zeros(len(columns["user"]), RECORD)
    for name, values in columns.items():
        found[name] = values
    return found


def parts_of(user: NDArray[np.int32], first: int, end: int, people: int) -> list[int]:
    """Return the bounds of parts of the people first ... end - 1, of at most so many people and about 2^18 events.

    >>> parts_of(np.array([4, 4, 6], np.int32), 4, 9, 2)
    [4, 6, 8, 9]
    """
    events = np.append(0, np.cumsum(np.bincount(user - first, minlength=end - first)))
    bounds = [0]
    while bounds[-1] < end - first:
        filled = int(np.searchsorted(events, events[bounds[-1]] + EVENTS, side="right")) - 1
        bounds.append(min(max(filled, bounds[-1] + 1), bounds[-1] + people, end - first))
    return [first + bound for bound in bounds]


def in_parts(user: NDArray[np.int32], bounds: Sequence[int]) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """Yield first person, end and the places of their events, in order, for the people between two bounds at a time.

    >>> [(a, b, places.tolist()) for a, b, places in in_parts(np.array([1, 0, 2, 0], np.int32), [0, 2, 3])]
    [(0, 2, [0, 1, 3]), (2, 3, [2])]
    """
    part = np.searchsorted(bounds, user, side="right") - 1
    order = np.argsort(part, kind="stable")
    cuts = np.searchsorted(part[order], np.arange(len(bounds)))
    for i in range(len(bounds) - 1):
        yield bounds[i], bounds[i + 1], order[cuts[i] : cuts[i + 1]]
