"""Labellers made by hand, so that what a fit should find is known."""

import numpy as np
import pytest

from mirrorfield.world.rlhf.labellers import Labellers


@pytest.fixture
def made():
    """Return a function from a table of values (n, S, K) to labellers who have them."""

    def build(value, seed: int = 1, temperature: float = 1.0) -> Labellers:
        value = np.asarray(value, float)
        return Labellers(seed, temperature, value, value, value)

    return build
