"""Measured disagreement against its expectation."""

import numpy as np
import pytest

from mirrorfield.arrays import S
from mirrorfield.population.scenario import Scenario
from mirrorfield.world.rlhf.disagreement import expected, measure, minority, probabilities
from mirrorfield.world.rlhf.labellers import draw_labellers
from mirrorfield.world.rlhf.preferences import Preferences, collect


def test_within_and_between_are_what_the_probabilities_say() -> None:
    within, between = expected(draw_labellers(Scenario(), 50, 0.0, 0.5))
    found = [measure(collect(draw_labellers(Scenario(), 50, 0.0, 0.5), 20_000))]
    people = draw_labellers(Scenario(), 50, 0.0, 0.5)
    for seed in range(2, 12):
        found.append(measure(collect(type(people)(seed, 0.5, people.value, people.value, people.value), 20_000)))
    for name, theory in (("within", within), ("between", between)):
        measured = np.array([getattr(one, name) for one in found])
        assert abs(measured.mean() - theory) < 4 * measured.std(ddof=1) / np.sqrt(len(measured)), name


def test_the_excess_between_is_twice_the_variance_of_the_probabilities(made) -> None:
    people = made(np.random.default_rng(1).normal(size=(30, S, 3)))
    within, between = expected(people)
    assert between - within == pytest.approx(2 * probabilities(people).var(axis=0, ddof=1).mean(), abs=1e-12)


def test_deliberate_labellers_of_the_default_scenario_agree_but_for_chance() -> None:
    people = draw_labellers(Scenario(), 20, 1.0)
    within, between = expected(people)
    assert within == pytest.approx(between, abs=1e-12) and minority(people) == 0
    assert minority(draw_labellers(Scenario(), 200, 0.0)) > 0.1


def test_minority_by_hand(made) -> None:
    assert minority(made([[[1.0, 0.0]] * S, [[1.0, 0.0]] * S, [[0.0, 1.0]] * S])) == pytest.approx(1 / 3)


def test_nothing_asked_twice_is_undefined() -> None:
    once = Preferences(1, 2, *np.array([[0], [0], [0], [1], [1]]))
    assert measure(once).against == 0 and np.isnan([measure(once).within, measure(once).between]).all()
