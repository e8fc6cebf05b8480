"""Means over users that may be added up over blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirrorfield.metrics.escalation import drift
from mirrorfield.metrics.moments import Moments

numbers = arrays(float, st.integers(2, 20), elements=st.floats(-100, 100))


@given(numbers, numbers)
def test_merged_moments_are_those_of_all_users(one, other) -> None:
    merged, whole = Moments.of(one).merge(Moments.of(other)), Moments.of(np.concatenate([one, other]))
    assert merged.users == whole.users
    assert merged.mean == pytest.approx(whole.mean, abs=1e-9)
    assert merged.squares == pytest.approx(whole.squares, abs=1e-6)
    back = Moments.of(other).merge(Moments.of(one))
    assert back.mean == pytest.approx(merged.mean, abs=1e-9)


def test_a_metric_over_blocks_is_the_metric_over_all() -> None:
    feed = np.random.default_rng(1).dirichlet(np.ones(4), 999)
    whole = drift(feed, np.full(4, 0.25))
    blocks = [Moments.of(drift(block, np.full(4, 0.25))) for block in np.array_split(feed, 7)]
    merged = blocks[0]
    for block in blocks[1:]:
        merged = merged.merge(block)
    assert merged.mean == pytest.approx(whole.mean()) and merged.squares == pytest.approx(999 * whole.var())


def test_the_interval_holds_the_mean_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(2), 0
    for _ in range(1000):
        low, high = Moments.of(rng.exponential(size=200)).interval()
        held += low <= 1 <= high
    assert 0.92 <= held / 1000 <= 0.97
