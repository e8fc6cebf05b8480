"""A short form of scripts/races.py: processes that start, continue, replace and kill each other in one folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/races.py"


@pytest.mark.slow(15)
@pytest.mark.skipif(not SCRIPT.exists() or not hasattr(os, "fork"), reason="needs the repository, and fork")
def test_exactly_one_process_at_a_time_is_in_a_folder(tmp_path: Path) -> None:
    """Before, two that began together could both enter, and one ended with half a result."""
    words = [sys.executable, SCRIPT, "--pairs", "6", "--triples", "2"]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env=os.environ | {"TMPDIR": str(tmp_path)}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 pairs, 2 triples" in done.stdout
