"""The version of the installed package, and a digest of the sources that decide its results."""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

VERSION = version("mirrorfield")
PACKAGE = Path(__file__).resolve().parent
DECIDING = (
    *("arrays.py", "contract.py", "maths.py", "maths64.py", "streams.py", "model", "policy", "kernel", "population"),
    *("people", "recommenders", "engine", "world/embedding"),
)


def hash_sources(parts: Iterable[str], package: Path = PACKAGE, salt: bytes = b"") -> str:
    """Return 16 hexadecimal digits that change with any Python file in these files and folders of the package."""
    digest = hashlib.sha256(salt)
    for part in parts:
        path = package / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(str(file.relative_to(package)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def source_digest() -> str:
    """Return a hash of every source file that can change a result: two equal ones may share a run."""
    return hash_sources(DECIDING)
