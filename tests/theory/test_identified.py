"""Which logs can tell lambda: ranks of the information, and parameters that no log tells apart."""

import numpy as np
import pytest

from mirrorfield.theory.identified import LOGS, information, rank

LACKS = {
    "one signal of one person": 2,
    "clicks of one person": 1,
    "two signals of one person": 2,
    "one signal of one person, before and after a deliberate prompt": 1,
    "one signal of many people": 1,
    "two signals of many people": 0,
    "two signals of many people, pulls lean on values": 1,
    "two signals of many people, who value categories alike": 1,
    "two signals of many people, all of one λ": 2,
    "one signal of many people, before and after a prompt": 0,
    "the same, all of one λ": 0,
    "the same, pulls lean on values": 1,
}


@pytest.mark.parametrize("name", LOGS)
def test_the_rank_of_the_information_is_that_of_the_proof(name: str) -> None:
    log = LOGS[name]()
    assert (log.twin is None) == (LACKS[name] == 0)
    assert len(log.theta) - log.rank == LACKS[name]


@pytest.mark.parametrize("g", [0.9, 1.05, 1.3])
@pytest.mark.parametrize("name", [name for name, lacks in LACKS.items() if lacks])
def test_a_log_that_is_not_identified_has_a_twin_with_other_lambdas(name: str, g: float) -> None:
    log = LOGS[name]()
    assert log.twin is not None
    twin = log.twin(log.theta, g)
    for mine, other in zip(log.moments(log.theta), log.moments(twin), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-14)
    lam, other_lam = log.theta[: log.people], twin[: log.people]
    np.testing.assert_allclose(1 - other_lam, (1 - lam) / g)
    assert (other_lam >= 0).all() and (other_lam <= 1).all()


def test_the_information_of_a_normal_vector_is_exact_for_a_line() -> None:
    rng = np.random.default_rng(0)
    x, s = rng.standard_normal((7, 3)), 0.4

    def moments(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x @ theta[:3], np.exp(2 * theta[3]) * np.eye(7)

    found = information(moments, np.array([1.0, -2.0, 0.5, np.log(s)]))
    np.testing.assert_allclose(found[:3, :3], x.T @ x / s**2, rtol=1e-8)
    assert found[3, 3] == pytest.approx(2 * 7, rel=1e-8)
    assert rank(found) == 4
