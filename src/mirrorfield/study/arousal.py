"""States of arousal from the sessions of a log. The Python door: `mirrorfield.arousal`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.hidden import STARTS
from mirrorfield.calibration.sessions import read_sessions
from mirrorfield.calibration.states import NAMES, States, StatesVerdict, fit_states
from mirrorfield.errors import InputError
from mirrorfield.population.scenario import Profile, Scenario
from mirrorfield.seal import seal_text

if TYPE_CHECKING:
    from mirrorfield.report.card import Figures


@dataclass(frozen=True, repr=False)
class Arousal:
    """Three states fitted to sessions: `verdict`, `summary`, `moves`, `scenario()`, `save(path)`.

    `found` has the chain with its intervals; `report` says what was read.
    """

    found: States
    report: dict[str, Any]

    @property
    def verdict(self) -> StatesVerdict:
        """Whether three states predict sessions that they were not fitted to, and the line that says so."""
        return self.found.verdict

    @property
    def moves(self) -> NDArray[np.float64]:
        """Probability (3, 3) of the next state (column) by state (row): calm, engaged, hooked; rows sum to 1."""
        found: NDArray[np.float64] = self.found.found.chains.moves[0]
        return found

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What was read, the states and moves with 95% intervals, and the held-out comparison, as plain data."""
        told = self.found.summary()
        return {"verdict": told.pop("verdict"), "log": self.report} | told

    def scenario(self, base: str | Scenario = "default") -> Scenario:
        """Return a scenario in which arousal moves as in the log, whatever is shown and whoever sees it.

        Both profiles of `base`, a preset, a TOML file or a Scenario, take `moves` for every category; their means and
        stds by state stay. `mirrorfield.fit(scenario=)` takes its arousal tables from such a scenario. Its
        description repeats the verdict. Source: docs/arousal.md.
        """
        of = base if isinstance(base, Scenario) else Scenario.load(base)
        rows = np.round(self.moves, 6)
        rows[range(3), range(3)] += 1 - rows.sum(axis=1)
        law = tuple(tuple(tuple(map(float, row)) for _ in range(of.k)) for row in rows)
        values = of.model_dump()
        for name in ("reactive", "intentional"):
            profile = getattr(of, name)
            values[name] = Profile(mean=profile.mean, std=profile.std, transition=law)
        values["description"] = f"Moves of arousal fitted to {self.report['file']}. {self.verdict.line}"
        return Scenario(**values)

    def save(self, path: str | Path, base: str | Scenario = "default", overwrite: bool = False) -> Path:
        """Write `scenario(base)` as TOML, each move with its interval in a comment, and return the path.

        Raises InputError if the file exists and `overwrite` is false, or cannot be written.
        """
        out = Path(path)
        check_free(out, overwrite)
        counts = self.found.counts
        lines = [
            f"Moves of arousal from {self.report['file']}: {counts['people']:,} people, {counts['sessions']:,} "
            f"sessions, {counts['events']:,} events; all other tables are of the scenario they were put into.",
            self.verdict.line,
            "Next state by state, with 95% intervals:",
            *(f"{row['state']}: {_moves(row['moves'])}" for row in self.summary["states"]),
        ]
        text = "".join(f"# {' '.join(line.split())}\n" for line in lines) + self.scenario(base).to_toml()
        try:
            out.write_text(seal_text(text), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{out}: cannot write there ({error.strerror}); choose another place") from None
        return out

    def _figures(self) -> "Figures":
        counts = self.found.counts
        figures = [(name, f"{counts[name]:,}") for name in ("people", "sessions", "events")]
        figures += [(f"stays {name}", f"{self.moves[i, i]:.3f}") for i, name in enumerate(NAMES)]
        return figures + [(name, f"{share:.1%} of events") for name, share in zip(NAMES, self.found.share, strict=True)]

    def __repr__(self) -> str:
        from mirrorfield.report.card import text_card

        return text_card(self.verdict.line, self._figures())

    def _repr_html_(self) -> str:
        from mirrorfield.report.card import html_card

        return html_card("States of arousal, from sessions", self._figures(), self.verdict.line)


def _moves(row: Mapping[str, Mapping[str, float | None]]) -> str:
    return ", ".join(f"{to} {told(x)}" for to, x in row.items())


def told(x: Mapping[str, float | None], form: str = ".3f") -> str:
    """Return a number with its interval, as text.

    >>> told({"value": 0.5, "low": 0.4, "high": None})
    '0.500 [0.400, ?]'
    """
    value, low, high = ("?" if x[key] is None else format(x[key], form) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def check_free(out: Path, overwrite: bool) -> None:
    """Raise InputError if the file exists and `overwrite` is false."""
    if out.exists() and not overwrite:
        raise InputError(f"{out} exists; choose another place, or replace it with --overwrite.")


def arousal(
    log: Any,
    *,
    session: str,
    user: str | None = None,
    dwell: str | None = None,
    actions: Mapping[str, str] | Sequence[str] = (),
    time: str | None = None,
    delimiter: str | None = None,
    header: bool = True,
    skip_bad_rows: bool = False,
    starts: int = STARTS,
    seed: int = 0,
) -> Arousal:
    """Fit three states of arousal to the sessions of a log, and hold them against simpler accounts of it.

    Parameters: log, a data frame of pandas, polars or Arrow, or a path to CSV or Parquet; session, user, dwell, time:
    names of columns, dwell in seconds or any other unit, 0 or more; actions, {action: column} or columns: an action
    happened where the column is above 0; delimiter and header, for CSV; skip_bad_rows, count them instead of refusing;
    starts of the fit; seed of the first of them and of the folds. Without user, every session is a person of its own;
    without time, events are in the order of the log. At least one of dwell and actions is needed. Returns Arousal.
    Raises InputError, in one line, for whatever cannot be used. Source: docs/arousal.md.

    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> log = pd.DataFrame({"visit": np.arange(600) // 20, "seconds": np.exp(rng.standard_normal(600))})
    >>> arousal(log, session="visit", dwell="seconds", starts=2).verdict.holds
    False
    """
    named = dict(actions) if isinstance(actions, Mapping) else {name: name for name in actions}
    if dwell is None and not named:
        raise InputError("arousal: expected dwell, or actions, or both: the columns that a state shows itself in.")
    if starts < 1:
        raise InputError(f"arousal: starts: expected 1 or more, got {starts}.")
    sessions, report = read_sessions(
        log, user=user, session=session, dwell=dwell, actions=named, time=time, delimiter=delimiter, named=header,
        skip_bad_rows=skip_bad_rows,
    )  # fmt: skip
    return Arousal(fit_states(sessions, seed, starts), report)
