"""Sweeps: a scenario at many settings, as one dataset. The Python door: `mirrorfield.sweep`."""

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from mirrorfield.api import simulate
from mirrorfield.arrays import FloatArray
from mirrorfield.contract import Observe
from mirrorfield.engine.own import digest
from mirrorfield.errors import CorruptError, InputError, check_known
from mirrorfield.metrics.summary import figure_names, population_figures
from mirrorfield.population.base import Frozen, one_line
from mirrorfield.population.scenario import read_toml
from mirrorfield.population.settings import changed, with_number
from mirrorfield.population.worlds import AnyScenario, load_scenario
from mirrorfield.reading import parse_json, read_bytes
from mirrorfield.result import Run
from mirrorfield.seal import SUMS, digests, sha256, sums_bytes
from mirrorfield.store.consolidated import write_zarr
from mirrorfield.store.durable import disk_errors, write_durable
from mirrorfield.store.lock import locked
from mirrorfield.study.design import Axis, design_of
from mirrorfield.version import VERSION

MAX_POINTS = 100_000
RESULT, POINTS, SPEC = "sweep.zarr", "points", "sweep.json"
DRAWN = ("population.intentionality", "population.susceptibility", "population.segments")


class Sweep(Frozen):
    """What to sweep: a scenario, settings of all its points, settings to vary, and the design of the points.

    `grid` takes all combinations of the values; `latin-hypercube` spreads `samples` points over the ranges; `sobol`
    takes samples x (D + 2) points of Saltelli's design over D ranges and adds first- and total-order indices.
    """

    scenario: str = "default"
    method: Literal["grid", "latin-hypercube", "sobol"] = "grid"
    samples: Annotated[int, Field(ge=1, le=1_000_000)] = 64
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    metrics: tuple[str, ...] = ()
    set: dict[str, Any] = Field(default={})
    over: Annotated[dict[str, Axis], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _axes_fit(self) -> "Sweep":
        for path, axis in self.over.items():
            if self.method == "grid" and axis.values is None:
                raise ValueError(f"over.{path}: expected values = [...] for a grid, got a range")
            if self.method != "grid" and axis.values is not None:
                raise ValueError(f"over.{path}: expected low and high for {self.method}, got values")
        if self.points > MAX_POINTS:
            raise ValueError(
                f"expected at most {MAX_POINTS:,} points, got {self.points:,}; use fewer values or samples"
            )
        if self.method == "sobol" and self.samples & (self.samples - 1):
            raise ValueError(f"samples: expected a power of 2 for sobol, got {self.samples}")
        return self

    @property
    def points(self) -> int:
        """The number of points of the design, known before any is made."""
        if self.method == "grid":
            return math.prod(len(axis.values or ()) for axis in self.over.values())
        return self.samples * (len(self.over) + 2) if self.method == "sobol" else self.samples

    @classmethod
    def load(cls, file: str | Path) -> "Sweep":
        """Return the sweep in a TOML file; raise InputError in one line for anything that cannot be swept."""
        path = Path(file)
        if not path.is_file():
            raise InputError(f'sweep: expected a TOML file, got "{file}", which is not there')
        try:
            return cls(**read_toml(path))
        except ValidationError as error:
            raise InputError(f"{file}: {one_line(error, cls)}") from None

    def base(self) -> AnyScenario:
        """Return the scenario of all points, before anything varies."""
        return changed(load_scenario(self.scenario), self.set)


def sweep(
    spec: Sweep,
    out: str | Path,
    *,
    threads: int | None = None,
    dask: str | None = None,
    recommender: Any = None,
    people: Any = None,
    observe: Observe = "history",
    progress: Callable[[int, int], None] | None = None,
) -> Any:
    """Run a scenario at every point of a design, and return the population's figures as one dataset.

    All points have one seed, so that they are the same users with the same luck. A point is safe on the disk once it
    has run: the same call on the same folder goes on after an interruption, to the same bytes.

    Parameters: spec; out, a folder, new or of the same sweep; threads, dask, recommender, people and observe as in
    `simulate`; progress, called with the points done and all of them. Returns an xarray Dataset, also in
    out/sweep.zarr: a variable for every metric, over the settings (grid) or over points; with method "sobol" also
    first_order and total_order with their intervals. Raises InputError for what cannot be swept and for a folder of
    another sweep, StoreError if the disk refuses. Source: docs/sweep.md; indices by Saltelli et al. (2010),
    https://doi.org/10.1016/j.cpc.2009.09.018, as SALib computes them.
    """
    folder, base = Path(out), spec.base()
    drawn = [path for path in spec.over if path.startswith(DRAWN)]
    if drawn and base.population.file:
        raise InputError(f"sweep: {drawn[0]}: expected no population.file beside it, whose people have their own")
    places = design_of(spec.method, spec.over, spec.samples, spec.seed)
    scenarios = [_at(base, spec, place) for place in places]
    for metric in spec.metrics:
        check_known(metric, figure_names(category.name for category in base.categories), "sweep: unknown metric")
    own = digest(recommender, people, observe) if recommender is not None or people is not None else ""
    run = partial(simulate, threads=threads, dask=dask, recommender=recommender, people=people, observe=observe)
    with locked(folder):
        _claim(folder, spec, base, own)
        found, files = [], [f"{POINTS}/{i:06d}.json" for i in range(len(scenarios))]
        for i, scenario in enumerate(scenarios):
            found.append(_point(folder / files[i], scenario, spec.metrics, run))
            if progress:
                progress(i + 1, len(scenarios))
        from mirrorfield.study.answer import dataset_of

        dataset = dataset_of(spec, base, places, found)
        with disk_errors(folder):
            write_zarr(dataset, folder / RESULT, "w")
            write_durable(folder / SUMS, sums_bytes(digests(folder, [SPEC, *files, RESULT])))
    return dataset


def _at(base: AnyScenario, spec: Sweep, place: FloatArray) -> AnyScenario:
    for path, value in zip(spec.over, place, strict=True):
        base = with_number(base, path, int(value) if spec.over[path].integer else float(value))
    return base


def _claim(folder: Path, spec: Sweep, base: AnyScenario, own: str) -> None:
    """Make the folder this sweep's, or check that it is."""
    told = {"version": VERSION, "sweep": spec.model_dump(mode="json"), "scenario": base.to_toml(), "own": own}
    data = json.dumps(told, indent=1, sort_keys=True).encode()
    file = folder / SPEC
    if file.exists():
        if read_bytes(file) != data:
            raise InputError(
                f"{folder}: holds another sweep, one of another version, or a {SPEC} that has changed; "
                "use another folder"
            )
        return
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: expected a new folder or one of this sweep, got one with other files")
    with disk_errors(folder):
        (folder / POINTS).mkdir(parents=True, exist_ok=True)
        write_durable(file, data)


def _point(
    file: Path, scenario: AnyScenario, metrics: tuple[str, ...], run: Callable[[AnyScenario], Run]
) -> dict[str, float]:
    identity = sha256(scenario.to_toml().encode())
    if file.exists():
        data = read_bytes(file)
        try:
            told = parse_json(data.decode(), file)
            figures = {str(name): float(value) for name, value in told["figures"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            figures = {}
        if data != _point_bytes(identity, figures):
            raise CorruptError(f"{file}: is not a point of this sweep, or has changed; delete it to run it again")
        return figures
    figures = population_figures(run(scenario).summary)
    for metric in metrics:
        check_known(metric, figures, "sweep: unknown metric")
    kept = {name: float(figures[name]) for name in metrics or figures}
    with disk_errors(file.parent.parent):
        write_durable(file, _point_bytes(identity, kept))
    return kept


def _point_bytes(identity: str, figures: dict[str, float]) -> bytes:
    told = {"scenario": identity, "figures": figures}
    return json.dumps({"checksum": sha256(json.dumps(told).encode()), **told}).encode()
