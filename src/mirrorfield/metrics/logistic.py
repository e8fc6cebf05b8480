"""A logistic curve through the answers of the same users at several places."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray

ITERATIONS = 50


@dataclass(frozen=True)
class Logistic:
    """1 / (1 + exp(-(x - midpoint) / width)), with 95% intervals; `misfit`, the largest distance to a share seen."""

    midpoint: float
    midpoint_low: float
    midpoint_high: float
    width: float
    width_low: float
    width_high: float
    misfit: float

    def at(self, place: FloatArray) -> FloatArray:
        """Return the curve at some places."""
        return np.asarray(1 / (1 + np.exp(-(place - self.midpoint) / self.width)))


def fit_logistic(place: FloatArray, hit: FloatArray) -> Logistic | None:
    """Return the logistic curve of greatest likelihood, or None where the places cannot tell one.

    Formula: max sum_xu [y_xu ln p_x + (1 - y_xu) ln(1 - p_x)], logit p_x = b_0 + b_1 x, by Newton's method; variance
    H^-1 (sum_u s_u s_u^T) H^-1 with s_u = sum_x (1, x)(y_xu - p_x) the score of a user over all places; midpoint
    -b_0/b_1 and width 1/b_1 by the delta method.

    Parameters: place x, shape (G,); hit y, 0 or 1, (G, n), the same n users at every place. Returns a Logistic.
    Source: Liang and Zeger (1986), https://doi.org/10.1093/biomet/73.1.13, for the variance.

    >>> users = np.random.default_rng(1).logistic(0.4, 0.1, 2000)
    >>> places = np.linspace(0, 1, 9)
    >>> round(fit_logistic(places, users < places[:, None]).midpoint, 1)
    0.4
    """
    users = hit.shape[1]
    share = hit.mean(axis=1)
    if len(np.unique(share)) < 2 or not (0 < share.mean() < 1):
        return None
    design = np.column_stack([np.ones(len(place)), place])
    b = np.zeros(2)
    for _ in range(ITERATIONS):
        p = 1 / (1 + np.exp(-np.clip(design @ b, -30, 30)))
        hessian = (design * (p * (1 - p))[:, None]).T @ design
        step = np.linalg.solve(hessian + 1e-12 * np.eye(2), design.T @ (share - p))
        b += np.clip(step, -20, 20)
        if abs(step).max() < 1e-10:
            break
    p = 1 / (1 + np.exp(-np.clip(design @ b, -30, 30)))
    scores = design.T @ (hit - p[:, None])
    inverse = np.linalg.inv((design * (p * (1 - p))[:, None]).T @ design)
    covariance = inverse @ np.cov(scores) @ inverse / users
    midpoint, width = float(-b[0] / b[1]), float(1 / b[1])
    of_midpoint, of_width = np.array([-1, -midpoint]) / b[1], np.array([0, -width]) / b[1]
    half = [1.959964 * float(np.sqrt(g @ covariance @ g)) for g in (of_midpoint, of_width)]
    misfit = float(np.abs(p - share).max())
    return Logistic(midpoint, midpoint - half[0], midpoint + half[0], width, width - half[1], width + half[1], misfit)
