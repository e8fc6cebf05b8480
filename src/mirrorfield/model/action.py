"""What a person does with a post: actions that happen or not, and the seconds that they dwell."""

from typing import Any

from mirrorfield.maths import F32, HALF, ONE, ZERO, exp

LEAST_SECONDS = F32(1e-3)
_P = F32(0.3275911)
_A1, _A2, _A3, _A4, _A5 = F32(0.254829592), F32(-0.284496736), F32(1.421413741), F32(-1.453152027), F32(1.061405429)
_ROOT_HALF = F32(0.7071067811865476)


def raised(probability: Any, susceptibility: Any) -> Any:
    """Return the probability of an action whose odds susceptibility multiplies.

    Formula: w p / (w p + 1 - p); p at w = 1, 0 at w = 0.

    Parameters: probability p in [0, 1]; susceptibility w >= 0; floats of one shape. Returns that shape. Source:
    docs/objective.md, eq. 19.

    >>> float(raised(0.25, 3.0))
    0.5
    """
    odds = susceptibility * probability
    total = odds + (ONE - probability)
    return odds / (total if total > ZERO else ONE)


def median_seconds(intentionality: Any, susceptibility: Any, reactive: Any, intentional: Any) -> Any:
    """Return the median dwell of a person on a post, at least a millisecond.

    Formula: (1 - lambda) w D_reactive + lambda D_intentional.

    Parameters: intentionality in [0, 1]; susceptibility >= 0; the medians of both profiles, seconds. Returns seconds.
    Source: docs/objective.md, eq. 20.

    >>> float(median_seconds(0.5, 2.0, 4.0, 10.0))
    9.0
    """
    median = (ONE - intentionality) * (susceptibility * reactive) + intentionality * intentional
    return median if median > LEAST_SECONDS else LEAST_SECONDS


def normal_below(z: Any) -> Any:
    """Return the probability that a standard normal variate is below z, within 2e-7.

    Formula: Phi(z) = (1 + erf(z / sqrt 2)) / 2, with the rational approximation of erf in t = 1 / (1 + 0.3275911 x).

    Parameters: z, float32. Returns float32 in [0, 1]. Source: Abramowitz and Stegun
    (1964).

    >>> round(float(normal_below(F32(1.0))), 6)
    0.841345
    """
    x = _ROOT_HALF * (z if z > ZERO else -z)
    t = ONE / (ONE + _P * x)
    tail = HALF * (((((_A5 * t + _A4) * t + _A3) * t + _A2) * t + _A1) * t * exp(-x * x))
    return ONE - tail if z > ZERO else tail
