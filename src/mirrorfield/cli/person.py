"""`mirrorfield person`: one person out of a run, again from their id."""

from typing import Annotated

import typer
from rich import box
from rich.table import Table

from mirrorfield.arrays import STATES
from mirrorfield.cli.asked import Fitted, Json, Seed, Settings, Steps, Users, fitted, print_assumed, print_json
from mirrorfield.cli.settings import build_population
from mirrorfield.cli.table import stdout


def person(
    id: Annotated[int, typer.Argument(metavar="ID", help="Id of the person, from 0.")],
    scenario: Annotated[str, typer.Argument(help="A preset, or a scenario in a TOML file.")] = "default",
    users: Users = None,
    steps: Steps = None,
    seed: Seed = None,
    settings: Settings = None,
    population: Fitted = None,
    json_: Json = False,
) -> None:
    """Show one person, run again from their id: who they are, what they were shown, and what they are served."""
    from mirrorfield.report.headline import person_figures, size
    from mirrorfield.study.person import person as run

    source, listed = fitted(scenario, population)
    base = build_population(source, [*listed, *(settings or [])], users=users, steps=steps, seed=seed)
    found = run(base, id)
    if json_:
        print_json(found)
        return
    table = Table(box=box.SIMPLE_HEAD, show_header=False, title_justify="left")
    table.title = f"Person {id:,} of {size(base)}"
    table.add_column()
    table.add_column(overflow="fold")
    for row in person_figures(found):
        table.add_row(*row)
    stdout().print(table)
    over = Table("step", "state", *found.names, box=box.SIMPLE_HEAD, title="Diet by step", title_justify="left")
    every = -(-len(found.step) // 12)
    for step, state, diet in list(zip(found.step, found.state, found.diet, strict=True))[::-every][::-1]:
        over.add_row(f"{step:,}", STATES[state], *(f"{100 * share:.1f}%" for share in diet))
    stdout().print(over)
    print_assumed(base)
