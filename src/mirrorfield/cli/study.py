"""`mirrorfield neighbours`, `tip` and `sweep`: questions about a scenario."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from mirrorfield.cli.asked import (
    Fitted,
    Json,
    Observed,
    OwnPeople,
    OwnRecommender,
    Page,
    Preset,
    Seed,
    Settings,
    Steps,
    Threads,
    Users,
    check_page,
    fitted,
    own_objects,
    print_assumed,
    print_json,
    progress_bar,
    typed_command,
    write_page,
)
from mirrorfield.cli.settings import build_population, build_scenario
from mirrorfield.cli.table import stdout
from mirrorfield.metrics.mirrors import Share

if TYPE_CHECKING:
    from mirrorfield.study.neighbours import Neighbours
    from mirrorfield.study.tipping import Tipping


def _share(share: Share) -> str:
    return f"{100 * share.value:.2f}% [{100 * share.low:.2f}, {100 * share.high:.2f}]"


def neighbours(
    scenario: Preset = "default",
    eps: Annotated[list[float] | None, typer.Option(help="A distance in profile; may be repeated.")] = None,
    pairs: Annotated[int, typer.Option(help="Users who get a neighbour.")] = 20_000,
    steps: Steps = None,
    seed: Seed = None,
    settings: Settings = None,
    recommender: OwnRecommender = None,
    people: OwnPeople = None,
    observe: Observed = None,
    out: Page = None,
    threads: Threads = None,
    json_: Json = False,
) -> None:
    """Run users beside neighbours a small step away in profile: what does the profile decide, and what early luck?"""
    from mirrorfield.report.study import neighbours_page
    from mirrorfield.study.neighbours import DISTANCES
    from mirrorfield.study.neighbours import neighbours as run

    check_page(out)
    base, distances = build_population(scenario, settings or [], steps=steps, seed=seed), eps or DISTANCES
    with progress_bar("simulating", (3 + 2 * len(distances)) * pairs) as (progress, task):
        found = run(
            base, distances,
            pairs=pairs, **own_objects(recommender, people, observe), threads=threads,
            progress=lambda n: progress.advance(task, n),
        )  # fmt: skip
    if json_:
        print_json(found)
    else:
        _print_neighbours(found)
    write_page(out, neighbours_page(found, typed_command()), json_)


def _print_neighbours(found: "Neighbours") -> None:
    table = Table("distance", "same luck", "other luck", box=box.SIMPLE_HEAD)
    table.title, table.title_justify = (
        f"Pairs with less than a tenth of their diets in common ({found.pairs:,} pairs)",
        "left",
    )
    for pair in found.distances:
        table.add_row(f"{pair.distance:g}", _share(pair.same_luck), _share(pair.other_luck))
    table.add_row("strangers", "", _share(found.strangers))
    stdout().print(table)
    print_assumed(found.scenario)
    for name, (index, error) in (("profile", found.profile), ("luck", found.luck)):
        stdout().print(f"  decided by {name} alone: {100 * index:.1f}% of who ends up where (s.e. {100 * error:.1f})")


def tip(
    scenario: Preset = "default",
    metric: Annotated[str, typer.Option(help="A figure of the population.")] = "share:depth",
    over: Annotated[str, typer.Option(help="A setting that takes a number.")] = "population.intentionality",
    low: Annotated[float, typer.Option(help="Lower end of the range to search.")] = 0.0,
    high: Annotated[float, typer.Option(help="Upper end of the range to search.")] = 1.0,
    level: Annotated[float, typer.Option(help="The value of the metric to look for.")] = 0.5,
    tolerance: Annotated[float, typer.Option(help="Width of the last bracket.")] = 0.002,
    cold: Annotated[bool, typer.Option("--cold", help="Do not look for hysteresis.")] = False,
    users: Users = None,
    steps: Steps = None,
    seed: Seed = None,
    settings: Settings = None,
    recommender: OwnRecommender = None,
    people: OwnPeople = None,
    observe: Observed = None,
    population: Fitted = None,
    out: Page = None,
    threads: Threads = None,
    json_: Json = False,
) -> None:
    """Find where a population tips from one answer to another, and whether it tips back at the same place."""
    from mirrorfield.report.study import tipping_page
    from mirrorfield.study.tipping import tip as run

    check_page(out)
    source, listed = fitted(scenario, population)
    base = build_scenario(source, [*listed, *(settings or [])], users=users, steps=steps, seed=seed)
    with progress_bar("simulating", None) as (progress, task):
        found = run(
            base, metric, over, low, high,
            level=level, tolerance=tolerance, warm=not cold, threads=threads,
            **own_objects(recommender, people, observe),
            progress=lambda n: progress.advance(task, n),
        )  # fmt: skip
    if json_:
        print_json(found)
    else:
        _print_tipping(found)
    write_page(out, tipping_page(found, typed_command()), json_)


def _print_tipping(found: "Tipping") -> None:
    table = Table(found.over, found.metric, box=box.SIMPLE_HEAD)
    for place, value in zip(found.place, found.value, strict=True):
        table.add_row(f"{place:.4f}", f"{value:.4f}")
    stdout().print(table)
    print_assumed(found.scenario)
    stdout().print(f"  crosses {found.level:g} between {found.bracket[0]:.4f} and {found.bracket[1]:.4f}")
    if found.fit:
        fit = found.fit
        stdout().print(
            f"  logistic: midpoint {fit.midpoint:.4f} [{fit.midpoint_low:.4f}, {fit.midpoint_high:.4f}], "
            f"width {fit.width:.4f} [{fit.width_low:.4f}, {fit.width_high:.4f}], misfit {fit.misfit:.3f}"
        )
    if found.hysteresis:
        warm = found.hysteresis
        up, down = ("never" if x != x else f"at {x:.3f}" for x in (warm.tips_up, warm.tips_down))
        stdout().print(f"  with a warm policy: tips {up} on the way up, {down} on the way down")


def sweep(
    file: Annotated[Path, typer.Argument(help="What to sweep, as TOML; docs/sweep.md.")],
    out: Annotated[Path | None, typer.Option(help="Folder; default the file's name without .toml.")] = None,
    recommender: OwnRecommender = None,
    people: OwnPeople = None,
    observe: Observed = None,
    threads: Threads = None,
    dask: Annotated[str | None, typer.Option(help="Run on Dask: local:N, or the address of a scheduler.")] = None,
    json_: Json = False,
) -> None:
    """Run a scenario at many settings, go on where an earlier call stopped, and write one dataset."""
    from mirrorfield.study.sweep import RESULT, Sweep
    from mirrorfield.study.sweep import sweep as run

    spec, folder = Sweep.load(file), out or file.with_suffix("")
    with progress_bar("points", None) as (progress, task):
        dataset = run(
            spec, folder, threads=threads, dask=dask, **own_objects(recommender, people, observe),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )  # fmt: skip
    if json_:
        print_json({"sweep": spec, "dataset": str(folder / RESULT), "figures": dataset.to_dict()["data_vars"]})
        return
    stdout().print(f"{spec.method}: {dataset.sizes.get('point') or dataset[next(iter(dataset))].size} points")
    if "first_order" in dataset:
        table = Table("metric", "setting", "first order", "total order", box=box.SIMPLE_HEAD)
        for metric in dataset["metric"].values:
            for setting in dataset["setting"].values:
                one = dataset.sel(metric=metric, setting=setting)
                table.add_row(
                    str(metric), str(setting),
                    f"{float(one.first_order):.3f} +- {float(one.first_order_half):.3f}",
                    f"{float(one.total_order):.3f} +- {float(one.total_order_half):.3f}",
                )  # fmt: skip
        stdout().print(table)
    if "assumed" in dataset.attrs:
        stdout().print(f"  {dataset.attrs['assumed']}", highlight=False, soft_wrap=True)
    stdout().print(f"Dataset: {folder / RESULT}")
