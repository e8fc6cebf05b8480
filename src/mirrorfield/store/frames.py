"""A run's dataset as tables: one row for each recorded step, each sampled person, or each band of intentionality."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mirrorfield.arrays import STATES
from mirrorfield.errors import check_known
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.metrics.outcomes import category_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

BY_STEP = ("locked_in", "two_faced", "effective_categories", "filter_bubble", "overlap", "mean_reaction")


def frame_of(dataset: "xr.Dataset", table: str) -> "pd.DataFrame":
    """Return a table of a run.

    "steps" has the figures of everyone by recorded step; "people" what the sampled people are, and what they are served
    after the last post; "bands" everyone by band of lambda after the last post, NaN where a band is empty. Parameters:
    dataset; table, one of these names. Raises InputError for another name.
    """
    import pandas as pd

    tables = {"steps": _steps, "people": _people, "bands": _bands}
    check_known(table, list(tables), "to_frame: unknown table")
    return pd.DataFrame(tables[table](dataset))


def _by_category(data: "xr.Dataset", word: str, values: Any) -> dict[str, Any]:
    return {f"{word}:{name}": values[:, k] for k, name in enumerate(map(str, data["category"].values))}


def _steps(data: "xr.Dataset") -> dict[str, Any]:
    states = {name: data["state_share"].values[:, s] for s, name in enumerate(STATES)}
    figures = {name: data[name].values for name in BY_STEP if name in data}
    return {"step": data["step"].values} | figures | states | _by_category(data, "share", data["share"].values)


def _people(data: "xr.Dataset") -> dict[str, Any]:
    word = "diet" if "diet" in data else "feed"
    served = data[word].values[-1]
    names = np.array(list(map(str, data["category"].values)), object)
    found = {
        "person": data["user"].values,
        "intentionality": data["intentionality"].values,
        "state": np.array(STATES, object)[data["sample_state"].values[-1]],
        "category": names[category_of(served, data["user"].values)],
        "locked_in": served.max(axis=1) > LOCKED_IN,
        "mean_reaction": data["baseline"].values if "baseline" in data else data["sample_mean_reaction"].values[-1],
    }
    if "sample_two_faced" in data:
        found["two_faced"] = data["sample_two_faced"].values[-1].astype(bool)
    found |= _by_category(data, word, served)
    if "exposures" in data:
        shown = data["exposures"].values
        found |= _by_category(data, "shown", shown.sum(axis=2) if shown.ndim == 3 else shown)
    return found | _by_category(data, "susceptibility", data["susceptibility"].values)


def _bands(data: "xr.Dataset") -> dict[str, Any]:
    users = data["band_users"].values
    among = np.where(users > 0, users, np.nan)
    return {
        "low": data["band_low"].values,
        "high": data["band_high"].values,
        "people": users,
        "locked_in": data["band_locked"].values[-1].sum(axis=-1) / among,
        **{name: data["band_state"].values[-1, :, s] / among for s, name in enumerate(STATES)},
        **_by_category(data, "share", data["band_category"].values[-1] / among[:, None]),
    }
