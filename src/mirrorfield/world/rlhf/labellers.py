"""People who are asked what they like: users of a scenario, at the intentionality they have when they rate."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.errors import InputError
from mirrorfield.model.profile import blend
from mirrorfield.people.markov import Markov
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.tables import profile_tables

MOST = 100_000


@dataclass(frozen=True)
class Labellers:
    """n labellers, who are the users 0 ... n-1 of a scenario.

    value, (n, S, K), is the mean reaction r_u[s, a] of each at the intentionality of rating; scrolling, (n, S, K), at
    the intentionality that it has as a user; deliberate, (n, S, K), at lambda = 1. All in reactions, float64.
    """

    seed: int
    temperature: float
    value: FloatArray
    scrolling: FloatArray
    deliberate: FloatArray

    @property
    def count(self) -> int:
        """The number of labellers, n."""
        return len(self.value)

    @property
    def k(self) -> int:
        """The number of categories, K."""
        return int(self.value.shape[2])


def draw_labellers(
    scenario: Scenario, count: int, intentionality: float | None = 1.0, temperature: float = 1.0
) -> Labellers:
    """Return the first users of a scenario as labellers.

    Formula: r_u[s, a] = (1 - lambda_label) w_u[a] mu_reactive[s, a] + lambda_label mu_intentional[s, a].

    Parameters: scenario; count n; intentionality lambda_label in [0, 1] of everyone while rating, or None for the one
    each has as a user; temperature > 0 in reactions, the spread of their answers. Returns Labellers. Raises InputError
    for numbers out of range, for users listed in a file and for rungs of intensity. Source: docs/rlhf.md, eq. 1.

    >>> draw_labellers(Scenario(), 2).value[0, 0].round(2).tolist()
    [0.1, 0.1, 0.2, 1.0]
    """
    _check(scenario, count, intentionality, temperature)
    users, profiles = Markov(scenario).start(np.arange(count), None), profile_tables(scenario)
    reactive = users.susceptibility[:, None, :] * profiles.reactive.mean.astype(float)
    deliberate = np.broadcast_to(profiles.intentional.mean.astype(float), reactive.shape)
    rating = np.full(count, intentionality) if intentionality is not None else users.intentionality
    value = blend(rating[:, None, None], reactive, deliberate)
    return Labellers(scenario.seed, temperature, value, users.mean.reshape(value.shape), deliberate)


def _check(scenario: Scenario, count: int, intentionality: float | None, temperature: float) -> None:
    if not 1 <= count <= MOST:
        raise InputError(f"labellers: expected 1 to {MOST:,}, got {count:,}")
    if intentionality is not None and not 0 <= intentionality <= 1:
        raise InputError(f"lambda-label: expected a number from 0 to 1, got {intentionality:g}")
    if not 1e-6 <= temperature <= 1e6:
        raise InputError(f"temperature: expected a number from 0.000001 to 1000000, in reactions, got {temperature:g}")
    if scenario.population.file is not None:
        raise InputError("labellers: expected users that are drawn, got population.file; leave it out of the scenario")
    if scenario.intensity.rungs > 1:
        raise InputError(
            f"labellers: expected posts without intensity, got {scenario.intensity.rungs} rungs; "
            "use intensity.rungs = 1"
        )
