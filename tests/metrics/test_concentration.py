"""The metrics of a feed: exact values, bounds and invariances."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirrorfield.metrics.concentration import effective_categories, entropy, filter_bubble, overlap

feeds = arrays(float, st.tuples(st.integers(2, 20), st.integers(2, 8)), elements=st.floats(0.001, 1)).map(
    lambda x: x / x.sum(axis=1, keepdims=True)
)


def index(feed: np.ndarray) -> float:
    return filter_bubble(feed.mean(axis=0), float(entropy(feed).mean()))


def exact_overlap(counts: np.ndarray, unit: int) -> float | None:
    return overlap([int(s) for s in counts.sum(axis=0)], int((counts**2).sum()), len(counts), unit)


def test_known_values() -> None:
    assert effective_categories(np.eye(4)).tolist() == [1, 1, 1, 1]
    assert effective_categories(np.full(4, 0.25)) == pytest.approx(4)
    assert index(np.eye(4)) == pytest.approx(1)
    assert index(np.full((9, 4), 0.25)) == 0


@given(feeds)
def test_bounds(feed) -> None:
    k = feed.shape[1]
    assert (effective_categories(feed) >= 1 - 1e-12).all()
    assert (effective_categories(feed) <= k + 1e-9).all()
    assert 0 <= index(feed) <= min(1, math.log(len(feed)) / math.log(k)) + 1e-9


@given(feeds, st.randoms())
def test_order_of_users_and_categories_and_copies_of_the_population_do_not_matter(feed, rng) -> None:
    users, categories = list(range(len(feed))), list(range(feed.shape[1]))
    rng.shuffle(users)
    rng.shuffle(categories)
    assert index(feed[users][:, categories]) == pytest.approx(index(feed), abs=1e-12)
    assert index(np.vstack([feed, feed])) == pytest.approx(index(feed), abs=1e-12)


@given(arrays(np.int64, st.tuples(st.integers(2, 12), st.integers(2, 5)), elements=st.integers(0, 2**24)))
def test_overlap_is_the_mean_over_all_distinct_pairs(counts) -> None:
    n, unit = len(counts), 2**24
    pairs = [int(counts[u] @ counts[v]) for u in range(n) for v in range(n) if u != v]
    assert exact_overlap(counts, unit) == pytest.approx(sum(pairs) / len(pairs) / unit**2, rel=1e-15)


def test_one_user_forms_no_pair() -> None:
    assert overlap([1, 0], 1, 1, 1) is None
