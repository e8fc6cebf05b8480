"""Logs whose truth is known, simulated from the model that the calibration assumes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mirrorfield.calibration.log import InteractionLog

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Simulated:
    """A log with one label per event, and the true cell means it was drawn from."""

    log: InteractionLog
    truth: Array


def simulate(
    events: NDArray[np.int64], mu: Array, sigma: Array, tau_user: float, tau_cell: float, seed: int
) -> Simulated:
    """Draw events[u, a] reactions of every user to every category, in random order of time."""
    rng = np.random.default_rng(seed)
    n, k = events.shape
    truth = mu + tau_user * rng.standard_normal((n, 1)) + tau_cell * rng.standard_normal((n, k))
    user, category = (np.repeat(codes.ravel(), events.ravel()) for codes in np.indices((n, k)))
    reaction = truth[user, category] + sigma[category] * rng.standard_normal(len(user))
    size = len(user)
    names = tuple(f"u{u}" for u in range(n)), tuple(f"c{a}" for a in range(k))
    log = InteractionLog(user, reaction, rng.random(size), np.arange(size), category, np.ones(size), *names, report={})
    return Simulated(log, truth)


@pytest.fixture
def simulated() -> Callable[..., Any]:
    return simulate
