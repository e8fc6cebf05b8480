"""The unit of reactions: from the log's own to the model's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.log import EventLog, InteractionLog
from mirrorfield.errors import InputError

LEAST_WIDTH = 1e-100


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
        if not LEAST_WIDTH <= self.width <= 1 / LEAST_WIDTH:
            raise InputError(
                f"The reaction scale needs a width from {LEAST_WIDTH:g} to {1 / LEAST_WIDTH:g}, got {self.width:g}."
            )

    @property
    def width(self) -> float:
        """The log's units per unit of the model."""
        return self.high - self.low

    def to_unit(self, reaction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return reactions, any shape, in the model's unit; outside [low, high] they fall outside [0, 1]."""
        return (reaction - self.low) / self.width


def scaling_of(log: InteractionLog | EventLog, low: float | None = None, high: float | None = None) -> Scaling:
    """Return the scaling by the smallest and largest reaction of the log, or by the bounds given, in the log's unit.

    Raises InputError when all reactions are equal and no bounds are given, or when low >= high.
    """
    least, most = log.bounds
    if least == most and low is None and high is None:
        raise InputError(f"Every reaction in the log is {least:g}: there is nothing to learn about who likes what.")
    return Scaling(least if low is None else low, most if high is None else high)
