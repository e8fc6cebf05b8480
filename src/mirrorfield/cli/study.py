"""`mirrorfield neighbours`, `tip` and `sweep`: questions about a scenario."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from mirrorfield.cli.settings import build_scenario
from mirrorfield.cli.table import stdout
from mirrorfield.errors import InputError
from mirrorfield.metrics.mirrors import Share

Users = Annotated[int | None, typer.Option(help="Number of users.")]
Steps = Annotated[int | None, typer.Option(help="Interactions per user.")]
Seed = Annotated[int | None, typer.Option(help="Seed of all random streams.")]
Threads = Annotated[int | None, typer.Option(help="Threads; default one per processor.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="section.key=value, as often as needed.")]
Page = Annotated[Path | None, typer.Option("--out", help="Also write a page with a picture to FILE.html.")]
Preset = Annotated[str, typer.Argument(help="A preset, or a scenario in a TOML file.")]


@contextmanager
def _progress(text: str, total: int | None) -> Iterator[tuple[Progress, TaskID]]:
    with Progress(transient=True, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        yield progress, progress.add_task(text, total=total)


def _check_page(out: Path | None) -> None:
    if out and out.suffix != ".html":
        raise InputError(f'--out: expected a file that ends in .html, got "{out}"')


def _write(out: Path | None, page: str) -> None:
    if out:
        out.write_text(page, encoding="utf-8")
        stdout().print(f"Picture: {out}")


def _command() -> str:
    return shlex.join(["mirrorfield", *sys.argv[1:]])


def _share(share: Share) -> str:
    return f"{100 * share.value:.2f}% [{100 * share.low:.2f}, {100 * share.high:.2f}]"


def neighbours(
    scenario: Preset = "default",
    eps: Annotated[list[float] | None, typer.Option(help="A distance in profile; may be repeated.")] = None,
    pairs: Annotated[int, typer.Option(help="Users that get a neighbour.")] = 20_000,
    steps: Steps = None,
    seed: Seed = None,
    settings: Settings = None,
    out: Page = None,
    threads: Threads = None,
) -> None:
    """Run users beside neighbours a small step away in profile: what does the profile decide, and what early luck?"""
    from mirrorfield.report.study import neighbours_page
    from mirrorfield.study.neighbours import DISTANCES
    from mirrorfield.study.neighbours import neighbours as run

    _check_page(out)
    base, distances = build_scenario(scenario, settings or [], steps=steps, seed=seed), eps or DISTANCES
    with _progress("simulating", (3 + 2 * len(distances)) * pairs) as (progress, task):
        found = run(base, distances, pairs=pairs, threads=threads, progress=lambda n: progress.advance(task, n))
    table = Table("distance", "same luck", "other luck", box=box.SIMPLE_HEAD)
    table.title, table.title_justify = (
        f"Pairs with less than a tenth of their feeds in common ({pairs:,} pairs)",
        "left",
    )
    for pair in found.distances:
        table.add_row(f"{pair.distance:g}", _share(pair.same_luck), _share(pair.other_luck))
    table.add_row("strangers", "", _share(found.strangers))
    stdout().print(table)
    for name, (index, error) in (("profile", found.profile), ("luck", found.luck)):
        stdout().print(f"  decided by {name} alone: {100 * index:.1f}% of who ends up where (s.e. {100 * error:.1f})")
    _write(out, neighbours_page(found, _command()))


def tip(
    scenario: Preset = "default",
    metric: Annotated[str, typer.Option(help="A figure of the population.")] = "share:depth",
    over: Annotated[str, typer.Option(help="A setting that takes a number.")] = "population.intentionality",
    low: Annotated[float, typer.Option(help="From here.")] = 0.0,
    high: Annotated[float, typer.Option(help="To here.")] = 1.0,
    level: Annotated[float, typer.Option(help="The value that the metric crosses.")] = 0.5,
    tolerance: Annotated[float, typer.Option(help="Width of the last bracket.")] = 0.002,
    cold: Annotated[bool, typer.Option("--cold", help="Do not look for hysteresis.")] = False,
    users: Users = None,
    steps: Steps = None,
    seed: Seed = None,
    settings: Settings = None,
    out: Page = None,
    threads: Threads = None,
) -> None:
    """Find where a population tips from one answer to another, and whether it tips back at the same place."""
    from mirrorfield.report.study import tipping_page
    from mirrorfield.study.tipping import tip as run

    _check_page(out)
    base = build_scenario(scenario, settings or [], users=users, steps=steps, seed=seed)
    with _progress("simulating", None) as (progress, task):
        found = run(
            base, metric, over, low, high,
            level=level, tolerance=tolerance, warm=not cold, threads=threads,
            progress=lambda n: progress.advance(task, n),
        )  # fmt: skip
    table = Table(over, metric, box=box.SIMPLE_HEAD)
    for place, value in zip(found.place, found.value, strict=True):
        table.add_row(f"{place:.4f}", f"{value:.4f}")
    stdout().print(table)
    stdout().print(f"  crosses {level:g} between {found.bracket[0]:.4f} and {found.bracket[1]:.4f}")
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
    _write(out, tipping_page(found, _command()))


def sweep(
    file: Annotated[Path, typer.Argument(help="What to sweep, as TOML; docs/sweep.md.")],
    out: Annotated[Path | None, typer.Option(help="Folder; default the file's name without .toml.")] = None,
    threads: Threads = None,
    dask: Annotated[str | None, typer.Option(help="Run on Dask: local:N, or the address of a scheduler.")] = None,
) -> None:
    """Run a scenario at many settings, go on where an earlier call stopped, and write one dataset."""
    from mirrorfield.study.sweep import RESULT, Sweep
    from mirrorfield.study.sweep import sweep as run

    spec, folder = Sweep.load(file), out or file.with_suffix("")
    with _progress("points", None) as (progress, task):
        dataset = run(
            spec, folder, threads=threads, dask=dask,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )  # fmt: skip
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
    stdout().print(f"Dataset: {folder / RESULT}")
