"""What commands that answer a question share: their options, a progress bar, and the page they may write."""

import json
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from mirrorfield.cli.table import stdout
from mirrorfield.errors import InputError
from mirrorfield.population.assumed import assumption
from mirrorfield.store.lock import check_name

if TYPE_CHECKING:
    from mirrorfield.population.run import Plan
    from mirrorfield.population.worlds import AnyScenario

Users = Annotated[int | None, typer.Option(help="Number of users.")]
Steps = Annotated[int | None, typer.Option(help="Interactions per user.")]
Seed = Annotated[int | None, typer.Option(help="Seed of all random streams.")]
Threads = Annotated[int | None, typer.Option(help="Threads; default one per processor.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="section.key=value, as often as needed.")]
Page = Annotated[Path | None, typer.Option("--out", help="Also write a page with pictures to FILE.html.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON and nothing else.")]
Fitted = Annotated[Path | None, typer.Option(help="Users from a folder written by `fit`.")]
OwnRecommender = Annotated[str | None, typer.Option("--recommender", help="A recommender of your own, module:name.")]
OwnPeople = Annotated[str | None, typer.Option("--people", help="People of your own, module:name.")]
Observed = Annotated[
    Literal["history", "state"] | None, typer.Option("--observe", help="What a recommender of your own sees.")
]
Preset = Annotated[str, typer.Argument(help="A preset, or a scenario in a TOML file.")]


def own_objects(recommender: str | None, people: str | None, observe: str | None) -> dict[str, Any]:
    """Return the objects that `module:name` words name, as the Python doors take them; nothing where there are none."""
    if recommender is None and people is None and observe is None:
        return {}
    from mirrorfield.engine.own import load_object, load_recommender

    return {
        "recommender": None if recommender is None else load_recommender(recommender),
        "people": None if people is None else load_object(people, "--people"),
        "observe": observe or "history",
    }


def named_objects(plan: "Plan", recommender: str | None, people: str | None, observe: str | None) -> "Plan":
    """Return a plan with the objects that `module:name` words name; the plan itself where there are none."""
    own = own_objects(recommender, people, observe)
    if not own:
        return plan
    from mirrorfield.engine.own import with_own

    return with_own(plan, **own, portable=True)


@contextmanager
def progress_bar(text: str, total: int | None) -> Iterator[tuple[Progress, TaskID]]:
    """Yield a progress bar on standard error, shown on a terminal only, and its one task."""
    with Progress(transient=True, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        yield progress, progress.add_task(text, total=total)


def check_page(out: Path | None) -> None:
    """Raise InputError unless a page may be written there."""
    check_file(out, "--out", ".html")


def check_file(out: Path | None, option: str, *suffixes: str) -> None:
    """Raise InputError unless a file with one of these endings may be written there, before any work."""
    if out is None:
        return
    if out.suffix not in suffixes:
        raise InputError(f'{option}: expected a file that ends in {" or ".join(suffixes)}, got "{out}"')
    if not out.parent.is_dir():
        raise InputError(f"{option}: {out.parent}: no such folder; make it first, or choose another place")
    try:
        with out.open("ab") if out.exists() else tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise InputError(f"{option}: {out}: cannot write there ({error.strerror}); choose another place") from None
    check_name(out)


def typed_command() -> str:
    """Return the command as it was typed, to be shown on the page that it makes."""
    return shlex.join(["mirrorfield", *sys.argv[1:]])


def write_page(out: Path | None, page: str, quiet: bool = False) -> None:
    """Write a page where one is wanted, and say so unless `quiet`."""
    if out:
        out.write_text(page, encoding="utf-8")
        if not quiet:
            stdout().print(f"Pictures: {out}")


def print_json(answer: Any) -> None:
    """Print an answer as JSON, without NaN or infinity, which JSON does not have."""
    from mirrorfield.study.plain import plain

    sys.stdout.write(json.dumps(plain(answer), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def fitted(scenario: str, population: Path | None) -> tuple[str, list[str]]:
    """Return which scenario to take and how to set users from a folder; the folder's own in place of the default."""
    if population is None:
        return scenario, []
    from mirrorfield.store.population import assumed_in

    source = str(population / "scenario.toml") if scenario == "default" else scenario
    assumed = assumed_in(population)
    settings = [f"population.file={json.dumps(str(population))}"]
    return source, settings + ([f"population.assumed={json.dumps(assumed)}"] if assumed else [])


def print_assumed(scenario: "AnyScenario") -> None:
    """Print what of a scenario's people was assumed, if anything was."""
    if assumed := assumption(scenario):
        stdout().print(f"  {assumed}", highlight=False, soft_wrap=True)
