"""The loss and fit of Bradley and Terry against other packages' numbers, finite differences and by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from mirrorfield.errors import InputError
from mirrorfield.world.rlhf.bradley_terry import check_connected, fit_scores, preference_loss, score_gradient

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "golden_pg.json").read_text(encoding="utf-8"))
PAIRS, ARMS = GOLDEN["reward_model_bt"], GOLDEN["bt_mle_4arms"]
WINS = np.array([[0, 7, 3], [2, 0, 9], [5, 1, 0]])


@pytest.mark.parametrize(
    ("case", "margin", "centring"),
    [("trl", 0.0, 0.0), ("trl_margin", PAIRS["margin_in"], 0.0), ("trl_center_0_01", 0.0, 0.01)],
)
def test_loss_and_gradient_are_those_of_trl(case: str, margin, centring: float) -> None:
    loss, chosen, rejected = preference_loss(
        np.array(PAIRS["chosen"]), np.array(PAIRS["rejected"]), np.array(margin), centring
    )
    assert loss == pytest.approx(PAIRS[case]["loss"], abs=1e-12)
    np.testing.assert_allclose([*chosen, *rejected], PAIRS[case]["grad_wrt_rewards"], rtol=0, atol=1e-12)


def test_loss_is_that_of_openrlhf() -> None:
    chosen, rejected = np.array(PAIRS["chosen"]), np.array(PAIRS["rejected"])
    assert preference_loss(chosen, rejected)[0] == pytest.approx(PAIRS["openrlhf_logexp"], abs=1e-12)
    assert preference_loss(chosen, rejected, np.array(PAIRS["margin_in"]))[0] == pytest.approx(
        PAIRS["openrlhf_pair_margin"], abs=1e-12
    )


def test_the_fit_of_four_arms() -> None:
    fit = fit_scores(np.array(ARMS["W"]))
    np.testing.assert_allclose(fit.score, ARMS["scores"], atol=1e-9)
    assert fit.gradient < 1e-7


@pytest.mark.parametrize(("ridge", "margin"), [(0.0, 0.0), (0.7, 0.0), (0.0, 0.4), (2.0, 1.0)])
def test_the_fit_is_the_minimum_of_the_loss_on_the_pairs(ridge: float, margin: float) -> None:
    score = fit_scores(WINS, 0.0, ridge, margin).score

    def objective(r) -> float:
        a, b = (np.repeat(place, WINS[WINS > 0]) for place in np.nonzero(WINS))
        return preference_loss(r[a], r[b], margin)[0] * WINS.sum() + ridge / 2 * (r**2).sum()

    assert score.sum() == pytest.approx(0, abs=1e-12)
    here, steps = objective(score), 1e-4 * (np.eye(3) - 1 / 3)
    for step in (*steps, *-steps):
        assert 0 < objective(score + step) - here < 1e-6


def test_gradient_and_hessian_against_finite_differences() -> None:
    score, h = np.array([0.3, -0.5, 0.2]), 1e-6

    def likelihood(r) -> float:
        gap = r[:, None] - r[None, :] - 0.3
        return float((WINS * -np.log1p(np.exp(-gap))).sum())

    gradient, hessian = score_gradient(score, WINS, 0.3)
    numeric = [(likelihood(score + h * e) - likelihood(score - h * e)) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(gradient, numeric, atol=1e-6)
    moved = [
        score_gradient(score + h * e, WINS, 0.3)[0] - score_gradient(score - h * e, WINS, 0.3)[0] for e in np.eye(3)
    ]
    np.testing.assert_allclose(hessian, -np.array(moved) / (2 * h), atol=1e-6)


def test_covariance_is_that_of_differences() -> None:
    """With two categories the gap's variance is 1 / (n p (1 - p)), and a score is half the gap."""
    fit = fit_scores(np.array([[0, 30], [10, 0]]))
    assert fit.error[0] == pytest.approx(0.5 * np.sqrt(1 / (40 * 0.75 * 0.25)), abs=1e-9)


@pytest.mark.parametrize(
    ("wins", "told"),
    [
        ([[0, 3, 2], [0, 0, 4], [0, 1, 0]], "x always wins in"),
        ([[0, 3, 2], [1, 0, 4], [0, 0, 0]], "z always loses in"),
        ([[0, 3, 0], [1, 0, 0], [0, 0, 0]], "z was never compared with the others in"),
    ],
)
def test_no_finite_fit_is_refused_by_name(wins, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        check_connected(np.array(wins), ["x", "y", "z"], "in state calm")
    assert "more labels, or use a ridge above 0" in str(caught.value)
    assert np.isfinite(fit_scores(np.array(wins), 0.0, 0.1).score).all()


def test_a_group_that_always_wins_is_named() -> None:
    wins = np.array([[0, 1, 2, 2], [1, 0, 2, 2], [0, 0, 0, 1], [0, 0, 1, 0]])
    with pytest.raises(InputError, match="but a and b always wins in state hooked"):
        check_connected(wins, ["a", "b", "c", "d"], "in state hooked")


def test_counts_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="ridge: the scores did not settle"):
        fit_scores(np.array([[0, np.nan], [1, 0]]))


@pytest.mark.parametrize("ridge", [0.0, 1e-300])
def test_a_table_without_a_fit_is_refused_and_not_a_singular_matrix(ridge: float) -> None:
    for wins, margin in (([[[0, 3], [1, 0]], [[0, 0], [0, 0]]], 1.0), ([[0, 0], [0, 0]], 0.0)):
        with pytest.raises(InputError, match=r"ridge: the scores did not settle .*; use a larger ridge"):
            fit_scores(np.array(wins), precision=ridge, margin=margin)
