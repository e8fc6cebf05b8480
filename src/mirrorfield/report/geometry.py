"""Where things go: label positions, polygon corners and the edges of flowing ribbons."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.path import Path

from mirrorfield.arrays import FloatArray, IntArray


def spread(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return the positions nearest to `values`, in least squares, that lie at least `gap` apart in the same order.

    They stay between `low` and `high` where that range is wide enough for all of them, and above `low` otherwise.

    Parameters: values, finite, in any order; gap, low, high, in their unit. Returns them in the order given.

    >>> spread([0.0, 0.0, 5.0, 5.0], 1.0, 0.0, 10.0)
    [0.0, 1.0, 4.5, 5.5]
    """
    wanted = np.array(values, dtype=float)
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    pools: list[list[float]] = []
    for value in wanted[order] - steps:
        pools.append([float(value)])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            last = pools.pop()
            pools[-1].extend(last)
    level = np.array([np.mean(pool) for pool in pools for _ in pool])
    most = high - gap * (len(wanted) - 1)
    placed = np.empty_like(wanted)
    placed[order] = np.maximum(np.minimum(level, most), low) + steps
    return [float(value) for value in placed]


def corners(count: int) -> FloatArray:
    """Return the (count, 2) corners of a regular polygon in the unit circle, clockwise from the top left or top.

    An even polygon of four is turned so that its sides are level; two corners lie at left and right.

    >>> corners(2).round(3).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    start = {2: np.pi, 4: 0.75 * np.pi}.get(count, 0.5 * np.pi)
    angle = start - 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def subsample(available: int, limit: int) -> IntArray:
    """Return at most `limit` evenly spaced indices below `available`, ascending.

    >>> subsample(10, 4).tolist()
    [0, 3, 6, 9]
    """
    return np.unique(np.linspace(0, available - 1, min(limit, available)).round().astype(np.int64))


def narrowing_steps(dataset: xr.Dataset) -> list[int]:
    """Return up to four record indices: the first, those where feeds have narrowed by 1/3 and 2/3, the last.

    Narrowing is measured by the mean effective number of categories; when it never falls the indices are even.
    """
    effective = dataset["effective_categories"].values.astype(float)
    last = len(effective) - 1
    fall = effective[0] - effective
    if not np.isfinite(fall).all() or fall.max() <= 0:
        return [int(index) for index in subsample(last + 1, 4)]
    reached = [int(np.argmax(fall >= fall.max() * part)) for part in (1 / 3, 2 / 3)]
    return sorted({0, *reached, last})


def ribbon(left: float, right: float, start: float, end: float, thickness: float) -> Path:
    """Return a closed band of constant vertical thickness whose lower edge runs smoothly from start to end."""
    middle = (left + right) / 2
    lower = [(left, start), (middle, start), (middle, end), (right, end)]
    upper = [(x, y + thickness) for x, y in reversed(lower)]
    curve = [Path.CURVE4] * 3
    return Path([*lower, *upper, lower[0]], [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])
