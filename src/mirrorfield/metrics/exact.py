"""Sums of products of floats without any rounding, so that no partition of people can change a result."""

from fractions import Fraction

import numpy as np

from mirrorfield.arrays import FloatArray

MOST = 2**16
_BITS, _LEAST = 18, -1074


def exact_products(columns: FloatArray) -> list[list[Fraction]]:
    """Return sum_u x_iu x_ju of every pair of columns, exactly.

    Every column is cut into limbs, whole multiples of powers of two that are at most 2**18 units; the products of two
    limbs are below 2**36 and MOST of them below 2**52, so a matrix product in float64 has them without rounding, in
    whatever order it adds. Parameters: columns x, finite float64 of shape (m, n), n <= MOST. Returns m rows of m
    fractions. Source: error-free splitting as in Ozaki et al. (2012), https://doi.org/10.1007/s11075-011-9478-1.

    >>> exact_products(np.array([[0.1, 1e200], [1.0, 1.0]]))[0][1] == Fraction(0.1) + Fraction(1e200)
    True
    """
    cut = [_limbs(column) for column in columns]
    whole = np.array([limb for limbs in cut for _, limb in limbs]).reshape(-1, columns.shape[1])
    products, ends = whole @ whole.T, np.cumsum([0, *map(len, cut)])
    rows = range(len(cut))

    def total(i: int, j: int) -> Fraction:
        block = products[ends[i] : ends[i + 1], ends[j] : ends[j + 1]].tolist()
        return sum(
            (
                int(block[a][b]) * one * other
                for a, (one, _) in enumerate(cut[i])
                for b, (other, _) in enumerate(cut[j])
            ),
            Fraction(0),
        )

    upper = {(i, j): total(i, j) for i in rows for j in rows if i <= j}
    return [[upper[min(i, j), max(i, j)] for j in rows] for i in rows]


def _limbs(values: FloatArray) -> list[tuple[Fraction, FloatArray]]:
    """Return units, largest first, and how many of each a number is; the products add up to the numbers."""
    found, rest = [], values
    while (largest := float(np.abs(rest).max(initial=0.0))) > 0:
        unit = 2.0 ** max(int(np.frexp(largest)[1]) - _BITS, _LEAST)
        limb = np.trunc(rest / unit)
        found.append((Fraction(unit), limb))
        rest = rest - limb * unit
    return found
