"""From a log to a decision: people, what a change does to them, and what the log cannot tell. `mirrorfield.audit`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mirrorfield.calibration.scenario import fitted_scenario
from mirrorfield.errors import InputError, MirrorfieldError, check_known
from mirrorfield.execution.bar import Progress, watched
from mirrorfield.metrics.paired import Effect
from mirrorfield.population.run import sampled_users
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.settings import changed
from mirrorfield.store.population import write_population
from mirrorfield.study.assumptions import Assumption, assumptions
from mirrorfield.study.fitted import NAME, Fitted, fit
from mirrorfield.study.whatif import Comparison, compare, metric_names
from mirrorfield.validation.facts import Fact, doubts

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SHOWN = ("locked_in", "effective_categories", "filter_bubble", "mean_reaction")
FEW = 2000
PEOPLE, PAGE, ANSWER = "people", "audit.html", "audit.json"
FITTED = "as fitted"


class NotBorneOutError(MirrorfieldError):
    """The log does not bear out its people, so nothing was run; the command line exits with code 1."""


@dataclass(frozen=True)
class Span:
    """The effect of an arm on one metric: as fitted, and the least and largest under every assumption, that included.

    up, down, unclear: under how many assumptions the interval lies above 0, lies below 0, or holds it.
    """

    fitted: Effect
    low: float
    high: float
    up: int
    down: int
    unclear: int

    @property
    def sign(self) -> str:
        """What the assumptions leave of the sign, in a few words."""
        of = self.up + self.down + self.unclear
        if self.fitted.low <= 0 <= self.fitted.high:
            return f"unclear; up {self.up}, down {self.down} of {of}"
        turned = self.down if self.fitted.low > 0 else self.up
        if turned:
            return f"turns under {turned} of {of}"
        return f"unclear under {self.unclear} of {of}" if self.unclear else f"the same under all {of}"


@dataclass(frozen=True, repr=False)
class Audit:
    """What changes do to the people of a log: `verdict`, `comparison`, `to_frame()`, `report()`, `save(folder)`.

    comparison: the paired effects of every change on the people as fitted. varied: the same for every assumption about
    what the log does not tell, over up to 2,000 of the people. doubts: published facts that the model contradicts and
    that concern the metrics shown.
    """

    fitted: Fitted
    comparison: Comparison
    varied: list[tuple[Assumption, Comparison]]
    metrics: tuple[str, ...]
    doubts: tuple[Fact, ...]

    @property
    def verdict(self) -> Any:
        """Whether the log bears out its people, and the line that says so."""
        return self.fitted.verdict

    def effects(self, arm: int, metric: str) -> dict[str, Effect]:
        """Return the effect of an arm, by its place, on one metric: as fitted, then by assumption."""
        told = {FITTED: self.comparison} | {assumed.name: found for assumed, found in self.varied}
        return {name: next(e for e in found.arms[arm].effects if e.metric == metric) for name, found in told.items()}

    def span(self, arm: int, metric: str) -> Span:
        """Return the effect of an arm on one metric with its range over all assumptions."""
        every = self.effects(arm, metric)
        apart = [effect.difference for effect in every.values()]
        up, down = (sum(side) for side in zip(*((e.low > 0, e.high < 0) for e in every.values()), strict=True))
        return Span(every[FITTED], min(apart), max(apart), up, down, len(apart) - up - down)

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each arm, assumption and metric, "as fitted" first: the fields of an effect."""
        import pandas as pd

        told = [("", FITTED, self.comparison), *((assumed.part, assumed.name, c) for assumed, c in self.varied)]
        rows = [
            {"arm": arm.name, "part": part, "assumption": name, **vars(effect)}
            for part, name, found in told
            for arm in found.arms
            for effect in arm.effects
        ]
        return pd.DataFrame(rows)

    def plain(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON, as in audit.json."""
        from mirrorfield.study.plain import plain

        ranges = [
            {"arm": arm.name, "metric": metric, **vars(span), "sign": span.sign}
            for place, arm in enumerate(self.comparison.arms)
            for metric in self.metrics
            for span in (self.span(place, metric),)
        ]
        told = {
            "verdict": self.verdict._asdict(),
            "fit": self.fitted.summary,
            "comparison": self.comparison,
            "ranges": ranges,
            "assumptions": [
                {"part": a.part, "name": a.name, "means": a.means, "comparison": c} for a, c in self.varied
            ],
            "doubts": [fact.model_dump(mode="json", include=set(DOUBT)) for fact in self.doubts],
        }
        found: dict[str, Any] = plain(told)
        return found

    def report(self, command: str = "") -> str:
        """Return the page to hand on: one HTML file that needs nothing else. Parameters: command, what made it."""
        from mirrorfield.report.audit import page

        return page(self, command or "mirrorfield.audit(...)")

    def save(self, folder: str | Path, overwrite: bool = False, command: str = "") -> Path:
        """Write audit.html, audit.json and people, which `compare --population` takes, into a folder; return its path.

        Raises InputError if it exists and `overwrite` is false.
        """
        from mirrorfield.store.folder import summary_text, write_folder

        out = Path(folder)

        def fill(place: Path) -> None:
            (place / PAGE).write_text(self.report(command), encoding="utf-8")
            (place / ANSWER).write_text(summary_text(self.plain()), encoding="utf-8")
            write_population(
                place / PEOPLE, _listed(self.comparison.base, "."), self.fitted.summary, self.fitted.dataset
            )

        write_folder(out, fill, overwrite, is_audit)
        return out

    def __repr__(self) -> str:
        from mirrorfield.report.card import text_card
        from mirrorfield.report.headline import audit_figures

        return text_card(self.verdict.line, audit_figures(self))

    def _repr_html_(self) -> str:
        from mirrorfield.report.card import html_card
        from mirrorfield.report.headline import audit_figures

        note = "Paired difference with its 95% interval, its range over what the log cannot tell, and its sign there."
        return html_card(f"Audit. {self.verdict.line}", audit_figures(self), note)


DOUBT = ("id", "statement", "recorded", "concerns", "source")


def is_audit(folder: Path) -> bool:
    """Tell whether a folder was written by `Audit.save`."""
    return (folder / ANSWER).is_file() and (folder / PAGE).is_file()


def audit(
    log: Any,
    changes: Mapping[str, Mapping[str, Any]],
    *,
    metrics: Sequence[str] = SHOWN,
    settings: Mapping[str, Any] | None = None,
    anyway: bool = False,
    threads: int | None = None,
    progress: Progress = None,
    **columns: Any,
) -> Audit:
    """Fit people to a log, and return what changes do to them, and how that depends on what the log cannot tell.

    The people run without and with every change, each with the same luck. Then up to 2,000 of them, spread evenly over
    the log, do the same under every assumption in turn: other learning rates, lambda above 0, arousal without effect or
    moved as it was measured, and profiles drawn within their uncertainty. Where the log identifies lambda, its mean is
    moved to both ends of its 95% interval in place of the other lambdas.

    Parameters: log, as for `mirrorfield.fit`, or what that returned; changes, {name: settings}, such as
    {"quota": {"intervention.quota": 0.6}}; metrics to vary, among those of `mirrorfield.compare`; settings of the base
    and of every arm; anyway, go on where the log does not bear out its people; threads and progress as in `simulate`;
    columns, the other parameters of `mirrorfield.fit`. Returns an Audit. Raises InputError for what cannot be used, and
    NotBorneOutError, with the line that says why, before anything runs. Source: docs/audit.md.

    >>> import pandas as pd
    >>> log = pd.DataFrame({"who": list("abcd") * 50, "what": list("xxyyyyxx") * 25, "like": [0, 1, 1, 0] * 50})
    >>> people = fit(log, user="who", category="what", reaction="like")
    >>> found = audit(people, {"half": {"intervention.exploration": 0.5}}, settings={"steps": 20}, anyway=True)
    >>> len(found.effects(0, "locked_in"))
    8
    """
    if isinstance(log, Fitted) and columns:
        raise InputError(f"audit: expected no {', '.join(columns)} beside people who are fitted already")
    if not changes:
        raise InputError('audit: expected at least one change, such as {"quota": {"intervention.quota": 0.6}}')
    fitted = log if isinstance(log, Fitted) else fit(log, **columns)
    if not (fitted.verdict.holds or anyway):
        raise NotBorneOutError(
            f"{fitted.verdict.line} So nothing was run; --anyway (in Python anyway=True) runs them all the same."
        )
    base = changed(fitted_scenario(fitted.found, fitted.base, NAME, PEOPLE), settings or {})
    for metric in metrics:
        check_known(metric, metric_names(base), "audit: unknown metric")
    rows = sampled_users(len(fitted.dataset["user"]), FEW)
    intent = fitted.found.intent
    unsure = {name: people.rows(rows) for name, people in intent.others.items()} if intent else {}
    varied = assumptions(base, fitted.dataset.isel(user=rows), fitted.base, unsure)
    few = min(base.users, FEW)
    with TemporaryDirectory() as folder, watched(progress, _runs(base, few, varied, changes)) as told:
        run = partial(_compared, Path(folder), changes=dict(changes), threads=threads, progress=told)
        found = run(base, fitted.dataset, metrics=())
        others = [
            (one, run(one.scenario.model_copy(update={"users": few}), one.people, metrics=tuple(metrics)))
            for one in varied
        ]
    return Audit(fitted, found, others, tuple(metrics), doubts(metrics))


def _runs(base: Scenario, few: int, varied: Sequence[Assumption], changes: Mapping[str, Any]) -> int:
    return (1 + len(changes)) * (base.users + len(varied) * few)


def _compared(
    folder: Path,
    scenario: Scenario,
    people: "xr.Dataset",
    *,
    changes: dict[str, Any],
    metrics: tuple[str, ...],
    **how: Any,
) -> Comparison:
    """Compare on listed people, who are written for it; in the answer they are where `save` puts them."""
    place = folder / f"{len([*folder.iterdir()])}"
    write_population(place, scenario, {}, people)
    found = compare(_listed(scenario, str(place)), changes, metrics, **how)
    arms = [replace(arm, scenario=_listed(arm.scenario, PEOPLE)) for arm in found.arms]
    return replace(found, base=_listed(found.base, PEOPLE), arms=arms)


def _listed(scenario: Any, file: str) -> Any:
    """Return the scenario with its people in a file or folder."""
    return scenario.model_copy(update={"population": scenario.population.model_copy(update={"file": file})})
