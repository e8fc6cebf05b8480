"""What-ifs: the same users and the same luck, one change at a time. The Python door: `mirrorfield.compare`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mirrorfield.api import execute, prepare
from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.contract import Metric, Observe
from mirrorfield.engine.own import with_own
from mirrorfield.errors import InputError, check_known
from mirrorfield.execution.bar import Progress, watched
from mirrorfield.kernel import Trace
from mirrorfield.metrics.outcomes import category_of, outcome_names
from mirrorfield.metrics.own import measure, snapshot_of
from mirrorfield.metrics.paired import Effect, moves, of_everyone, paired_effect
from mirrorfield.population.change import Intervention
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.run import Plan, sampled_users
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.settings import changed
from mirrorfield.population.worlds import AnyScenario
from mirrorfield.study.pairs import OF_A_CROWD, Pairs, check_paired, outcomes, pair_everyone
from mirrorfield.study.together import compare_together, together_arms, together_names

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 2
PAIRED = ("users", "steps", "seed", "record", "categories")
OPEN_LOOPS = ("random", "frozen", "popular")
LEAST_SHARE = 1e-6


@dataclass(frozen=True)
class Arm:
    """A changed scenario against the base: effects per metric, and users who moved, (K, K), row base, column arm.

    recommender: one of somebody's own that served in this arm, or None.
    """

    name: str
    scenario: AnyScenario
    effects: list[Effect]
    moves: IntArray
    recommender: Any = None


@dataclass(frozen=True, repr=False)
class Comparison:
    """A base scenario and its arms, with the same `pairs` users in each; every effect says how many it is over."""

    base: AnyScenario
    pairs: int
    arms: list[Arm]

    def __repr__(self) -> str:
        from mirrorfield.report.card import text_card
        from mirrorfield.report.headline import comparison_figures

        return text_card(self._title, comparison_figures(self))

    def _repr_html_(self) -> str:
        from mirrorfield.report.card import html_card
        from mirrorfield.report.headline import comparison_figures

        return html_card(
            self._title,
            comparison_figures(self),
            "Value in the base, then the paired difference with its 95% interval; sure ones first.",
        )

    @property
    def _title(self) -> str:
        return f"Comparison with {self.base.name}: {self.pairs:,} people, each with themselves; arms: " + ", ".join(
            arm.name for arm in self.arms
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each arm and metric: base, changed, difference, and the ends of its 95% interval."""
        import pandas as pd

        return pd.DataFrame([{"arm": arm.name, **vars(effect)} for arm in self.arms for effect in arm.effects])


def compare(
    base: AnyScenario,
    arms: Mapping[str, Any],
    metrics: Sequence[str] | Mapping[str, Metric] = (),
    *,
    against: Sequence[str] = (),
    recommender: Any = None,
    people: Any = None,
    observe: Observe = "history",
    threads: int | None = None,
    progress: Progress = None,
) -> Comparison:
    """Run a scenario and changed ones under common random numbers, and return paired effects.

    Every arm has the same users, and post t of a user has the same luck in all. Effects are over every user, exactly,
    a block of them at a time; the filter-bubble index, which needs the mean diet, has its interval from the spread of
    the sample. Over the sample alone, `record.users` of them, are metrics of one's own, which may look at everyone, and
    all metrics of arms with a shared recommender.
    In the embedding world, where one policy serves all, they are over the people measured, given the two policies.

    Parameters: base; arms, {name: arm}, where an arm is settings, {"intervention.quota": 0.6}, a scenario that agrees
    with the base in users, steps, seed, record, population and categories, or a recommender of your own in place of
    the base's; metrics to report, all of them by default, or {name: function of a Snapshot} to add to them; against,
    open loops to add as arms: "random", "frozen", "popular" (which runs the base once more); recommender and people,
    which hold in the base and in every arm; observe, for recommenders of your own; threads and progress as in
    `simulate`. Returns a Comparison.
    Raises InputError for arms that cannot be paired and for unknown metrics and loops. Source: docs/whatif.md; the echo
    chamber as closed loop against open loop, Jiang et al. (2019), https://doi.org/10.1145/3306618.3314288.

    >>> base = Scenario(users=100, steps=50)
    >>> compare(base, {"leash": {"policy.beta": 0.5}}, ["locked_in"]).arms[0].effects[0].metric
    'locked_in'
    """
    users = sampled_users(base.users, base.record.users)
    if len(users) < FEWEST:
        raise InputError(f"compare: expected {FEWEST} users or more to pair, got {len(users)}; raise record.users")
    if isinstance(base, EmbeddingScenario):
        given = recommender is not None or people is not None or observe != "history"
        if given or isinstance(metrics, Mapping):
            raise InputError("compare: expected settings as arms and names as metrics in the embedding world")
        return _compare_together(base, together_arms(base, arms, against), metrics, threads, progress)
    served = recommender is not None or any(not isinstance(arm, Mapping | Scenario) for arm in arms.values())
    if observe != "history" and not served:
        raise InputError('observe: expected a recommender of your own beside observe="state"')
    more = metrics if isinstance(metrics, Mapping) else {}
    known = [*metric_names(base), *more]
    wanted = known if more else _known([*metrics], known)

    def plan_of(scenario: Scenario, server: Any) -> Plan:
        sees = observe if server is not None else "history"
        return with_own(prepare(scenario, None, threads, None, keep_all=True), server, people, sees)

    def sampled(plan: Plan) -> Trace:
        return execute(replace(plan, keep_all=False), threads, progress=told).part.sample

    first, asked = plan_of(base, recommender), {name: _arm(base, name, arm, recommender) for name, arm in arms.items()}
    for name, (scenario, _) in asked.items():
        for metric in [] if more else metrics:
            if metric not in metric_names(scenario):
                raise InputError(f"compare: {metric}: not there in {name}; leave out this metric or this change")
    popular = "popular" in against
    with watched(progress, base.users * (1 + len(asked) + len(against) + popular)) as told:
        shown = sampled(first).exposures if popular else None
        asked |= {name: (arm, recommender) for name, arm in open_loops(base, shown, against).items()}
        plans = {name: plan_of(*arm) for name, arm in asked.items()}
        blocks = {name: plan for name, plan in plans.items() if not (first.own.shared or plan.own.shared)}
        if first.own.shared:
            paired = Pairs(0, 0, [], [], [sampled(first)], [])
        else:
            paired = pair_everyone(first, [*blocks.values()], threads, told)
        mine, *samples = paired.samples
        theirs = dict(zip(blocks, samples, strict=True)) | {n: sampled(p) for n, p in plans.items() if n not in blocks}
    found, category = _outcomes(first, mine, mine, more)
    sums, moved = dict(zip(blocks, paired.sums, strict=True)), dict(zip(blocks, paired.moves, strict=True))
    compared = []
    for name, (scenario, server) in asked.items():
        other, became = _outcomes(plans[name], theirs[name], mine, more)
        everyone = sums.get(name, {})
        effects = []
        for metric in (metric for metric in wanted if metric in other):
            if metric in everyone:
                effect = everyone[metric].effect(metric)
            else:
                effect = paired_effect(metric, found[metric], other[metric])
            if metric == OF_A_CROWD and name in blocks:
                values = paired.filter_bubble(0), paired.filter_bubble(1 + [*blocks].index(name))
                effect = of_everyone(effect, *values, base.users)
            effects.append(effect)
        who_moved = moved[name] if name in moved else moves(category, became, base.k)
        compared.append(Arm(name, scenario, effects, who_moved, server))
    return Comparison(base, base.users, compared)


def _compare_together(
    base: EmbeddingScenario,
    arms: Mapping[str, EmbeddingScenario],
    metrics: Sequence[str],
    threads: int | None,
    progress: Progress,
) -> Comparison:
    with watched(progress, base.users * (1 + len(arms))) as told:
        found = compare_together(base, arms, metrics, threads, told)
    measured = len(sampled_users(base.users, base.record.users))
    return Comparison(base, measured, [Arm(name, arms[name], *parts) for name, parts in found.items()])


def _arm(base: Scenario, name: str, arm: Any, recommender: Any) -> tuple[Scenario, Any]:
    """Return the scenario and the recommender of an arm: a scenario, settings, or a recommender in the base's place."""
    if isinstance(arm, Scenario):
        check_paired(base, name, arm, PAIRED)
        return arm, recommender
    if isinstance(arm, EmbeddingScenario):
        raise InputError(f"compare: {name}: expected a scenario of the base's world, got the embedding world")
    if isinstance(arm, Mapping):
        scenario = changed(base, arm)
        check_paired(base, name, scenario, PAIRED)
        return scenario, recommender
    return base, arm


def open_loops(base: Scenario, exposures: IntArray | None, names: Sequence[str]) -> dict[str, Scenario]:
    """Return scenarios in which what is served no longer follows the user's reactions.

    random: every post is drawn evenly. frozen: each user keeps the policy learned by a tenth of the posts. popular:
    everyone is served each category as often as it was shown, on average, in the closed loop.

    Parameters: base; exposures, posts of every arm that its sampled users were shown, (K I, n), for "popular"; names,
    among OPEN_LOOPS. Returns {name: scenario}. Raises InputError for another name, and for "frozen" if the base already
    has an intervention.
    """
    for name in names:
        check_known(name, OPEN_LOOPS, "compare: unknown open loop")
    if "frozen" in names and base.intervention != Intervention():
        raise InputError("compare: frozen is an intervention, and the base already has one; use random or popular")
    still = base.policy.model_copy(update={"learning_rate": 0.0})
    posts = base.policy.to_rule().posts
    at = max(1, base.steps // 10 // posts) * posts
    change: dict[str, dict[str, Any]] = {
        "random": {"policy": still.model_copy(update={"start": ((0.0,) * base.arms,)})},
        "frozen": {"intervention": Intervention(at=at, policy=still)},
    }
    if exposures is not None:
        shown = np.maximum(exposures.sum(axis=1) / exposures.sum(), LEAST_SHARE)
        start = (tuple(float(x) for x in np.log(shown)),)
        change["popular"] = {"policy": still.model_copy(update={"start": start})}
    return {f"open loop: {name}": base.model_copy(update=change[name]) for name in names}


def metric_names(base: AnyScenario) -> list[str]:
    """Return the metrics that a comparison with this base reports, if none of one's own are added."""
    if isinstance(base, EmbeddingScenario):
        return together_names(base)
    names = outcome_names([category.name for category in base.categories], base.extended)
    return [*names, "deliberate_value", "induced_shift"]


def _outcomes(
    plan: Plan, sample: Trace, base: Trace, more: Mapping[str, Metric]
) -> tuple[dict[str, FloatArray], IntArray]:
    """Return every metric of every sampled person, {name: (n,)}, and their categories."""
    places = np.arange(sample.state.shape[1])  # not ids: those of a sample share remainders, which would bias ties
    found = outcomes(plan.scenario, sample, base, plan.steps, places)
    found |= measure(more, snapshot_of(sample, plan.scenario.steps))
    return found, category_of(sample.diet[-1].T, places)


def _known(metrics: Sequence[str], known: list[str]) -> list[str]:
    for metric in metrics:
        check_known(metric, known, "compare: unknown metric")
    return list(metrics) or known
