"""The version of the installed package, and what of its sources decides a result."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

VERSION = version("mirrorfield")

PACKAGE = Path(__file__).resolve().parent
DECIDING = ("types.py", "maths.py", "streams.py", "model", "policy", "kernel", "population")


@cache
def source_digest() -> str:
    """Return a hash of every source file that can change a result."""
    digest = hashlib.sha256()
    for part in DECIDING:
        path = PACKAGE / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(str(file.relative_to(PACKAGE)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
