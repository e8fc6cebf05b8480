"""The leashed optimum and its curve, against identities, by hand, and against the compiled loop."""

import json
from pathlib import Path

import numpy as np
import pytest

from mirrorfield.types import S
from mirrorfield.world.rlhf.overoptimisation import beta_at, divergence, gain, goodhart_curve, leashed_policy

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


def test_the_curve_is_at_its_divergences_and_ends_where_no_policy_is() -> None:
    kl = np.array([1e-3, 0.1, 0.5, 5.0])
    curve = goodhart_curve(SCORE, REFERENCE, {"true": -SCORE}, WEIGHT, kl)
    assert np.isfinite(curve.beta).tolist() == [True, True, True, False]
    for at, beta, proxy, true in zip(kl[:3], curve.beta, curve.gain["proxy"], curve.gain["true"], strict=False):
        policy = leashed_policy(SCORE, REFERENCE, beta)
        assert divergence(policy, REFERENCE, WEIGHT) == pytest.approx(at, rel=1e-6)
        assert proxy == pytest.approx(gain(policy, REFERENCE, SCORE, WEIGHT)) and true == -proxy
    assert (np.diff(curve.gain["proxy"][:3]) > 0).all() and (np.diff(curve.beta[:3]) < 0).all()


def test_a_reward_model_without_preferences_leads_nowhere() -> None:
    assert np.isnan(beta_at(np.zeros((S, 3)), REFERENCE, WEIGHT, 0.1))
