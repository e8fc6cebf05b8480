"""The corrected estimator has the exact gradient of the full softmax as its mean; without the correction it has not."""

from itertools import product

import numpy as np
import pytest

from mirrorfield.policy.softmax import softmax
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.world.embedding.correction import log_mass, nomination, top_k
from mirrorfield.world.embedding.kernel import BLOCK
from mirrorfield.world.embedding.loop import World, spread_over
from mirrorfield.world.embedding.reference import Nominated, ReferenceWorld

ITEMS, CANDIDATES, HUGE = 5, 3, 1e6
LOGIT = np.array([1.5, -0.5, 0.8])
GAIN = np.array([0.3, -0.7, 1.1, 0.5, -0.2])


def world(spread: float, items: int = ITEMS, categories: int = 2, **policy) -> ReferenceWorld:
    scenario = EmbeddingScenario(
        users=1,
        dimension=3,
        items={"count": items, "spread": spread},
        policy={"candidates": CANDIDATES, "cap": HUGE, "exploration": 0.3} | policy,
        reactive={"mean": 1.0, "std": 0.5, "up": 0.1, "down": 0.1},
        intentional={"mean": 1.0, "std": 0.5, "up": 0.1, "down": 0.1},
        categories=[{"name": f"c{c}", "color": "#000000"} for c in range(categories)],
    )
    return ReferenceWorld(scenario)


def enumerated(of: ReferenceWorld) -> tuple[np.ndarray, float]:
    """Return the mean of the update over every set of candidates and every choice, and the log of the normaliser."""
    policy, k, items = of.scenario.policy, of.scenario.k, len(of.vectors)
    masses = log_mass(np.log(of.count), of.centre @ LOGIT, of.variance @ LOGIT**2)
    total = np.logaddexp.reduce(masses)
    odds = nomination(np.exp(masses - total), np.float64(policy.exploration), of.count, 1 / items)
    nominated = (odds / of.count)[np.arange(items) % k]
    assert nominated.sum() == pytest.approx(1)
    score = np.exp(of.vectors @ LOGIT - total)
    mean = np.zeros(3)
    for drawn in product(range(items), repeat=CANDIDATES):
        item = np.array([drawn])
        weight = (score / nominated)[item]
        for chosen in range(CANDIDATES):
            chance = nominated[item].prod() * weight[0, chosen] / weight.sum()
            given = Nominated(item, score[item], weight)
            mean += chance * of.pull(given, np.array([chosen]), GAIN[item[:, chosen]])[0]
    return mean, float(total)


def exact_gradient(of: ReferenceWorld, slate: int = 1) -> np.ndarray:
    """Return the gradient by the user tower of sum_i alpha_i A_i / slate, alpha_i = 1 - (1 - pi_i)**slate."""
    pi = softmax(of.vectors @ LOGIT)
    score = of.vectors - pi @ of.vectors
    return (pi * top_k(pi, slate) * GAIN) @ score / slate


def test_the_mean_is_the_gradient_when_a_category_has_one_vector() -> None:
    of = world(spread=0.0)
    mean, total = enumerated(of)
    assert total == pytest.approx(np.log(np.exp(of.vectors @ LOGIT).sum()))
    assert mean == pytest.approx(exact_gradient(of), abs=1e-12)


def test_the_mean_is_the_gradient_up_to_the_square_of_the_normaliser() -> None:
    of = world(spread=1.5)
    mean, total = enumerated(of)
    ratio = np.exp(of.vectors @ LOGIT).sum() / np.exp(total)
    assert abs(ratio - 1) > 0.01, "the moments must not be exact here, or this shows nothing"
    assert mean == pytest.approx(ratio**2 * exact_gradient(of), abs=1e-12)


def test_a_page_of_several_has_the_gradient_of_what_is_on_the_page() -> None:
    of = world(spread=0.0, slate=4)
    mean, _ = enumerated(of)
    assert mean == pytest.approx(exact_gradient(of, 4), abs=1e-12)
    pi, step = softmax(of.vectors @ LOGIT), 1e-6
    for j in range(3):
        ends = [softmax(of.vectors @ (LOGIT + sign * step * np.eye(3)[j])) for sign in (1, -1)]
        value = [(1 - (1 - end) ** 4) @ GAIN / 4 for end in ends]
        assert (value[0] - value[1]) / (2 * step) == pytest.approx(exact_gradient(of, 4)[j], abs=1e-8)
    assert pi.max() < 1


@pytest.mark.parametrize("spread", [0.0, 1.5])
def test_without_the_correction_the_mean_is_another(spread: float) -> None:
    of = world(spread=spread, correction=False)
    mean, _ = enumerated(of)
    exact = exact_gradient(of)
    assert np.linalg.norm(mean - exact) > 0.05 * np.linalg.norm(exact)
    if spread:  # with two one-hot vectors there is one direction only
        cosine = mean @ exact / np.linalg.norm(mean) / np.linalg.norm(exact)
        assert cosine < 0.999
    corrected, _ = enumerated(world(spread=spread))
    assert corrected @ exact / np.linalg.norm(corrected) / np.linalg.norm(exact) == pytest.approx(1, abs=1e-9)


def test_a_low_cap_biases_the_mean() -> None:
    capped, _ = enumerated(world(spread=1.5, cap=1.0))
    free, _ = enumerated(world(spread=1.5))
    assert np.linalg.norm(capped - free) > 0.01 * np.linalg.norm(free)


def first_update(tower: np.ndarray, **policy) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean pull on the row of calm at the first page, and its standard error, from the compiled loop."""
    scenario = EmbeddingScenario(users=65_536, dimension=6, items={"count": 40, "spread": 0.8}, policy=policy)
    one = World.start(scenario)
    one.tower[:] = tower
    with spread_over(2) as spread:
        one.advance(spread, one.rooms(2))
    blocks = one.sums[:, 0] / BLOCK
    return blocks.mean(0), blocks.std(0, ddof=1) / np.sqrt(len(blocks))


@pytest.fixture(scope="module")
def tower() -> np.ndarray:
    return np.random.default_rng(3).normal(0, 1.2, (9, 6))


def test_the_compiled_update_has_the_mean_of_the_full_softmax(tower: np.ndarray) -> None:
    exact, exact_error = first_update(tower, candidates=0)
    mean, error = first_update(tower, candidates=6, cap=HUGE)
    of = World.start(EmbeddingScenario(users=1, dimension=6, items={"count": 40, "spread": 0.8}))
    logit, catalogue = tower[0].astype(np.float32), of.catalogue
    masses = log_mass(np.log(catalogue.counts), catalogue.centre @ logit, catalogue.variance @ logit**2)
    ratio = np.exp(catalogue.vectors @ logit).sum() / np.exp(masses).sum()
    assert (abs(mean - ratio**2 * exact) < 4 * np.hypot(error, ratio**2 * exact_error)).all()


def test_the_compiled_update_without_correction_has_another_mean(tower: np.ndarray) -> None:
    exact, exact_error = first_update(tower, candidates=0)
    mean, error = first_update(tower, candidates=6, correction=False)
    assert (abs(mean - exact) > 4 * np.hypot(error, exact_error)).any()
