"""Fitted reward models against the labellers who gave the labels."""

import numpy as np
import pytest

from mirrorfield.arrays import S
from mirrorfield.errors import InputError
from mirrorfield.population.scenario import Scenario
from mirrorfield.world.rlhf.bradley_terry import fit_scores
from mirrorfield.world.rlhf.labellers import draw_labellers
from mirrorfield.world.rlhf.preferences import collect, win_probability
from mirrorfield.world.rlhf.reward_model import fit_reward_model


def centred(value):
    return value - value.mean(axis=-1, keepdims=True)


def pseudo_true(people):
    """Return the shared scores that an endless supply of labels from these labellers leads to."""
    p = win_probability(people.value[..., :, None], people.value[..., None, :], people.temperature).mean(axis=0)
    return fit_scores(p * (1 - np.eye(people.k))).score


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_alike_labellers_are_recovered(temperature: float) -> None:
    people = draw_labellers(Scenario(), 100, 1.0, temperature)
    model = fit_reward_model(collect(people, 40_000))
    z = (model.score[0] - centred(people.value[0]) / temperature) / model.error[0]
    assert abs(z).max() < 4 and model.gradient < 1e-4


def test_labellers_who_differ_lead_to_the_pseudo_true_scores() -> None:
    people = draw_labellers(Scenario(), 400, 0.0, 0.5)
    model = fit_reward_model(collect(people, 60_000))
    mean = centred(people.value.mean(axis=0)) / 0.5
    assert (abs((model.score[0] - pseudo_true(people)) / model.error[0]) < 4).all()
    hooked = abs(model.score[0, 2]).sum() / abs(mean[2]).sum()
    assert hooked < 0.95  # a shared model understates what people who differ feel on average


def test_errors_allow_for_labellers_who_differ(made) -> None:
    """Over 200 draws of 40 labellers, the error's claim and the spread of the scores agree within 4 standard errors."""
    draw, scores, claimed, naive = np.random.default_rng(3), [], [], []
    for seed in range(200):
        labels = collect(made(draw.normal(0.0, 1.5, (40, S, 3)), seed), 2400)
        model = fit_reward_model(labels)
        scores.append(model.score[0])
        claimed.append(model.error[0] ** 2)
        naive.append(fit_scores(labels.wins()).error ** 2)
    spread = np.array(scores).var(axis=0, ddof=1)
    ratio = np.sqrt(np.mean(claimed, axis=0) / spread).mean()
    error = 1 / np.sqrt(2 * 199 * S * 2)  # S (K - 1) free scores
    assert abs(ratio - 1) < 4 * error
    assert np.sqrt(np.mean(naive, axis=0) / spread).mean() < 1 - 4 * error


def test_empirical_bayes_finds_the_spread_and_beats_both_others(made) -> None:
    draw, n, tau = np.random.default_rng(5), 300, np.array([0.3, 0.8, 1.5])
    shared = np.array([1.0, 0.0, -1.0, 0.0])
    value = shared + tau[:, None] * centred(draw.normal(size=(n, S, 4)))
    labels = collect(made(value), n * 120)
    models = {kind: fit_reward_model(labels, kind, 0.1) for kind in ("shared", "per-user", "hierarchical")}
    found = models["hierarchical"].spread
    assert found is not None and (abs(found / tau - 1) < 4 / np.sqrt(2 * n * 3) + 0.08).all()
    wrong = {kind: float(((model.score - centred(value)) ** 2).mean()) for kind, model in models.items()}
    assert wrong["hierarchical"] < 0.8 * min(wrong["shared"], wrong["per-user"])


def test_labellers_who_are_alike_are_pooled(made) -> None:
    labels = collect(made(np.tile([1.0, 0.0, -1.0], (200, S, 1))), 200 * 60)
    shared, own = fit_reward_model(labels), fit_reward_model(labels, "hierarchical")
    assert abs(own.score - shared.score).max() < 0.35
    assert own.score.shape == (200, S, 3) and own.spread is not None and own.spread.max() < 0.25


def test_per_user_is_each_labeller_alone() -> None:
    people = draw_labellers(Scenario(), 3, 0.0)
    labels = collect(people, 900)
    every = fit_reward_model(labels, "per-user", 0.5)
    alone = fit_reward_model(labels.only(labels.labeller == 1), "shared", 0.5)
    np.testing.assert_allclose(every.score[1], alone.score[0], atol=1e-9)
    assert every.gap(labels).shape == (900,)


def test_what_has_no_finite_fit_is_refused() -> None:
    labels = collect(draw_labellers(Scenario(), 5, 1.0, 0.02), 500)
    names = ["threat", "tribal", "validation", "depth"]
    with pytest.raises(InputError, match="depth always wins in state calm, so"):
        fit_reward_model(labels, names=names)
    with pytest.raises(InputError, match="in state calm for labeller 0, so"):
        fit_reward_model(labels, "per-user", names=names)
    assert fit_reward_model(labels, "per-user", 1.0).score.shape == (5, S, 4)
    with pytest.raises(InputError, match="ridge: expected a number from 0 to 1e\\+09, got -1"):
        fit_reward_model(labels, ridge=-1.0)
    with pytest.raises(InputError, match='Did you mean "hierarchical"'):
        fit_reward_model(labels, "hierachical")
