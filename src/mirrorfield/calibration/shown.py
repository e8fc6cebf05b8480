"""What reactions to a category would be on average if all of its items had been equally likely to be shown."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mirrorfield.calibration.designs import Array, sum_by
from mirrorfield.calibration.log import InteractionLog

NORMAL = 1.96


@dataclass
class Ratio:
    """Sums over people of A, B, A^2, A B and B^2 by category, rows of (5, K) in this order, for sum A / sum B."""

    sums: Array

    def add(self, a: Array, b: Array) -> None:
        """Add people with A and B (n, K)."""
        self.sums += np.array([a.sum(0), b.sum(0), (a * a).sum(0), (a * b).sum(0), (b * b).sum(0)])

    def interval(self) -> list[dict[str, float] | None]:
        """Return value, low and high of every ratio, or None where there is nothing to divide by.

        Formula: r = sum A / sum B, standard error sqrt(sum_u (A_u - r B_u)^2) / sum B, 95% interval r -+ 1.96 of them.
        Source: the delta method for a ratio of means over people.
        """
        found: list[dict[str, float] | None] = []
        for a, b, aa, ab, bb in self.sums.T:
            r = a / b if b > 0 else 0.0
            half = NORMAL * np.sqrt(max(aa - 2 * r * ab + r * r * bb, 0.0)) / b if b > 0 else 0.0
            found.append({"value": float(r), "low": float(r - half), "high": float(r + half)} if b > 0 else None)
        return found


class Shown:
    """Mean reactions by category, as logged and as if shown evenly, gathered from the events of some people at a time.

    Formula: sum_e w_ea y_e / p_e over sum_e w_ea / p_e, p_e the propensity: the chance with which the item of event e
    was shown; as logged, p_e = 1. Source: the self-normalised estimator of Swaminathan & Joachims (2015).
    """

    def __init__(self, categories: int) -> None:
        self.logged, self.evenly = (Ratio(np.zeros((5, categories))) for _ in range(2))

    def add(self, log: InteractionLog, y: Array) -> None:
        """Add the events of a log with reactions y (E,) in the model's unit; nothing without propensities."""
        if log.propensity is None:
            return
        n, k = len(log.user_names), len(log.category_names)
        cell = log.user[log.event] * k + log.category
        for ratio, weight in ((self.logged, log.weight), (self.evenly, log.weight / log.propensity[log.event])):
            total = sum_by(cell, weight * y[log.event], n * k).reshape(n, k)
            ratio.add(total, sum_by(cell, weight, n * k).reshape(n, k))

    def told(self) -> list[dict[str, Any]]:
        """Return for every category what is known of its mean, as plain data."""
        pairs = zip(self.logged.interval(), self.evenly.interval(), strict=True)
        return [{"as_logged": logged, "shown_evenly": evenly} for logged, evenly in pairs]
