"""The population draw: each distribution against its closed form."""

import numpy as np
import pytest
from scipy import stats

from mirrorfield import Scenario
from mirrorfield.population.run import plan_run, run_block

N = 8192


def drawn(**population):
    scenario = Scenario(users=N, steps=1, population=population, record={"steps": 1, "users": N})
    return run_block(plan_run(scenario), 0, N).sample


def test_default_is_lognormal_and_uniform() -> None:
    sample = drawn()
    for row in sample.susceptibility:
        assert stats.kstest(row, stats.lognorm(0.5).cdf).pvalue > 1e-4
    assert stats.kstest(sample.intentionality, "uniform").pvalue > 1e-4
    correlations = np.corrcoef(np.vstack([np.log(sample.susceptibility), sample.intentionality]))
    assert np.abs(correlations - np.eye(5)).max() < 4 / np.sqrt(N)


@pytest.mark.parametrize(("a", "b"), [(2.0, 5.0), (0.5, 0.5), (1.0, 1.0)])
def test_beta_intentionality(a: float, b: float) -> None:
    sample = drawn(intentionality={"distribution": "beta", "a": a, "b": b})
    assert stats.kstest(sample.intentionality, stats.beta(a, b).cdf).pvalue > 1e-4


@pytest.mark.parametrize("concentration", [0.3, 1.0, 4.0])
def test_dirichlet_susceptibility(concentration: float) -> None:
    sample = drawn(susceptibility={"distribution": "dirichlet", "concentration": concentration})
    np.testing.assert_allclose(sample.susceptibility.sum(axis=0), 4, rtol=1e-5)
    marginal = stats.beta(concentration, 3 * concentration)
    for row in sample.susceptibility:
        assert stats.kstest(row.astype(float) / 4, marginal.cdf).pvalue > 1e-4


def test_points_are_points() -> None:
    sample = drawn(
        susceptibility={"distribution": "point", "value": [1, 2, 3, 4]},
        intentionality={"distribution": "point", "value": 0.25},
    )
    assert (sample.susceptibility == np.array([[1], [2], [3], [4]], np.float32)).all()
    assert (sample.intentionality == np.float32(0.25)).all()


def test_mixture_has_its_weights() -> None:
    parts = [{"weight": w, "of": {"distribution": "point", "value": v}} for w, v in ((1, 0.1), (3, 0.9))]
    sample = drawn(intentionality={"distribution": "mixture", "components": parts})
    share = (sample.intentionality > 0.5).mean()
    assert abs(share - 0.75) < 4 * np.sqrt(0.75 * 0.25 / N)


def test_segments_have_their_weights_and_their_own_distributions() -> None:
    segments = [
        {"name": "few", "weight": 1, "intentionality": {"distribution": "point", "value": 0.0}},
        {"name": "many", "weight": 4, "intentionality": {"distribution": "point", "value": 1.0}},
    ]
    sample = drawn(segments=segments)
    assert abs(sample.segment.mean() - 0.8) < 4 * np.sqrt(0.8 * 0.2 / N)
    assert np.array_equal(sample.segment, sample.intentionality.astype(int))
    cycled = drawn(segments=segments, assign="cycle")
    assert np.array_equal(cycled.segment, np.arange(N) % 2)
