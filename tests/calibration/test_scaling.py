"""The map from the log's unit to the model's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mirrorfield.calibration.scaling import scaling_of
from mirrorfield.errors import InputError


def test_scaling(simulated: Callable[..., Any]) -> None:
    log = simulated(np.full((3, 2), 4), np.array([0.35, 0.45]), np.array([0.1, 0.15]), 0.1, 0.1, seed=13).log
    own = scaling_of(log).to_unit(log.reaction)
    assert (own.min(), own.max()) == (0.0, 1.0)
    assert scaling_of(log, -1.0, 3.0).to_unit(np.array([0.0])).tolist() == [0.25]
    with pytest.raises(InputError, match="needs low < high, got low 2 and high 1"):
        scaling_of(log, 2.0, 1.0)
    log.reaction[:] = 4.0
    with pytest.raises(InputError, match="Every reaction in the log is 4: there is nothing to learn"):
        scaling_of(log)
