"""A scenario in which the recommender learns from a reward model instead of clicks."""

from typing import Any

from mirrorfield.errors import InputError
from mirrorfield.population.distributions import PointSusceptibility
from mirrorfield.population.scenario import Profile, Scenario
from mirrorfield.types import FloatArray


def scenario_with_reward_model(scenario: Scenario, score: FloatArray) -> Scenario:
    """Return the scenario with G_t = r_phi[s_t, a_t]: the same people, moved by posts as before, judged by r_phi.

    Both profiles keep their transitions and get r_phi as mean, without noise; susceptibility, which would scale it, is
    1. A user's lambda and luck do not change, so a run is paired with one of the scenario itself.

    Parameters: scenario; score r_phi, (1, S, K), of a shared model. Returns a Scenario, whose `mean_reaction` is in the
    unit of r_phi. Raises InputError for a model of several rows. Source: docs/rlhf.md, section 4.

    >>> import numpy as np
    >>> scenario_with_reward_model(Scenario(), np.zeros((1, 3, 4))).name
    'default, reward model'
    """
    if len(score) > 1:
        raise InputError(f"model: expected one table for all to simulate, got {len(score)}; use the model shared")
    rows = tuple(tuple(float(x) for x in row) for row in score[0])
    one = PointSusceptibility()
    population = scenario.population
    people: dict[str, Any] = {
        "susceptibility": one,
        "segments": tuple(part.model_copy(update={"susceptibility": one}) for part in population.segments),
    }
    return scenario.model_copy(
        update={
            "name": f"{scenario.name[:66]}, reward model",
            "reactive": _judged(scenario.reactive, rows),
            "intentional": _judged(scenario.intentional, rows),
            "population": population.model_copy(update=people),
        }
    )


def _judged(profile: Profile, rows: tuple[tuple[float, ...], ...]) -> Profile:
    return profile.model_copy(update={"mean": rows, "std": 0.0})
