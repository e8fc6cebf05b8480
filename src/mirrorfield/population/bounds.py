"""Limits of a scenario's numbers that no single field can check; docs/model.md, section 7, has all of them."""

from typing import TYPE_CHECKING

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.population.distributions import (
    AnySusceptibility,
    DirichletSusceptibility,
    LognormalSusceptibility,
)

if TYPE_CHECKING:
    from mirrorfield.population.scenario import Scenario

MAX_MEAN_REACTION = 1024.0


def _typical(spec: AnySusceptibility, categories: int) -> FloatArray:
    """Return the median susceptibility, (K,); for Dirichlet, the mean."""
    if isinstance(spec, DirichletSusceptibility):
        return np.ones(categories)
    return np.full(categories, spec.median if isinstance(spec, LognormalSusceptibility) else spec.value, float)


def strongest_reaction(scenario: "Scenario") -> float:
    """Return the largest mean reaction, up to sign, of a person of typical susceptibility to any post of any intensity.

    Formula: max_sa max(w_a |mu_reactive|, |mu_intentional|) max(1, 1 + slope) max(1, 1 + priming), with w_a the median
    and slope where there are rungs; in the scenario's unit.
    """
    population, k = scenario.population, scenario.k
    parts = population.segments or (population,)
    typical = np.max([_typical(part.susceptibility, k) for part in parts], axis=0)
    reactive, intentional = abs(scenario.reactive.table("mean", k)), abs(scenario.intentional.table("mean", k))
    listed = population.file is not None
    slope = scenario.intensity.slope if scenario.intensity.rungs > 1 else 0.0
    factor = max(1.0, 1 + slope) * max(1.0, 1 + scenario.context.priming)
    return float(max((reactive * (1 if listed else typical)).max(), intentional.max()) * factor)


def check_reactions(scenario: "Scenario") -> None:
    """Raise ValueError for mean reactions that the totals cannot hold."""
    strongest = strongest_reaction(scenario)
    if strongest > MAX_MEAN_REACTION:
        raise ValueError(
            f"reactive.mean, susceptibility: expected mean reactions within {MAX_MEAN_REACTION:g} of zero, got "
            f"{strongest:g} (mean times susceptibility, 1 + slope and 1 + priming); use a smaller unit"
        )
