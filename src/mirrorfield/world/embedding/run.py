"""A run of the embedding world from its scenario, or from where it stopped, to its last step."""

import os
from collections.abc import Callable
from pathlib import Path

from mirrorfield.errors import InputError, StoppedError, StoreError
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.world.embedding.checkpoint import read_checkpoint, write_checkpoint
from mirrorfield.world.embedding.crowd import draw_crowd
from mirrorfield.world.embedding.loop import World, spread_over
from mirrorfield.world.embedding.memory import check_memory
from mirrorfield.world.embedding.record import Record

CHECKPOINTS = 20


def _never() -> bool:
    return False


def run_world(
    scenario: EmbeddingScenario,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    place: Path | None = None,
    resume: bool = False,
    stopped: Callable[[], bool] = _never,
) -> tuple[World, Record]:
    """Run a scenario to its last step; the result depends on the scenario alone.

    Parameters: scenario; threads, default one per processor; progress, called with the people that the steps just done
    stand for; place, of the checkpoint, or None; resume, continue from that checkpoint if it is there; stopped, looked
    at every step. Raises InputError for what cannot be simulated or continued, StoppedError once `stopped` is true, and
    StoreError if the disk refuses. Source: docs/embedding.md.
    """
    if threads is not None and threads < 1:
        raise InputError(f"threads: expected 1 or more, got {threads}")
    check_memory(scenario)
    threads = threads or os.cpu_count() or 1
    world, record = _opened(scenario, place, resume)
    every, rooms, start = max(1, scenario.steps // CHECKPOINTS), world.rooms(threads), draw_crowd(scenario).interest
    told = world.step * scenario.users // scenario.steps
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
                told, before = world.step * scenario.users // scenario.steps, told
                progress(told - before)
    return world, record


def _opened(scenario: EmbeddingScenario, place: Path | None, resume: bool) -> tuple[World, Record]:
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
