"""The float32 polynomials against NumPy in float64, over their whole range."""

import numpy as np
import pytest

from mirrorfield import maths


def each(function, values):
    with np.errstate(over="ignore"):
        return np.array([function(x) for x in values], dtype=np.float64)


def test_exp_is_right_to_three_in_ten_million() -> None:
    x = np.linspace(-86, 80, 20001).astype(np.float32)
    assert np.abs(each(maths.exp, x) / np.exp(x.astype(float)) - 1).max() < 3e-7


def test_exp_of_zero_is_one_and_never_reaches_zero() -> None:
    assert maths.exp(np.float32(0)) == 1
    assert maths.exp(np.float32(-1e9)) == maths.exp(np.float32(-87)) > 0


def test_log_is_right_near_one_and_far_from_it() -> None:
    units = np.arange(1, 2**24, 997, dtype=np.float32) * np.float32(2.0**-24)
    x = np.concatenate([units, np.array([1.0, 1 - 2.0**-24, 1.5, 1e30, 1.2e-38], np.float32)])
    exact = np.log(x.astype(float))
    error = np.abs(each(maths.log, x) - exact)
    assert (error <= 4e-7 * np.abs(exact)).all()


def test_cos_turn_is_right_to_three_in_ten_million() -> None:
    u = np.arange(0, 2**24, 997, dtype=np.float32) * np.float32(2.0**-24)
    assert np.abs(maths.cos_turn(u).astype(float) - np.cos(2 * np.pi * u.astype(float))).max() < 3e-7


@pytest.mark.slow
def test_normal_has_the_moments_of_a_standard_normal() -> None:
    n = 400_000
    rng = np.random.default_rng(5)
    u, v = rng.random((2, n)).astype(np.float32)
    x = each(lambda pair: maths.normal(pair[0], pair[1]), np.stack([1 - u, v], axis=1))
    for power, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((x**power).mean() - expected) < 4 * np.sqrt(variance / n)


def test_every_form_of_a_value_gives_float32() -> None:
    assert maths.exp(np.float32(1)).dtype == maths.log(np.float32(2)).dtype == np.float32
    assert maths.cos_turn(np.float32(0.3)).dtype == maths.normal(np.float32(0.5), np.float32(0.1)).dtype == np.float32
