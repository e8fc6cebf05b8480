"""Listed users: people from a table instead of a distribution, checked before compiled code reads them."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array
from mirrorfield.errors import InputError
from mirrorfield.population.distributions import MAX_SUSCEPTIBILITY


class Listed(NamedTuple):
    """n people: susceptibility (n, K) and intentionality (n,), float32."""

    susceptibility: F32Array
    intentionality: F32Array


def listed_users(susceptibility: Any, intentionality: Any, categories: int) -> Listed:
    """Return people from two tables of real numbers, each number checked.

    Parameters: susceptibility, (n, K), from 0 to 10,000, so that no reaction leaves the range of float32;
    intentionality, (n,), from 0 to 1; categories K. Returns Listed, contiguous. Raises InputError, in one line that
    names the table, for other shapes, kinds of numbers and values, and for no people.

    >>> listed_users([[1.0, 2.0]], [0.5], 2).susceptibility.shape
    (1, 2)
    """
    w, intent = np.asarray(susceptibility), np.asarray(intentionality)
    if w.ndim != 2 or w.shape[1] != categories or not len(w):
        raise InputError(f"susceptibility: expected people by {categories} categories, got shape {w.shape}")
    if intent.shape != w.shape[:1]:
        raise InputError(f"intentionality: expected one number for each of {len(w):,} people, got shape {intent.shape}")
    return Listed(
        _within("susceptibility", w, MAX_SUSCEPTIBILITY),
        _within("intentionality", intent, 1.0),
    )


def _within(name: str, values: Any, most: float) -> F32Array:
    if values.dtype.kind not in "fiu":
        raise InputError(f"{name}: expected real numbers, got {values.dtype}")
    wrong = ~((values >= 0) & (values <= most))
    if wrong.any():
        person = int(np.argwhere(wrong)[0][0])
        raise InputError(f"{name}: expected numbers from 0 to {most:g}, got {values[wrong][0]:g} at person {person}")
    return np.ascontiguousarray(values, np.float32)
