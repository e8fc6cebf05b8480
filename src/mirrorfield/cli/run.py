"""`mirrorfield run`, and the commands that have to do with its folder: `resume`, `show`, `presets`, `cite`."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from mirrorfield.cli.asked import Observed, OwnPeople, OwnRecommender, named_objects, typed_command
from mirrorfield.cli.progress import log_lines, progress_line
from mirrorfield.cli.settings import build_scenario
from mirrorfield.cli.stopping import stop_on_signals
from mirrorfield.cli.table import stdout, summary_view
from mirrorfield.errors import CorruptError, InputError, StoppedError
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.scenario import Scenario, presets
from mirrorfield.population.worlds import EMBEDDING, AnyScenario, load_scenario

if TYPE_CHECKING:
    from mirrorfield.population.run import Plan
    from mirrorfield.store.job import Job


def run(
    scenario: Annotated[str | None, typer.Argument(help="A preset, or a scenario in a TOML file.")] = None,
    users: Annotated[int | None, typer.Option(help="Number of users.")] = None,
    steps: Annotated[int | None, typer.Option(help="Interactions per user.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all random streams.")] = None,
    rule: Annotated[str | None, typer.Option(help="The recommender's rule: a preset of docs/rules.md.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="section.key=value, as often as needed.")] = None,
    population: Annotated[Path | None, typer.Option(help="Users from a folder written by `fit`.")] = None,
    recommender: OwnRecommender = None,
    people: OwnPeople = None,
    observe: Observed = None,
    out: Annotated[Path | None, typer.Option(help="Result folder; default runs/NAME-NNN.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out if it has begun.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing run folder.")] = False,
    keep: Annotated[
        Literal["sample", "all"] | None, typer.Option(help="Users whose final values are kept; default sample.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads; default one per processor.")] = None,
    dask: Annotated[str | None, typer.Option(help="Run on Dask: local:N, or the address of a scheduler.")] = None,
    block: Annotated[int | None, typer.Option(help="Users per task; does not change the result.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON and nothing else.")] = False,
) -> None:
    """Simulate a population and write a run folder: scenario, summary, time series, sample and report."""
    from mirrorfield.api import job_for, prepare
    from mirrorfield.store.folder import next_place
    from mirrorfield.store.job import is_ours
    from mirrorfield.store.lock import locked

    shown = Shown(threads, dask, quiet, json_)
    if resume and (out is None or overwrite):
        raise InputError("--resume: expected --out DIR, the folder of the run to continue, and no --overwrite")
    words = (scenario, users, steps, seed, rule, population, recommender, people, observe)
    if resume and out and is_ours(out) and not set_ and all(word is None for word in words):
        go_on(out, shown, block, None if keep is None else keep == "all")
        return
    if rule is not None and recommender is not None:
        raise InputError("--rule: expected none beside --recommender, which serves in its place; use one of them")
    source = str(population / "scenario.toml") if population and scenario is None else scenario
    settings = [*([f"policy.rule={rule}"] if rule is not None else []), *(set_ or [])]
    chosen = build_scenario("default" if source is None else source, settings, users=users, steps=steps, seed=seed)
    place = out or next_place(chosen.name)
    if not isinstance(chosen, Scenario):
        options = (population, recommender, people, observe, keep, block, dask)
        if any(option is not None for option in options):
            raise InputError(
                "--population, --recommender, --people, --observe, --keep, --block, --dask: expected none in the "
                "embedding world, where one policy serves all and everyone goes through the steps together"
            )
        run_together(place, chosen, shown, typed_command(), resume, overwrite)
        return
    plan = named_objects(prepare(chosen, population, threads, block, keep == "all"), recommender, people, observe)
    if resume and print_if_finished(place, shown, plan):
        return
    with locked(place):
        if resume and print_if_finished(place, shown, plan):
            return
        job = job_for(plan, place, population, block, typed_command(), resume=resume, overwrite=overwrite)
        run_job(place, job, shown)


def resume(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a run that has not finished.")],
    threads: Annotated[int | None, typer.Option(help="Threads; default one per processor.")] = None,
    dask: Annotated[str | None, typer.Option(help="Run on Dask: local:N, or the address of a scheduler.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON and nothing else.")] = False,
) -> None:
    """Continue a run that was interrupted; its result is that of a run that never was."""
    go_on(folder, Shown(threads, dask, quiet, json_))


def list_presets() -> None:
    """List the scenarios that come with the package."""
    table = Table("preset", "users", "steps", "what it shows", box=None)
    for name in (*presets(), EMBEDDING):
        preset = load_scenario(name)
        table.add_row(name, f"{preset.users:,}", f"{preset.steps:,}", preset.description)
    stdout().print(table)


def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A result folder.")],
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON and nothing else.")] = False,
) -> None:
    """Print the summary of a result folder again."""
    from mirrorfield.store.folder import SUMMARY, read_result, summary_text
    from mirrorfield.store.job import describe_job, is_job

    if is_job(folder):
        raise InputError(describe_job(folder))
    with log_lines(quiet=True):
        scenario, summary = read_result(folder)
    try:
        view = summary_view(scenario, summary)
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptError(f"{folder / SUMMARY}: corrupt: {error}") from None
    sys.stdout.write(summary_text(summary)) if json_ else stdout().print(view)


def cite(
    scenario: Annotated[str, typer.Argument(help="A preset, or a scenario in a TOML file.")] = "default",
) -> None:
    """Print BibTeX for exactly what a scenario uses."""
    from mirrorfield.report.citations import bibtex

    sys.stdout.write("\n".join(bibtex(load_scenario(scenario))))


@dataclass(frozen=True)
class Shown:
    """How a command runs and what it prints: threads, Dask address, --quiet and --json."""

    threads: int | None
    dask: str | None
    quiet: bool
    json: bool

    @property
    def silent(self) -> bool:
        """Whether nothing but errors and warnings goes to standard error."""
        return self.quiet or self.json


def run_job(folder: Path, opening: "AbstractContextManager[Job]", shown: Shown) -> None:
    """Run the job in a folder to its end and print its summary; a signal stops it, and the error says how to go on."""
    from mirrorfield.api import execute

    with log_lines(shown.silent), _stopping(folder) as stop, opening as job:
        scenario, done = job.plan.scenario, job.gathering.users
        with progress_line(scenario.users, scenario.steps, shown.silent, done) as progress:
            result = execute(job.plan, shown.threads, progress=progress, dask=shown.dask, job=job, stopped=stop)
    print_result(folder, scenario, result.summary, shown)


def run_together(
    folder: Path, scenario: EmbeddingScenario, shown: Shown, command: str, resume: bool, overwrite: bool
) -> None:
    """Run a scenario of the embedding world to its end and print its summary; a signal leaves a checkpoint."""
    from mirrorfield.api import execute_together

    told = progress_line(scenario.users, scenario.steps, shown.silent)
    with log_lines(shown.silent), _stopping(folder) as stop, told as progress:
        result = execute_together(
            scenario, shown.threads, progress,
            out=folder, resume=resume, overwrite=overwrite, stopped=stop, command=command,
        )  # fmt: skip
    print_result(folder, scenario, result.summary, shown)


@contextmanager
def _stopping(folder: Path) -> Iterator[Any]:
    with stop_on_signals(folder) as stop:
        try:
            yield stop
        except StoppedError as error:
            stopped = StoppedError(f"{error}; {stop.hint()}")
            stopped.exit_code = stop.exit_code
            raise stopped from None


def print_result(folder: Path, scenario: AnyScenario, summary: dict[str, Any], shown: Shown) -> None:
    """Print the summary as tables, as JSON or not at all."""
    from mirrorfield.store.folder import summary_text

    if shown.json:
        sys.stdout.write(summary_text(summary))
    elif not shown.quiet:
        console = stdout()
        console.print(summary_view(scenario, summary))
        console.print(f"Pictures: {folder / 'report.html'}", highlight=False, soft_wrap=True)


def go_on(folder: Path, shown: Shown, block: int | None = None, keep_all: bool | None = None) -> None:
    """Continue the run in a folder to its end, or say that it is finished.

    Parameters: folder; shown; block and keep_all, as they were asked for: InputError if the run has others.
    """
    from mirrorfield.api import reopen
    from mirrorfield.store.folder import is_result
    from mirrorfield.store.job import check_kept, continued
    from mirrorfield.store.lock import locked
    from mirrorfield.world.embedding.checkpoint import checkpoint_path, checkpoint_scenario

    checkpoint = checkpoint_path(folder)
    if checkpoint.exists() and not is_result(folder):
        run_together(folder, checkpoint_scenario(checkpoint), shown, typed_command(), resume=True, overwrite=False)
        return
    if not is_result(folder):
        continued(folder)
        with locked(folder):
            if not is_result(folder):
                run_job(folder, reopen(folder, shown.threads, block, keep_all), shown)
                return
    check_kept(folder, keep_all)
    _print_finished(folder, shown)


def print_if_finished(folder: Path, shown: Shown, plan: "Plan") -> bool:
    """Tell whether the run of a plan in a folder is finished, and if it is, say so or print its summary as JSON."""
    from mirrorfield.store.job import check_finished

    if not check_finished(folder, plan):
        return False
    _print_finished(folder, shown)
    return True


def _print_finished(folder: Path, shown: Shown) -> None:
    from mirrorfield.store.folder import read_result
    from mirrorfield.store.job import tidy_finished

    tidy_finished(folder)
    scenario, summary = read_result(folder)
    if shown.json:
        print_result(folder, scenario, summary, shown)
    elif not shown.quiet:
        line = f"{folder} is finished; see it with `mirrorfield show {folder}`"
        stdout().print(line, highlight=False, soft_wrap=True)
