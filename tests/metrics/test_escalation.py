"""Escalation and survival: values by hand, merging, and the coverage of intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirrorfield.metrics.escalation import drift, first_times, induced_shift, kaplan_meier, slope, state_rates


def test_kaplan_meier_with_censoring_worked_out_by_hand() -> None:
    """Ten users: two events at 1, three lost at 1, one event at 2 of the five left, none at 3."""
    found = kaplan_meier(np.array([1, 2, 3]), np.array([2, 1, 0]), 10, np.array([3, 0, 0]))
    assert found.share.tolist() == pytest.approx([0.8, 0.8 * 0.8, 0.8 * 0.8])
    assert found.median == float("inf") and kaplan_meier(np.array([5]), np.array([3]), 4).median == 5
    assert (found.low <= found.share).all() and (found.share <= found.high).all()


def test_without_censoring_it_is_the_share_of_users_and_counts_add_up() -> None:
    rng = np.random.default_rng(4)
    seen = np.maximum.accumulate(rng.random((6, 500)) < 0.2, axis=0)
    events, steps = first_times(seen), np.arange(1, 7)
    assert kaplan_meier(steps, events, 500).share == pytest.approx(1 - seen.mean(axis=1))
    halves = first_times(seen[:, :200]) + first_times(seen[:, 200:])
    assert (halves == events).all()


def test_the_interval_holds_the_true_survival_as_often_as_it_says() -> None:
    rng, rate, held = np.random.default_rng(5), 0.15, 0
    true = (1 - rate) ** 6
    for _ in range(1000):
        times = rng.geometric(rate, 400)
        found = kaplan_meier(np.arange(1, 7), np.array([(times == t).sum() for t in range(1, 7)]), 400)
        held += found.low[-1] <= true <= found.high[-1]
    assert 0.93 <= held / 1000 <= 0.97


def test_none_and_all() -> None:
    assert kaplan_meier(np.array([1, 2]), np.zeros(2, int), 5).share.tolist() == [1, 1]
    every = kaplan_meier(np.array([1, 2]), np.array([5, 0]), 5)
    assert every.share.tolist() == every.low.tolist() == every.high.tolist() == [0, 0]


def test_state_rates_by_hand() -> None:
    rates = state_rates(np.array([[8, 2, 0], [1, 3, 1], [0, 1, 4]]))
    assert (rates.up, rates.down, rates.recovery) == pytest.approx((0.2, 0.2, 0.2))
    assert rates.staying == pytest.approx([0.8, 0.6, 0.8]) and rates.net == pytest.approx(1 / 20)
    nobody = state_rates(np.array([[5, 0, 0], [0, 0, 0], [0, 0, 0]]))
    assert np.isnan(nobody.recovery) and nobody.up == 0


def test_dwell_is_that_of_a_chain() -> None:
    """One minus staying is the inverse of the mean dwell time, here measured on a long walk."""
    rng, chain = np.random.default_rng(6), np.array([[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.1, 0.1, 0.8]])
    path = [0]
    for u in rng.random(60_000):
        path.append(int((u >= np.cumsum(chain[path[-1]])[:-1]).sum()))
    walk = np.array(path)
    flow = np.zeros((3, 3), int)
    np.add.at(flow, (walk[:-1], walk[1:]), 1)
    starts = np.flatnonzero(np.diff(walk, prepend=-1))
    lengths = np.diff(np.append(starts, len(walk)))
    for s in range(3):
        measured = lengths[walk[starts] == s]
        expected = 1 / (1 - state_rates(flow).staying[s])
        assert abs(measured.mean() - expected) < 4 * measured.std() / np.sqrt(len(measured))


@given(arrays(float, (5, 7), elements=st.floats(-10, 10)), st.floats(-3, 3), st.floats(-3, 3))
def test_slope_is_linear_and_that_of_a_line_is_its_own(value, rise, start) -> None:
    time = np.array([0.0, 1.0, 3.0, 4.0, 9.0])
    assert slope(time, (start + rise * time)[:, None]) == pytest.approx([rise], abs=1e-9)
    assert slope(time, value).mean() == pytest.approx(
        float(slope(time, value.mean(axis=1, keepdims=True))[0]), abs=1e-9
    )


@given(arrays(float, (2, 6), elements=st.floats(0.01, 1)))
def test_drift_is_a_distance(pair) -> None:
    p, q = pair / pair.sum(axis=1, keepdims=True)
    assert drift(p, p) == 0 and 0 <= drift(p, q) <= 1 and drift(p, q) == pytest.approx(drift(q, p))
    assert drift(np.eye(2)[0], np.eye(2)[1]) == 1


def test_induced_shift_by_hand() -> None:
    safe, moved = np.zeros((2, 1, 2)), np.array([[[3.0, 4.0]], [[0.0, 0.0]]])
    assert induced_shift(moved, safe).tolist() == [2.5] and induced_shift(safe, safe).tolist() == [0]
