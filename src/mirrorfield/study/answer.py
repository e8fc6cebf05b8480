"""The answer of a sweep as one dataset."""

from typing import Any

import numpy as np
import xarray as xr

from mirrorfield.arrays import FloatArray
from mirrorfield.population.assumed import assumption
from mirrorfield.population.worlds import AnyScenario
from mirrorfield.study.design import problem, salib
from mirrorfield.study.sweep import Sweep
from mirrorfield.version import VERSION

CONFIDENCE = 0.95


def dataset_of(spec: Sweep, base: AnyScenario, places: FloatArray, found: list[dict[str, float]]) -> xr.Dataset:
    """Return the figures at all points: over the settings for a grid, over points otherwise.

    Parameters: spec; base; places (P, D); found, P dictionaries of the same metrics. Returns a dataset; with method
    "sobol" it has first_order and total_order, (metric, setting), each with its 95% half-width.
    """
    attributes = {"version": VERSION, "method": spec.method, "scenario": base.to_toml()}
    if assumed := assumption(base):
        attributes["assumed"] = assumed
    names, metrics = list(spec.over), list(found[0])
    values = {metric: np.array([point[metric] for point in found]) for metric in metrics}
    if spec.method == "grid":
        axes = {path: np.array(axis.values) for path, axis in spec.over.items()}
        shape = [len(axis) for axis in axes.values()]
        return xr.Dataset({m: (names, values[m].reshape(shape)) for m in metrics}, axes, attributes)
    coordinates = {path: ("point", places[:, d]) for d, path in enumerate(names)}
    dataset = xr.Dataset({m: ("point", values[m]) for m in metrics}, coordinates, attributes)
    return dataset.merge(_indices(spec, values)) if spec.method == "sobol" else dataset


def _indices(spec: Sweep, values: dict[str, FloatArray]) -> xr.Dataset:
    rows: dict[str, list[Any]] = {"S1": [], "S1_conf": [], "ST": [], "ST_conf": []}
    analyse = salib().analyze.sobol.analyze
    for y in values.values():
        still = np.ptp(y) == 0
        found = (
            None
            if still
            else analyse(problem(spec.over), y, calc_second_order=False, conf_level=CONFIDENCE, seed=spec.seed)
        )
        for key, row in rows.items():
            row.append(np.zeros(len(spec.over)) if found is None else found[key])
    told = {"S1": "first_order", "S1_conf": "first_order_half", "ST": "total_order", "ST_conf": "total_order_half"}
    variables = {told[key]: (("metric", "setting"), np.array(row)) for key, row in rows.items()}
    return xr.Dataset(
        variables, {"metric": np.array(list(values), object), "setting": np.array(list(spec.over), object)}
    )
