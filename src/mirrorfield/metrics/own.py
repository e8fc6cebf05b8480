"""Numbers of one's own: a function of what there is to measure of people."""

from collections.abc import Mapping

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.contract import Metric, Snapshot
from mirrorfield.errors import ContractError, InputError
from mirrorfield.kernel import Trace
from mirrorfield.metrics.moments import Moments


def snapshot_of(sample: Trace, step: int) -> Snapshot:
    """Return what there is to measure of the people of a trace at its last recorded step."""
    return Snapshot(
        step=step,
        feed=np.ascontiguousarray(sample.feed[-1].T, float),
        diet=np.ascontiguousarray(sample.diet[-1].T, float),
        state=sample.state[-1].astype(int),
        mean_reaction=sample.mean_reaction[-1].astype(float),
        exposures=np.ascontiguousarray(sample.exposures.T),
        intentionality=sample.intentionality.astype(float),
    )


def measure(metrics: Mapping[str, Metric], snapshot: Snapshot) -> dict[str, FloatArray]:
    """Return each metric of each person, {name: float64 (n,)}; raise InputError naming one that is no such number.

    >>> people = Snapshot(1, np.eye(2), np.eye(2), np.zeros(2, int), np.ones(2), np.eye(2, dtype=int), np.zeros(2))
    >>> measure({"largest": lambda snapshot: snapshot.diet.max(axis=1)}, people)["largest"].tolist()
    [1.0, 1.0]
    """
    found = {}
    for name, metric in metrics.items():
        if not callable(metric):
            raise InputError(f"metrics: {name}: expected a function of a Snapshot, got {type(metric).__name__}")
        try:
            values = np.asarray(metric(snapshot), float)
        except Exception as error:
            raise ContractError(f"metrics: {name}: {type(error).__name__}: {error}") from None
        if values.shape != snapshot.state.shape or not np.isfinite(values).all():
            raise ContractError(
                f"metrics: {name}: expected a finite number for each of {len(snapshot.state):,} people, got an array "
                f"of shape {values.shape}"
            )
        found[name] = values
    return found


def mean_and_error(values: FloatArray) -> dict[str, float]:
    """Return the mean over people and its standard error; 0 for one person."""
    moments = Moments.of(values)
    n = len(values)
    return {"mean": moments.mean, "standard_error": float(np.sqrt(moments.squares / max(n - 1, 1) / n))}
