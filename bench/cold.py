"""Measure the first kernel call of a process, with an empty and with a warm cache of compiled code.

Usage: uv run python bench/cold.py
"""

import os
import statistics
import subprocess
import sys
import tempfile

FIRST_CALL = """
import time
import mirrorfield as mf
from mirrorfield.population.run import plan_run, run_block
plan = plan_run(mf.Scenario())
began = time.perf_counter()
run_block(plan, 0, 1)
print(time.perf_counter() - began)
"""


def first_call(cache: str) -> float:
    """Return the seconds of the first kernel call of a new process."""
    environment = os.environ | {"MIRRORFIELD_CACHE_DIR": cache}
    return float(subprocess.check_output([sys.executable, "-c", FIRST_CALL], env=environment, text=True))


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as cache:
        cold = first_call(cache)
        warm = [first_call(cache) for _ in range(5)]
    print("| first kernel call of a process | seconds |\n|---|---|")
    print(f"| empty cache: compiles | {cold:.1f} |")
    print(f"| warm cache, median of 5 (range) | {statistics.median(warm):.2f} ({min(warm):.2f} to {max(warm):.2f}) |")


if __name__ == "__main__":
    main()
