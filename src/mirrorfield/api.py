"""The Python door: `mirrorfield.simulate`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrorfield.contract import Metric, Observe
from mirrorfield.errors import InputError, StoppedError
from mirrorfield.execution.bar import Progress, watched
from mirrorfield.execution.blocks import blocks_of, run_blocks, run_part
from mirrorfield.execution.pools import open_pool
from mirrorfield.metrics.own import mean_and_error, measure, snapshot_of
from mirrorfield.metrics.summary import summarise
from mirrorfield.population.run import (
    Gathering,
    Part,
    Plan,
    block_size,
    new_totals,
    new_trace,
    plan_run,
    recorded_steps,
    whole_pairs,
)
from mirrorfield.population.scenario import Scenario
from mirrorfield.version import VERSION

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from mirrorfield.engine.logs import Logs
    from mirrorfield.report.plots import RunPlots
    from mirrorfield.store.job import Job


@dataclass(repr=False)
class Run:
    """A finished run: `summary` (plain values), `dataset` (xarray), `plot`, `to_frame`, `report(path)`, `save(folder)`.

    `part` is over no user if the run was read from its folder; `plan` is None if `load` read it.
    """

    scenario: Scenario
    plan: Plan | None
    part: Part
    command: str = ""
    metrics: Mapping[str, Metric] = field(default_factory=dict)

    def __repr__(self) -> str:
        from mirrorfield.report.card import text_card
        from mirrorfield.report.headline import own, run_figures, size

        title = f"Run of {size(self.scenario)}{own(self.summary, ', ')}"
        return text_card(title, run_figures(self.scenario, self.summary))

    def _repr_html_(self) -> str:
        from mirrorfield.report.card import html_card
        from mirrorfield.report.headline import own, run_figures, size

        title = f"Run of {size(self.scenario)}{own(self.summary, ', ')}"
        from mirrorfield.population.assumed import assumption

        note = "Everyone, after the last post; two-faced: led by another category in another of their states. "
        return html_card(title, run_figures(self.scenario, self.summary), note + assumption(self.scenario))

    @property
    def plot(self) -> "RunPlots":
        """The report's pictures as matplotlib figures: `run.plot.map()`, `.shares()`, `.tipping()`, `.flows()`."""
        from mirrorfield.report.plots import RunPlots

        return RunPlots(self.dataset)

    def to_frame(self, table: str = "steps") -> "pd.DataFrame":
        """Return a table of the run: "steps" of everyone, "people" of the sample, or "bands" of lambda.

        Raises InputError for another name.

        >>> simulate(Scenario(users=64, steps=10)).to_frame("bands").shape
        (20, 11)
        """
        from mirrorfield.store.frames import frame_of

        return frame_of(self.dataset, table)

    def _planned(self) -> Plan:
        """Return the plan, made anew if the run was loaded; raise InputError if it had objects of somebody's own."""
        if self.plan is not None:
            return self.plan
        own = [name for name in ("recommender", "people") if name in self.summary]
        if own:
            raise InputError(
                f"run: it had {' and '.join(own)} of somebody's own, which a folder does not hold; simulate it again"
            )
        return prepare(self.scenario, None, None, None)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The figures at the last step, as in summary.json."""
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

    @cached_property
    def dataset(self) -> "xr.Dataset":
        """The time series and the sampled users, as in result.zarr."""
        from mirrorfield.store.dataset import to_dataset
        from mirrorfield.store.ticket import input_digests

        plan = self._planned()
        return to_dataset(plan, self.part, VERSION).assign_attrs(plan.own.names | input_digests(plan))

    def logs(self, people: int = 1000) -> "Logs":
        """Return every post of the first so many sampled people, as logged bandit feedback.

        They are run again, from their ids, in the arrays engine: same people, same luck, float64. Raises InputError for
        a rule that it does not run (those of sessions), and for more posts than fit in memory.

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

    def report(self, path: str | Path) -> None:
        """Write the report to a file."""
        Path(path).write_text(self.report_html(), encoding="utf-8")

    def save(self, folder: str | Path, overwrite: bool = False) -> None:
        """Write the result folder; raise InputError if it exists and `overwrite` is false."""
        from mirrorfield.store.folder import write_result

        write_result(Path(folder), self.scenario, self.summary, self.dataset, self.report_html(), overwrite)


def load(folder: str | Path) -> Run:
    """Return the finished run in a folder, once its files are found to be those that were written.

    No code runs because a file names it. The run's `logs` run its people again, from the scenario alone. Parameters:
    folder, that `mirrorfield run` or `run.save` wrote. Raises InputError for anything that is no finished run, and
    CorruptError, naming the file, for one that has changed. Source: docs/result.md.

    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp()) / "run"
    >>> run = simulate(Scenario(users=64, steps=10), out=folder)
    >>> load(folder).summary == run.summary
    True
    """
    from mirrorfield.store.job import describe_job, is_job

    folder = Path(folder)
    if is_job(folder):
        raise InputError(describe_job(folder))
    return _read_run(None, folder)


def _read_run(plan: Plan | None, folder: Path) -> Run:
    from mirrorfield.store.folder import RESULT, read_result
    from mirrorfield.store.job import tidy_finished
    from mirrorfield.store.tables import load_table

    scenario, summary = read_result(folder)
    if plan:
        tidy_finished(folder)
    dataset = load_table(folder, RESULT)
    recorded = len(recorded_steps(scenario.steps, scenario.record.steps))
    nobody = new_trace(scenario, recorded, 0)
    run = Run(scenario, plan, Part(0, 0, new_totals(scenario, recorded), new_totals(scenario, 1), nobody))
    run.summary, run.dataset = summary, dataset
    return run


def _never() -> bool:
    return False


def simulate(
    scenario: Scenario | None = None,
    *,
    population: str | Path | None = None,
    threads: int | None = None,
    block: int | None = None,
    progress: Progress = None,
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    keep_all: bool = False,
    dask: str | None = None,
    recommender: Any = None,
    people: Any = None,
    observe: Observe = "history",
    metrics: Mapping[str, Metric] | None = None,
) -> Run:
    """Simulate a scenario and return the finished run.

    Parameters: scenario, default `Scenario()`; population, a folder of users written by `mirrorfield fit` (user u is
    its row u modulo the number of rows); threads, default one per processor; block, users per task (one more if
    `intervention.swap` would part a pair), default by size; progress, True for a bar, or called with the number of
    users that just finished; out, a run folder in which every finished block is safe at once, default none; resume,
    continue the run in `out` if it has begun; overwrite, replace a run in `out`; keep_all, write the final values of
    every user into `out`; dask, the address of a scheduler or local:N; recommender and people, objects of your own that
    keep the contract (people also as a class that is called with the scenario), in place of the scenario's; observe,
    "history" or "state", what such a recommender sees; metrics, {name: function of a Snapshot}, means of which over the
    sampled people are added to the summary. The result depends on the scenario, the population and these objects alone.
    Raises InputError for what cannot be simulated or continued and for objects that break the contract, StoreError if
    the disk refuses. Source: docs/model.md, sections 1 and 2; docs/jobs.md; docs/contract.md.

    >>> simulate(Scenario(users=64, steps=10)).summary["users"]
    64
    >>> from mirrorfield.recommenders import Thompson
    >>> simulate(Scenario(users=64, steps=10), recommender=Thompson()).summary["recommender"]
    'Thompson'
    """
    plan = prepare(scenario or Scenario(), population, threads, block, keep_all)
    if recommender is not None or people is not None or observe != "history":
        from mirrorfield.engine.own import with_own

        plan = with_own(plan, recommender, people, observe, portable=out is not None or dask is not None)
    if out is None:
        if resume or keep_all:
            raise InputError("resume, keep_all: expected the folder of the run in `out`")
        with watched(progress, plan.scenario.users) as told:
            return execute(plan, threads, block, told, dask=dask, metrics=metrics)
    from mirrorfield.store.job import check_finished
    from mirrorfield.store.lock import locked

    folder = Path(out)
    if resume and check_finished(folder, plan):
        return _read_run(plan, folder)
    with locked(folder):
        if resume and check_finished(folder, plan):
            return _read_run(plan, folder)
        job_of = job_for(plan, folder, population, block, resume=resume, overwrite=overwrite)
        with job_of as job, watched(progress, plan.scenario.users - job.gathering.users) as told:
            return execute(plan, threads, progress=told, dask=dask, job=job, metrics=metrics)


def execute(
    plan: Plan,
    threads: int | None = None,
    block: int | None = None,
    progress: Callable[[int], None] | None = None,
    *,
    dask: str | None = None,
    job: "Job | None" = None,
    stopped: Callable[[], bool] = _never,
    metrics: Mapping[str, Metric] | None = None,
) -> Run:
    """Run a plan that `prepare` made, or what is left of a job, which decides the block size and gets the result.

    The other parameters are those of `simulate`; `stopped` is looked at several times a second. Raises StoppedError
    once it is true, when the blocks that were running have finished.
    """
    size = job.ticket.block if job else _block(plan, block)
    done = job.done.copy() if job else set()
    gathering, add = (job.gathering, job.save) if job else _gathering(plan)
    todo = (place for place in blocks_of(plan.scenario.users, size) if place not in done)
    if gathering.users < plan.scenario.users:
        with open_pool(plan, threads, dask, progress) as pool:
            running = run_blocks(pool.executor, pool.plan, todo, pool.in_flight, stopped, pool.arguments, run=run_part)
            for part in running:
                add(part)
                if progress and progress not in pool.arguments:
                    progress(part.users)
    if gathering.users < plan.scenario.users:
        raise StoppedError(f"stopped after {gathering.users:,} of {plan.scenario.users:,} users")
    run = Run(plan.scenario, plan, gathering.whole(), job.ticket.command if job else "", metrics or {})
    if job:
        job.finish(run.summary, run.dataset, run.report_html())
    return run


def _gathering(plan: Plan) -> tuple[Gathering, Callable[[Part], None]]:
    gathering = Gathering(plan)
    return gathering, gathering.add


def _block(plan: Plan, block: int | None) -> int:
    from mirrorfield.store.users import LARGEST_CHUNK

    if plan.own.shared:
        if block not in (None, plan.scenario.users):
            raise InputError(
                "block: expected no block beside a shared recommender: one model learns from everybody at once"
            )
        if plan.keep_all and plan.scenario.users > LARGEST_CHUNK:
            raise InputError(
                f"keep: expected at most {LARGEST_CHUNK:,} people beside a shared recommender; keep a sample"
            )
        return plan.scenario.users

    largest = LARGEST_CHUNK if plan.keep_all else plan.scenario.users
    return whole_pairs(plan.scenario, block or min(block_size(plan.scenario), largest))


@contextmanager
def job_for(
    plan: Plan,
    folder: Path,
    population: str | Path | None = None,
    block: int | None = None,
    command: str = "",
    *,
    resume: bool = False,
    overwrite: bool = False,
) -> "Iterator[Job]":
    """Hold the job of a plan in a run folder, new or, with `resume`, begun earlier.

    Parameters: as for `simulate`; command, the words that began it, for the report. Raises as `open_job` does.
    """
    from mirrorfield.store.job import is_job, open_job
    from mirrorfield.store.lock import locked
    from mirrorfield.store.ticket import read_ticket, ticket_of

    place = population if population is not None else plan.scenario.population.file
    with locked(folder):
        continued = resume and is_job(folder)
        size = read_ticket(folder).block if continued and block is None else _block(plan, block)
        ticket = ticket_of(plan, size, None if place is None else Path(place), command)
        with open_job(folder, plan, ticket, continued, overwrite) as job:
            yield job


@contextmanager
def reopen(
    folder: Path, threads: int | None = None, block: int | None = None, keep_all: bool | None = None
) -> "Iterator[Job]":
    """Hold the unfinished job in a run folder.

    Parameters: folder; threads, default one per processor; block and keep_all, default as the job has them. Raises
    InputError if it cannot be continued, or not with this `block` or `keep_all`.
    """
    from mirrorfield.store.job import continued, open_job
    from mirrorfield.store.lock import locked
    from mirrorfield.store.ticket import ticket_of

    continued(folder)
    with locked(folder):
        ticket, scenario = continued(folder)
        if ticket.own:
            raise InputError(
                f"{folder} was begun with a recommender or people of somebody's own, and no code is run because a file "
                f"names it; give the words that began it, and --resume: {ticket.command or 'mirrorfield.simulate(...)'}"
            )
        block = ticket.block if block is None else block
        plan = prepare(
            scenario, ticket.population, threads, block, ticket.keep == "all" if keep_all is None else keep_all
        )
        plan = replace(plan, scenario=scenario)
        place = Path(ticket.population) if ticket.population else None
        with open_job(folder, plan, ticket_of(plan, block, place, ticket.command), resume=True) as job:
            yield job


def prepare(
    scenario: Scenario,
    population: str | Path | None,
    threads: int | None,
    block: int | None,
    keep_all: bool = False,
) -> Plan:
    """Return the plan of a run, or raise InputError before any work is done."""
    if threads is not None and threads < 1:
        raise InputError(f"threads: expected 1 or more, got {threads}")
    if block is not None and block < 1:
        raise InputError(f"block: expected 1 user or more, got {block}")
    place = population if population is not None else scenario.population.file
    return plan_run(scenario, keep_all=keep_all) if place is None else _listed_plan(scenario, Path(place), keep_all)


def _listed_plan(scenario: Scenario, folder: Path, keep_all: bool) -> Plan:
    from mirrorfield.store.population import assumed_in, read_population

    listed = read_population(folder)
    names = tuple(category.name for category in scenario.categories)
    if listed.categories != names:
        raise InputError(
            f"{folder}: its categories ({len(listed.categories)}: {', '.join(listed.categories)}) are not the "
            f"scenario's ({len(names)}: {', '.join(names)}); run {folder / 'scenario.toml'}"
        )
    assumed = scenario.population.assumed or assumed_in(folder)
    named = scenario.population.model_copy(update={"file": str(folder), "assumed": assumed})
    scenario = scenario.model_copy(update={"population": named})
    return plan_run(scenario, listed.susceptibility, listed.intentionality, keep_all)
