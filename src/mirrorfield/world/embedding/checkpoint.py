"""A run between two steps as one file that is whole or refused."""

import hashlib
import io
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.errors import CorruptError, InputError, MirrorfieldError
from mirrorfield.kernel.jit import source_hash
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.reading import MAX_BYTES, MAX_TEXT, read_bytes, read_npz
from mirrorfield.store.durable import write_durable
from mirrorfield.version import VERSION
from mirrorfield.world.embedding.loop import World
from mirrorfield.world.embedding.record import Record

MAGIC = b"mirrorfield embedding checkpoint 1\n"
MOVING = ("interest", "history", "arousal", "baseline", "baseline_lost", "seen", "words", "candidate_words")
FIXED = ("record.steps", "record.people")


def checkpoint_path(out: Path) -> Path:
    """Return where the checkpoint of the run that will end in `out` is: beside it."""
    return out.with_name(f"{out.name}.checkpoint")


def write_checkpoint(path: Path, world: World, record: Record) -> None:
    """Write a run to the disk, with a checksum; raise OSError if the disk refuses."""
    kept: dict[str, Any] = _arrays(world, record) | {"step": np.int64(world.step)}
    kept |= {"scenario": np.array(world.scenario.to_toml()), "code": np.array(_code())}
    buffer = io.BytesIO()
    np.savez(buffer, **kept)
    data = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durable(path, MAGIC + hashlib.sha256(data).hexdigest().encode() + b"\n" + data)


def read_checkpoint(path: Path, scenario: EmbeddingScenario) -> tuple[World, Record]:
    """Return the run in a checkpoint.

    Raises CorruptError naming the file if a byte of it is not what was written, or if it holds what this run cannot
    have left behind, and InputError if it is of another scenario or version.
    """
    world, record = World.start(scenario), Record.empty(scenario)
    arrays = _arrays(world, record)
    most = sum(array.nbytes for array in arrays.values()) + MAX_TEXT
    body = _body(path, most)
    try:
        kept = read_npz(body, (*arrays, "step", "scenario", "code"), most)
        code, written = str(kept["code"]), str(kept["scenario"])
        if code == _code() and written == scenario.to_toml():
            world.step = _take(kept, arrays, scenario)
    except (KeyError, ValueError) as error:
        raise CorruptError(f"{path}: corrupt checkpoint ({error}); delete it, and the run begins again") from None
    if code != _code():
        raise InputError(f"{path}: written by another version of this package; delete it, and the run begins again")
    if written != scenario.to_toml():
        raise InputError(f"{path}: of another scenario; choose another --out, or delete it")
    return world, record


def _body(path: Path, most: int) -> bytes:
    data = read_bytes(path, most)
    head, body = data[: len(MAGIC) + 65], data[len(MAGIC) + 65 :]
    if head != MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n":
        raise CorruptError(f"{path}: corrupt checkpoint; delete it, and the run begins again")
    return body


def checkpoint_scenario(path: Path) -> EmbeddingScenario:
    """Return the scenario of the run in a checkpoint; raise as `read_checkpoint` does."""
    try:
        text = str(read_npz(_body(path, MAX_BYTES), ("scenario",), 8 * MAX_TEXT)["scenario"])
    except (KeyError, ValueError) as error:
        if isinstance(error, MirrorfieldError):
            raise
        raise CorruptError(f"{path}: corrupt checkpoint ({error}); delete it, and the run begins again") from None
    return EmbeddingScenario.from_toml(text, str(path))


def _arrays(world: World, record: Record) -> dict[str, NDArray[Any]]:
    """Return the arrays that change as a run goes on, and those that say of which steps and people the record is."""
    arrays = {f"crowd.{name}": getattr(world.crowd, name) for name in MOVING}
    arrays |= {f"record.{part.name}": getattr(record, part.name) for part in fields(record)}
    return arrays | {"tower": world.tower, "shown": world.shown}


def _take(kept: dict[str, NDArray[Any]], arrays: dict[str, NDArray[Any]], scenario: EmbeddingScenario) -> int:
    """Copy what was kept into a run's arrays and return its step; raise ValueError for what cannot be of that run."""
    step = kept["step"]
    if step.shape or step.dtype != np.int64 or not 0 <= step <= scenario.steps:
        raise ValueError(f"step: expected a number from 0 to {scenario.steps}")
    most = {"crowd.arousal": 1, "crowd.seen": int(step) * scenario.policy.slate, "shown": scenario.items.count - 1}
    for name, array in arrays.items():
        found = kept[name]
        if (found.shape, found.dtype) != (array.shape, array.dtype):
            raise ValueError(f"{name}: expected {array.dtype} of shape {array.shape}, got {found.dtype} {found.shape}")
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            raise ValueError(f"{name}: expected finite numbers")
        if name in most and not ((found >= 0) & (found <= most[name])).all():
            raise ValueError(f"{name}: expected numbers from 0 to {most[name]}")
        if name in FIXED and not np.array_equal(found, array):
            raise ValueError(f"{name}: expected those of the scenario")
        array[...] = found
    return int(step)


@cache
def _code() -> str:
    return f"{VERSION} {source_hash()}"
