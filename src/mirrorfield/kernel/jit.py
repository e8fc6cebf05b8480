"""The one place that imports Numba.

`compiled` turns a function into machine code that runs without the GIL, in strict IEEE arithmetic (no reordering, no
fused multiply-add), so that every processor, thread count and vector width gives the same bits. `shared` lets
compiled code call the pure functions of `model` and `policy` without those layers knowing about Numba.

Compiled code is kept on disk in a folder named by a hash of every source that can reach the kernel: an edit in
another file can therefore never leave a stale kernel behind.
"""

import math
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
import platformdirs
from numba.extending import register_jitable

from mirrorfield.version import PACKAGE, hash_sources

LINE = 64
REACHING = ("maths.py", "streams.py", "arrays.py", "model", "policy", "kernel", "world/embedding")

Function = TypeVar("Function", bound=Callable[..., Any])


def source_hash(package: Path = PACKAGE) -> str:
    """Return a hash of every source file that can change what the kernel computes."""
    return hash_sources(REACHING, package, numba.__version__.encode())


@cache
def cache_folder() -> Path | None:
    """Return the writable folder for compiled code, or None where there is none (then nothing is kept)."""
    root = os.environ.get("MIRRORFIELD_CACHE_DIR") or platformdirs.user_cache_dir("mirrorfield", appauthor=False)
    folder = Path(root) / f"kernel-{source_hash()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


_known: set[Callable[..., Any]] = set()


def shared(*functions: Callable[..., Any]) -> None:
    """Let compiled code call these plain Python functions."""
    for function in functions:
        if function not in _known:
            _known.add(function)
            register_jitable(function)


def aligned(count: int, dtype: Any) -> Any:
    """Return an uninitialised array of four-byte numbers that starts on a cache line, as the widest vectors want it."""
    space = np.empty(count + LINE // 4, dtype)
    skip = -(space.ctypes.data // 4) % (LINE // 4)
    return space[skip : skip + count]


shared(aligned)


def aligned_array(*shape: int, dtype: Any = np.float32) -> Any:
    """Return `aligned` numbers in a shape."""
    return aligned(math.prod(shape), dtype).reshape(shape)


def compiled(function: Function) -> Function:
    """Compile a function on first use, and keep the machine code for the next process."""
    folder = cache_folder()
    previous = numba.config.CACHE_DIR
    try:
        numba.config.CACHE_DIR = str(folder or "")
        dispatcher: Function = numba.njit(nogil=True, error_model="numpy", cache=folder is not None)(function)
    finally:
        numba.config.CACHE_DIR = previous
    return dispatcher


def inlined(function: Function) -> Function:
    """Mark a function of a template whose body `specialise` writes wherever it is called."""
    return function
