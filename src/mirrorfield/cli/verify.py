"""`mirrorfield verify`: the theory against the compiled kernel, as a table."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from mirrorfield.cli.table import stdout
from mirrorfield.errors import MirrorfieldError


def verify(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer users, under a minute.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the table as Markdown to this file.")] = None,
) -> None:
    """Check the theory's claims against the compiled kernel; exit code 1 if one fails."""
    from mirrorfield.validation.claim import markdown
    from mirrorfield.validation.suite import verify as claims_of

    table = Table("", "claim", "predicted", "measured", "s.e.", "holds if", "verdict", box=None)
    claims = []
    with Progress(transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("verifying", total=None)
        for claim in claims_of(quick):
            claims.append(claim)
            progress.update(task, description=claim.text)
            numbers = f"{claim.predicted:.4g}", f"{claim.measured:.4g}", f"{claim.error:.2g}"
            table.add_row(claim.group, claim.text, *numbers, claim.rule, "holds" if claim.holds else "FAILS")
    stdout().print(table)
    if out:
        out.write_text(markdown(claims), encoding="utf-8")
    failing = sum(not claim.holds for claim in claims)
    if failing:
        raise MirrorfieldError(f"verify: {failing} of {len(claims)} claims fail")
