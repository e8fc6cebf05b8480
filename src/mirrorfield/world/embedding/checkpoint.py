"""A run between two steps as one file that is whole or refused."""

import hashlib
import io
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from mirrorfield.errors import CorruptError, InputError
from mirrorfield.kernel.jit import source_hash
from mirrorfield.store.durable import write_durable
from mirrorfield.version import VERSION
from mirrorfield.world.embedding.loop import World
from mirrorfield.world.embedding.record import Record
from mirrorfield.world.embedding.scenario import EmbeddingScenario

MAGIC = b"mirrorfield embedding checkpoint 1\n"
MOVING = ("interest", "history", "arousal", "baseline", "baseline_lost", "seen", "words", "candidate_words")


def checkpoint_path(out: Path) -> Path:
    """Return where the checkpoint of the run that will end in `out` is: beside it."""
    return out.with_name(f"{out.name}.checkpoint")


def write_checkpoint(path: Path, world: World, record: Record) -> None:
    """Write a run to the disk, with a checksum; raise OSError if the disk refuses."""
    kept: dict[str, Any] = {f"crowd.{name}": getattr(world.crowd, name) for name in MOVING}
    kept |= {f"record.{part.name}": getattr(record, part.name) for part in fields(record)}
    kept |= {"tower": world.tower, "step": np.int64(world.step), "shown": world.shown}
    kept |= {"scenario": np.array(world.scenario.to_toml()), "code": np.array(_code())}
    buffer = io.BytesIO()
    np.savez(buffer, **kept)
    data = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durable(path, MAGIC + hashlib.sha256(data).hexdigest().encode() + b"\n" + data)


def read_checkpoint(path: Path, scenario: EmbeddingScenario) -> tuple[World, Record]:
    """Return the run in a checkpoint.

    Raises CorruptError naming the file if a byte of it is not what was written, and InputError if it is of another
    scenario or version.
    """
    data = path.read_bytes()
    head, body = data[: len(MAGIC) + 65], data[len(MAGIC) + 65 :]
    if head != MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n":
        raise CorruptError(f"{path}: corrupt checkpoint; delete it, and the run begins again")
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as file:
            kept = dict(file)
    except (BadZipFile, ValueError) as error:
        raise CorruptError(f"{path}: corrupt checkpoint ({error}); delete it, and the run begins again") from None
    if str(kept["code"]) != _code():
        raise InputError(f"{path}: written by another version of this package; delete it, and the run begins again")
    if str(kept["scenario"]) != scenario.to_toml():
        raise InputError(f"{path}: of another scenario; choose another --out, or delete it")
    world, record = World.start(scenario), Record.empty(scenario)
    for name in MOVING:
        getattr(world.crowd, name)[...] = kept[f"crowd.{name}"]
    for part in fields(record):
        getattr(record, part.name)[...] = kept[f"record.{part.name}"]
    world.tower[...], world.shown[...], world.step = kept["tower"], kept["shown"], int(kept["step"])
    return world, record


@cache
def _code() -> str:
    return f"{VERSION} {source_hash()}"
