"""`mirrorfield verify`: the theory against the compiled kernel, as a table."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mirrorfield.cli.asked import check_file, progress_bar
from mirrorfield.cli.table import stdout
from mirrorfield.errors import MirrorfieldError


def verify(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer users, under a minute.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Check this group of claims only; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the claims as JSON.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Also write the table to FILE.md, or with a chart to FILE.html.")
    ] = None,
) -> None:
    """Check the theory's claims against the compiled kernel; exit code 1 if one fails."""
    from mirrorfield.report.verification import HEADINGS, cells, markdown, page, plain
    from mirrorfield.validation.suite import verify as claims_of

    check_file(out, "--out", ".md", ".html")
    table, claims = Table(*HEADINGS, box=None), []
    with progress_bar("verifying", None) as (progress, task):
        for claim in claims_of(quick, tuple(only or ())):
            claims.append(claim)
            progress.update(task, description=claim.text)
            table.add_row(*cells(len(claims), claim))
    if as_json:
        print(json.dumps(plain(claims), indent=2, allow_nan=False))
    else:
        stdout().print(table)
    if out:
        command = " ".join(
            ["mirrorfield verify", *(["--quick"] if quick else []), *(f"--only {n}" for n in only or ())]
        )
        out.write_text(markdown(claims) if out.suffix == ".md" else page(claims, command), encoding="utf-8")
    failing = sum(not claim.holds for claim in claims)
    if failing:
        raise MirrorfieldError(f"verify: {failing} of {len(claims)} claims fail")
