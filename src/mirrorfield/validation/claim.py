"""A claim of the theory, what the code measured, whether they agree, and how large an error would not go unseen."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray

LIMIT = 4.0
NINETY_PERCENT = 1.2816  # the 0.9 quantile of a standard normal variate
TOLERANCE = 2e-5


@dataclass(frozen=True)
class Claim:
    """One row of the validation suite; `error` is a standard error, `rule` says in words when the claim holds.

    `power` is the smallest error that the claim finds, with probability 0.9 or, for an exact claim, for certain:
    `power_of` says of what, in the unit of the prediction unless it says "relative".
    """

    group: str
    text: str
    predicted: float
    measured: float
    error: float
    rule: str
    holds: bool
    power: float
    power_of: str = "difference"
    score: float | None = None  # (measured - predicted) / error, where nothing but the error stands between the two
    bound: float = 0.0


def equal(group: str, text: str, predicted: float, measured: float, error: float, bias: float = 0.0) -> Claim:
    """Return the claim that two numbers agree within LIMIT standard errors, beside a `bias` that the theory allows."""
    rule = f"within {LIMIT:g} s.e." + (f" + {bias:g}" if bias else "")
    away, bound = measured - predicted, LIMIT * error + bias
    score = away / error if error > 0 and not bias else None
    power = bound + NINETY_PERCENT * error
    return Claim(group, text, predicted, measured, error, rule, abs(away) <= bound, power, score=score, bound=bound)


def below(group: str, text: str, bound: float, measured: float, error: float = 0.0) -> Claim:
    """Return the claim that a number is below a bound by LIMIT standard errors."""
    rule = f"below by {LIMIT:g} s.e." if error else "below"
    holds, power = measured < bound - LIMIT * error, (LIMIT - NINETY_PERCENT) * error
    return Claim(group, text, bound, measured, error, rule, holds, power, "missing difference", bound=bound)


def at_most(group: str, text: str, bound: float, measured: float, error: float) -> Claim:
    """Return the claim that a number is not above a bound, but for LIMIT standard errors."""
    rule = f"at most, + {LIMIT:g} s.e."
    holds, power = measured <= bound + LIMIT * error, (LIMIT + NINETY_PERCENT) * error
    return Claim(group, text, bound, measured, error, rule, holds, power, "excess", bound=bound)


def near(group: str, text: str, away: float, tolerance: float = TOLERANCE) -> Claim:
    """Return the claim that what the kernel computed is what the theory computes, up to rounding: no luck is in it."""
    rule = f"at most {tolerance:g}"
    return Claim(group, text, 0.0, away, 0.0, rule, away <= tolerance, tolerance, "deviation", bound=tolerance)


def slope(rates: FloatArray, values: FloatArray) -> float:
    """Return the slope of log values against log rates, fitted by least squares.

    >>> round(slope(np.array([1.0, 2.0, 4.0]), np.array([3.0, 6.0, 12.0])), 6)
    1.0
    """
    return float(np.polyfit(np.log(rates), np.log(values), 1)[0])
