"""DPO: other packages' numbers, finite differences, and the optimum that it shares with RLHF."""

import json
from pathlib import Path

import numpy as np
import pytest

from mirrorfield.arrays import S
from mirrorfield.errors import InputError
from mirrorfield.policy.softmax import log_softmax
from mirrorfield.population.scenario import Scenario
from mirrorfield.world.rlhf.dpo import dpo_loss, fit_dpo
from mirrorfield.world.rlhf.labellers import draw_labellers
from mirrorfield.world.rlhf.overoptimisation import leashed_policy
from mirrorfield.world.rlhf.preferences import collect
from mirrorfield.world.rlhf.reward_model import fit_reward_model

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "golden_pg.json").read_text(encoding="utf-8"))
THETA, REFERENCE = (np.array(GOLDEN["inputs"][name]) for name in ("theta", "theta_ref"))


def test_loss_and_gradient_are_those_of_openrlhf() -> None:
    case = GOLDEN["dpo"]
    loss, gradient = dpo_loss(THETA, REFERENCE, np.array(case["chosen"]), np.array(case["rejected"]), 0.1)
    assert loss == pytest.approx(case["loss"], abs=1e-12)
    np.testing.assert_allclose(gradient, case["grad"], rtol=0, atol=1e-12)
    implicit = 0.1 * (log_softmax(THETA) - log_softmax(REFERENCE))
    np.testing.assert_allclose(implicit[case["chosen"]], case["chosen_rewards"], atol=1e-12)


def test_gradient_against_finite_differences() -> None:
    winner, loser, weight, h = np.array([0, 2, 3]), np.array([1, 1, 0]), np.array([3.0, 1.0, 2.0]), 1e-6
    sides = [[dpo_loss(THETA + d * e, REFERENCE, winner, loser, 0.7, weight)[0] for d in (h, -h)] for e in np.eye(4)]
    gradient = dpo_loss(THETA, REFERENCE, winner, loser, 0.7, weight)[1]
    np.testing.assert_allclose(gradient, [(up - down) / (2 * h) for up, down in sides], atol=1e-8)


@pytest.mark.parametrize("ridge", [0.0, 3.0])
@pytest.mark.parametrize("beta", [0.1, 1.0])
def test_its_optimum_is_that_of_a_reward_model_with_a_leash(beta: float, ridge: float) -> None:
    labels = collect(draw_labellers(Scenario(), 50, 0.2), 3000)
    reference = log_softmax(np.tile(REFERENCE, (S, 1)))
    score = fit_reward_model(labels, ridge=ridge).score[0]
    expected = leashed_policy(score, np.exp(reference), beta)
    np.testing.assert_allclose(fit_dpo(labels.wins(), reference, beta, ridge), expected, atol=1e-5)


def test_an_unreachable_optimum_is_refused() -> None:
    with pytest.raises(InputError, match="beta: expected a number from 1e-06 up, got 0"):
        fit_dpo(np.ones((S, 2, 2), int), np.zeros((S, 2)), 0.0)


def test_a_state_without_labels_keeps_the_reference() -> None:
    wins = np.ones((S, 2, 2), int)
    wins[1] = 0  # once 0/0 in the weights: a policy of nan
    reference = log_softmax(np.tile([0.0, 1.0], (S, 1)))
    for ridge in (0.0, 0.1):
        found = fit_dpo(wins, reference, 0.1, ridge)
        np.testing.assert_allclose(found[1], np.exp(reference[1]))
        assert np.isfinite(found).all()
