"""Finished runs, of both worlds: their figures, tables, pictures, reports and folders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.contract import Metric
from mirrorfield.errors import InputError
from mirrorfield.metrics.own import mean_and_error, measure, snapshot_of
from mirrorfield.metrics.summary import summarise
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.run import Part, Plan
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.worlds import AnyScenario
from mirrorfield.version import VERSION

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from mirrorfield.engine.logs import Logs
    from mirrorfield.report.plots import RunPlots
    from mirrorfield.world.embedding.loop import World
    from mirrorfield.world.embedding.record import Record


class Run:
    """A finished run: `summary` (plain values), `dataset` (xarray), `plot`, `to_frame`, `report(path)`, `save(folder)`.

    A PopulationRun has people one by one, each with a policy of their own; an EmbeddingRun has one policy for all.
    """

    scenario: AnyScenario
    command: str

    def __repr__(self) -> str:
        from mirrorfield.report.card import text_card
        from mirrorfield.report.headline import run_figures

        return text_card(self._title, run_figures(self.scenario, self.summary))

    def _repr_html_(self) -> str:
        from mirrorfield.population.assumed import assumption
        from mirrorfield.report.card import html_card
        from mirrorfield.report.headline import run_figures

        note = f"{self._note} {assumption(self.scenario)}"
        return html_card(self._title, run_figures(self.scenario, self.summary), note)

    @property
    def _title(self) -> str:
        from mirrorfield.report.headline import own, size

        return f"Run of {size(self.scenario)}{own(self.summary, ', ')}"

    _note = "Everyone, after the last post; two-faced: led by another category in another of their states."

    @property
    def plot(self) -> "RunPlots":
        """The report's pictures as matplotlib figures: `run.plot.map()`, `.shares()`, `.tipping()`, `.flows()`."""
        from mirrorfield.report.plots import RunPlots

        return RunPlots(self.dataset)

    def to_frame(self, table: str = "steps") -> "pd.DataFrame":
        """Return a table of the run: "steps" of everyone, "people" of the sample, or "bands" of lambda.

        Raises InputError for another name.

        >>> from mirrorfield.api import simulate
        >>> simulate(Scenario(users=64, steps=10)).to_frame("bands").shape
        (20, 11)
        """
        from mirrorfield.store.frames import frame_of

        return frame_of(self.dataset, table)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The figures at the last step, as in summary.json."""
        return self._summarise()

    @cached_property
    def dataset(self) -> "xr.Dataset":
        """The time series and the sampled people, as in result.zarr."""
        return self._to_dataset()

    def _summarise(self) -> dict[str, Any]:
        raise NotImplementedError

    def _to_dataset(self) -> "xr.Dataset":
        raise NotImplementedError

    @property
    def served(self) -> tuple[IntArray, FloatArray]:
        """The ids of the sampled people, (n,), and their diets (in the embedding world: feeds) at the end, (n, K)."""
        raise NotImplementedError

    def report_html(self) -> str:
        """Return the report as one self-contained page."""
        raise NotImplementedError

    def report(self, path: str | Path) -> None:
        """Write the report to a file."""
        Path(path).write_text(self.report_html(), encoding="utf-8")

    def save(self, folder: str | Path, overwrite: bool = False) -> None:
        """Write the result folder; raise InputError if it exists and `overwrite` is false."""
        from mirrorfield.store.folder import write_result

        write_result(Path(folder), self.scenario, self.summary, self.dataset, self.report_html(), overwrite)


@dataclass(repr=False)
class PopulationRun(Run):
    """A finished run of people one by one.

    `part` is over no user if the run was read from its folder; `plan` is None if `load` read it.
    """

    scenario: Scenario
    plan: Plan | None
    part: Part
    command: str = ""
    metrics: Mapping[str, Metric] = field(default_factory=dict)

    def _planned(self) -> Plan:
        """Return the plan, made anew if the run was loaded; raise InputError if it had objects of somebody's own."""
        from mirrorfield.api import prepare

        if self.plan is not None:
            return self.plan
        own = [name for name in ("recommender", "people") if name in self.summary]
        if own:
            raise InputError(
                f"run: it had {' and '.join(own)} of somebody's own, which a folder does not hold; simulate it again"
            )
        return prepare(self.scenario, None, None, None)

    def _summarise(self) -> dict[str, Any]:
        scenario, names = self.scenario, tuple(category.name for category in self.scenario.categories)
        figures = summarise(self.part.totals, self.part.momentary, names, scenario.steps, scenario.seed)
        if self.metrics:
            found = measure(self.metrics, snapshot_of(self.part.sample, scenario.steps))
            figures["metrics"] = {name: mean_and_error(values) for name, values in found.items()}
        return figures | self._assumed() | self._planned().own.names

    def _assumed(self) -> dict[str, Any]:
        """Return what was assumed of the people, and the headline at other learning rates if the rate was."""
        assumed, plan = self.scenario.population.assumed or (), self._planned()
        if not assumed:
            return {}
        told: dict[str, Any] = {"assumed": list(assumed)}
        if "learning_rate" in assumed and not plan.own.names and len(plan.population.listed_intentionality):
            from mirrorfield.study.rates import by_learning_rate

            told["by_learning_rate"] = by_learning_rate(plan)
        return told

    def _to_dataset(self) -> "xr.Dataset":
        from mirrorfield.store.dataset import to_dataset
        from mirrorfield.store.ticket import input_digests

        plan = self._planned()
        return to_dataset(plan, self.part, VERSION).assign_attrs(plan.own.names | input_digests(plan))

    @property
    def served(self) -> tuple[IntArray, FloatArray]:
        """The ids of the sampled people, (n,), and their diets at the end, (n, K)."""
        return self._planned().sample, self.part.sample.diet[-1].T

    def logs(self, people: int = 1000) -> "Logs":
        """Return every post of the first so many sampled people, as logged bandit feedback.

        They are run again, from their ids, in the arrays engine: same people, same luck, float64. A reward is nan where
        the recommender heard nothing. Raises InputError for more posts than fit in memory, and where posts are swapped.

        >>> from mirrorfield.api import simulate
        >>> simulate(Scenario(users=9, steps=4)).logs(3).to_frame().shape
        (12, 9)
        """
        from mirrorfield.engine.logs import logs_of

        plan = self._planned()
        return logs_of(plan, plan.sample[:people])

    def report_html(self) -> str:
        """Return the report as one self-contained page."""
        from mirrorfield.report.page import write_report

        return write_report(self.dataset, self.summary, self.scenario.to_toml(), self.command)


@dataclass(repr=False)
class EmbeddingRun(Run):
    """A finished run of the embedding world; `world` and `record` are None if it was read from its folder."""

    scenario: EmbeddingScenario
    world: "World | None"
    record: "Record | None"
    command: str = ""

    _note = "The people measured, after the last post. One policy serves everyone."

    def kept(self) -> tuple["World", "Record"]:
        """Return the world after its last step and what was recorded; raise InputError if the run was loaded."""
        if self.world is None or self.record is None:
            raise InputError("run: it was read from its folder, which does not hold the world; simulate it again")
        return self.world, self.record

    def _summarise(self) -> dict[str, Any]:
        from mirrorfield.world.embedding.figures import summarise as summarise_record

        world, record = self.kept()
        scenario, lam = self.scenario, world.crowd.intentionality[record.people]
        names = tuple(category.name for category in scenario.categories)
        return summarise_record(record, lam, names, scenario.users, scenario.seed, scenario.first_user)

    def _to_dataset(self) -> "xr.Dataset":
        from mirrorfield.world.embedding.dataset import to_dataset

        return to_dataset(*self.kept())

    @property
    def served(self) -> tuple[IntArray, FloatArray]:
        """The ids of the people measured, (n,), and their feeds at the end, (n, K)."""
        _, record = self.kept()
        return record.people + self.scenario.first_user, record.feed[-1]

    def report_html(self) -> str:
        """Return the report as one self-contained page."""
        from mirrorfield.report.embedding import embedding_page

        return embedding_page(self.dataset, self.summary, self.scenario.to_toml(), self.command)
