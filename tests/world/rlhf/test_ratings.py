"""Ratings and the reward model of least squares."""

import numpy as np
import pytest

from mirrorfield.arrays import S
from mirrorfield.errors import InputError
from mirrorfield.population.scenario import Scenario
from mirrorfield.world.rlhf.labellers import draw_labellers
from mirrorfield.world.rlhf.ratings import collect_ratings, fit_ratings, rating_loss

NAMES = ["threat", "tribal", "validation", "depth"]


def test_the_cell_means_are_the_labellers_values() -> None:
    people = draw_labellers(Scenario(), 50, 1.0)
    mean, error = fit_ratings(collect_ratings(people, 20_000, 0.5), NAMES)
    assert (abs(mean - people.value[0]) < 4 * error).all()
    assert np.allclose(error, 0.5 / np.sqrt(20_000 / 12), rtol=0.15)


def test_the_cell_means_have_no_gradient() -> None:
    ratings = collect_ratings(draw_labellers(Scenario(), 20, 0.0), 3000, 0.3)
    mean, _ = fit_ratings(ratings, NAMES)
    _, gradient = rating_loss(mean[ratings.state, ratings.category], ratings.rating)
    total = np.zeros((S, 4))
    np.add.at(total, (ratings.state, ratings.category), gradient)
    assert abs(total).max() < 1e-12


def test_missing_is_not_zero() -> None:
    with pytest.raises(InputError, match=r"ratings: expected every category in every state, but .* has none"):
        fit_ratings(collect_ratings(draw_labellers(Scenario(), 2), 5, 0.0), NAMES)
    with pytest.raises(InputError, match="ratings: expected 1 rating or more"):
        collect_ratings(draw_labellers(Scenario(), 2), 0, 0.0)
