"""log and exp in float64, the same bits on every processor, for figures that are published as bytes.

NumPy and the system's library take another path on another processor, and their last bit follows. These are sums and
products only, one array operation each, so that nothing can fuse or reorder them.
"""

from math import factorial, sqrt
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray

_ROOT = sqrt(0.5)
_LN2_HIGH, _LN2_LOW = float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")
_ATANH = tuple(2 / (2 * i + 1) for i in range(1, 11))
_TAYLOR = tuple(1 / factorial(i + 2) for i in range(13))
_EXP_LEAST = -746.0


def _polynomial(x: FloatArray, coefficients: tuple[float, ...]) -> FloatArray:
    value = np.zeros_like(x)
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return value


def log(x: Any) -> Any:
    """Return the natural logarithm of positive numbers, within one unit in the last place.

    Formula: ln x = k ln 2 + ln(1 + f), x = 2**k (1 + f), 1 + f in [sqrt(1/2), sqrt(2)); with s = f / (2 + f),
    ln(1 + f) = f - f**2/2 + s (f**2/2 + r), r = 2 s**2/3 + 2 s**4/5 + ...

    Parameters: x > 0, finite, of any shape. Returns float64 of that shape. Source: 2 artanh(s) = ln(1 + f), arranged
    as by Ng in FreeBSD's e_log.c.

    >>> float(log(1.0)), float(log(2.0))
    (0.0, 0.6931471805599453)
    """
    mantissa, exponent = np.frexp(np.asarray(x, float))
    small = mantissa < _ROOT
    f, k = np.where(small, 2 * mantissa, mantissa) - 1, exponent - small
    s, half = f / (2 + f), 0.5 * f * f
    square = s * s
    r = square * _polynomial(square, _ATANH)
    return k * _LN2_HIGH - ((half - (s * (half + r) + k * _LN2_LOW)) - f)


def exp(x: Any) -> Any:
    """Return e**x for x up to 709, within one unit in the last place; it is 0 below -746.

    Formula: e**x = 2**n e**r, n = round(x / ln 2), e**r = 1 + r + r**2 (1/2! + r/3! + ...).

    Parameters: x, of any shape. Returns float64 of that shape. Source: range reduction after Cody and Waite (1980);
    Taylor's series.

    >>> float(exp(0.0)), round(float(exp(1.0)), 12)
    (1.0, 2.718281828459)
    """
    x = np.maximum(np.asarray(x, float), _EXP_LEAST)
    n = np.rint(x / (_LN2_HIGH + _LN2_LOW))
    high, low = x - n * _LN2_HIGH, n * _LN2_LOW
    r = high - low
    return np.ldexp(1 + (high - (low - r * r * _polynomial(r, _TAYLOR))), n.astype(np.int32))
