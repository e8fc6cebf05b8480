"""The same bytes for other blocks, threads and NumPy instruction sets: the short form of the matrix in docs."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "same_bytes.py"


@pytest.mark.slow(50)
def test_the_short_matrix_is_the_same_everywhere() -> None:
    ended = subprocess.run([sys.executable, str(SCRIPT), "--quick"], stdout=subprocess.PIPE, text=True)
    rows = [line for line in ended.stdout.splitlines() if line.startswith("| ")][1:]
    assert ended.returncode == 0 and len(rows) == 5, ended.stdout
