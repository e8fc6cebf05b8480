"""The long run of a person's states, against powers of their chain, also where it falls apart."""

from itertools import product

import numpy as np
import pytest

from mirrorfield.maths import F32
from mirrorfield.model.diet import mixed, time_in_states


def law(chain: np.ndarray, present: int) -> np.ndarray:
    leaving = (chain[0, 1], chain[0, 2], chain[1, 0], chain[1, 2], chain[2, 0], chain[2, 1])
    return np.array(time_in_states(*map(F32, leaving), present == 0, present == 2), float)


def reached(chain: np.ndarray, present: int) -> np.ndarray:
    """Return the mean of the laws at 2**40 consecutive posts: also of a chain that alternates or falls apart."""
    lazy = (np.eye(3) + chain) / 2
    for _ in range(60):
        lazy = lazy @ lazy
        lazy /= lazy.sum(axis=1, keepdims=True)
    return lazy[present]


@pytest.mark.parametrize("present", range(3))
def test_a_chain_that_mixes_has_one_law(present: int) -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        chain = rng.dirichlet(np.full(3, 0.4), size=3)
        np.testing.assert_allclose(law(chain, present), reached(chain, present), atol=2e-6)


def test_a_chain_that_falls_apart_has_the_law_reached_from_the_present_state() -> None:
    """Every pattern of zeros, 64 chains from three states each: a wrong tree, or a missing return, shows in some."""
    patterns = 0
    for closed in product((False, True), repeat=6):
        chain = np.zeros((3, 3))
        chain[[0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]] = np.where(closed, 0, (0.3, 0.1, 0.25, 0.4, 0.2, 0.35))
        np.fill_diagonal(chain, 1 - chain.sum(axis=1))
        for present in range(3):
            np.testing.assert_allclose(law(chain, present), reached(chain, present), atol=1e-6, err_msg=str(chain))
            patterns += 1
    assert patterns == 192


def test_rates_too_small_for_float32_count_as_none() -> None:
    almost = np.array([[1 - 1e-25, 1e-25, 0], [0, 1, 0], [0, 1e-25, 1 - 1e-25]])
    assert law(almost, 1).tolist() == [0, 1, 0] and np.isfinite(law(almost, 0)).all()


def test_the_diet_is_the_mean_over_time() -> None:
    assert mixed(0.5, 0.25, 0.25, 1.0, 2.0, 4.0) == 2.0
