"""What-ifs in the embedding world, where one policy serves everybody: the same people and luck, measured one by one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mirrorfield.api import execute_together
from mirrorfield.arrays import STATES, FloatArray
from mirrorfield.errors import InputError, check_known
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.metrics.concentration import effective_categories
from mirrorfield.metrics.escalation import drift
from mirrorfield.metrics.outcomes import category_of, divergence_from_mean
from mirrorfield.metrics.paired import Effect, moves, paired_effect
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.settings import changed
from mirrorfield.result import EmbeddingRun
from mirrorfield.study.pairs import check_paired
from mirrorfield.world.embedding.record import band_of

PAIRED = ("users", "first_user", "steps", "seed", "record", "categories")


def together_names(base: EmbeddingScenario) -> list[str]:
    """Return the metrics of a comparison in the embedding world."""
    first = ("locked_in", "time_to_lock_in", "effective_categories", "effective_items", "filter_bubble", "drift")
    return [*first, "mean_reaction", "arousal", *STATES, *(f"share:{category.name}" for category in base.categories)]


def together_outcomes(run: EmbeddingRun) -> dict[str, FloatArray]:
    """Return every metric of every person measured, {name: float64 (n,)}; as in the base model, with feeds for diets.

    Source: docs/model.md, section 4; docs/embedding.md, section 4.
    """
    _, record = run.kept()
    ids, last = run.served
    exact = last.astype(float) / last.astype(float).sum(axis=1, keepdims=True)
    locked = record.feed.max(axis=2) > LOCKED_IN
    category, state = category_of(last, ids), band_of(record.arousal[-1])
    found = {
        "locked_in": locked[-1],
        "time_to_lock_in": np.where(locked.any(axis=0), record.steps[locked.argmax(axis=0)], record.steps[-1]),
        "effective_categories": effective_categories(exact),
        "effective_items": record.effective_items[-1],
        "filter_bubble": divergence_from_mean(exact),
        "drift": drift(last, record.feed[0]),
        "mean_reaction": record.mean_reaction[-1],
        "arousal": record.arousal[-1],
    }
    found |= {name: state == s for s, name in enumerate(STATES)}
    found |= {f"share:{part.name}": category == k for k, part in enumerate(run.scenario.categories)}
    return {name: np.asarray(values, float) for name, values in found.items()}


def together_arms(
    base: EmbeddingScenario, arms: Mapping[str, Any], against: Sequence[str]
) -> dict[str, EmbeddingScenario]:
    """Return the scenario of every arm; raise InputError for one that cannot be paired, and for other open loops."""
    found = {}
    for name, arm in arms.items():
        scenario = changed(base, arm) if isinstance(arm, Mapping) else arm
        if not isinstance(scenario, EmbeddingScenario):
            raise InputError(f"compare: {name}: expected settings, or a scenario of the embedding world as the base is")
        check_paired(base, name, scenario, PAIRED)
        found[name] = scenario
    for name in against:
        check_known(name, ("random",), "compare: unknown open loop in the embedding world")
        found[f"open loop: {name}"] = changed(base, {"policy.learning_rate": 0.0})
    return found


def compare_together(
    base: EmbeddingScenario,
    arms: Mapping[str, EmbeddingScenario],
    metrics: Sequence[str],
    threads: int | None,
    told: Callable[[int], None] | None,
) -> dict[str, tuple[list[Effect], Any]]:
    """Return the effects of every arm on the people measured, and who moved, (K, K).

    An interval is over people, given the two policies: what one seed of the policy does is in both.
    """
    names = together_names(base)
    for metric in metrics:
        check_known(metric, names, "compare: unknown metric")

    def run(scenario: EmbeddingScenario) -> tuple[dict[str, FloatArray], Any]:
        done = execute_together(scenario, threads, told)
        ids, served = done.served
        return together_outcomes(done), category_of(served, ids)

    mine, category = run(base)
    found = {}
    for name, scenario in arms.items():
        theirs, became = run(scenario)
        effects = [paired_effect(metric, mine[metric], theirs[metric]) for metric in metrics or names]
        found[name] = effects, moves(category, became, base.k)
    return found
