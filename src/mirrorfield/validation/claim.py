"""A claim of the theory, what the code measured, and whether they agree."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray

LIMIT = 4.0


@dataclass(frozen=True)
class Claim:
    """One row of the validation suite; `error` is a standard error, `rule` says in words when the claim holds."""

    group: str
    text: str
    predicted: float
    measured: float
    error: float
    rule: str
    holds: bool
    score: float | None = None  # (measured - predicted) / error, where nothing but the error stands between the two


def equal(group: str, text: str, predicted: float, measured: float, error: float, bias: float = 0.0) -> Claim:
    """Return the claim that two numbers agree within LIMIT standard errors, beside a `bias` that the theory allows."""
    rule = f"within {LIMIT:g} s.e." + (f" + {bias:g}" if bias else "")
    away = measured - predicted
    score = away / error if error > 0 and not bias else None
    return Claim(group, text, predicted, measured, error, rule, abs(away) <= LIMIT * error + bias, score)


def below(group: str, text: str, bound: float, measured: float, error: float = 0.0) -> Claim:
    """Return the claim that a number is below a bound by LIMIT standard errors."""
    rule = f"below by {LIMIT:g} s.e." if error else "below"
    return Claim(group, text, bound, measured, error, rule, measured < bound - LIMIT * error)


def at_most(group: str, text: str, bound: float, measured: float, error: float) -> Claim:
    """Return the claim that a number is not above a bound, but for LIMIT standard errors."""
    rule = f"at most, + {LIMIT:g} s.e."
    return Claim(group, text, bound, measured, error, rule, measured <= bound + LIMIT * error)


def slope(rates: FloatArray, values: FloatArray) -> float:
    """Return the slope of log values against log rates, fitted by least squares.

    >>> round(slope(np.array([1.0, 2.0, 4.0]), np.array([3.0, 6.0, 12.0])), 6)
    1.0
    """
    return float(np.polyfit(np.log(rates), np.log(values), 1)[0])
