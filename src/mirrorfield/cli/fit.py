"""`mirrorfield fit`: from an interaction log to a population folder."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from mirrorfield.cli.asked import print_assumed
from mirrorfield.cli.plain import printable
from mirrorfield.cli.table import left_out, stdout
from mirrorfield.report.headline import people, percent


def fit(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="A .csv or .parquet file, one interaction a row.")],
    user: Annotated[str, typer.Option(help="Column with the user.")],
    reaction: Annotated[str, typer.Option(help='Column with the reaction, or "like + 0.3*log1p(dwell)" of columns.')],
    category: Annotated[
        str | None, typer.Option(help="Column with the category, or categories (see --separator); default --item.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Column with the time, a number or an ISO date; default the order of rows.")
    ] = None,
    session: Annotated[str | None, typer.Option(help="Column with the session; whole ones are held out.")] = None,
    propensity: Annotated[str | None, typer.Option(help="Column with the chance of having been shown.")] = None,
    deliberate: Annotated[
        str | None,
        typer.Option(help="Column with a rating or answer given on purpose, from which lambda is estimated."),
    ] = None,
    separator: Annotated[str | None, typer.Option(help="What separates several categories in one cell.")] = None,
    items: Annotated[Path | None, typer.Option(help="A second table that holds the category column.")] = None,
    item: Annotated[str | None, typer.Option(help="Column that joins the log and --items.")] = None,
    transform: Annotated[
        str | None, typer.Option(help="log, rank or clip:99: draw in the tails of heavy-tailed reactions.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help='What separates fields of CSV; a comma, or "tab".')] = None,
    no_header: Annotated[bool, typer.Option("--no-header", help="CSV without a header: columns c1, c2, ...")] = False,
    scenario: Annotated[str, typer.Option(help="Preset or TOML file to take the arousal tables from.")] = "default",
    low: Annotated[float | None, typer.Option(help="Reaction that becomes 0; default the smallest.")] = None,
    high: Annotated[float | None, typer.Option(help="Reaction that becomes 1; default the largest.")] = None,
    max_categories: Annotated[int | None, typer.Option(help="Merge the rarest categories into 'other'.")] = None,
    skip_bad_rows: Annotated[bool, typer.Option("--skip-bad-rows", help="Go on without unusable rows.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("population"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing population folder.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print fit.json and nothing else.")] = False,
) -> None:
    """Turn an interaction log into reaction profiles that `mirrorfield run --population` simulates."""
    from mirrorfield.population.scenario import Scenario
    from mirrorfield.store.folder import check_place, summary_text
    from mirrorfield.store.lock import locked
    from mirrorfield.store.population import is_population
    from mirrorfield.study.fitted import fit as fit_people

    base = Scenario.load(scenario)
    check_place(out, overwrite, is_population)
    telling = Text(printable(f"reading {log.name} and fitting its users"))
    with locked(out), Console(stderr=True, quiet=quiet or json_).status(telling):
        check_place(out, overwrite, is_population)
        found = fit_people(
            log,
            user=user,
            category=category,
            item=item,
            reaction=reaction,
            time=time,
            session=session,
            propensity=propensity,
            deliberate=deliberate,
            items=items,
            separator=separator,
            transform=transform,
            delimiter=delimiter,
            header=not no_header,
            low=low,
            high=high,
            max_categories=max_categories,
            skip_bad_rows=skip_bad_rows,
            scenario=base,
            seed=seed,
        )
        found.save(out, overwrite)
    if json_:
        sys.stdout.write(summary_text(found.summary))
    elif not quiet:
        console = stdout()
        console.print(found.verdict.line, highlight=False, soft_wrap=True)
        console.print(fit_view(found.found.user_names, found.summary))
        print_assumed(Scenario.load(out / "scenario.toml"))
        if found.verdict.holds:
            console.print(f"Next: mirrorfield run --population {out}", highlight=False, soft_wrap=True)


def fit_view(users: tuple[str, ...], summary: dict[str, Any]) -> RenderableType:
    """Return what was read, estimated and checked, for a terminal."""
    parts = summary["variance_components"]
    lines = [
        f"{len(users):,} users, {len(parts['categories'])} categories",
        f"Scaling: {summary['scaling']['formula']}",
        f"Spread between users {parts['tau_user']:.3f}, between a user's categories {parts['tau_cell']:.3f}",
        summary["not_observed"],
    ]
    if "intentionality" in summary:
        lines += _intentionality(summary["intentionality"])
    lines += [left_out(log) for log in _tables(summary["log"]) if log["bad"]]
    tables: list[RenderableType] = [_counts(summary["log"]), _heldout(summary["heldout"])]
    if summary["log"]["propensity"]:
        tables.append(_shown(parts["categories"]))
    if "by_learning_rate" in summary:
        tables += _rates(summary["by_learning_rate"])
    return Group(*(Text(line) for line in lines), *tables)


def _intentionality(told: dict[str, Any]) -> list[str]:
    if not told["identified"]:
        return [told["line"]]
    leans = ", ".join(f"{mean:.3f} if b is {b}" for b, mean in told["mean_if_pulls_lean_by"].items())
    return [told["line"], f"It is assumed that {told['assumes']}: the mean is {leans}."]


def _shown(categories: dict[str, Any]) -> Table:
    table = Table("mean reaction, 0 to 1", "as logged", "if all were shown evenly", box=box.SIMPLE_HEAD)
    for name, told in categories.items():
        table.add_row(name, *(_told(told[key]) for key in ("as_logged", "shown_evenly")))
    return table


def _rates(told: list[dict[str, Any]]) -> list[RenderableType]:
    title = Text(f"What a run of {people(told[0]['users'])} says, by the learning rate, which no log gives")
    names = [name for name in told[0] if name != "users"]
    heads = [name.replace("_", " ") for name in names]
    table = Table(*heads, box=box.SIMPLE_HEAD)
    for row in told:
        figures = (percent(row[name]) if name == "locked_in" else f"{row[name]:.3g}" for name in names)
        table.add_row(*figures)
    return [title, table]


def _tables(log: dict[str, Any]) -> list[dict[str, Any]]:
    return [log, log["items"]] if log.get("items") else [log]


def _counts(log: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="What was read", title_justify="left")
    for heading in ("file", "rows", "used", "left out"):
        table.add_column(heading, justify="left" if heading == "file" else "right")
    for read in _tables(log):
        table.add_row(read["file"], f"{read['rows']:,}", f"{read['used']:,}", f"{read['rows'] - read['used']:,}")
    return table


def _heldout(check: dict[str, Any]) -> RenderableType:
    if "rmse" not in check:
        return Text(f"No held-out check: {check['note']}")
    title = f"RMSE in the log's unit, 95% interval, on {check['events']:,} held-out events (last 20% of each user)"
    table = Table("predictor", "RMSE", "profiles minus it", box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for name, error in check["rmse"].items():
        difference = check["difference"].get(name)
        table.add_row(name.replace("_", " "), _interval(error), _interval(difference) if difference else "")
    return table


def _interval(figure: dict[str, Any]) -> str:
    return _told(figure["log_unit"])


def _told(x: dict[str, float]) -> str:
    return f"{x['value']:.4f} [{x['low']:.4f}, {x['high']:.4f}]"
