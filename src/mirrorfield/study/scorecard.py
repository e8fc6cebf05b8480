"""The scorecard: every published fact, the model's number beside it, the null models', and what the rule says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mirrorfield.errors import InputError, check_known
from mirrorfield.population.scenario import CATEGORIES, Scenario
from mirrorfield.study.bench import MODEL, Bench
from mirrorfield.study.counterparts import MEASURES
from mirrorfield.validation.facing import ORDER, Measured, Verdict, judge
from mirrorfield.validation.facts import Fact, facts

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


@dataclass(frozen=True)
class Scorecard:
    """Rows, contradicted facts first, then those that agree, then those that cannot be compared; the scenario."""

    base: Scenario
    rows: list[Row]

    def count(self, word: str) -> int:
        """Return how many facts have this verdict."""
        return sum(row.verdict.word == word for row in self.rows)


def scorecard(
    base: Scenario | None = None,
    only: Sequence[str] = (),
    *,
    known: Sequence[Fact] | None = None,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Scorecard:
    """Return a scenario held against published facts.

    Parameters: base, with the categories of the default scenario, by default that one with 10,000 users; only, ids of
    facts, all of them by default; known, the facts, by default those of the package; threads, default one per
    processor; progress, called with the id of a fact, how many are done and of how many. Returns a Scorecard, in which
    facts of one verdict keep their order. Raises InputError for fewer than 2 users, other categories, posts with an
    intensity, an unknown id, and a fact whose measurement there is not. Source: docs/results/scorecard.md.

    >>> scorecard(Scenario(users=64), ["party-warmth"]).rows[0].verdict.word
    'cannot be compared'
    """
    base = base or Scenario(users=USERS)
    _check(base)
    every = facts() if known is None else tuple(known)
    for name in only:
        check_known(name, [fact.id for fact in every], "--only: unknown fact")
    chosen = [fact for fact in every if not only or fact.id in only]
    for fact in chosen:
        if fact.measure is not None:
            check_known(fact.measure, MEASURES, f"{fact.id}: unknown measurement")
    bench, rows = Bench(base, threads), []
    for done, fact in enumerate(chosen):
        if progress:
            progress(fact.id, done, len(chosen))
        rows.append(_row(bench, fact))
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
