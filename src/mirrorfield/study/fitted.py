"""From a log to people who can be simulated. The Python door: `mirrorfield.fit`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrorfield.api import execute
from mirrorfield.calibration.fit import Fit, population_dataset
from mirrorfield.calibration.fit import fit as fit_log
from mirrorfield.calibration.log import LogColumns
from mirrorfield.calibration.objective import Objective, weighted_actions
from mirrorfield.calibration.scenario import fitted_scenario
from mirrorfield.calibration.verdict import Verdict
from mirrorfield.errors import InputError
from mirrorfield.execution.bar import Progress, watched
from mirrorfield.population.assumed import assumption
from mirrorfield.population.run import Plan, plan_run
from mirrorfield.population.scenario import Scenario
from mirrorfield.report.headline import people, percent, rate_rows
from mirrorfield.result import PopulationRun
from mirrorfield.store.population import write_population
from mirrorfield.study.rates import by_learning_rate

if TYPE_CHECKING:
    import xarray as xr

    from mirrorfield.report.card import Figures

NAME = "fitted"


@dataclass(frozen=True, repr=False)
class Fitted:
    """People fitted to a log: `verdict`, `summary`, `dataset`, `simulate()`, `save(folder)`.

    `found` has the profiles; `base` is the scenario from which arousal is taken.
    """

    found: Fit
    base: Scenario

    @property
    def verdict(self) -> Verdict:
        """Whether the log bears out these people, and the line that says so."""
        return self.found.verdict

    @cached_property
    def dataset(self) -> "xr.Dataset":
        """The profiles by user and category, as in population.zarr."""
        return population_dataset(self.found)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What was read, estimated and checked, as in fit.json; the headline at three learning rates if they hold."""
        told = self.found.summary()
        return told | {"by_learning_rate": by_learning_rate(self._plan({}))} if self.verdict.holds else told

    def _plan(self, changes: Mapping[str, Any]) -> Plan:
        from mirrorfield.population.settings import changed

        scenario = changed(fitted_scenario(self.found, self.base, NAME, "."), changes)
        return plan_run(scenario, self.dataset["susceptibility"].values, self.dataset["intentionality"].values)

    def simulate(
        self, changes: Mapping[str, Any] | None = None, *, threads: int | None = None, progress: Progress = None
    ) -> PopulationRun:
        """Simulate these people, once each, and return the finished run.

        Parameters: changes, {"policy.learning_rate": 1.0}, settings that differ from the scenario of `save`; threads
        and progress as for `mirrorfield.simulate`, which takes the folder of `save` and has more to choose from.
        """
        plan = self._plan(changes or {})
        with watched(progress, plan.scenario.users) as told:
            return execute(plan, threads, progress=told)

    def save(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write the folder that `mirrorfield run --population` and `simulate(population=)` take, and return its path.

        Raises InputError if it exists and `overwrite` is false.
        """
        out = Path(folder)
        scenario = fitted_scenario(self.found, self.base, out.name, ".")
        write_population(out, scenario, self.summary, self.dataset, overwrite)
        return out

    @property
    def figures(self) -> "Figures":
        """What was read and estimated, as names and values."""
        parts, log = self.summary["variance_components"], self.summary["log"]
        return [
            ("people", f"{log['users']:,}"),
            ("events", f"{log['events']:,}"),
            ("categories", f"{log['categories']}"),
            ("spread between people", f"{parts['tau_user']:.3f}"),
            ("between a person's categories", f"{parts['tau_cell']:.3f}"),
            ("median shrinkage", percent(parts["cells"]["median_shrinkage"])),
            *rate_rows(self.summary),
        ]

    def __repr__(self) -> str:
        from mirrorfield.report.card import text_card

        return text_card(self.verdict.line, self.figures)

    def _repr_html_(self) -> str:
        from mirrorfield.report.card import html_card

        title = f"{people(self.summary['log']['users'])} fitted to a log"
        scenario = fitted_scenario(self.found, self.base, NAME, ".")
        return html_card(title, self.figures, f"{self.verdict.line} {assumption(scenario)}")


def fit(
    log: Any,
    *,
    user: str,
    category: str | None = None,
    item: str | None = None,
    actions: Mapping[str, str] | Sequence[str] | None = None,
    reaction: str | None = None,
    weights: Mapping[str, float] | None = None,
    time: str | None = None,
    session: str | None = None,
    propensity: str | None = None,
    deliberate: str | None = None,
    items: Any = None,
    separator: str | None = None,
    transform: str | None = None,
    delimiter: str | None = None,
    header: bool = True,
    low: float | None = None,
    high: float | None = None,
    max_categories: int | None = None,
    skip_bad_rows: bool = False,
    scenario: str | Scenario = "default",
    seed: int = 0,
) -> Fitted:
    """Fit people to an interaction log: a data frame of pandas, polars or Arrow, or a path to CSV or Parquet.

    Parameters: user, category, time, session, propensity, deliberate: names of columns; item, the column that joins
    `items`, a second table with the category, or the category itself without one; reaction, a column or an expression
    such as "like + 0.3*log1p(dwell)", or else actions, {action: column} or columns, whose weighted sum it is, and
    weights, {action: number}, 1 where none is given; separator of several categories in one field; transform, "log",
    "rank" or "clip:99"; delimiter and header, for CSV; low and high, the reactions that become 0 and 1; max_categories,
    merge the rarest; skip_bad_rows, count them instead of refusing; scenario, from which arousal is taken; seed of the
    bootstrap. Without time, events are in the order of the log; with session, whole sessions are held out; with
    propensity, the chance of having been shown, means by category are also told as if all had been shown evenly; with
    deliberate, a rating or an answer beside the reaction, empty where there is none, lambda is estimated.
    Returns Fitted. Raises InputError, in one line, for whatever cannot be used. Source: docs/fit.md, docs/lambda.md.

    >>> import pandas as pd
    >>> log = pd.DataFrame({"who": list("abcd") * 50, "what": list("xxyyyyxx") * 25, "like": [0, 1, 1, 0] * 50})
    >>> fit(log, user="who", category="what", reaction="like").summary["log"]["events"]
    200
    """
    if (actions is None) == (reaction is None):
        raise InputError("fit: expected either actions or reaction, which say what is taken from an event.")
    if category is None and item is None:
        raise InputError("fit: expected category or item, the column with what an event shows.")
    if weights is not None and actions is None:
        raise InputError("weights: expected actions beside them; in an expression, write 0.3*dwell.")
    if category is None and items is not None:
        raise InputError("fit: expected category, the column of the items table that holds it.")
    columns = LogColumns(
        user=user,
        category=str(item if category is None else category),
        reaction=_objective(actions, weights) if actions is not None else str(reaction),
        time=time,
        separator=separator,
        item=None if category is None else item,
        session=session,
        propensity=propensity,
        deliberate=deliberate,
        delimiter=delimiter,
        named=header,
        transform=transform,
    )
    base = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    found = fit_log(
        log,
        columns,
        items=items,
        skip_bad_rows=skip_bad_rows,
        max_categories=max_categories,
        low=low,
        high=high,
        seed=seed,
    )
    return Fitted(found, base)


def _objective(actions: Mapping[str, str] | Sequence[str], weights: Mapping[str, float] | None) -> Objective:
    return weighted_actions(actions if isinstance(actions, Mapping) else {name: name for name in actions}, weights)
