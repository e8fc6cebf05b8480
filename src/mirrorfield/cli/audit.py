"""`mirrorfield audit`: from a log to a page that says what a change does to its people."""

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from rich import box
from rich.table import Table

from mirrorfield.cli.asked import Json, Settings, Threads, print_assumed, print_json, progress_bar, typed_command
from mirrorfield.cli.compare import settings_of
from mirrorfield.cli.fit import fit as fit_command
from mirrorfield.cli.table import stdout
from mirrorfield.population.settings import parse_settings
from mirrorfield.report.headline import interval

if TYPE_CHECKING:
    from mirrorfield.study.audit import Audit

OF_FIT_ALONE = ("out", "overwrite", "quiet", "json_")


def _audit(
    change: Annotated[list[str], typer.Option(help='One arm: "section.key=value ...", repeated for each arm.')],
    metric: Annotated[list[str] | None, typer.Option(help="A metric to vary; may be repeated; default four.")] = None,
    settings: Settings = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Go on where the log does not bear out its people.")] = False,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(help='Exit with code 1 if an arm meets this, such as "locked_in>+0.02"; may be repeated.'),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("audit"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing audit folder.")] = False,
    threads: Threads = None,
    json_: Json = False,
    **of_fit: Any,
) -> None:
    """Fit people to a log, run changes on them with the same luck, and write a page with the answer and its doubts."""
    from mirrorfield.calibration.scenario import fitted_scenario
    from mirrorfield.store.folder import check_place
    from mirrorfield.study.audit import PEOPLE, SHOWN, audit, is_audit
    from mirrorfield.study.fitted import NAME, fit
    from mirrorfield.study.limit import check_limits, parse_limit
    from mirrorfield.study.whatif import metric_names

    changes = {text: settings_of(text) for text in change}
    common = parse_settings(settings or ())
    check_place(out, overwrite, is_audit)
    fitted = fit(of_fit.pop("log"), header=not of_fit.pop("no_header"), **of_fit)
    known = metric_names(fitted_scenario(fitted.found, fitted.base, NAME, PEOPLE))
    limits = [parse_limit(words, known) for words in fail_if or ()]
    metrics = tuple(dict.fromkeys([*(metric or SHOWN), *(limit.metric for limit in limits)]))
    with progress_bar("simulating", None) as (progress, task):
        found = audit(
            fitted, changes,
            metrics=metrics, settings=common, anyway=anyway, threads=threads,
            progress=lambda n: progress.advance(task, n),
        )  # fmt: skip
    found.save(out, overwrite, typed_command())
    if json_:
        print_json(found.plain())
    else:
        _print(found)
        stdout().print(f"Page: {out / 'audit.html'}", highlight=False, soft_wrap=True)
    check_limits(found.comparison, limits, "audit")


def _print(found: "Audit") -> None:
    stdout().print(found.verdict.line, highlight=False, soft_wrap=True)
    for place, arm in enumerate(found.comparison.arms):
        table = Table("metric", "base", "change, 95% interval", "range", "sign", box=box.SIMPLE_HEAD)
        table.title, table.title_justify = (
            f"{arm.name}: {found.comparison.pairs:,} people, each with themselves",
            "left",
        )
        for metric in found.metrics:
            span = found.span(place, metric)
            ends = f"{span.low:+.4f} to {span.high:+.4f}"
            table.add_row(metric, f"{span.fitted.base:.4f}", interval(span.fitted), ends, span.sign)
        stdout().print(table)
    print_assumed(found.comparison.base)
    told = ", ".join(assumed.name for assumed, _ in found.varied)
    stdout().print(f"  Range: over the people as fitted, and {told}.", highlight=False, soft_wrap=True)
    if found.doubts:
        told = ", ".join(fact.id for fact in found.doubts)
        stdout().print(f"  Published facts that the model contradicts: {told}.", highlight=False, soft_wrap=True)


def _with_options_of_fit() -> Any:
    """Return the command with the options of `fit` before its own, as typer reads them from a signature."""
    hints = {**get_type_hints(fit_command, include_extras=True), **get_type_hints(_audit, include_extras=True)}
    of_fit = [p for name, p in inspect.signature(fit_command).parameters.items() if name not in OF_FIT_ALONE]
    own = [p for p in inspect.signature(_audit).parameters.values() if p.kind is not p.VAR_KEYWORD]
    every = [p.replace(kind=p.KEYWORD_ONLY, annotation=hints[p.name]) for p in (*of_fit, *own)]

    def audit(**words: Any) -> None:
        _audit(**words)

    audit.__doc__ = _audit.__doc__
    audit.__annotations__ = {p.name: hints[p.name] for p in every}
    audit.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    return audit


audit = _with_options_of_fit()
