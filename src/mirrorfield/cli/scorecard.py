"""`mirrorfield scorecard`: the model against published facts, those that it contradicts first."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from mirrorfield.cli.asked import Json, Threads, check_file, print_json, progress_bar
from mirrorfield.cli.table import stdout

SHORT = ("fact", "published", "model", "null models", "nearest", "verdict")


def scorecard(
    users: Annotated[int, typer.Option(help="People of the default scenario; 2000 is quick.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of all random streams.")] = 1,
    only: Annotated[list[str] | None, typer.Option(help="This fact only, by its id; may be repeated.")] = None,
    out: Annotated[Path | None, typer.Option(help="Also write every fact in full to FILE.md or FILE.html.")] = None,
    threads: Threads = None,
    json_: Json = False,
) -> None:
    """Hold the default scenario against published facts, with null models beside it; contradicted facts come first."""
    from mirrorfield.report.scorecard import MARK, head, lines, markdown, page, plain
    from mirrorfield.study.scorecard import scorecard as run

    check_file(out, "--out", ".md", ".html")
    with progress_bar("facts", None) as (progress, task):
        card = run(
            users, seed, tuple(only or ()), threads=threads,
            progress=lambda name, done, total: progress.update(task, description=name, completed=done, total=total),
        )  # fmt: skip
    if json_:
        print_json(plain(card))
    else:
        table = Table(box=box.SIMPLE_HEAD)
        for heading in SHORT:
            table.add_column(heading, overflow="fold")
        for row in lines(card.rows):
            table.add_row(*row)
        stdout().print(table)
        stdout().print(head(card), highlight=False)
        if any(not row.fact.checked for row in card.rows):
            stdout().print(MARK, highlight=False)
    if out:
        command = " ".join(
            [f"mirrorfield scorecard --users {users} --seed {seed}", *(f"--only {n}" for n in only or ())]
        )
        out.write_text(markdown(card, command) if out.suffix == ".md" else page(card, command), encoding="utf-8")
