"""`mirrorfield run`, and the commands that have to do with its folder: `resume`, `show`, `presets`, `cite`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from mirrorfield.cli import embedding as embedding_command
from mirrorfield.cli.asked import Observed, OwnPeople, OwnRecommender, named_objects, typed_command
from mirrorfield.cli.jobs import Shown, go_on, print_if_finished, run_job
from mirrorfield.cli.progress import log_lines
from mirrorfield.cli.settings import build_scenario
from mirrorfield.cli.table import stdout, summary_view
from mirrorfield.errors import CorruptError, InputError
from mirrorfield.population.scenario import Scenario, presets


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
    for name in presets():
        preset = Scenario.load(name)
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
        if embedding_command.show_embedding(folder, json_):
            return
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

    sys.stdout.write("\n".join(bibtex(Scenario.load(scenario))))
