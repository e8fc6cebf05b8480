"""Transforms of reactions before they are scaled: heavy tails are drawn in."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirrorfield.errors import InputError

Array = NDArray[np.float64]
EXPECTED = 'expected "log", "rank" or "clip:Q" with a percentile Q above 50 and at most 100'


@dataclass(frozen=True)
class Transform:
    """A map of reactions that keeps their order, and its name; `words` says what it does to a reaction y."""

    words: str
    of: Callable[[Array], Array]


def _same(y: Array) -> Array:
    return y


SAME = Transform("y", _same)


def transform_of(name: str | None, reactions: Array) -> Transform:
    """Return the transform of this name.

    Formula: log is ln(1 + y), for y of 0 or more. rank is the share of reactions below y, plus half the share equal to
    y. clip:Q moves y to the nearest of the percentiles 100 - Q and Q.

    Parameters: name, or None for no change; reactions (E,) float64, of which percentiles and shares are taken. Raises
    InputError for another name, and for log with a negative reaction.

    >>> y = np.array([0.0, 1.0, 1.0, 9.0])
    >>> transform_of("rank", y).of(y).tolist(), transform_of("clip:75", y).of(y).tolist()
    ([0.125, 0.5, 0.5, 0.875], [0.75, 1.0, 1.0, 3.0])
    """
    if name is None:
        return SAME
    if name == "log":
        if reactions.min() < 0:
            raise InputError(f"--transform log: expected reactions of 0 or more, got {reactions.min():g}.")
        return Transform("ln(1 + y)", np.log1p)
    if name == "rank":
        values, count = np.unique(reactions, return_counts=True)
        share = (np.cumsum(count) - count / 2) / len(reactions)
        return Transform("share of reactions below y", lambda y: np.interp(y, values, share))
    low, high = np.percentile(reactions, [100 - (q := _percentile(name)), q])
    return Transform(f"y between {low:g} and {high:g}", lambda y: np.clip(y, low, high))


def check_transform(name: str | None) -> None:
    """Raise InputError unless `transform_of` knows the name."""
    if name not in (None, "log", "rank"):
        _percentile(str(name))


def _percentile(name: str) -> float:
    kind, _, text = name.partition(":")
    try:
        q = float(text)
    except ValueError:
        q = math.nan
    if kind != "clip" or not 50 < q <= 100:
        raise InputError(f'--transform: {EXPECTED}, got "{name[:40]}".')
    return q
