"""What-ifs: the same users and the same luck, one change at a time. The Python door: `mirrorfield.compare`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirrorfield.api import simulate
from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.errors import InputError, check_known
from mirrorfield.kernel import Trace
from mirrorfield.metrics.escalation import induced_shift
from mirrorfield.metrics.outcomes import category_of, deliberate_value, user_outcomes
from mirrorfield.metrics.paired import Effect, moves, paired_effect
from mirrorfield.population.change import Intervention
from mirrorfield.population.run import recorded_steps, sampled_users
from mirrorfield.population.scenario import Scenario

FEWEST = 2
OPEN_LOOPS = ("random", "frozen", "popular")
LEAST_SHARE = 1e-6


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
    against: Sequence[str] = (),
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Run a scenario and changed ones under common random numbers, and return paired effects.

    Every arm has the same users, and post t of a user has the same luck in all. Pairs are the users of the sample,
    `record.users` of them; population figures of an arm are those of its sample.

    Parameters: base; arms, {name: scenario}, which agree with the base in users, steps, seed, record, population and
    categories; metrics to report, all of them by default; against, open loops to add as arms: "random", "frozen",
    "popular"; threads and progress as in `simulate`. Returns a Comparison. Raises InputError for arms that cannot be
    paired and for unknown metrics and loops. Source: docs/whatif.md; the echo chamber as closed loop against open
    loop, Jiang et al. (2019), https://doi.org/10.1145/3306618.3314288.

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
    sample = _sample(base, threads, progress)
    found, category = _outcomes(base, sample, sample)
    arms = arms | open_loops(base, sample, against)
    wanted = _known(metrics, list(found))
    compared = []
    for name, arm in arms.items():
        other, moved = _outcomes(arm, _sample(arm, threads, progress), sample)
        effects = [paired_effect(metric, found[metric], other[metric]) for metric in wanted if metric in other]
        compared.append(Arm(name, arm, effects, moves(category, moved, base.k)))
    return Comparison(base, len(users), compared)


def open_loops(base: Scenario, sample: Trace, names: Sequence[str]) -> dict[str, Scenario]:
    """Return scenarios in which what is served no longer follows the user's reactions.

    random: every post is drawn evenly. frozen: each user keeps the policy learned by a tenth of the posts. popular:
    everyone is served each category as often as it was shown, on average, in the closed loop.

    Parameters: base; sample, the trace of its sampled users; names, among OPEN_LOOPS. Returns {name: scenario}. Raises
    InputError for another name, and for "frozen" if the base already has an intervention.
    """
    for name in names:
        check_known(name, OPEN_LOOPS, "compare: unknown open loop")
    if "frozen" in names and base.intervention != Intervention():
        raise InputError("compare: frozen is an intervention, and the base already has one; use random or popular")
    still = base.policy.model_copy(update={"learning_rate": 0.0})
    posts = base.policy.to_rule().posts
    at = max(1, base.steps // 10 // posts) * posts
    shown = np.maximum(sample.exposures.sum(axis=1) / sample.exposures.sum(), LEAST_SHARE)
    change: dict[str, dict[str, Any]] = {
        "random": {"policy": still.model_copy(update={"start": ((0.0,) * base.arms,)})},
        "frozen": {"intervention": Intervention(at=at, policy=still)},
        "popular": {"policy": still.model_copy(update={"start": (tuple(float(x) for x in np.log(shown)),)})},
    }
    return {f"open loop: {name}": base.model_copy(update=change[name]) for name in names}


def _sample(scenario: Scenario, threads: int | None, progress: Callable[[int], None] | None) -> Trace:
    return simulate(scenario, threads=threads, progress=progress).part.sample


def _outcomes(scenario: Scenario, sample: Trace, base: Trace) -> tuple[dict[str, FloatArray], IntArray]:
    steps = recorded_steps(scenario.steps, scenario.record.steps)
    places = np.arange(sample.state.shape[1])  # not ids: those of a sample share remainders, which would bias ties
    names = [category.name for category in scenario.categories]
    found = user_outcomes(sample, steps, places, names)
    worth = scenario.intentional.table("mean", scenario.k)
    found["deliberate_value"] = deliberate_value(sample.served, sample.time_in_state, worth)
    found["induced_shift"] = induced_shift(sample.diet.transpose(0, 2, 1), base.diet.transpose(0, 2, 1))
    return found, category_of(sample.diet[-1].T, places)


def _check_paired(base: Scenario, name: str, arm: Scenario) -> None:
    for part in ("users", "steps", "seed", "record", "categories"):
        if getattr(arm, part) != getattr(base, part):
            raise InputError(
                f"compare: {name}: expected the base's {part}, or users could not be paired with themselves; "
                f"change {part} in the base"
            )


def _known(metrics: Sequence[str], known: list[str]) -> list[str]:
    for metric in metrics:
        check_known(metric, known, "compare: unknown metric")
    return list(metrics) or known
