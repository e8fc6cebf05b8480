"""The Python door: `mirrorfield.simulate`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from mirrorfield.contract import Metric, Observe
from mirrorfield.errors import InputError, StoppedError
from mirrorfield.execution.bar import Progress, watched
from mirrorfield.execution.blocks import blocks_of, run_blocks
from mirrorfield.execution.pools import open_pool
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.run import (
    Gathering,
    Part,
    Plan,
    block_size,
    new_totals,
    new_trace,
    plan_run,
    recorded_steps,
    run_block,
    whole_pairs,
)
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.worlds import AnyScenario
from mirrorfield.result import EmbeddingRun, PopulationRun, Run

if TYPE_CHECKING:
    from mirrorfield.store.job import Job


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
    return _read_run(folder)


def _read_run(folder: Path, plan: Plan | None = None) -> Run:
    from mirrorfield.store.folder import RESULT, read_result
    from mirrorfield.store.tables import load_table

    scenario, summary = read_result(folder)
    dataset = load_table(folder, RESULT)
    run: Run
    if isinstance(scenario, EmbeddingScenario):
        run = EmbeddingRun(scenario, None, None)
    else:
        recorded = len(recorded_steps(scenario.steps, scenario.record.steps))
        nobody = new_trace(scenario, recorded, 0)
        totals, momentary = new_totals(scenario, recorded), new_totals(scenario, 1)
        run = PopulationRun(scenario, plan, Part(0, 0, totals, momentary, nobody))
    run.summary, run.dataset = summary, dataset
    return run


def _read_finished(plan: Plan, folder: Path) -> PopulationRun:
    from mirrorfield.store.job import tidy_finished

    tidy_finished(folder)
    run = _read_run(folder, plan)
    assert isinstance(run, PopulationRun)  # `check_finished` has compared the scenarios
    return run


def _never() -> bool:
    return False


@overload
def simulate(
    scenario: EmbeddingScenario,
    *,
    threads: int | None = ...,
    progress: Progress = ...,
    out: str | Path | None = ...,
    resume: bool = ...,
    overwrite: bool = ...,
    dask: str | None = ...,
) -> EmbeddingRun: ...


@overload
def simulate(
    scenario: Scenario | None = ...,
    *,
    population: str | Path | None = ...,
    threads: int | None = ...,
    block: int | None = ...,
    progress: Progress = ...,
    out: str | Path | None = ...,
    resume: bool = ...,
    overwrite: bool = ...,
    keep_all: bool = ...,
    dask: str | None = ...,
    recommender: Any = ...,
    people: Any = ...,
    observe: Observe = ...,
    metrics: Mapping[str, Metric] | None = ...,
) -> PopulationRun: ...


def simulate(
    scenario: AnyScenario | None = None,
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
    Of an EmbeddingScenario everyone goes through the steps together, so of these options it has threads, progress
    (called with the people that the steps just done stand for), out, resume (from a checkpoint beside `out`), overwrite
    and dask (the whole run as one task).
    Raises InputError for what cannot be simulated or continued and for objects that break the contract, StoreError if
    the disk refuses. Source: docs/model.md, sections 1 and 2; docs/jobs.md; docs/contract.md.

    >>> simulate(Scenario(users=64, steps=10)).summary["users"]
    64
    >>> from mirrorfield.recommenders import Thompson
    >>> simulate(Scenario(users=64, steps=10), recommender=Thompson()).summary["recommender"]
    'Thompson'
    """
    if isinstance(scenario, EmbeddingScenario):
        given = {
            "population": population, "block": block, "recommender": recommender, "people": people, "metrics": metrics
        }  # fmt: skip
        for name, value in given.items():
            if value is not None:
                raise InputError(f"{name}: expected nothing in the embedding world, where one policy serves all")
        if keep_all or observe != "history":
            raise InputError("keep_all, observe: expected their defaults in the embedding world")
        with watched(progress, scenario.users) as told:
            return execute_together(scenario, threads, told, out=out, resume=resume, overwrite=overwrite, dask=dask)
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
        return _read_finished(plan, folder)
    with locked(folder):
        if resume and check_finished(folder, plan):
            return _read_finished(plan, folder)
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
) -> PopulationRun:
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
    run = PopulationRun(plan.scenario, plan, gathering.whole(), job.ticket.command if job else "", metrics or {})
    if job:
        job.finish(run.summary, run.dataset, run.report_html())
    return run


def run_part(plan: Plan, first_user: int, users: int, *arguments: Any) -> Part:
    """Run a block of users in the engine that its plan needs: lanes for what is built in, arrays for what is not."""
    if plan.own.in_lanes:
        return run_block(plan, first_user, users, *arguments)
    from mirrorfield.engine import run_block as run_arrays

    return run_arrays(plan, first_user, users, *arguments)


def execute_together(
    scenario: EmbeddingScenario,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    dask: str | None = None,
    stopped: Callable[[], bool] = _never,
    command: str = "",
) -> EmbeddingRun:
    """Run a scenario of the embedding world; the parameters are those of `simulate` and `execute`."""
    from mirrorfield.store.folder import check_place, is_result
    from mirrorfield.store.lock import locked
    from mirrorfield.store.ticket import check_scenario, plain
    from mirrorfield.world.embedding.checkpoint import checkpoint_path
    from mirrorfield.world.embedding.run import run_world

    if out is None:
        if resume:
            raise InputError("resume: expected the folder of the run in `out`")
        if dask is None:
            return EmbeddingRun(scenario, *run_world(scenario, threads, progress, stopped=stopped), command)
        from mirrorfield.execution.cluster import cluster_pool

        with cluster_pool(scenario, dask) as pool:
            return EmbeddingRun(scenario, *pool.executor.submit(run_world, pool.plan, threads).result(), command)
    folder = Path(out)
    if dask is not None:
        raise InputError("dask: expected no `out` in the embedding world: a task on a cluster keeps no checkpoint")
    with locked(folder):
        if resume and is_result(folder):
            found = _read_run(folder)
            check_scenario(folder, plain(found.scenario), plain(scenario), [])
            assert isinstance(found, EmbeddingRun)
            return found
        check_place(folder, overwrite)
        place = checkpoint_path(folder)
        run = EmbeddingRun(scenario, *run_world(scenario, threads, progress, place, resume, stopped), command)
        run.save(folder, overwrite)
        place.unlink(missing_ok=True)
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
