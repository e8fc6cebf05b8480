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
    """A log, and the true mean reactions it was drawn from."""

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


def simulate_labels(
    events: NDArray[np.int64], labels: int, mu: Array, sigma: float, tau_user: float, tau_cell: float, seed: int
) -> Simulated:
    """Draw events[u] reactions of every user, each to `labels` distinct categories drawn at random."""
    rng = np.random.default_rng(seed)
    n, k, size = len(events), len(mu), int(events.sum())
    truth = mu + tau_user * rng.standard_normal((n, 1)) + tau_cell * rng.standard_normal((n, k))
    user = np.repeat(np.arange(n), events)
    category = np.argsort(rng.random((size, k)), axis=1)[:, :labels]
    reaction = truth[user[:, None], category].mean(axis=1) + sigma * rng.standard_normal(size)
    event, weight = np.repeat(np.arange(size), labels), np.full(size * labels, 1 / labels)
    names = tuple(f"u{u}" for u in range(n)), tuple(f"c{a}" for a in range(k))
    log = InteractionLog(user, reaction, rng.random(size), event, category.ravel(), weight, *names, report={})
    return Simulated(log, truth)


@pytest.fixture
def simulated_labels() -> Callable[..., Any]:
    return simulate_labels


@pytest.fixture
def simulated() -> Callable[..., Any]:
    return simulate
