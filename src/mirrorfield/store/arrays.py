"""Arrays in Zarr folders that somebody else may have written: looked through as JSON before zarr opens anything."""

import math
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numcodecs.zstd import Zstd
from numpy.typing import NDArray

from mirrorfield.errors import CorruptError, InputError
from mirrorfield.reading import MAX_BYTES, parse_json, read_bytes, read_text, reason_of

METADATA = "zarr.json"
NUMBERS = {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)} | {"float32", "float64"}
TEXT = "string"
PIPELINES = {False: (["bytes"], ["bytes", "zstd"]), True: (["vlen-utf8"], ["vlen-utf8", "zstd"])}
ENCODED = ("scale_factor", "add_offset", "calendar", "dtype")
"""Attributes by which other programs say that a number stands for another one, or for a date."""
MAX_CHUNKS, MOST_TEXT = 2**16, 2**20
_FRAME = bytes.fromhex("28b52ffd")


def read_zarr(folder: Path, dims: tuple[str, ...], text: bool = False) -> NDArray[Any]:
    """Return an array of numbers, or of text, in a folder of Zarr format 3.

    Only what `mirrorfield fit` writes is taken: one of four chains of codecs, none of which can run code, a regular
    grid of chunks, no second encoding by attributes. What a chunk unpacks to is read from its head before it is
    unpacked.

    Parameters: folder; dims, the names that its dimensions must have; text, whether it must hold text instead of
    numbers. Returns an array of as many dimensions. Raises CorruptError, in one line that names the folder.
    """
    try:
        shape, chunk, size, codecs = _described(folder, dims, text)
        for file in _chunks(folder, shape, chunk):
            _check_chunk(file, math.prod(chunk), size, text, codecs)
        return np.asarray(zarr.open_array(folder, mode="r", zarr_format=3)[...])
    except InputError as error:
        raise CorruptError(f"{folder}: {error}") from None
    except Exception as error:  # whatever foreign bytes provoke in a parser
        raise CorruptError(f"{folder}: corrupt: {reason_of(error)}") from None


def check_group(folder: Path) -> None:
    """Raise CorruptError unless a folder is a group of Zarr format 3, whose arrays have only the codecs known here."""
    try:
        _metadata(folder, "group")
        for array in sorted(path.parent for path in folder.glob(f"*/{METADATA}")):
            codecs = _codecs(_metadata(array, "array"))
            if not any(codecs in chains for chains in PIPELINES.values()):
                raise InputError(f"{array.name}: expected codecs of result folders, got {' + '.join(codecs)[:80]}")
    except InputError as error:
        raise CorruptError(f"{folder}: {error}") from None


def _metadata(folder: Path, kind: str) -> dict[str, Any]:
    told = parse_json(read_text(folder / METADATA), METADATA)
    if not isinstance(told, dict) or told.get("zarr_format") != 3 or told.get("node_type") != kind:
        raise InputError(f"expected {'a group' if kind == 'group' else 'an array'} of Zarr format 3")
    return told


def _codecs(told: dict[str, Any]) -> list[str]:
    codecs = told.get("codecs")
    if not isinstance(codecs, list) or told.get("storage_transformers"):
        raise InputError("expected a list of codecs, and no storage transformers")
    return [str(codec.get("name")) if isinstance(codec, dict) else str(codec) for codec in codecs]


def _described(folder: Path, dims: tuple[str, ...], text: bool) -> tuple[list[int], list[int], int, list[str]]:
    """Return shape, shape of a chunk, bytes of a number (0: text) and codecs, as metadata tell, checked."""
    told = _metadata(folder, "array")
    if told.get("dimension_names") != list(dims):
        raise InputError(f"expected the dimensions {', '.join(dims)}, got {str(told.get('dimension_names'))[:80]}")
    kind, wanted = told.get("data_type"), "text" if text else "numbers (int8 to uint64, float32, float64)"
    if not isinstance(kind, str) or kind not in ({TEXT} if text else NUMBERS):
        raise InputError(f"expected {wanted}, got {str(kind)[:80]}")
    attributes = told.get("attributes") or {}
    encoded = [name for name in ENCODED if name in attributes]
    if encoded or " since " in str(attributes.get("units")):
        raise InputError(f"expected {wanted} as they are, got an encoding by {(encoded or ['units'])[0]}")
    size = 0 if text else np.dtype(kind).itemsize
    codecs = _codecs(told)
    if codecs not in PIPELINES[text]:
        known = " or ".join(" + ".join(chain) for chain in PIPELINES[text])
        raise InputError(f"expected the codecs {known}, got {' + '.join(codecs)[:80]}")
    return *_grid(told, len(dims), size), size, codecs


def _grid(told: dict[str, Any], dimensions: int, size: int) -> tuple[list[int], list[int]]:
    shape, grid, keys = told["shape"], told["chunk_grid"], told["chunk_key_encoding"]
    chunk = grid["configuration"]["chunk_shape"] if grid["name"] == "regular" else None
    separator = (keys.get("configuration") or {}).get("separator", "/")
    if chunk is None or (keys["name"], separator) != ("default", "/"):
        raise InputError("expected a regular grid of chunks, in folders")
    for numbers in (shape, chunk):
        if len(numbers) != dimensions or not all(type(n) is int and n > 0 for n in numbers):
            raise InputError(f"expected {dimensions} lengths above 0, got {str(numbers)[:80]}")
    item = max(size, 8) if size else MOST_TEXT
    if math.prod(shape) * item > MAX_BYTES or math.prod(chunk) * item > MAX_BYTES:
        raise InputError(f"expected at most {MAX_BYTES:,} bytes, got shape {str(shape)[:80]}")
    if math.prod(-(-n // c) for n, c in zip(shape, chunk, strict=True)) > MAX_CHUNKS:
        raise InputError(f"expected at most {MAX_CHUNKS:,} chunks, got chunks of {str(chunk)[:80]}")
    return shape, chunk


def _chunks(folder: Path, shape: list[int], chunk: list[int]) -> Iterator[Path]:
    for place in product(*(range(-(-n // c)) for n, c in zip(shape, chunk, strict=True))):
        file = folder.joinpath("c", *map(str, place))
        if file.exists():
            yield file


def _check_chunk(file: Path, items: int, size: int, text: bool, codecs: list[str]) -> None:
    """Raise InputError unless a chunk unpacks to what its array announces: numbers exactly, text up to a bound."""
    room = MOST_TEXT if text else items * size
    data = read_bytes(file, room + room // 128 + 1024)
    unpacked = frame_size(data) if "zstd" in codecs else len(data)
    if unpacked is None or not (unpacked <= room if text else unpacked == room):
        raise InputError(f"{file.name}: expected a chunk of {room:,} bytes, got {unpacked}")
    if text:
        plain = Zstd().decode(data) if "zstd" in codecs else data
        if int.from_bytes(plain[:4], "little") != items:
            raise InputError(f"{file.name}: expected a chunk of {items:,} texts")


def frame_size(data: bytes) -> int | None:
    """Return what the head of a Zstandard frame says that it unpacks to, in bytes, or None where it says nothing.

    Source: RFC 8878, section 3.1.1.1, https://www.rfc-editor.org/rfc/rfc8878.

    >>> frame_size(bytes(Zstd().encode(bytes(1000))))
    1000
    """
    if data[:4] != _FRAME or len(data) < 6:
        return None
    single, code = data[4] >> 5 & 1, data[4] >> 6
    start = 5 + (1 - single) + (0, 1, 2, 4)[data[4] & 3]
    length = (single, 2, 4, 8)[code]
    if not length or len(data) < start + length:
        return None
    return int.from_bytes(data[start : start + length], "little") + (256 if length == 2 else 0)
