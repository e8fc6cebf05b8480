"""Published facts, the model's number beside each, and what the rule says. The Python door: `mirrorfield.scorecard`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mirrorfield.errors import InputError, check_known
from mirrorfield.execution.bar import Progress, watched
from mirrorfield.population.scenario import CATEGORIES, Scenario
from mirrorfield.population.worlds import one_by_one
from mirrorfield.study.bench import MODEL, Bench
from mirrorfield.study.counterparts import MEASURES
from mirrorfield.validation.facing import ORDER, Measured, Verdict, judge
from mirrorfield.validation.facts import Fact, facts

if TYPE_CHECKING:
    import pandas as pd

    from mirrorfield.report.plots import ScorecardPlots

FEWEST, USERS = 2, 10_000
NAMES = [category.name for category in CATEGORIES]


@dataclass(frozen=True)
class Row:
    """A fact and what stands beside it: the model's number and verdict, those of the null models, those nearest.

    model is None where the model has no number; nulls, {name: (number, verdict)}; nearest is None where no settings are
    known that bring the model nearer.
    """

    fact: Fact
    verdict: Verdict
    model: Measured | None
    nulls: dict[str, tuple[Measured, Verdict]]
    nearest: tuple[Measured, Verdict] | None


@dataclass(frozen=True, repr=False)
class Scorecard:
    """A scenario held against published facts: `rows`, `count(verdict)`, `plot`, `to_frame()`, `plain()`, `report()`.

    rows: those whose fact the model contradicts, then those it agrees with, then those that cannot be compared. base:
    the scenario.
    """

    base: Scenario
    rows: list[Row]

    def count(self, word: str) -> int:
        """Return how many facts have this verdict: "contradicts", "agrees" or "cannot be compared"."""
        return sum(row.verdict.word == word for row in self.rows)

    @property
    def plot(self) -> "ScorecardPlots":
        """The picture of the scorecard as a matplotlib figure: `card.plot.facts()`."""
        from mirrorfield.report.plots import ScorecardPlots

        return ScorecardPlots(self)

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each fact and number: the published one, the model's, the null models', the nearest.

        Columns: fact; of, "published", "model", "null: NAME" or "nearest"; value, low and high, in `unit`; verdict and
        why, empty for the published number. A fact with a sign only has the value 1 or -1.
        """
        import pandas as pd

        return pd.DataFrame([{"fact": row.fact.id, **told} for row in self.rows for told in _numbers(row)])

    def plain(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON, as `mirrorfield scorecard --json` prints them."""
        from mirrorfield.report.scorecard import plain

        return plain(self)

    def report(self, command: str = "") -> str:
        """Return the scorecard as one HTML page that needs nothing else. Parameters: command, what made it."""
        from mirrorfield.report.scorecard import page

        return page(self, command or "mirrorfield.scorecard(...)")

    def __repr__(self) -> str:
        from mirrorfield.report.card import text_card
        from mirrorfield.report.scorecard import figures

        return text_card(self._title, figures(self))

    def _repr_html_(self) -> str:
        from mirrorfield.report.card import html_card
        from mirrorfield.report.scorecard import figures, told_apart

        return html_card(self._title, figures(self), told_apart(self))

    @property
    def _title(self) -> str:
        against, agreed, rest = map(self.count, ORDER)
        return f"Scorecard of {self.base.name}: {against} contradicted, {agreed} agreed with, {rest} not compared"


def _numbers(row: Row) -> list[dict[str, Any]]:
    fact = row.fact
    ends = (-fact.margin, fact.margin) if fact.margin is not None else (fact.low, fact.high)
    told = [("published", (fact.value, *ends), ("", ""))]
    judged = [("model", row.model, row.verdict), *((f"null: {name}", *pair) for name, pair in row.nulls.items())]
    judged += [] if row.nearest is None else [("nearest", *row.nearest)]
    told += [(of, (x.value, x.low, x.high), (v.word, v.why)) for of, x, v in judged if x is not None]
    return [
        {"of": of, "value": value, "low": low, "high": high, "unit": fact.unit, "verdict": word, "why": why}
        for of, (value, low, high), (word, why) in told
    ]


def scorecard(
    base: Scenario | None = None,
    only: Sequence[str] = (),
    *,
    known: Sequence[Fact] | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> Scorecard:
    """Return a scenario held against published facts.

    Parameters: base, with the categories of the default scenario, by default that one with 10,000 users; only, ids of
    facts, all of them by default; known, the facts, by default those of the package, otherwise what
    `mirrorfield.validation.facts.read_facts` reads; threads, default one per processor; progress, True for a bar, or a
    function that is called with 1 after each fact. Returns a Scorecard, in which facts of one verdict keep their order.
    Raises InputError for fewer than 2 users, other categories, posts with an intensity, the embedding world, an unknown
    id, and a fact whose measurement there is not. Source: docs/results/scorecard.md.

    >>> scorecard(Scenario(users=64), ["party-warmth"]).rows[0].verdict.word
    'cannot be compared'
    """
    base = one_by_one(base or Scenario(users=USERS), "scorecard")
    _check(base)
    every = facts() if known is None else tuple(known)
    for name in only:
        check_known(name, [fact.id for fact in every], "--only: unknown fact")
    chosen = [fact for fact in every if not only or fact.id in only]
    for fact in chosen:
        if fact.measure is not None:
            check_known(fact.measure, MEASURES, f"{fact.id}: unknown measurement")
    bench, rows = Bench(base, threads), []
    with watched(progress, len(chosen), "facts") as told:
        for fact in chosen:
            rows.append(_row(bench, fact))
            if told:
                told(1)
    return Scorecard(base, sorted(rows, key=lambda row: ORDER.index(row.verdict.word)))


def _check(base: Scenario) -> None:
    if base.users < FEWEST:
        raise InputError(f"users: expected {FEWEST} or more, got {base.users}; an interval needs people that differ")
    names = [category.name for category in base.categories]
    if names != NAMES or base.intensity.rungs > 1:
        raise InputError(
            f"scorecard: expected the categories {', '.join(NAMES)} and posts without intensity; "
            "the facts are about these"
        )


def _row(bench: Bench, fact: Fact) -> Row:
    if fact.measure is None:
        return Row(fact, Verdict("cannot be compared", fact.reason), None, {}, None)
    measure = MEASURES[fact.measure]

    def judged(where: Bench, server: str) -> tuple[Measured, Verdict]:
        found = measure(where, server)
        return found, judge(fact, found)

    model, verdict = judged(bench, MODEL)
    nearest = judged(bench.changed(fact.nearest), MODEL) if fact.nearest else None
    return Row(fact, verdict, model, {name: judged(bench, name) for name in fact.nulls}, nearest)
