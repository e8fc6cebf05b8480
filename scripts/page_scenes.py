"""The four phenomena, for the page: what every change does, and to whom, person by person."""

from typing import Any, get_args

import numpy as np
from page_command import arm_of, asked

import mirrorfield as mf
from mirrorfield.arrays import FloatArray
from mirrorfield.kernel import Trace
from mirrorfield.metrics.concentration import effective_categories
from mirrorfield.metrics.mirrors import common
from mirrorfield.server.panels import Change, Phenomenon, effects

PEOPLE = 60
FIGURES: dict[str, str] = {
    "echo-chamber": "mean_reaction",
    "filter-bubble": "effective_categories",
    "polarization": "most_shown",
    "radicalization": "intensity",
}
EVERY = 4


def figure_of(name: str, sample: Trace) -> FloatArray:
    """Return a scene's figure of every person after the last post, (n,)."""
    diet = np.ascontiguousarray(sample.diet[-1].T, float)
    if name == "effective_categories":
        return effective_categories(diet)
    if name == "most_shown":
        return np.asarray(diet.max(axis=1))
    return np.asarray(getattr(sample, name)[-1], float)


def strangers(run: mf.PopulationRun) -> dict[str, Any]:
    """Return what two strangers' diets have in common, sum_a min(p_a, q_a), over posts: mean, half its 95% interval.

    The strangers are the people 0 and 1, 2 and 3, and so on, so the pairs are independent.
    """
    diet = run.part.sample.diet[::-EVERY][::-1].transpose(0, 2, 1).astype(float)
    shared = common(diet[:, 0::2], diet[:, 1::2])
    half = 1.96 * shared.std(axis=1, ddof=1) / np.sqrt(shared.shape[1])
    steps = run.dataset["step"].values[::-EVERY][::-1]
    return {"steps": steps.tolist(), "mean": shared.mean(axis=1).tolist(), "half": half.tolist()}


def scene(phenomenon: Phenomenon, change: Change) -> dict[str, Any]:
    """Return what a change does: the effects of the page's panel, and the figure of sixty people without and with."""
    found = effects(phenomenon, change).model_dump()
    base = asked(found["command"])
    runs = mf.simulate(base), mf.simulate(arm_of(found["command"], base))
    values = [figure_of(FIGURES[phenomenon], run.part.sample)[:PEOPLE].tolist() for run in runs]
    found["people"] = {"figure": FIGURES[phenomenon], "without": values[0], "with": values[1]}
    found["overlap"] = {"without": runs[0].summary["overlap"], "with": runs[1].summary["overlap"]}
    if phenomenon == "polarization":
        found["strangers"] = {"without": strangers(runs[0]), "with": strangers(runs[1])}
    return found


def scenes() -> dict[str, Any]:
    """Return every scene with every change that it has: seventeen in all."""
    return {
        phenomenon: {
            change: scene(phenomenon, change)
            for change in get_args(Change)
            if change != "intensity-cap" or phenomenon == "radicalization"
        }
        for phenomenon in get_args(Phenomenon)
    }
