"""`mirrorfield compare`: what-ifs under common random numbers."""

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from mirrorfield.cli.asked import (
    Fitted,
    Json,
    Observed,
    OwnPeople,
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
from mirrorfield.cli.settings import build_scenario
from mirrorfield.cli.table import stdout
from mirrorfield.errors import InputError
from mirrorfield.metrics.paired import Effect
from mirrorfield.population.base import brief
from mirrorfield.population.settings import changed, parse_settings
from mirrorfield.population.worlds import AnyScenario

if TYPE_CHECKING:
    from mirrorfield.study.whatif import Comparison


def parse_change(base: AnyScenario, change: str) -> AnyScenario:
    """Return the base with one or more section.key=value settings, separated by spaces."""
    return changed(base, settings_of(change))


def settings_of(change: str) -> dict[str, Any]:
    """Return one or more section.key=value settings, separated by spaces, as {path: value}."""
    try:
        words = shlex.split(change)
    except ValueError as error:
        raise InputError(f"--change: {brief(change)}: {str(error).lower()}; close the quote, or escape it") from None
    if not words:
        raise InputError("--change: expected section.key=value, got nothing")
    return parse_settings(words)


def effect_row(effect: Effect) -> tuple[str, ...]:
    """Return an effect as the texts of a table's row."""
    ratio = "" if effect.variance_ratio == float("inf") else f"{effect.variance_ratio:.1f}"
    interval = f"[{effect.low:+.4f}, {effect.high:+.4f}]"
    values = f"{effect.base:.4f}", f"{effect.changed:.4f}", f"{effect.difference:+.4f}", interval, ratio
    return effect.metric, *values, f"{effect.people:,}"


def compare(
    scenario: Preset = "default",
    change: Annotated[
        list[str] | None, typer.Option(help='One arm: "section.key=value ...", repeated for each arm.')
    ] = None,
    metric: Annotated[list[str] | None, typer.Option(help="A metric to report; default all.")] = None,
    against: Annotated[
        list[str] | None, typer.Option(help="An open loop as an arm: random, frozen or popular; may be repeated.")
    ] = None,
    recommender: Annotated[
        list[str] | None, typer.Option(help="A recommender of your own as an arm, module:name; may be repeated.")
    ] = None,
    people: OwnPeople = None,
    observe: Observed = None,
    users: Users = None,
    steps: Steps = None,
    seed: Seed = None,
    settings: Settings = None,
    population: Fitted = None,
    pairs: Annotated[
        int | None, typer.Option(help="Users sampled, for metrics that need them together; default record.users.")
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(help='Exit with code 1 if an arm meets this, such as "locked_in>+0.02"; may be repeated.'),
    ] = None,
    out: Page = None,
    threads: Threads = None,
    json_: Json = False,
) -> None:
    """Run a scenario and changes of it on the same users with the same luck; print what each change does."""
    from mirrorfield.engine.own import load_recommender
    from mirrorfield.study.limit import check_limits, parse_limit
    from mirrorfield.study.whatif import compare as run_arms
    from mirrorfield.study.whatif import metric_names

    if not change and not against and not recommender:
        raise InputError('--change: expected at least one arm, such as --change "policy.beta=0.1"')
    check_page(out)
    source, listed = fitted(scenario, population)
    sampled = [] if pairs is None else [f"record.users={pairs}"]
    base = build_scenario(source, [*listed, *(settings or []), *sampled], users=users, steps=steps, seed=seed)
    known = list(metric) if metric else metric_names(base)
    limits = [parse_limit(words, known) for words in fail_if or ()]
    arms: dict[str, Any] = {text: parse_change(base, text) for text in change or ()}
    arms |= {words: load_recommender(words) for words in recommender or ()}
    with progress_bar("simulating", base.users * (1 + len(arms) + len(against or ()))) as (progress, task):
        found = run_arms(
            base,
            arms,
            metric or (),
            against=against or (),
            **own_objects(None, people, observe),
            threads=threads,
            progress=lambda n: progress.advance(task, n),
        )
    if json_:
        print_json(found)
    else:
        _print(found)
    if out:
        from mirrorfield.report.comparison import page

        write_page(out, page(found, typed_command()), json_)
    check_limits(found, limits)


def _print(found: "Comparison") -> None:
    for arm in found.arms:
        table = Table(
            "metric", "base", "changed", "difference", "95% interval", "variance ratio", "people", box=box.SIMPLE_HEAD
        )
        table.title, table.title_justify = f"{arm.name}: {found.pairs:,} users, each with itself", "left"
        for effect in arm.effects:
            table.add_row(*effect_row(effect))
        stdout().print(table)
        stayed = arm.moves.trace() / arm.moves.sum()
        print_assumed(found.base)
        stdout().print(f"  {100 * (1 - stayed):.1f}% of users have another category than in the base.\n")
