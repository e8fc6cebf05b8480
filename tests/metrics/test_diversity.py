"""Diversity of feeds: values worked out by hand, bounds, and what must not change them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirrorfield.metrics.concentration import entropy
from mirrorfield.metrics.diversity import coverage, gini, herfindahl, hill, miscalibration

shares = arrays(float, st.integers(2, 9), elements=st.floats(0.001, 1)).map(lambda x: x / x.sum())
pairs = st.integers(2, 9).flatmap(
    lambda k: st.tuples(*[arrays(float, k, elements=st.floats(0.001, 1)).map(lambda x: x / x.sum())] * 2)
)


def test_values_worked_out_by_hand() -> None:
    feed = np.array([0.5, 0.25, 0.25, 0.0])
    assert hill(feed, 0) == 3 and hill(feed, 1) == pytest.approx(2**1.5) and hill(feed, 2) == pytest.approx(8 / 3)
    assert herfindahl(feed) == pytest.approx(3 / 8)
    assert gini(feed) == pytest.approx((-3 * 0 - 1 * 0.25 + 1 * 0.25 + 3 * 0.5) / 4)
    assert coverage(feed) == 0.75 and coverage(feed, 0.3) == 0.25
    worst = miscalibration(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert worst == pytest.approx(np.log(100))
    by_hand = 0.5 * np.log(0.5 / (0.99 * 0.8 + 0.005)) + 0.5 * np.log(0.5 / (0.99 * 0.2 + 0.005))
    assert miscalibration(np.array([0.8, 0.2]), np.array([0.5, 0.5])) == pytest.approx(by_hand)


@pytest.mark.parametrize("k", [2, 5])
def test_what_means_none_and_what_means_total(k: int) -> None:
    even, one = np.full(k, 1 / k), np.eye(k)[0]
    for order in (0.5, 1, 2, 3):
        assert hill(even, order) == pytest.approx(k) and hill(one, order) == pytest.approx(1)
    assert gini(even) == pytest.approx(0) and gini(one) == pytest.approx((k - 1) / k)
    assert herfindahl(even) == pytest.approx(1 / k) and herfindahl(one) == 1


@given(shares, st.randoms())
def test_bounds_order_and_permutation(feed, rng) -> None:
    k = len(feed)
    numbers = [float(hill(feed, order)) for order in (0, 0.5, 1, 2, 4)]
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(numbers))
    assert numbers[-1] >= 1 - 1e-9 and numbers[0] <= k + 1e-9
    assert 1 / k - 1e-12 <= herfindahl(feed) <= 1 and -1e-12 <= gini(feed) <= (k - 1) / k
    order = list(range(k))
    rng.shuffle(order)
    for metric in (gini, herfindahl, coverage, lambda x: hill(x, 2)):
        assert metric(feed[order]) == pytest.approx(metric(feed), abs=1e-12)


@given(pairs)
def test_miscalibration_is_a_divergence(pair) -> None:
    feed, interest = pair
    assert -1e-12 <= miscalibration(feed, interest) <= np.log(100) + 1e-9
    assert miscalibration(feed, feed) == pytest.approx(0, abs=1e-12)


@given(shares)
def test_hill_of_order_one_is_the_limit(feed) -> None:
    assert hill(feed, 1) == pytest.approx(np.exp(entropy(feed)))
    assert hill(feed, 1 + 1e-7) == pytest.approx(hill(feed, 1), rel=1e-4)


def test_the_plug_in_bias_is_what_the_notes_say() -> None:
    rng, feed, posts = np.random.default_rng(1), np.array([0.4, 0.3, 0.2, 0.1]), 200
    seen = rng.multinomial(posts, feed, 40_000) / posts
    low = 1 - hill(seen, 1).mean() / hill(feed, 1)
    assert low == pytest.approx(3 / (2 * posts), rel=0.1)
    high = herfindahl(seen).mean() - herfindahl(feed)
    assert high == pytest.approx((1 - herfindahl(feed)) / posts, rel=0.05)
