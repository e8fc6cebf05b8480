"""Sufficient statistics of a log: what each user's reactions to each category add up to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.log import InteractionLog
from mirrorfield.errors import InputError

FEWEST_DEGREES = 30.0


@dataclass(frozen=True)
class Scaling:
    """The affine map from the log's reaction unit to the model's unit: unit = (reaction - low) / (high - low).

    low and high are in the log's unit; raises InputError unless both are finite and low < high.

    >>> Scaling(1.0, 5.0).to_unit(np.array([1.0, 4.0, 5.0])).tolist()
    [0.0, 0.75, 1.0]
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise InputError(f"The reaction scale needs low < high, got low {self.low:g} and high {self.high:g}.")

    @property
    def width(self) -> float:
        """The log's units per unit of the model."""
        return self.high - self.low

    def to_unit(self, reaction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return reactions, any shape, in the model's unit; outside [low, high] they fall outside [0, 1]."""
        return (reaction - self.low) / self.width


@dataclass(frozen=True)
class Cells:
    """Weighted sums over the n x K cells of user and category, all float64 (n, K).

    events: W_ua = sum w, fractional when events carry several labels; 0 marks a cell never observed.
    effective: n_ua = W_ua^2 / sum w^2, the number of equally weighted events with a mean as precise; W_ua if all w = 1.
    mean: ybar_ua = sum w y / W_ua in the model's unit; 0 where never observed.
    residual: sum w (y - ybar_ua)^2 in the model's unit squared. degrees: W_ua - sum w^2 / W_ua, its expectation
    when every reaction has variance 1.
    """

    events: NDArray[np.float64]
    effective: NDArray[np.float64]
    mean: NDArray[np.float64]
    residual: NDArray[np.float64]
    degrees: NDArray[np.float64]


def sum_by(code: NDArray[np.int64], values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the sum of the values of each code 0 ... size - 1, float64 (size,).

    >>> sum_by(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), 3).tolist()
    [1.0, 0.0, 5.0]
    """
    return np.bincount(code, weights=values, minlength=size).astype(np.float64)


def scaling_of(log: InteractionLog, low: float | None = None, high: float | None = None) -> Scaling:
    """Return the scaling by the smallest and largest reaction of the log, or by the bounds given, in the log's unit.

    Raises InputError when all reactions are equal and no bounds are given, or when low >= high.
    """
    least, most = float(log.reaction.min()), float(log.reaction.max())
    if least == most and low is None and high is None:
        raise InputError(f"Every reaction in the log is {least:g}: there is nothing to learn about who likes what.")
    return Scaling(least if low is None else low, most if high is None else high)


def cell_statistics(log: InteractionLog, scaling: Scaling, keep: NDArray[np.bool_] | None = None) -> Cells:
    """Return the weighted sums of every cell.

    Formula: W_ua = sum w_i, n_ua = W_ua^2 / sum w_i^2, ybar_ua = sum w_i y_i / W_ua over the events i of user u that
    carry category a, with w_i = 1 / (labels of i) and y in the model's unit; var(ybar_ua) = sigma_a^2 / n_ua.

    Parameters: log; scaling; keep (E,) bool, the events to use (default all). Returns Cells.
    Source: Kish (1965), Survey Sampling, for the effective number of observations under unequal weights.
    """
    shape = len(log.user_names), len(log.category_names)
    used = slice(None) if keep is None else keep[log.event]
    event, weight = log.event[used], log.weight[used]
    cell = log.user[event] * shape[1] + log.category[used]
    y = scaling.to_unit(log.reaction)[event]

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return sum_by(cell, values, shape[0] * shape[1])

    n = total(weight)
    mean = np.divide(total(weight * y), n, out=np.zeros_like(n), where=n > 0)
    residual = total(weight * (y - mean[cell]) ** 2)
    squares = total(weight**2)
    effective = np.divide(n**2, squares, out=np.zeros_like(n), where=n > 0)
    degrees = n - np.divide(squares, n, out=np.zeros_like(n), where=n > 0)
    return Cells(*(x.reshape(shape) for x in (n, effective, mean, residual, np.maximum(degrees, 0.0))))


def pooled_std(cells: Cells) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the standard deviation of a reaction to each category around its cell's mean, pooled over users.

    Formula: sigma_a^2 = sum_u sum_i w_i (y_i - ybar_ua)^2 / sum_u (W_ua - sum_i w_i^2 / W_ua), which is unbiased:
    the denominator is the expectation of the numerator for unit variance, and sum (n_ua - 1) when all w = 1.
    A category with fewer than 30 degrees of freedom (a relative standard error above 13%, from
    1 / sqrt(2 degrees)) takes the value pooled over all categories.

    Parameters: cells. Returns std (K,) float64 in the model's unit, and which categories took the overall value
    (K,) bool. Raises InputError when no user reacted twice to a category.
    Source: pooled variance; the weighted degrees of freedom are derived here.

    >>> one = np.ones((1, 2))
    >>> std, thin = pooled_std(Cells(one, one, one, residual=np.array([[4.0, 2.0]]), degrees=100 * one))
    >>> std.round(3).tolist()
    [0.2, 0.141]
    """
    residual, degrees = cells.residual.sum(axis=0), cells.degrees.sum(axis=0)
    if degrees.sum() < 1e-9:
        raise InputError("No user reacted twice to the same category: noise and taste cannot be told apart.")
    thin = degrees < FEWEST_DEGREES
    overall = residual.sum() / degrees.sum()
    variance = np.divide(residual, degrees, out=np.full_like(residual, overall), where=~thin)
    return np.sqrt(variance), thin
