"""`mirrorfield rlhf`: preferences, a reward model, a policy optimised against it, and what became of people."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mirrorfield.arrays import STATES
from mirrorfield.cli.asked import (
    Page,
    Preset,
    Seed,
    Settings,
    Steps,
    Threads,
    Users,
    check_file,
    check_page,
    typed_command,
    write_page,
)
from mirrorfield.cli.compare import effect_row
from mirrorfield.cli.settings import build_population
from mirrorfield.cli.table import stdout
from mirrorfield.errors import InputError
from mirrorfield.seal import seal_text
from mirrorfield.store.durable import write_durable
from mirrorfield.study.rlhf import Asked, Report, Rlhf
from mirrorfield.world.rlhf.heldout import HeldOut

OWN = "own"


def rlhf(
    scenario: Preset = "default",
    labellers: Annotated[int, typer.Option(help="People who are asked: the first users of the scenario.")] = 200,
    pairs: Annotated[int, typer.Option(help="Budget: preferences asked for in all.")] = 10_000,
    selection: Annotated[str, typer.Option(help="How pairs are chosen: random, on-policy or uncertain.")] = "random",
    model: Annotated[str, typer.Option(help="Reward model: shared, per-user or hierarchical.")] = "shared",
    ridge: Annotated[float, typer.Option(help="Precision of the prior on every score; 0: no prior.")] = 0.1,
    margin: Annotated[float, typer.Option(help="Lead that a preferred post must have, in nats.")] = 0.0,
    beta: Annotated[float, typer.Option(help="Leash to the policy's reference.")] = 0.1,
    rule: Annotated[str | None, typer.Option(help="The recommender's rule: a preset of docs/rules.md.")] = None,
    lambda_label: Annotated[
        str, typer.Option(help="Intentionality while rating, 0 to 1; own: as each has as a user.")
    ] = "1",
    temperature: Annotated[float, typer.Option(help="Spread of answers, in reactions.")] = 1.0,
    held_out: Annotated[float, typer.Option(help="Share of labels to judge the reward model by.")] = 0.2,
    draws: Annotated[int, typer.Option(help="Draws of labellers and labels for over-optimisation; 0: skip.")] = 40,
    users: Users = None,
    steps: Steps = None,
    seed: Seed = None,
    settings: Settings = None,
    save: Annotated[Path | None, typer.Option(help="Write the fitted scenario to FILE.toml, for `run`.")] = None,
    out: Page = None,
    threads: Threads = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")] = False,
) -> None:
    """Ask people what they prefer, fit a reward model, let the recommender learn from it, and measure what becomes of
    the same people who would else have been learned from by their clicks.
    """
    from mirrorfield.study.rlhf import rlhf as run

    check_page(out)
    check_file(save, "--save", ".toml")
    base = build_population(scenario, settings or [], users=users, steps=steps, seed=seed)
    asked = Asked(
        labellers, pairs, selection, model, ridge, margin, _intentionality(lambda_label), temperature, held_out
    )
    with _phases(json_) as tell:
        found = run(base, asked, beta=beta, rule=rule, draws=draws, save=save, threads=threads, progress=tell)
    if save:
        write_durable(save, seal_text(found.fitted.to_toml()).encode())
    if json_:
        sys.stdout.write(json.dumps(as_values(found), indent=2) + "\n")
    else:
        _print(found)
        if save:
            stdout().print(f"Fitted scenario: {save}")
    if out:
        from mirrorfield.report.rlhf import page

        html = page(found, typed_command())
        out.write_text(html, encoding="utf-8") if json_ else write_page(out, html)


def _intentionality(text: str) -> float | None:
    if text == OWN:
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f'--lambda-label: expected a number from 0 to 1, or own, got "{text}"') from None


@contextmanager
def _phases(quiet: bool) -> Iterator[Report]:
    """Yield what to call with a phase and how much of it is done; shows one line per phase on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet or not sys.stderr.isatty()) as progress:
        tasks: dict[str, Any] = {}

        def tell(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                for task in tasks.values():
                    progress.stop_task(task)
                tasks[phase] = progress.add_task(phase)
            progress.update(tasks[phase], completed=done, total=total)

        yield tell


def _print(found: Rlhf) -> None:
    names = [category.name for category in found.clicks.categories]
    table = Table("state", *names, box=box.SIMPLE_HEAD)
    spread = "" if found.model.spread is None else f"; spread of labellers {_list(found.model.spread)}"
    table.title, table.title_justify = f"r_phi, {found.model.kind}, nats (standard error){spread}", "left"
    score, error = found.model.mean_score, found.model.error.mean(axis=0)
    for s, state in enumerate(STATES):
        table.add_row(state, *(f"{r:+.3f} ({e:.3f})" for r, e in zip(score[s], error[s], strict=True)))
    stdout().print(table)
    told = found.disagreement
    stdout().print(
        f"  labels against the majority of their cell: {100 * told.against:.1f}%; two labels of one labeller on one "
        "cell "
        f"differ: {100 * told.within:.1f}%, of two labellers: {100 * told.between:.1f}%"
    )
    if found.held:
        held = found.held
        stdout().print(
            f"  held out, {held.labels:,} labels: log-loss {held.log_loss:.4f} [{held.log_loss_low:.4f}, "
            f"{held.log_loss_high:.4f}] nats, best possible {held.best_log_loss:.4f}; right "
            f"{100 * held.accuracy.value:.1f}% [{100 * held.accuracy.low:.1f}, {100 * held.accuracy.high:.1f}]"
        )
    effects = Table("metric", "clicks", "r_phi", "difference", "95% interval", "variance ratio", box=box.SIMPLE_HEAD)
    effects.title, effects.title_justify = (
        f"Learned from r_phi against clicks: {found.pairs:,} users, each with itself",
        "left",
    )
    for effect in found.effects:
        effects.add_row(*effect_row(effect))
    stdout().print(effects)
    for curve in found.curves:
        best = int(curve.mean["deliberate"].argmax())
        stdout().print(
            f"  {curve.pairs:,} labels: without a leash r_phi promises {curve.mean['proxy'][-1]:+.3f} nats; deliberate "
            f"value {curve.mean['deliberate'][-1]:+.3f} +- {curve.half['deliberate'][-1]:.3f}, at its best "
            f"{curve.mean['deliberate'][best]:+.3f} at {curve.kl[best]:.2f} nats from the reference"
        )


def _list(values: Any) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


def as_values(found: Rlhf) -> dict[str, Any]:
    """Return a result as plain values for JSON."""
    model, held = found.model, found.held
    return {
        "asked": vars(found.asked),
        "beta": found.clicks.policy.to_rule().beta,
        "wins": found.wins.tolist(),
        "disagreement": vars(found.disagreement) | {"minority": found.minority},
        "score": model.mean_score.tolist(),
        "error": model.error.mean(axis=0).tolist(),
        "gradient": model.gradient,
        "spread": None if model.spread is None else model.spread.tolist(),
        "held_out": None if held is None else _held(held),
        "policy": found.policy.tolist(),
        "dpo": found.dpo.tolist(),
        "effects": [vars(effect) | {"variance_ratio": _finite(effect.variance_ratio)} for effect in found.effects],
        "curves": [
            {"pairs": c.pairs, "draws": c.draws, "kl": c.kl.tolist(), "mean": _rows(c.mean), "half": _rows(c.half)}
            for c in found.curves
        ],
        "measured": [vars(one) for one in found.measured],
    }


def _held(held: HeldOut) -> dict[str, Any]:
    table = {name: values.tolist() for name, values in vars(held.reliability).items()}
    return dict(vars(held)) | {"accuracy": {n: float(v) for n, v in vars(held.accuracy).items()}, "reliability": table}


def _rows(values: dict[str, Any]) -> dict[str, list[float]]:
    return {name: row.tolist() for name, row in values.items()}


def _finite(value: float) -> float | None:
    return float(value) if value < float("inf") else None
