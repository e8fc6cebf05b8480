"""Clusters: found from feeds alone, the same whatever their order, and stable where there are any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mirrorfield as mf
from mirrorfield.arrays import STATES
from mirrorfield.metrics.clusters import adjusted_rand, by_k_means, by_largest, describe, stability

RNG = np.random.default_rng(1)
CORNERS = RNG.dirichlet([30, 1, 1, 1], 300)[:, RNG.permutation(4)]
CORNERS = np.vstack([np.roll(CORNERS, shift, axis=1) for shift in range(4)])


def test_corners_are_found_again_and_a_cloud_is_not() -> None:
    truth = np.repeat(np.arange(4), 300)
    assert adjusted_rand(by_k_means(CORNERS, 4), truth) == 1
    assert stability(CORNERS, 4) > 0.99
    cloud = RNG.dirichlet([1, 1, 1, 1], 600)
    assert stability(cloud, 6) < 0.8


@given(st.lists(st.integers(0, 3), min_size=4, max_size=30), st.permutations(range(4)))
def test_the_names_of_clusters_do_not_matter(labels, names) -> None:
    one = np.array(labels)
    other = np.array(names)[one]
    assert adjusted_rand(one, other) == pytest.approx(1)
    assert adjusted_rand(one, one[::-1]) <= 1 + 1e-12


def test_unrelated_partitions_agree_by_chance_only() -> None:
    found = [adjusted_rand(RNG.integers(0, 4, 400), RNG.integers(0, 3, 400)) for _ in range(200)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(200)


def test_adjusted_rand_by_hand() -> None:
    one, other = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2])
    assert adjusted_rand(one, other) == pytest.approx((2 - 6 * 3 / 15) / ((6 + 3) / 2 - 6 * 3 / 15))


def test_the_largest_category_and_a_mixed_class() -> None:
    assert by_largest(np.array([[0.6, 0.4], [0.4, 0.6], [0.5, 0.5]])).tolist() == [0, 1, 2]
    assert by_largest(np.array([[0.6, 0.4]]), 0.9).tolist() == [2]


def test_k_means_finds_the_mirrors_of_the_default_scenario() -> None:
    """Not told a profile, it finds the corners that the largest category names."""
    sample = mf.simulate(mf.Scenario(users=4000, record={"users": 4000, "steps": 2})).part.sample
    feed = sample.feed[-1].T.astype(float)
    named = by_largest(feed)
    sure = named < 4
    assert adjusted_rand(by_k_means(feed, 4)[sure], named[sure]) > 0.95
    hooked = sample.state[-1] == STATES.index("hooked")
    cards = describe(named, feed, sample.intentionality, sample.susceptibility.T, hooked)
    assert sum(card.share for card in cards) == pytest.approx(1)
    threat, depth = cards[0], cards[3]
    assert depth.intentionality > 0.6 > 0.4 > threat.intentionality
    assert threat.susceptibility.argmax() == 0 and threat.apart[3] > 0.8 and threat.apart[0] == 0
    assert threat.hooked > depth.hooked
