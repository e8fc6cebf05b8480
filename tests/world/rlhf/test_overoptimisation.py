"""The leashed optimum and its curve, against identities, by hand, and against the compiled loop."""

import json
from pathlib import Path

import numpy as np
import pytest

from mirrorfield.arrays import S
from mirrorfield.world.rlhf.overoptimisation import divergence, gain, goodhart_curve, leashed_policy

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "golden_pg.json").read_text(encoding="utf-8"))
SCORE = np.array([[0.5, -0.2, -0.3], [1.0, 0.0, -1.0], [0.1, 0.4, -0.5]])
REFERENCE = np.array([[0.2, 0.5, 0.3], [1 / 3, 1 / 3, 1 / 3], [0.6, 0.2, 0.2]])
WEIGHT = np.array([0.5, 0.3, 0.2])


def test_the_golden_optimum() -> None:
    case = GOLDEN["kl_regularised_optimum"]
    reference = np.array(GOLDEN["inputs"]["pi_ref"])
    policy = leashed_policy(np.tile(case["r"], (S, 1)), np.tile(reference, (S, 1)), case["beta"])
    np.testing.assert_allclose(policy[0], case["pi_star"], atol=1e-9)


def test_more_divergence_pays_the_proxy_at_the_rate_of_the_leash() -> None:
    """At the optimum d(proxy) / d(KL) = beta, so the proxy's gain rises, ever more slowly."""
    beta, h = 0.4, 1e-5
    gains = [gain(leashed_policy(SCORE, REFERENCE, b), REFERENCE, SCORE, WEIGHT) for b in (beta + h, beta - h)]
    kls = [divergence(leashed_policy(SCORE, REFERENCE, b), REFERENCE, WEIGHT) for b in (beta + h, beta - h)]
    assert (gains[1] - gains[0]) / (kls[1] - kls[0]) == pytest.approx(beta, rel=1e-6)


def test_the_curve_is_that_of_the_optima() -> None:
    beta = np.array([4.0, 1.0, 0.25, 1e-3])
    curve = goodhart_curve(SCORE, REFERENCE, {"true": -SCORE}, WEIGHT, beta)
    for j, one in enumerate(beta):
        policy = leashed_policy(SCORE, REFERENCE, one)
        assert curve.kl[j] == divergence(policy, REFERENCE, WEIGHT)
        assert curve.gain["proxy"][j] == gain(policy, REFERENCE, SCORE, WEIGHT) == -curve.gain["true"][j]
    assert (np.diff(curve.gain["proxy"]) > 0).all() and (np.diff(curve.kl) > 0).all()
    furthest = WEIGHT @ -np.log(REFERENCE[np.arange(S), SCORE.argmax(axis=1)])
    assert curve.kl[-1] == pytest.approx(furthest, abs=1e-9)


def test_a_reward_model_without_preferences_leads_nowhere() -> None:
    curve = goodhart_curve(np.zeros((S, 3)), REFERENCE, {}, WEIGHT, np.array([1.0, 0.01]))
    np.testing.assert_allclose([curve.kl, curve.gain["proxy"]], 0, atol=1e-12)


def test_rows_are_averaged() -> None:
    both = goodhart_curve(np.stack([SCORE, -SCORE]), REFERENCE, {}, WEIGHT, np.array([0.5]))
    each = [goodhart_curve(sign * SCORE, REFERENCE, {}, WEIGHT, np.array([0.5])).kl[0] for sign in (1, -1)]
    assert both.kl[0] == pytest.approx(np.mean(each))
