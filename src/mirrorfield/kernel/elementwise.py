"""What a rule's NumPy is in the lanes: float32, the same bits on every machine."""

from typing import Any

import numpy as np

from mirrorfield.kernel.jit import shared
from mirrorfield.maths import exp, log

KNOWN = ("abs", "exp", "float32", "log", "maximum", "minimum", "sqrt", "where")
float32, sqrt, abs = np.float32, np.sqrt, np.abs


def where(condition: Any, one: Any, other: Any) -> Any:
    """Return one number where a condition holds, and the other where it does not."""
    return one if condition else other


def maximum(one: Any, other: Any) -> Any:
    """Return the larger of two numbers."""
    return one if one > other else other


def minimum(one: Any, other: Any) -> Any:
    """Return the smaller of two numbers."""
    return one if one < other else other


shared(exp, log, where, maximum, minimum)
