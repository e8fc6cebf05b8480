"""Files that somebody else may have written: of bounded size, plain data, and one line for what is wrong with them."""

import io
import json
import math
import stat
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.errors import CorruptError, InputError
from mirrorfield.seal import unsealed

MAX_BYTES = 2**31
"""The most that one array file may hold once it is unpacked, in bytes."""
MAX_TEXT = 2**24
"""The most that a text file which is read whole may hold, in bytes."""
MAX_DEPTH = 64
_LONGEST = 200


def reason_of(error: BaseException) -> str:
    """Return the first line of an error, at most 200 characters, or its name where it says nothing.

    >>> reason_of(KeyError())
    'KeyError'
    """
    if isinstance(error, RecursionError):
        return "nested too deep"
    lines = str(error).splitlines()
    return lines[0][:_LONGEST] if lines and lines[0].strip() else type(error).__name__


def read_bytes(path: Path, most: int = MAX_BYTES) -> bytes:
    """Return what a regular file holds; raise InputError where it cannot be read or has more than `most` bytes."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{path} cannot be read: it is not a file.")
        if found.st_size > most:
            raise InputError(f"{path} cannot be read: expected at most {most:,} bytes, got {found.st_size:,}.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)!r} cannot be read: {reason_of(error)}.") from None


def read_text(path: Path, most: int = MAX_TEXT) -> str:
    """Return the text in a UTF-8 file; raise InputError as `read_bytes` does, and for other bytes."""
    try:
        return read_bytes(path, most).decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: expected a UTF-8 text file") from None


def parse_json(text: str, source: Path | str) -> Any:
    """Return the values in a JSON text; raise CorruptError for anything else, NaN and half surrogates included.

    >>> parse_json('{"users": 3}', "summary.json")
    {'users': 3}
    """
    try:
        values = json.loads(text, parse_constant=_no_number)
        check_depth(values)
        if "\\ud" in text.lower():
            json.dumps(values, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"{source}: not valid JSON: {reason_of(error)}") from None
    return values


def check_depth(values: Any) -> None:
    """Raise RecursionError for lists and tables more than 64 inside one another, which nothing here writes."""
    level, depth = [values], 0
    while level:
        if depth > MAX_DEPTH:
            raise RecursionError
        level = [
            inner
            for part in level
            if isinstance(part, dict | list)
            for inner in (part.values() if isinstance(part, dict) else part)
        ]
        depth += 1


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def read_npy(path: Path) -> NDArray[Any]:
    """Return the array in a .npy file; raise InputError or CorruptError naming the file. Objects are never made."""
    data = unsealed(read_bytes(path), str(path))
    try:
        return _array(io.BytesIO(data), len(data))
    except Exception as error:  # whatever foreign bytes provoke in a parser
        raise CorruptError(f"{path}: cannot be read as a NumPy array ({reason_of(error)})") from None


def read_npz(data: bytes, wanted: Sequence[str], most: int = MAX_BYTES) -> dict[str, NDArray[Any]]:
    """Return those of the wanted arrays that the bytes of a .npz file hold; raise ValueError for other bytes.

    Together they have `most` bytes or fewer, unpacked. The size that every entry announces is held against its header
    before anything is unpacked. Objects are never made.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            there = {info.filename: info for info in file.infolist()}
            infos = {name: there[f"{name}.npy"] for name in wanted if f"{name}.npy" in there}
            _check_entries(list(infos.values()), most)
            arrays = {}
            for name, info in infos.items():
                with file.open(info) as entry:
                    arrays[name] = _array(entry, info.file_size)
            return arrays
    except Exception as error:  # whatever foreign bytes provoke in a parser
        raise ValueError(reason_of(error)) from None


def _check_entries(infos: Sequence[zipfile.ZipInfo], most: int) -> None:
    size = sum(info.file_size for info in infos)
    if size > most:
        raise ValueError(f"expected at most {most:,} bytes, unpacked, got {size:,}")
    if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos):
        raise ValueError("expected entries that are stored or deflated")


def _array(file: IO[bytes], size: int) -> NDArray[Any]:
    """Return the array in a stream of `size` bytes in .npy format, whose header must announce just what follows."""
    parse = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        version = np.lib.format.read_magic(file)
        if version not in parse:
            raise ValueError(f"expected .npy format 1.0 or 2.0, got {version}")
        shape, fortran, dtype = parse[version](file)
    expected, left = math.prod(shape) * dtype.itemsize, size - file.tell()
    if dtype.kind not in "biufcU" or not dtype.itemsize:
        raise ValueError(f"expected numbers or text, got {dtype}")
    if min(shape, default=0) < 0 or expected != left:
        raise ValueError(f"the header announces {dtype} of shape {shape}, {left:,} bytes follow")
    values = np.frombuffer(bytearray(file.read(left)), dtype)
    return values.reshape(shape, order="F" if fortran else "C")
