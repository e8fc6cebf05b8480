"""`mirrorfield arousal`: states of arousal from the sessions of a log."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mirrorfield.cli.asked import Json, check_file, print_json
from mirrorfield.cli.plain import printable
from mirrorfield.cli.table import left_out, stdout


def arousal(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="A .csv or .parquet file, one event a row.")],
    session: Annotated[str, typer.Option(help="Column with the session.")],
    user: Annotated[str | None, typer.Option(help="Column with the user; without it, sessions are held out.")] = None,
    dwell: Annotated[str | None, typer.Option(help="Column with the dwell, 0 or more, in any unit.")] = None,
    action: Annotated[
        list[str] | None, typer.Option(help="Column of an action, which happened where it is above 0; may be repeated.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Column with the time, a number or an ISO date; default the order of rows.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help='What separates fields of CSV; a comma, or "tab".')] = None,
    no_header: Annotated[bool, typer.Option("--no-header", help="CSV without a header: columns c1, c2, ...")] = False,
    skip_bad_rows: Annotated[bool, typer.Option("--skip-bad-rows", help="Go on without unusable rows.")] = False,
    scenario: Annotated[str, typer.Option(help="Preset or TOML file that --out puts the moves into.")] = "default",
    starts: Annotated[int, typer.Option(min=1, help="Starts of the fit.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first start and of the folds.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the scenario with the fitted moves to FILE.toml.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.toml if it exists.")] = False,
    json_: Json = False,
) -> None:
    """Fit three states of arousal to sessions, and say whether they predict sessions that they were not fitted to."""
    from mirrorfield.population.scenario import Scenario
    from mirrorfield.study.arousal import arousal as fit_arousal
    from mirrorfield.study.arousal import check_free

    base = Scenario.load(scenario)
    check_file(out, "--out", ".toml")
    if out:
        check_free(out, overwrite)
    with Console(stderr=True, quiet=json_).status(Text(printable(f"reading {log.name} and fitting its sessions"))):
        found = fit_arousal(
            log,
            session=session,
            user=user,
            dwell=dwell,
            actions=action or (),
            time=time,
            delimiter=delimiter,
            header=not no_header,
            skip_bad_rows=skip_bad_rows,
            starts=starts,
            seed=seed,
        )
        if out:
            found.save(out, base, overwrite)
    if json_:
        print_json(found.summary)
        return
    console = stdout()
    console.print(found.verdict.line, highlight=False, soft_wrap=True)
    for line in _lines(found.summary):
        console.print(Text(line), soft_wrap=True)
    for table in (_states(found.summary), _moves(found.summary), _models(found.summary)):
        console.print(table)
    if out:
        console.print(f"Next: mirrorfield fit LOG ... --scenario {out}", highlight=False, soft_wrap=True)


def _lines(summary: dict[str, Any]) -> list[str]:
    log, fitted, starts = summary["log"], summary["fitted"], summary["starts"]
    told = f"{log['people']:,} people, {log['sessions']:,} sessions, {log['events']:,} events"
    if fitted["events"] < log["events"]:
        told += f"; fitted to {fitted['people']:,} people, {fitted['events']:,} events, spread evenly over them"
    seeds = starts["seeds"]
    return [
        told,
        *([left_out(log)] if log["bad"] else []),
        f"Starts with seeds {seeds[0]} to {seeds[-1]}; the best two ended {starts['gap']:.2g} nats apart.",
        f"States are in order {summary['order']}; that the last of them is arousal is an assumption.",
    ]


def _states(summary: dict[str, Any]) -> Table:
    from mirrorfield.study.arousal import told

    first = summary["states"][0]
    dwell = ["median dwell"] if "median_dwell" in first else []
    table = Table("state", "events", *dwell, *first["actions"], box=box.SIMPLE_HEAD)
    for row in summary["states"]:
        dwelt = [told(row["median_dwell"], ".3g")] if dwell else []
        table.add_row(row["state"], f"{row['share']:.1%}", *dwelt, *map(told, row["actions"].values()))
    return table


def _moves(summary: dict[str, Any]) -> Table:
    from mirrorfield.study.arousal import told

    names = [row["state"] for row in summary["states"]]
    table = Table("from", "begins", *(f"to {name}" for name in names), box=box.SIMPLE_HEAD)
    for row in summary["states"]:
        table.add_row(row["state"], told(row["start"]), *map(told, row["moves"].values()))
    return table


def _models(summary: dict[str, Any]) -> Table:
    from mirrorfield.study.arousal import told

    held = summary["heldout"]
    table = Table("model", "held-out nats per event", "three states minus it", box=box.SIMPLE_HEAD)
    for name, score in held["nats_per_event"].items():
        beyond = held["three_states_minus"].get(name)
        table.add_row(name, f"{score:.4f}", told(beyond, "+.4f") if beyond else "")
    return table
