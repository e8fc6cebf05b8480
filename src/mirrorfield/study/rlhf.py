"""RLHF, whole: ask labellers, fit a reward model, optimise against it, measure. The Python door: `mirrorfield.rlhf`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mirrorfield.api import simulate
from mirrorfield.arrays import STATES, FloatArray, IntArray
from mirrorfield.errors import InputError
from mirrorfield.kernel import Trace
from mirrorfield.metrics.outcomes import deliberate_value, user_outcomes
from mirrorfield.metrics.paired import Effect, paired_effect
from mirrorfield.policy.softmax import log_softmax
from mirrorfield.population.run import recorded_steps
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.worlds import one_by_one
from mirrorfield.study.goodhart import BudgetCurve, Measured, distance, measure, over_draws, true_values
from mirrorfield.world.rlhf.disagreement import Disagreement, minority
from mirrorfield.world.rlhf.disagreement import measure as disagreement
from mirrorfield.world.rlhf.dpo import LEAST_BETA, fit_dpo
from mirrorfield.world.rlhf.fitted import scenario_with_reward_model
from mirrorfield.world.rlhf.heldout import HeldOut, evaluate, split
from mirrorfield.world.rlhf.labellers import Labellers, draw_labellers
from mirrorfield.world.rlhf.overoptimisation import leashed_policy
from mirrorfield.world.rlhf.preferences import Preferences, collect
from mirrorfield.world.rlhf.reward_model import RewardModel, fit_reward_model

BUDGETS = (1, 10, 100)
LEASHES = (2.0, 0.5, 0.2, 0.1, 0.05)
MEASURED_USERS = 2000
TINY = 1e-300
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Asked:
    """How labels are asked for and fitted: the budget, the labellers, the pairs, the model.

    intentionality is lambda_label, None for each labeller's own; temperature is in reactions; ridge in 1/nat^2, margin
    in nats; held_out, the share of labels to judge the model by.
    """

    labellers: int = 200
    pairs: int = 10_000
    selection: str = "random"
    model: str = "shared"
    ridge: float = 0.1
    margin: float = 0.0
    intentionality: float | None = 1.0
    temperature: float = 1.0
    held_out: float = 0.2


@dataclass(frozen=True)
class Rlhf:
    """What came of it. wins (S, K, K), state, preferred, other; reference, policy and dpo (S, K), probabilities.

    clicks and fitted are the two scenarios that were run; policy is the optimum in closed form, averaged over the rows
    of the model; effects are of fitted less clicks, on the same users; weight (S,), the share of users by state at the
    end of the run of `fitted`.
    """

    asked: Asked
    clicks: Scenario
    fitted: Scenario
    wins: IntArray
    disagreement: Disagreement
    minority: float
    model: RewardModel
    held: HeldOut | None
    reference: FloatArray
    policy: FloatArray
    dpo: FloatArray
    weight: FloatArray
    pairs: int
    effects: list[Effect]
    curves: list[BudgetCurve]
    measured: list[Measured]


def rlhf(
    base: Scenario,
    asked: Asked | None = None,
    *,
    beta: float = 0.1,
    rule: str | None = None,
    draws: int = 40,
    save: Path | None = None,
    threads: int | None = None,
    progress: Report | None = None,
) -> Rlhf:
    """Run the chain: collect preferences, fit r_phi, optimise a policy against it, measure what became of people.

    The recommender learns with the same rule, leash and luck from clicks and from r_phi, on the same users.

    Parameters: base; asked, default `Asked()`; beta > 0, of the leash to the policy's reference, in nats of score, or
    reactions, per nat of KL; rule, a preset of docs/rules.md, by default that of the base; draws of labellers and
    labels for the over-optimisation curve, 0 for none, else 2 or more; save, FILE.toml, beside which the tables of a
    model with one for each labeller are kept as FILE.npy; threads; progress, called with a phase, and how
    much of how much of it is done. Returns an Rlhf. Raises InputError for what cannot be asked, fitted or simulated.
    Source: docs/rlhf.md.

    >>> found = rlhf(Scenario(users=64, steps=20), Asked(labellers=5, pairs=200), draws=0)
    >>> found.model.score.shape
    (1, 3, 4)
    """
    how, tell = asked or Asked(), progress or (lambda phase, done, total: None)
    _check(beta, draws)
    clicks = _changed(one_by_one(base, "rlhf"), {"beta": beta} | ({} if rule is None else {"rule": rule}))
    reference = np.maximum(np.exp(log_softmax(clicks.policy.to_rule().reference_logits(base.k))), TINY)
    people, labels, training, model, held = _learn(base, how, reference, tell)
    values = {"proxy": model.score} | true_values(people)
    with _place(save) as file:
        fitted = scenario_with_reward_model(clicks, model.score, file)
        samples = [_sample(scenario, threads, "optimise", tell) for scenario in (clicks, fitted)]
        measured = _runs(fitted, reference, values, threads, tell) if draws else []
    effects, weight = _effects(clicks, samples, reference)
    return Rlhf(
        asked=how,
        clicks=clicks,
        fitted=fitted,
        wins=labels.wins(),
        disagreement=disagreement(labels),
        minority=minority(people),
        model=model,
        held=held,
        reference=reference,
        policy=leashed_policy(model.score, reference, beta).mean(axis=0),
        dpo=fit_dpo(training.wins(), np.log(reference), beta, how.ridge),
        weight=weight,
        pairs=samples[0].state.shape[1],
        effects=effects,
        curves=_curves(base, how, reference, weight, draws, tell) if draws else [],
        measured=measured,
    )


def _learn(
    base: Scenario, how: Asked, reference: FloatArray, tell: Report
) -> tuple[Labellers, Preferences, Preferences, RewardModel, HeldOut | None]:
    """Return the labellers, their labels, those fitted on, the fitted model, and how good it is on the others."""
    tell("collect", 0, how.pairs)
    people = draw_labellers(base, how.labellers, how.intentionality, how.temperature)
    labels = collect(people, how.pairs, how.selection, reference)
    training, kept = split(labels, how.held_out, base.seed)
    tell("collect", how.pairs, how.pairs)
    tell("fit", 0, 1)
    names = [category.name for category in base.categories]
    model = fit_reward_model(training, how.model, how.ridge, how.margin, names)
    held = evaluate(model, people, kept) if how.held_out > 0 else None
    tell("fit", 1, 1)
    return people, labels, training, model, held


def _check(beta: float, draws: int) -> None:
    if not LEAST_BETA <= beta < np.inf:
        raise InputError(
            f"beta: expected a number from {LEAST_BETA:g} up, got {beta:g}; "
            "without a leash there is no optimum to reach"
        )
    if draws < 0 or draws == 1:
        raise InputError(f"draws: expected 0, or 2 or more for an interval, got {draws}")


@contextmanager
def _place(save: Path | None) -> Iterator[Path]:
    """Yield where the tables of a per-user model go: beside `save`, or in a folder that is removed afterwards."""
    if save:
        yield save.with_suffix(".npy")
    else:
        with TemporaryDirectory() as folder:
            yield Path(folder) / "model.npy"


def _changed(base: Scenario, policy: Mapping[str, object]) -> Scenario:
    values = base.model_dump(mode="json", exclude_none=True)
    return Scenario.from_values(values | {"policy": {**values["policy"], **policy}})


def _sample(scenario: Scenario, threads: int | None, phase: str, tell: Report) -> Trace:
    done = 0

    def advance(users: int) -> None:
        nonlocal done
        done += users
        tell(phase, done, scenario.users)

    tell(phase, 0, scenario.users)
    return simulate(scenario, threads=threads, progress=advance).part.sample


def _effects(clicks: Scenario, samples: list[Trace], reference: FloatArray) -> tuple[list[Effect], FloatArray]:
    """Return the paired effects of r_phi against clicks, and the share of users by state under r_phi."""
    base, other = (_outcomes(clicks, sample, reference) for sample in samples)
    weight = np.bincount(samples[1].state[-1], minlength=len(STATES)) / samples[1].state.shape[1]
    return [paired_effect(name, base[name], other[name]) for name in base], weight


def _outcomes(clicks: Scenario, sample: Trace, reference: FloatArray) -> dict[str, FloatArray]:
    """Return every metric of every user, with what its feed is worth deliberately and how far its policy has come."""
    steps = recorded_steps(clicks.steps, clicks.record.steps)
    names = [category.name for category in clicks.categories]
    return user_outcomes(sample, steps, np.arange(sample.state.shape[1]), names) | {
        "deliberate_value": deliberate_value(
            sample.served, sample.time_in_state, clicks.intentional.table("mean", clicks.k)
        ),
        "kl": distance(sample, reference),
    }


def _curves(
    base: Scenario, how: Asked, reference: FloatArray, weight: FloatArray, draws: int, tell: Report
) -> list[BudgetCurve]:
    """Return the mean curve at the budget, at a tenth and at a hundredth of it; with no ridge, at the budget only."""
    curves, names = [], [category.name for category in base.categories]
    budgets = [how.pairs // part for part in BUDGETS if how.pairs >= part and (part == 1 or how.ridge > 0)]
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        tell("measure", done, draws * len(budgets))

    for pairs in budgets:

        def draw(number: int, pairs: int = pairs) -> tuple[RewardModel, Labellers]:
            other = base.model_copy(update={"seed": base.seed + 1 + number})
            people = draw_labellers(other, how.labellers, how.intentionality, how.temperature)
            labels = collect(people, pairs, how.selection, reference)
            return fit_reward_model(labels, how.model, how.ridge, how.margin, names), people

        curves.append(over_draws(draw, pairs, draws, reference, weight, advance))
    return curves


def _runs(
    fitted: Scenario, reference: FloatArray, values: dict[str, FloatArray], threads: int | None, tell: Report
) -> list[Measured]:
    """Return what runs at several leashes came to, on the first users."""
    found = []
    for beta in LEASHES:
        few = _changed(fitted.model_copy(update={"users": min(fitted.users, MEASURED_USERS)}), {"beta": beta})
        found.append(measure(few, _sample(few, threads, f"measure, beta {beta:g}", tell), reference, values))
    return found
