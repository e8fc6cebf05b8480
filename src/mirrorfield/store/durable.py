"""Files that are on the disk, whole, once the call returns."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mirrorfield.errors import StoreError


def write_durable(path: Path, data: bytes) -> None:
    """Write a file under another name, have the disk confirm it, and move it to its place; raise OSError."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from None


def sync_folder(folder: Path) -> None:
    """Have the disk confirm the names in a folder, where the system can (Windows cannot)."""
    if os.name != "nt":
        sync_file(folder)


def sync_file(path: Path) -> None:
    """Have the disk confirm the content of a file that was written and closed."""
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Have the disk confirm everything in a folder."""
    for place, _, files in os.walk(folder):
        for name in files:
            sync_file(Path(place) / name)
        sync_folder(Path(place))


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn an OSError while writing the job in `folder` into a StoreError that says how to go on."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{error.filename or folder}: cannot write it ({error.strerror or error}); nothing that was saved is lost: "
            f"put that right, then continue with `mirrorfield resume {folder}`"
        ) from None
