"""mirrorfield through its Python door, as one of the peers."""

from collections.abc import Callable

import numpy as np
from peers_model import Figures, Model

import mirrorfield as mf


def prepare(model: Model) -> Callable[[int], mf.Run]:
    """Return the function that runs the model with a seed, its kernel compiled."""
    mf.simulate(model.scenario.model_copy(update={"users": 64}), threads=1)
    return lambda seed: mf.simulate(model.scenario.model_copy(update={"seed": seed}), threads=1)


def figures(run: mf.Run, model: Model) -> Figures:
    """Return the figures of a run at its recorded steps."""
    data = run.dataset
    if not np.array_equal(data.step, model.recorded):
        raise ValueError("mirrorfield recorded other steps than the peers")
    names = "share", "state_share", "locked_in", "mean_reaction"
    return Figures(*(data[name].values for name in names), spread=None)
