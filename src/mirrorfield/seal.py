"""Seals: what a folder or a file says of its own bytes, so that a changed bit is named and never read.

A folder has a list of SHA-256 digests in the format of coreutils. A single file has its digest in its first line (TOML)
or behind its last byte (.npz, .npy), where readers of these formats do not look.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from mirrorfield.errors import CorruptError

SUMS = "SHA256SUMS"
_LIST = "# mirrorfield: SHA-256 of the lines below: "
_HEAD = "# mirrorfield: SHA-256 of what follows: "
_TAIL = b"\nmirrorfield: SHA-256 of what precedes: "
_ESCAPED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_PLAIN = {"n": "\n", "r": "\r"}
_PUT_BACK = "put back a copy, or make it anew"


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file, read piece by piece; raise OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(folder: Path, names: Iterable[str], known: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the SHA-256 of each of these files, and of every file in those that are folders, by path in `folder`.

    Parameters: folder; names of files and folders in it; known, digests that need no reading. Raises OSError.
    """
    known, found = known or {}, {}
    for name in names:
        place = folder / name
        for file in place.rglob("*") if place.is_dir() else [place]:
            if file.is_file():
                path = file.relative_to(folder).as_posix()
                found[path] = known[path] if path in known else sha256_file(file)
    return found


def sums_bytes(listed: Mapping[str, str]) -> bytes:
    """Return the content of SHA256SUMS: a comment with the digest of the list, then the list, sorted by path.

    >>> print(sums_bytes({"a": 64 * "0"}).decode().splitlines()[1][60:])
    0000  a
    """
    body = "".join(_line(path, digest) for path, digest in sorted(listed.items()))
    return f"{_LIST}{sha256(body.encode())}\n{body}".encode()


def _line(path: str, digest: str) -> str:
    escaped = "".join(_ESCAPED.get(c, c) for c in path)
    return f"{chr(92) if escaped != path else ''}{digest}  {escaped}\n"


def read_sums(folder: Path) -> dict[str, str] | None:
    """Return the digests that a folder lists, by path; None without a list; raise CorruptError for a changed one."""
    file = folder / SUMS
    if not file.exists():
        return None
    head, _, body = _read(file).partition(b"\n")
    if head != (_LIST + sha256(body)).encode():
        raise CorruptError(
            f"{file}: corrupt: it has changed since it was written, so nothing tells whether the other files have; "
            f"{_PUT_BACK}"
        )
    found = {}
    for line in body.decode().split("\n")[:-1]:
        digest, _, path = line.removeprefix("\\").partition("  ")
        found[re.sub(r"\\(.)", lambda m: _PLAIN.get(m[1], m[1]), path) if line[0] == "\\" else path] = digest
    return found


def read_sealed(folder: Path, name: str) -> bytes:
    """Return the bytes of a file in a folder; raise CorruptError unless they are those that the folder's list names.

    Without a list in the folder they are returned as they are.
    """
    listed, data = read_sums(folder), _read(folder / name)
    if listed is not None and listed.get(name) != sha256(data):
        raise _changed(folder / name)
    return data


def check_files(folder: Path, listed: Mapping[str, str], paths: Iterable[str]) -> None:
    """Raise CorruptError, naming the file, unless each of these files has the digest that is listed."""
    for path in paths:
        try:
            found = sha256_file(folder / path)
        except OSError as error:
            raise CorruptError(f"{folder / path}: cannot be read ({error.strerror}); {_PUT_BACK}") from None
        if found != listed.get(path):
            raise _changed(folder / path)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CorruptError(f"{file}: cannot be read ({error.strerror}); {_PUT_BACK}") from None


def _changed(file: Path) -> CorruptError:
    return CorruptError(f"{file}: corrupt: it has changed since it was written ({SUMS} tells); {_PUT_BACK}")


def seal_text(text: str) -> str:
    """Return a TOML text behind a comment with its SHA-256.

    >>> check_text(seal_text("users = 3"), "x.toml")
    """
    return f"{_HEAD}{sha256(text.encode())}\n{text}"


def check_text(text: str, source: str) -> None:
    """Raise CorruptError if a text begins with a digest that is not that of the rest; any other text is let through."""
    head, _, body = text.partition("\n")
    if head.startswith(_HEAD) and head != _HEAD + sha256(body.encode()):
        raise CorruptError(
            f"{source}: it has changed since it was written: its first line has the SHA-256 of the rest; put back a "
            "copy, or, if you changed it, delete that line"
        )


def seal_bytes(data: bytes) -> bytes:
    """Return the bytes of a .npy file with their SHA-256 behind them, where its readers do not look.

    >>> check_bytes(seal_bytes(b"abc"), "x.npy")
    """
    return data + _TAIL + sha256(data).encode()


def seal_zip(data: bytes) -> bytes:
    """Return the bytes of a .npz file without a comment, with their SHA-256 as its comment."""
    return seal_bytes(data[:-2] + (len(_TAIL) + 64).to_bytes(2, "little"))


def unsealed(data: bytes, source: str) -> bytes:
    """Return bytes without the digest at their end; raise CorruptError if it is not that of the rest.

    >>> unsealed(seal_bytes(b"abc"), "x.npy"), unsealed(b"abc", "x.npy")
    (b'abc', b'abc')
    """
    check_bytes(data, source)
    return data[: -len(_TAIL) - 64] if data[-len(_TAIL) - 64 : -64] == _TAIL else data


def check_bytes(data: bytes, source: str) -> None:
    """Raise CorruptError if bytes end with a digest that is not that of the rest; any others are let through."""
    body, tail, digest = data[: -len(_TAIL) - 64], data[-len(_TAIL) - 64 : -64], data[-64:]
    if tail == _TAIL and digest != sha256(body).encode():
        raise CorruptError(f"{source}: corrupt: it has changed since it was written; {_PUT_BACK}")
