"""What both scripts about labels and lenses need: outcomes of every user of a scenario, and figures with intervals."""

from typing import Any

import numpy as np

import mirrorfield as mf
from mirrorfield.arrays import STATES, FloatArray
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.metrics.outcomes import category_of, deliberate_value, divergence_from_mean
from mirrorfield.metrics.paired import Effect, paired_effect

OUTCOMES = ("deliberate_value", "hooked", "locked_in", "filter_bubble", "depth", "mean_reaction")
WORDS = {
    "deliberate_value": "deliberate value",
    "hooked": "hooked",
    "locked_in": "locked in",
    "filter_bubble": "filter-bubble index",
    "depth": "mostly depth",
    "mean_reaction": "mean reaction",
}


def scenario(users: int, steps: int, seed: int = 1, **changes: Any) -> mf.Scenario:
    """Return a scenario of which every user is kept at the last step."""
    return mf.Scenario(users=users, steps=steps, seed=seed, record={"users": users, "steps": 1}, **changes)


def outcomes(asked: mf.Scenario) -> dict[str, FloatArray]:
    """Return what became of every user of a scenario, (n,), their intentionality, and their diet, (n, K)."""
    sample = mf.simulate(asked).part.sample
    diet, state = sample.diet[-1].T.astype(float), sample.state[-1]
    worth = asked.intentional.table("mean", asked.k)
    return {
        "deliberate_value": deliberate_value(sample.served, sample.time_in_state, worth),
        "hooked": (state == STATES.index("hooked")).astype(float),
        "locked_in": (diet.max(axis=1) > LOCKED_IN).astype(float),
        "filter_bubble": divergence_from_mean(diet),
        "depth": (category_of(diet, np.arange(len(diet))) == 3).astype(float),
        "mean_reaction": sample.mean_reaction[-1].astype(float),
        "intentionality": sample.intentionality.astype(float),
        "diet": sample.diet[-1].T,
    }


def effects(base: dict[str, FloatArray], other: dict[str, FloatArray]) -> dict[str, Effect]:
    """Return the paired effect on every outcome."""
    return {name: paired_effect(name, base[name], other[name]) for name in OUTCOMES}


def told(effect: Effect, digits: int = 4) -> str:
    """Return an effect as a table has it: the level, and in brackets the difference and half its 95% interval."""
    half = (effect.high - effect.low) / 2
    return f"{effect.changed:.{digits}f} ({effect.difference:+.{digits}f} ± {half:.{digits}f})"
