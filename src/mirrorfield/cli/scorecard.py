"""`mirrorfield scorecard`: the model against published facts, those that it contradicts first."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from mirrorfield.cli.asked import Json, Seed, Settings, Steps, Threads, check_file, print_json
from mirrorfield.cli.settings import build_population
from mirrorfield.cli.table import stdout
from mirrorfield.population.scenario import Scenario

if TYPE_CHECKING:
    from mirrorfield.study.scorecard import Scorecard

SHORT = ("fact", "published", "model", "null models", "nearest", "verdict")


def scorecard(
    users: Annotated[int, typer.Option(help="Number of users; 2000 is quick.")] = 10_000,
    steps: Steps = None,
    seed: Seed = None,
    settings: Settings = None,
    only: Annotated[list[str] | None, typer.Option(help="This fact only, by its id; may be repeated.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Also write all of it, with a picture, to FILE.md or FILE.html.")
    ] = None,
    threads: Threads = None,
    json_: Json = False,
) -> None:
    """Hold the default scenario, or a changed one, against published facts; those that it contradicts come first."""
    from mirrorfield.report.scorecard import MARK, head, lines, told_apart
    from mirrorfield.study.scorecard import scorecard as run

    check_file(out, "--out", ".md", ".html")
    if out and out.suffix == ".md":
        check_file(out.with_suffix(".png"), "--out", ".png")
    base = build_population("default", settings or [], users=users, steps=steps, seed=seed)
    card = run(base, only or (), threads=threads, progress=True)
    if json_:
        print_json(card.plain())
    else:
        table = Table(box=box.SIMPLE_HEAD)
        for heading in SHORT:
            table.add_column(heading, overflow="fold", no_wrap=heading == SHORT[0])
        for row in lines(card.rows):
            table.add_row(*row)
        stdout().print(table)
        stdout().print(head(card), highlight=False, soft_wrap=True)
        stdout().print(told_apart(card), highlight=False, soft_wrap=True)
        if any(not row.fact.checked for row in card.rows):
            stdout().print(MARK, highlight=False, soft_wrap=True)
    if out:
        _write(card, out, _command(base, settings or [], only or []))


def _write(card: "Scorecard", out: Path, command: str) -> None:
    """Write the page, and beside one of Markdown the picture that it shows, if there is a number to draw."""
    from mirrorfield.report.scorecard import markdown

    picture = out.with_suffix(".png").name if out.suffix == ".md" and any(row.model for row in card.rows) else ""
    if picture:
        card.plot.facts().savefig(out.with_suffix(".png"), dpi=180, metadata={"Software": None})
    text = markdown(card, command, picture) if out.suffix == ".md" else card.report(command)
    out.write_text(text, encoding="utf-8")


def _command(base: Scenario, settings: list[str], only: list[str]) -> str:
    """Return the command that makes the same scorecard, for the page that it writes."""
    words = ["--users", str(base.users), "--steps", str(base.steps), "--seed", str(base.seed)]
    asked = (("--set", settings), ("--only", only))
    chosen = [word for option, texts in asked for text in texts for word in (option, text)]
    return shlex.join(["mirrorfield", "scorecard", *words, *chosen])
