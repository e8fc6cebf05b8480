"""What-ifs: the same users and the same luck, one change at a time. The Python door: `mirrorfield.compare`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mirrorfield.api import simulate
from mirrorfield.errors import InputError, nearest
from mirrorfield.kernel import Trace
from mirrorfield.metrics.outcomes import category_of, user_outcomes
from mirrorfield.metrics.paired import Effect, moves, paired_effect
from mirrorfield.population.run import recorded_steps, sampled_users
from mirrorfield.population.scenario import Scenario
from mirrorfield.types import FloatArray, IntArray

FEWEST = 2


@dataclass(frozen=True)
class Arm:
    """A changed scenario against the base: effects per metric, and users who moved, (K, K), row base, column arm."""

    name: str
    scenario: Scenario
    effects: list[Effect]
    moves: IntArray


@dataclass(frozen=True)
class Comparison:
    """A base scenario and its arms, over `pairs` users of each."""

    base: Scenario
    pairs: int
    arms: list[Arm]


def compare(
    base: Scenario,
    arms: dict[str, Scenario],
    metrics: Sequence[str] = (),
    *,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Run a scenario and changed ones under common random numbers, and return paired effects.

    Every arm has the same users, and post t of a user has the same luck in all. Pairs are the users of the sample,
    `record.users` of them; population figures of an arm are those of its sample.

    Parameters: base; arms, {name: scenario}, which agree with the base in users, steps, seed, record, population and
    categories; metrics to report, all of them by default; threads and progress as in `simulate`. Returns a Comparison.
    Raises InputError for arms that cannot be paired and for unknown metrics. Source: docs/whatif.md.

    >>> base = Scenario(users=100, steps=50)
    >>> leashed = Scenario(users=100, steps=50, policy={"beta": 0.5})
    >>> compare(base, {"leash": leashed}, ["locked_in"]).arms[0].effects[0].metric
    'locked_in'
    """
    for name, arm in arms.items():
        _check_paired(base, name, arm)
    users = sampled_users(base.users, base.record.users)
    if len(users) < FEWEST:
        raise InputError(f"compare: expected {FEWEST} users or more to pair, got {len(users)}; raise record.users")
    found, category = _outcomes(base, users, threads, progress)
    wanted = _known(metrics, list(found))
    compared = []
    for name, arm in arms.items():
        other, moved = _outcomes(arm, users, threads, progress)
        effects = [paired_effect(metric, found[metric], other[metric]) for metric in wanted if metric in other]
        compared.append(Arm(name, arm, effects, moves(category, moved, base.k)))
    return Comparison(base, len(users), compared)


def _outcomes(
    scenario: Scenario, users: IntArray, threads: int | None, progress: Callable[[int], None] | None
) -> tuple[dict[str, FloatArray], IntArray]:
    sample: Trace = simulate(scenario, threads=threads, progress=progress).part.sample
    steps = recorded_steps(scenario.steps, scenario.record.steps)
    names = [category.name for category in scenario.categories]
    found = user_outcomes(sample, steps, users, names)
    return found, category_of(sample.feed[-1].T, users)


def _check_paired(base: Scenario, name: str, arm: Scenario) -> None:
    for part in ("users", "steps", "seed", "record", "categories"):
        if getattr(arm, part) != getattr(base, part):
            raise InputError(
                f"compare: {name}: expected the base's {part}, or users could not be paired with themselves; "
                f"change {part} in the base"
            )


def _known(metrics: Sequence[str], known: list[str]) -> list[str]:
    for metric in metrics:
        if metric not in known:
            hint = nearest(metric, known) or f" Known: {', '.join(known)}."
            raise InputError(f'compare: unknown metric "{metric}".{hint}')
    return list(metrics) or known
