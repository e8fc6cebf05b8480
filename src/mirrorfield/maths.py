"""Elementary functions in strict float32, the same bits in NumPy, in plain Python and in compiled code.

A library's exp or cos may differ in its last bit from one processor to the next, and a run must not. These are
polynomials in IEEE additions and multiplications only; the coefficients are least-squares fits made for this package,
reweighted towards the largest error, and `tests/test_maths.py` holds them to the errors stated below. Every literal is
a float32, because a Python float or int would widen the arithmetic to float64 inside compiled code.
"""

from typing import Any

import numpy as np

F32, I32 = np.float32, np.int32
ZERO, ONE, HALF, QUARTER, MINUS_TWO = F32(0), F32(1), F32(0.5), F32(0.25), F32(-2)
UNIT = F32(2.0**-24)

_LOG2_E, _LN2_HIGH, _LN2_LOW = F32(1.4426950408889634), F32(0.693359375), F32(-2.1219444e-4)
_ROUNDER = F32(12582912.0)
_EXP_LEAST = F32(-87.0)
_E0, _E1, _E2, _E3 = F32(0.49999231), F32(0.16667114), F32(0.041890156), F32(0.0083125206)

_LN2 = F32(0.6931471805599453)
_L0, _L1, _L2, _L3 = F32(1.0000001), F32(-0.50000215), F32(0.33329764), F32(-0.24976791)
_L4, _L5, _L6, _L7 = F32(0.20108034), F32(-0.17372222), F32(0.14131863), F32(-0.066460565)

_S0, _S1, _S2, _S3, _S4 = F32(6.283185), F32(-41.341656), F32(81.601006), F32(-76.54978), F32(39.536705)


def exp(x: Any) -> Any:
    """Return e**x in float32 for x <= 87, to a relative error of 3e-7; below -87 it returns e**-87.

    Formula: e**x = 2**n * e**r with n = round(x / ln 2) and |r| <= ln(2)/2, e**r = 1 + r + r**2 q(r), q cubic.

    Parameters: x, float32 scalar or array, dimensionless. Returns the same shape, float32. Source: range reduction
    after Cody and Waite (1980); coefficients fitted here.

    >>> float(exp(np.float32(0)))
    1.0
    """
    x = x if x > _EXP_LEAST else _EXP_LEAST
    shifted = x * _LOG2_E + _ROUNDER
    n = shifted - _ROUNDER
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    q = ((_E3 * r + _E2) * r + _E1) * r + _E0
    mantissa = (q * r + ONE) * r + ONE
    power = (F32(shifted).view(np.int32) << I32(23)) + I32(0x3F800000)
    return mantissa * I32(power).view(np.float32)


def log(x: Any) -> Any:
    """Return the natural logarithm of a positive, normal float32, to a relative error of 4e-7.

    Formula: ln x = e ln 2 + ln m with m in [0.75, 1.5), ln m = y p(y), y = m - 1, p of degree 7.

    Parameters: x, float32 scalar or array > 0, dimensionless. Returns the same shape, float32, in nats.
    Zero, subnormal and negative input is not handled. Source: coefficients fitted here.

    >>> float(log(np.float32(1)))
    0.0
    """
    bits = F32(x).view(np.int32)
    exponent = I32(I32(bits - I32(0x3F400000)) >> I32(23))
    y = I32(bits - I32(exponent << I32(23))).view(np.float32) - ONE
    p = ((((((_L7 * y + _L6) * y + _L5) * y + _L4) * y + _L3) * y + _L2) * y + _L1) * y + _L0
    return F32(exponent) * _LN2 + y * p


def cos_turn(u: Any) -> Any:
    """Return cos(2 pi u) for u in [0, 1), to an absolute error of 3e-7.

    Formula: cos(2 pi u) = sin(2 pi y) with y = |u - 1/2| - 1/4 in [-1/4, 1/4], an odd polynomial in y.

    Parameters: u, float32 scalar or array, in turns. Returns the same shape, float32. Source: coefficients fitted here.

    >>> [round(float(cos_turn(np.float32(u))), 6) for u in (0.0, 0.5)]
    [1.0, -1.0]
    """
    y = np.abs(u - HALF) - QUARTER
    z = y * y
    return ((((_S4 * z + _S3) * z + _S2) * z + _S1) * z + _S0) * y


def normal(u: Any, v: Any) -> Any:
    """Return one standard normal variate from two independent uniforms, by the Box-Muller transform.

    Formula: n = sqrt(-2 ln u) cos(2 pi v).

    Parameters: u in (0, 1], v in [0, 1), float32 of one shape. Returns that shape, float32; with u a multiple of
    2**-24, |n| <= 5.77. Source: Box and Muller (1958), https://doi.org/10.1214/aoms/1177706645.

    >>> round(float(normal(np.float32(0.5), np.float32(0))), 4)
    1.1774
    """
    return np.sqrt(MINUS_TWO * log(u)) * cos_turn(v)
