"""Labels come as often as the labellers' probabilities say, from streams of their own."""

import numpy as np
import pytest

from mirrorfield.arrays import S
from mirrorfield.errors import InputError
from mirrorfield.people.markov import Markov
from mirrorfield.population.scenario import Scenario
from mirrorfield.world.rlhf.labellers import draw_labellers
from mirrorfield.world.rlhf.preferences import collect, win_probability


def test_labellers_are_the_users_of_the_scenario() -> None:
    users = Markov(Scenario()).start(np.arange(5), None)
    own = draw_labellers(Scenario(), 5, None)
    np.testing.assert_allclose(own.value.ravel(), users.mean)
    reactive = draw_labellers(Scenario(), 5, 0.0)
    np.testing.assert_allclose(reactive.value[:, 0] / [0.6, 0.66, 0.48, 0.18], users.susceptibility, rtol=1e-6)
    deliberate = draw_labellers(Scenario(), 5, 1.0)
    assert (deliberate.value == deliberate.deliberate).all() and (deliberate.scrolling == own.value).all()


def test_labels_follow_the_probabilities(made) -> None:
    people = made([[[0.0, 1.0, -0.5]] * S, [[2.0, 0.0, 0.3]] * S], temperature=0.7)
    labels = collect(people, 24_000)
    wins = labels.wins_by_labeller()
    n = wins + wins.swapaxes(-1, -2)
    p = win_probability(people.value[..., :, None], people.value[..., None, :], 0.7)
    z = (wins - n * p)[n > 0] / np.sqrt(n * p * (1 - p))[n > 0]
    assert len(z) == 2 * S * 6 and abs(z).max() < 4
    assert abs(n[n > 0] / 24_000 - 1 / 18).max() < 4 * np.sqrt(1 / 18 / 24_000)


def test_on_policy_pairs_are_drawn_from_the_policy(made) -> None:
    pi = np.array([0.7, 0.2, 0.1])
    labels = collect(made(np.zeros((4, S, 3))), 20_000, "on-policy", np.tile(pi, (S, 1)))
    both = np.zeros((3, 3))
    np.add.at(both, (labels.first, labels.second), 1 / 20_000)
    expected = pi[:, None] * pi[None, :] / (1 - pi[:, None]) * (1 - np.eye(3))
    assert abs(both - expected).max() < 4 * np.sqrt(0.25 / 20_000)


def test_uncertain_pairs_are_closer_to_one_half(made) -> None:
    people = made(np.tile([-3.0, -1.0, 0.0, 1.5, 3.0], (20, S, 1)))
    distance = {}
    for selection in ("random", "uncertain"):
        labels = collect(people, 8000, selection)
        value = people.value[labels.labeller, labels.state]
        rows = np.arange(8000)
        distance[selection] = abs(win_probability(value[rows, labels.first], value[rows, labels.second]) - 0.5)[
            1000:
        ].mean()
        assert (labels.first != labels.second).all()
    assert distance["uncertain"] < distance["random"] - 0.1


def test_a_labeller_answers_the_same_whoever_else_is_asked() -> None:
    few, many = (collect(draw_labellers(Scenario(), n, 0.3), 10 * n) for n in (3, 8))
    for u in range(3):
        one, other = (labels.only(labels.labeller == u) for labels in (few, many))
        for name in ("state", "first", "second", "chose_first"):
            assert (getattr(one, name) == getattr(other, name)).all()


def test_a_smaller_budget_is_the_beginning_of_a_larger_one() -> None:
    people = draw_labellers(Scenario(), 7, 0.3)
    small, large = collect(people, 50), collect(people, 90)
    assert (small.winner == large.winner[:50]).all() and (small.labeller == large.labeller[:50]).all()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: draw_labellers(Scenario(), 0), "labellers: expected 1 to 100,000, got 0"),
        (lambda: draw_labellers(Scenario(), 2, 1.5), "lambda-label: expected a number from 0 to 1, got 1.5"),
        (lambda: draw_labellers(Scenario(), 2, 1.0, 0.0), "temperature: expected a number from 0.000001"),
        (lambda: draw_labellers(Scenario.load("radicalization"), 2), "posts without intensity, got 3 rungs"),
        (lambda: draw_labellers(Scenario(population={"file": "x"}), 2), "got population.file"),
        (lambda: collect(draw_labellers(Scenario(), 2), 0), "pairs: expected 1 to 50,000,000, got 0"),
        (lambda: collect(draw_labellers(Scenario(), 2), 5, "uncertian"), 'Did you mean "uncertain"'),
    ],
)
def test_what_cannot_be_asked_is_refused(call, told: str) -> None:
    with pytest.raises(InputError, match=told):
        call()
