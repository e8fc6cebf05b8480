"""The Python door: `mirrorfield.simulate`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrorfield.errors import InputError
from mirrorfield.execution.blocks import blocks_of, run_blocks
from mirrorfield.execution.threads import available_threads, thread_pool
from mirrorfield.metrics.summary import summarise
from mirrorfield.population.run import Gathering, Part, Plan, block_size, plan_run
from mirrorfield.population.scenario import Scenario
from mirrorfield.version import VERSION

if TYPE_CHECKING:
    import xarray as xr


@dataclass
class Run:
    """A finished run: `summary` (plain values), `dataset` (xarray), `report(path)`, `save(folder)`."""

    scenario: Scenario
    plan: Plan
    part: Part
    command: str = ""

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The figures at the last step, as in summary.json."""
        names = tuple(category.name for category in self.scenario.categories)
        return summarise(self.part.totals, names, self.scenario.steps, self.scenario.seed)

    @cached_property
    def dataset(self) -> "xr.Dataset":
        """The time series and the sampled users, as in result.zarr."""
        from mirrorfield.store.dataset import to_dataset

        return to_dataset(self.plan, self.part, VERSION)

    def report_html(self) -> str:
        """Return the report as one self-contained page."""
        from mirrorfield.report.page import write_report

        return write_report(self.dataset, self.summary, self.scenario.to_toml(), self.command)

    def report(self, path: str | Path) -> None:
        """Write the report to a file."""
        Path(path).write_text(self.report_html(), encoding="utf-8")

    def save(self, folder: str | Path, overwrite: bool = False) -> None:
        """Write the result folder; raise InputError if it exists and `overwrite` is false."""
        from mirrorfield.store.folder import write_result

        write_result(Path(folder), self.scenario, self.summary, self.dataset, self.report_html(), overwrite)


def simulate(
    scenario: Scenario | None = None,
    *,
    population: str | Path | None = None,
    threads: int | None = None,
    block: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Simulate a scenario and return the finished run.

    Parameters: scenario, default `Scenario()`; population, a folder of users written by `mirrorfield fit` (user u is
    its row u modulo the number of rows); threads, default one per processor; block, users per task, default by
    size; progress, called with the number of users that just finished. The result depends on the scenario and
    population alone.
    Raises InputError for what cannot be simulated. Source: docs/model.md, sections 1 and 2.

    >>> simulate(Scenario(users=64, steps=10)).summary["users"]
    64
    """
    return execute(prepare(scenario or Scenario(), population, threads, block), threads, block, progress)


def execute(
    plan: Plan,
    threads: int | None = None,
    block: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Run a plan that `prepare` made; the parameters are those of `simulate`."""
    threads = threads or available_threads()
    gathering = Gathering(plan)
    todo = blocks_of(plan.scenario.users, block or block_size(plan.scenario))
    with thread_pool(plan, threads) as pool:
        for part in run_blocks(pool, plan, todo, 2 * threads, arguments=(progress,)):
            gathering.add(part)
    return Run(plan.scenario, plan, gathering.whole())


def prepare(scenario: Scenario, population: str | Path | None, threads: int | None, block: int | None) -> Plan:
    """Return the plan of a run, or raise InputError before any work is done."""
    if threads is not None and threads < 1:
        raise InputError(f"threads: expected 1 or more, got {threads}")
    if block is not None and block < 1:
        raise InputError(f"block: expected 1 user or more, got {block}")
    place = population if population is not None else scenario.population.file
    return plan_run(scenario) if place is None else _listed_plan(scenario, Path(place))


def _listed_plan(scenario: Scenario, folder: Path) -> Plan:
    from mirrorfield.store.population import read_population

    listed = read_population(folder)
    names = tuple(category.name for category in scenario.categories)
    if listed.categories != names:
        raise InputError(
            f"{folder}: its categories ({len(listed.categories)}: {', '.join(listed.categories)}) are not the "
            f"scenario's ({len(names)}: {', '.join(names)}); run {folder / 'scenario.toml'}"
        )
    named = scenario.population.model_copy(update={"file": str(folder)})
    return plan_run(scenario.model_copy(update={"population": named}), listed.susceptibility, listed.intentionality)
