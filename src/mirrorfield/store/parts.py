"""Part files: what one block of users left behind, with a checksum over every bit."""

import hashlib
import io
import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from mirrorfield.kernel import Totals, Trace
from mirrorfield.population.run import Part
from mirrorfield.reading import read_npz

MAGIC = b"mirrorfield part"
FORMAT = 2
NAMES = (
    "job",
    *(f"{kind}.{name}" for kind in ("totals", "momentary") for name in Totals._fields),
    *(f"sample.{name}" for name in Trace._fields),
)
_HEADER = struct.Struct("<16sIQ32s")
_NAME = re.compile(r"(\d{10,})-(\d+)\.part")


class BadPart(ValueError):
    """A part file that cannot be used; the message says why, without the name of the file."""


def part_name(first_user: int, users: int) -> str:
    """Return the file name of a part.

    >>> part_name(4096, 2048)
    '0000004096-2048.part'
    """
    return f"{first_user:010d}-{users}.part"


def part_block(path: Path) -> tuple[int, int] | None:
    """Return (first user, users) of a part file by its name, or None for another file."""
    match = _NAME.fullmatch(path.name)
    return (int(match[1]), int(match[2])) if match else None


def _digest(head: bytes, payload: bytes) -> bytes:
    return hashlib.sha256(head + payload).digest()


def encode_part(part: Part, identity: str, chunks: dict[str, str] | None = None) -> bytes:
    """Return the bytes of a part file.

    Parameters: part (its table of all users is not included); identity of the job; chunks, checksums of the files that
    hold the part's rows of the table of all users, by path. Returns a header (magic, format, length, SHA-256) and
    the arrays as .npz.
    """
    arrays: dict[str, Any] = {f"totals.{name}": array for name, array in part.totals._asdict().items()}
    arrays |= {f"momentary.{name}": array for name, array in part.momentary._asdict().items()}
    arrays |= {f"sample.{name}": array for name, array in part.sample._asdict().items()}
    arrays["job"] = np.array(json.dumps([identity, part.first_user, part.users, chunks or {}]))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    payload = buffer.getvalue()
    bare = _HEADER.pack(MAGIC, FORMAT, len(payload), bytes(32))
    return _HEADER.pack(MAGIC, FORMAT, len(payload), _digest(bare, payload)) + payload


def decode_part(data: bytes, identity: str, block: tuple[int, int]) -> tuple[Part, dict[str, str]]:
    """Return the part in a file's bytes and its chunks' checksums; raise BadPart unless every bit is as it was written.

    Parameters: data; identity of the job; block, (first user, users) that the part must be about.
    """
    payload = _checked_payload(data)
    try:
        arrays = read_npz(payload, NAMES)
        written, *place, chunks = json.loads(str(arrays["job"]))
        if (written, tuple(place)) != (identity, block):
            raise BadPart("it belongs to another run")
        if not isinstance(chunks, dict):
            raise BadPart("it has no table of checksums")
        totals = Totals(**{name: arrays[f"totals.{name}"] for name in Totals._fields})
        momentary = Totals(**{name: arrays[f"momentary.{name}"] for name in Totals._fields})
        sample = Trace(**{name: arrays[f"sample.{name}"] for name in Trace._fields})
    except BadPart:
        raise
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BadPart(f"it does not hold what a part holds ({error})") from None
    return Part(*block, totals, momentary, sample), chunks


def _checked_payload(data: bytes) -> bytes:
    if len(data) < _HEADER.size:
        raise BadPart(f"truncated: expected a header of {_HEADER.size} bytes, got {len(data)} bytes")
    magic, format_, length, digest = _HEADER.unpack_from(data)
    payload = data[_HEADER.size :]
    if magic != MAGIC:
        raise BadPart("it does not begin as a part file does")
    if format_ != FORMAT:
        raise BadPart(f"expected part format {FORMAT}, got {format_}")
    if length != len(payload):
        raise BadPart(f"truncated: expected {length:,} bytes after the header, got {len(payload):,}")
    if digest != _digest(_HEADER.pack(magic, format_, length, bytes(32)), payload):
        raise BadPart("its checksum is wrong: bits have changed since it was written")
    return payload
