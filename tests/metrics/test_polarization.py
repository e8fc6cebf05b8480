"""Polarization of crowds: values by hand, what is none and total, merging of counts, and the interval's coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from mirrorfield.metrics.polarization import (
    agreement,
    bimodality_coefficient,
    bipolarity,
    bootstrap_interval,
    delta_interval,
    dip,
    dip_test,
    esteban_ray,
    reynal_querol,
    two_sides,
)

ENDS = np.array([0.0, 1.0])
counts = arrays(np.int64, st.integers(3, 8), elements=st.integers(0, 50)).filter(lambda x: (x > 0).sum() > 1)
by_position = {
    "bipolarity": bipolarity,
    "esteban_ray": esteban_ray,
    "bimodality": bimodality_coefficient,
    "two_sides": two_sides,
}


def places(count: np.ndarray) -> np.ndarray:
    return np.linspace(0, 1, len(count))


def test_values_worked_out_by_hand() -> None:
    assert bipolarity(np.array([0.0, 0.5, 1.0]), np.array([1, 2, 1])) == pytest.approx(0.5)
    assert esteban_ray(np.array([0.0, 1.0, 3.0]), np.array([2, 1, 1]), 1.0) == pytest.approx(
        0.25 * (0.25 + 0.75) + 0.0625 * (0.5 + 0.5) + 0.0625 * (1.5 + 0.5)
    )
    assert reynal_querol(np.array([2, 1, 1])) == pytest.approx(4 * (0.125 + 2 * 0.0625 * 0.75))
    assert two_sides(np.array([0.1, 0.5, 0.9]), np.array([3, 1, 1])) == pytest.approx((1 - 0.4) * 0.8)
    assert agreement(np.array([0, 1, 1, 0, 0])) == pytest.approx(0.75)
    assert agreement(np.array([1, 0, 0, 1, 0])) == pytest.approx(
        ((5 - 2) * 1 - (5 - 1) * 2) / ((5 - 2) * 3) * (1 - 1 / 4)
    )


def test_distances_may_be_a_matrix_and_equal_ones_give_reynal_querol() -> None:
    count = np.array([5, 2, 3, 7])
    assert 4 * esteban_ray(1 - np.eye(4), count, 1.0) == pytest.approx(reynal_querol(count))
    with pytest.raises(ValueError, match=r"alpha: expected a number above 0 to 1\.6, got 2"):
        esteban_ray(ENDS, np.ones(2), 2)


def test_the_bimodality_coefficient_is_that_of_the_unbiased_moments() -> None:
    x = np.random.default_rng(2).gamma(2, size=300)
    g, k, n = stats.skew(x, bias=False), stats.kurtosis(x, bias=False), len(x)
    expected = (g**2 + 1) / (k + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3)))
    assert bimodality_coefficient(x, np.ones(n)) == pytest.approx(expected)
    even = np.linspace(0, 1, 10_001)
    assert bimodality_coefficient(even, np.ones(10_001)) == pytest.approx(5 / 9, abs=1e-3)
    assert np.isnan(bimodality_coefficient(np.ones(9), np.ones(9)))


def test_none_and_total() -> None:
    halves, one, peak = np.array([50, 0, 0, 0, 50]), np.array([0, 0, 100, 0, 0]), np.array([1, 5, 9, 4, 1])
    x = places(halves)
    assert bipolarity(x, halves) == two_sides(x, halves) == reynal_querol(halves) == -agreement(halves) == 1
    assert bipolarity(x, one) == two_sides(x, one) == reynal_querol(one) == esteban_ray(x, one) == 0
    assert agreement(one) == 1 and agreement(np.ones(7)) == pytest.approx(0)
    assert dip(one) == dip(peak) == pytest.approx(0, abs=1e-9)
    fine = np.zeros(64)
    fine[[0, -1]] = 1
    assert dip(fine) == pytest.approx(0.25, abs=0.005)


@given(counts, st.integers(2, 5))
def test_copies_and_mirroring_of_the_population_change_nothing(count, copies) -> None:
    x = places(count)
    for name, metric in by_position.items():
        value = metric(x, count)
        if name != "bimodality":
            assert metric(x, copies * count) == pytest.approx(value, abs=1e-9)
        if np.isfinite(value):
            assert metric(x, count[::-1]) == pytest.approx(value, abs=1e-6)
    assert agreement(copies * count) == pytest.approx(agreement(count), abs=1e-9)
    assert agreement(count[::-1]) == pytest.approx(agreement(count), abs=1e-9)
    assert reynal_querol(count[::-1]) == pytest.approx(reynal_querol(count))
    assert 0 <= bipolarity(x, count) <= 1 + 1e-12 and 0 <= reynal_querol(count) <= 1 + 1e-12
    assert -1 - 1e-9 <= agreement(count) <= 1 + 1e-9


@given(counts)
def test_counts_are_users_added_up(count) -> None:
    """The streaming form: groups with counts give what the list of users gives."""
    x = places(count)
    users = np.repeat(x, count)
    for metric in (bipolarity, bimodality_coefficient, two_sides):
        one, other = metric(x, count), metric(users, np.ones(len(users)))
        assert one == pytest.approx(other, abs=1e-6, nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(arrays(np.int64, st.integers(3, 7), elements=st.integers(0, 9)).filter(lambda x: x.sum() > 0))
def test_the_dip_is_a_distance_and_no_single_peak_is_nearer(count) -> None:
    value = dip(count)
    assert -1e-9 <= value <= 0.25 + 1e-9
    assert dip(count[::-1]) == pytest.approx(value, abs=1e-7)
    observed = np.cumsum(count) / count.sum()
    rng = np.random.default_rng(0)
    for _ in range(20):
        peak = rng.integers(len(count))
        height = np.concatenate([np.sort(rng.random(peak)), [1.0], np.sort(rng.random(len(count) - peak - 1))[::-1]])
        assert np.abs(np.cumsum(height) / height.sum() - observed).max() >= value - 1e-9


@pytest.mark.parametrize(
    "statistic", [reynal_querol, lambda w: esteban_ray(np.arange(3), w), lambda w: bipolarity(places(w), w)]
)
def test_the_interval_holds_the_true_value_as_often_as_it_says(statistic) -> None:
    rng, share, held = np.random.default_rng(3), np.array([0.5, 0.2, 0.3]), 0
    for count in rng.multinomial(2000, share, 1000):
        low, high = delta_interval(statistic, count)
        held += low <= statistic(share) <= high
    assert 0.93 <= held / 1000 <= 0.97


def test_the_bootstrap_interval_holds_the_true_value_as_often_as_it_says() -> None:
    rng, share, held = np.random.default_rng(7), np.array([0.3, 0.2, 0.1, 0.4]), 0
    for seed, count in enumerate(rng.multinomial(1000, share, 400)):
        low, high = bootstrap_interval(agreement, count, 200, seed)
        held += low <= agreement(share) <= high
    assert 0.91 <= held / 400 <= 0.98


def test_the_dip_test_keeps_its_level_and_sees_two_peaks() -> None:
    rng = np.random.default_rng(8)
    even = [dip_test(rng.multinomial(200, np.full(6, 1 / 6)), 19, seed) for seed in range(60)]
    assert np.mean(np.array(even) <= 0.1) <= 0.1 + 4 * np.sqrt(0.09 / 60)
    assert dip_test(rng.multinomial(200, [0.3, 0.15, 0.05, 0.05, 0.15, 0.3]), 19) <= 0.05
