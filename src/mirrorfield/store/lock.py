"""One process at a time works on a folder: a lock file beside it, held by the operating system, says who does.

The lock stands beside the folder, as `.NAME.lock`, so that it is there before the folder is and stays when the folder
is replaced. Who gets it looks whether the file at the path is still the one they hold: its last holder may have
removed it meanwhile.
"""

import errno
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_ident

from mirrorfield.errors import InputError, StoreError

PATIENCE, PAUSE = 0.3, 0.02  # seconds; a process that was killed keeps its lock for a moment
LONGEST_NAME = 200  # bytes; file systems take 255, and names beside the folder are longer than its own
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)

_mine: dict[Path, tuple[int, int]] = {}


def check_name(folder: Path) -> None:
    """Raise InputError unless a folder can have this name and be named in job.json and in a report."""
    text = str(folder)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{text!a}: expected a name in UTF-8; rename it, or choose another --out") from None
    if "\0" in text:
        raise InputError(f"{text!a}: expected a name without a zero byte; choose another --out")
    name = Path(os.path.realpath(folder)).name
    if not name:
        raise InputError(f"{folder}: expected a folder with a name; choose another --out")
    if len(name.encode()) > LONGEST_NAME:
        size = len(name.encode())
        raise InputError(f"{name[:20]}...: expected a name of {LONGEST_NAME} bytes or fewer, got {size}")


def lock_path(folder: Path) -> Path:
    """Return where the lock of a folder is: beside the folder itself, also if a link leads to it."""
    check_name(folder)
    place = Path(os.path.realpath(folder))
    return place.with_name(f".{place.name}.lock")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes and threads out of a folder, which need not exist; this thread may enter again.

    Raises InputError, with who holds it, if it is held, or if nothing can be written beside it.
    """
    path, me = lock_path(folder), (os.getpid(), get_ident())
    if _mine.get(path) == me:
        yield
        return
    missing = [place for place in (path.parent, *path.parent.parents) if not place.exists()]
    try:
        handle = _acquire(path, folder)
        _mine[path] = me
        try:
            yield
        finally:
            del _mine[path]
            _release(path, handle)
    finally:
        for place in missing:
            with suppress(OSError):  # what came to hold something stays
                place.rmdir()


def _acquire(path: Path, folder: Path) -> int:
    end, holder = time.monotonic() + PATIENCE, ""
    while True:
        try:
            handle = _open(path)
            if _try_lock(handle):
                if _is_at(path, handle):
                    _sign(handle)
                    return handle
            else:
                holder = _read(handle) or holder
            os.close(handle)
        except FileNotFoundError:  # another process has just removed the folder it had made for its lock
            pass
        except OSError as error:
            kind = StoreError if error.errno in FULL else InputError
            raise kind(f"{path.parent}: cannot write there ({error.strerror}); choose another --out") from None
        if time.monotonic() > end:
            raise InputError(
                f"{folder} is in use by {holder or 'another process'}; wait until that ends, or choose another --out"
            )
        time.sleep(PAUSE)


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 2**30, os.SEEK_SET)  # beyond what is written, which others may then read
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(handle))
    except FileNotFoundError:
        return False


def _read(handle: int) -> str:
    os.lseek(handle, 0, os.SEEK_SET)
    return os.read(handle, 300).decode(errors="replace").strip()


def _sign(handle: int) -> None:
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    with suppress(OSError):  # on a full disk the lock holds, and does not tell for whom
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()} since {since}\n".encode())


def _release(path: Path, handle: int) -> None:
    try:
        with suppress(OSError):  # Windows does not remove a file that is held
            if _is_at(path, handle):
                path.unlink()
    finally:
        os.close(handle)
