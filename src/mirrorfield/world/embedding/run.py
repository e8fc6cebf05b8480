"""The Python door of the embedding world: a run from its scenario, or from where it stopped."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import xarray as xr

from mirrorfield.errors import InputError, StoppedError, StoreError
from mirrorfield.seal import seal_text
from mirrorfield.store.consolidated import write_zarr
from mirrorfield.store.folder import REPORT, RESULT, SUMMARY, check_place, summary_text, write_folder
from mirrorfield.world.embedding.checkpoint import checkpoint_path, read_checkpoint, write_checkpoint
from mirrorfield.world.embedding.crowd import draw_crowd
from mirrorfield.world.embedding.dataset import to_dataset
from mirrorfield.world.embedding.figures import summarise
from mirrorfield.world.embedding.loop import World, spread_over
from mirrorfield.world.embedding.memory import check_memory
from mirrorfield.world.embedding.record import Record
from mirrorfield.world.embedding.scenario import EmbeddingScenario

SCENARIO = "embedding.toml"
CHECKPOINTS = 20


def is_embedding(folder: Path) -> bool:
    """Tell whether a folder was written by `EmbeddingRun.save`."""
    return (folder / SCENARIO).is_file() and (folder / SUMMARY).is_file()


def _never() -> bool:
    return False


@dataclass
class EmbeddingRun:
    """A finished run: `summary` (plain values), `dataset` (xarray), `save(folder)`."""

    world: World
    record: Record

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The figures at the last step, as in summary.json."""
        scenario = self.world.scenario
        return summarise(
            self.record,
            self.world.crowd.intentionality[self.record.people],
            tuple(category.name for category in scenario.categories),
            scenario.users,
            scenario.seed,
            scenario.first_user,
        )

    @cached_property
    def dataset(self) -> xr.Dataset:
        """The time series and the people measured, as in result.zarr."""
        return to_dataset(self.world, self.record)

    def save(self, folder: str | Path, report: str | None = None, overwrite: bool = False) -> None:
        """Write the result folder, with a page if one is given; raise InputError if it exists and may not go."""

        def fill(place: Path) -> None:
            (place / SCENARIO).write_text(seal_text(self.world.scenario.to_toml()), encoding="utf-8")
            (place / SUMMARY).write_text(summary_text(self.summary), encoding="utf-8")
            if report is not None:
                (place / REPORT).write_text(report, encoding="utf-8")
            write_zarr(self.dataset, place / RESULT)

        write_folder(Path(folder), fill, overwrite, is_embedding)
        checkpoint_path(Path(folder)).unlink(missing_ok=True)


def simulate(
    scenario: EmbeddingScenario | None = None,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    stopped: Callable[[], bool] = _never,
) -> EmbeddingRun:
    """Simulate a scenario of the embedding world and return the finished run.

    Parameters: scenario, default `EmbeddingScenario()`; threads, default one per processor; progress, called with the
    steps done so far; out, the folder that `save` will write, beside which a checkpoint is kept meanwhile; resume,
    continue from that checkpoint; overwrite, a run may stand in `out` already; stopped, looked at every step. The
    result depends on the scenario alone. Raises InputError for what cannot be simulated or continued, StoppedError once
    `stopped` is true, and StoreError if the disk refuses. Source: docs/embedding.md.

    >>> run = simulate(EmbeddingScenario(users=20, steps=2, items={"count": 40}))
    >>> run.summary["measured"], run.dataset["feed"].shape
    (20, (2, 20, 4))
    """
    scenario = scenario or EmbeddingScenario()
    if threads is not None and threads < 1:
        raise InputError(f"threads: expected 1 or more, got {threads}")
    check_memory(scenario)
    threads = threads or os.cpu_count() or 1
    place = None if out is None else checkpoint_path(Path(out))
    if out is not None:
        check_place(Path(out), overwrite, is_embedding)
    world, record = _opened(scenario, place, resume)
    every, rooms, start = max(1, scenario.steps // CHECKPOINTS), world.rooms(threads), draw_crowd(scenario).interest
    with spread_over(threads) as spread:
        while world.step < scenario.steps:
            if stopped():
                _keep(place, world, record)
                raise StoppedError(f"stopped after {world.step:,} of {scenario.steps:,} steps")
            world.advance(spread, rooms)
            record.take(world, start, spread)
            if world.step % every == 0 and world.step < scenario.steps:
                _keep(place, world, record)
            if progress:
                progress(world.step)
    return EmbeddingRun(world, record)


def _opened(scenario: EmbeddingScenario, place: Path | None, resume: bool) -> tuple[World, Record]:
    if resume and place is None:
        raise InputError("resume: expected the folder of the run in `out`")
    if place is not None and place.exists():
        if resume:
            return read_checkpoint(place, scenario)
        raise InputError(f"{place}: a run to this place was stopped; continue it with --resume, or delete that file")
    return World.start(scenario), Record.empty(scenario)


def _keep(place: Path | None, world: World, record: Record) -> None:
    if place is None:
        return
    try:
        write_checkpoint(place, world, record)
    except OSError as error:
        raise StoreError(f"{place}: cannot write it ({error.strerror or error}); the run has not gone on") from None
