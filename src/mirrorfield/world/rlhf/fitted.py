"""A scenario in which the recommender learns from a reward model instead of clicks."""

import io
from pathlib import Path

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.population.lens import Reward
from mirrorfield.population.scenario import Scenario
from mirrorfield.seal import seal_bytes
from mirrorfield.store.durable import write_durable


def scenario_with_reward_model(scenario: Scenario, score: FloatArray, file: Path) -> Scenario:
    """Return the scenario with R_t = r_phi[s_t, a_t] in the place of the reaction; people feel and move as before.

    Parameters: scenario; score r_phi, (R, S, K), one table for all or one for each of R labellers, of which user u has
    the one at u modulo R; file, a .npy that is written if R > 1, with its SHA-256 behind it. Returns a Scenario.
    Raises InputError for scores that the scenario refuses, and OSError. Source: docs/labels.md, eq. 10.

    >>> scenario_with_reward_model(Scenario(), np.zeros((1, 3, 4)), Path("unused")).reward.source
    'reward_model'
    """
    if len(score) == 1:
        reward = Reward(source="reward_model", model=tuple(tuple(float(x) for x in row) for row in score[0]))
    else:
        data = io.BytesIO()
        np.save(data, score.astype(np.float32))
        write_durable(file, seal_bytes(data.getvalue()))
        reward = Reward(source="reward_model", model_file=str(file))
    values = scenario.model_dump(mode="json", exclude_none=True)
    name = f"{scenario.name[:66]}, reward model"
    return Scenario.from_values(values | {"name": name, "reward": reward.model_dump(mode="json", exclude_none=True)})
