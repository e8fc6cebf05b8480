"""log and exp in float64: within one unit in the last place of the exact value."""

from decimal import Decimal, localcontext
from math import ulp

import numpy as np
import pytest

from mirrorfield.maths64 import exp, log

RNG = np.random.default_rng(1)
POSITIVE = np.concatenate(
    [
        RNG.uniform(0, 1, 3000),
        2.0 ** RNG.uniform(-1022, 1023, 1000),
        1 + RNG.uniform(-1e-6, 1e-6, 500),
        np.sqrt(0.5) * (1 + RNG.uniform(-1e-12, 1e-12, 100)),
        np.arange(1.0, 33.0),
        [np.nextafter(1, 0), np.nextafter(1, 2), 5e-324],
    ]
)
REAL = np.concatenate([RNG.uniform(-40, 5, 3000), RNG.uniform(-708, 709, 1000), RNG.uniform(-1e-5, 1e-5, 500)])


@pytest.mark.parametrize(("ours", "exact", "values"), [(log, Decimal.ln, POSITIVE), (exp, Decimal.exp, REAL)])
def test_one_unit_in_the_last_place(ours, exact, values) -> None:
    with localcontext() as context:
        context.prec = 50
        for x, y in zip(values.tolist(), ours(values).tolist(), strict=True):
            truth = exact(Decimal(x))
            assert abs(Decimal(y) - truth) <= Decimal(ulp(float(truth))), x


def test_one_number_is_an_array_of_one() -> None:
    assert [float(log(x)) for x in POSITIVE[:200]] == log(POSITIVE[:200]).tolist()
    assert [float(exp(x)) for x in REAL[:200]] == exp(REAL[:200]).tolist()


def test_far_below_nothing_is_left() -> None:
    assert exp(np.array([-1e9, -np.inf, -746.0])).tolist() == [0.0, 0.0, 0.0]
