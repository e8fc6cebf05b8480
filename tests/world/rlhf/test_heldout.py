"""Held-out figures of a model that is right, and of one that is not."""

import numpy as np
import pytest

from mirrorfield.arrays import S
from mirrorfield.errors import InputError
from mirrorfield.population.scenario import Scenario
from mirrorfield.world.rlhf.heldout import evaluate, reliability, split
from mirrorfield.world.rlhf.labellers import draw_labellers
from mirrorfield.world.rlhf.preferences import collect
from mirrorfield.world.rlhf.reward_model import RewardModel, fit_reward_model


def test_the_true_model_is_calibrated(made) -> None:
    people = made(np.random.default_rng(2).normal(size=(10, S, 4)))
    labels = collect(people, 50_000)
    truth = RewardModel("per-user", 0.0, 0.0, people.value, people.value, 0.0)
    found = evaluate(truth, people, labels)
    assert found.log_loss == pytest.approx(found.best_log_loss, abs=1e-12)
    table = found.reliability
    error = np.sqrt(table.predicted * (1 - table.predicted) / table.labels)
    assert table.labels.sum() == 50_000 and (abs(table.observed - table.predicted) < 4 * error).all()
    p = 1 / (1 + np.exp(-abs(truth.gap(labels))))
    assert abs(found.accuracy.value - p.mean()) < 4 * np.sqrt(0.25 / 50_000)


def test_a_model_that_is_too_sure_is_found_out(made) -> None:
    people = made(np.random.default_rng(2).normal(size=(10, S, 4)))
    labels = collect(people, 20_000)
    sure = evaluate(RewardModel("per-user", 0.0, 0.0, 3 * people.value, people.value, 0.0), people, labels)
    assert sure.log_loss_low > sure.best_log_loss and sure.reliability.low[0] > sure.reliability.predicted[0]


def test_a_model_that_knows_nothing() -> None:
    people = draw_labellers(Scenario(), 5)
    nothing = RewardModel("shared", 0.0, 0.0, np.zeros((1, S, 4)), np.zeros((1, S, 4)), 0.0)
    found = evaluate(nothing, people, collect(people, 100))
    assert found.log_loss == pytest.approx(np.log(2)) and found.accuracy.value == 0.5


def test_labels_are_held_out_by_chance_and_once() -> None:
    labels = collect(draw_labellers(Scenario(), 30), 20_000)
    fitted, held = split(labels, 0.25, 1)
    assert len(fitted.state) + len(held.state) == 20_000
    assert abs(len(held.state) / 20_000 - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 20_000)
    assert (fitted.wins() + held.wins() == labels.wins()).all()
    longer = split(collect(draw_labellers(Scenario(), 30), 25_000), 0.25, 1)[1]
    assert (longer.winner[: len(held.state)] == held.winner).all()


def test_fitted_models_come_close_to_the_best_log_loss() -> None:
    people = draw_labellers(Scenario(), 100, 1.0)
    fitted, held = split(collect(people, 40_000), 0.2, 1)
    found = evaluate(fit_reward_model(fitted), people, held)
    assert found.log_loss_low < found.best_log_loss < found.log_loss + 1e-3


def test_what_cannot_be_held_out_is_refused() -> None:
    people = draw_labellers(Scenario(), 2)
    labels = collect(people, 4)
    with pytest.raises(InputError, match="held-out: expected a share from 0 to below 1, got 1"):
        split(labels, 1.0, 1)
    with pytest.raises(InputError, match="held-out: no label is left"):
        split(labels, 0.999999, 1)
    with pytest.raises(InputError, match="held-out: expected 2 labels or more, got 0"):
        evaluate(fit_reward_model(labels, ridge=1.0), people, split(labels, 0.0, 1)[1])


def test_bins_hold_their_ends() -> None:
    table = reliability(np.array([0.0, 0.05, 1.0]), np.array([0, 1, 1]))
    assert table.labels.tolist() == [2, 1] and table.observed.tolist() == [0.5, 1.0]
