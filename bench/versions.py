"""Measure the default scenario in several checkouts of this package in turn, and print a Markdown table of ratios.

Usage: uv run python bench/versions.py CHECKOUT CHECKOUT ... [--rounds 5]

A CHECKOUT is a folder with an environment of its own (`git worktree add OTHER COMMIT && cd OTHER && uv sync`); ratios
are to the first. Every round runs one process in each, forward and backward by turns, each with a folder for compiled
code of its own. A process times whole runs on one thread (draw, loop, record, fold) in processor time, best of three,
with one user in twenty kept in the sample. Figures are medians over rounds with their range, ratios are taken within a
round.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

SIZES = ((500_000, 100), (40_000, 1500))
WORK = """
import json, time
import mirrorfield as mf
found = []
for users, steps in SIZES:
    scenario = mf.Scenario(users=users, steps=steps, record={"users": users // 20})
    mf.simulate(scenario.model_copy(update={"users": 1000}), threads=1)
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        mf.simulate(scenario, threads=1)
        best = min(best, time.process_time() - began)
    found.append(best / users / steps * 1e9)
print(json.dumps(found))
"""


def measure(checkout: Path, cache: Path) -> list[float]:
    """Return the ns per user-step of each of SIZES in a checkout, from a process of its own."""
    python = checkout / ".venv" / "bin" / "python"
    done = subprocess.run(
        [python, "-c", WORK.replace("SIZES", repr(SIZES))],
        check=True,
        capture_output=True,
        text=True,
        cwd=checkout,
        env=os.environ | {"MIRRORFIELD_CACHE_DIR": str(cache)},
    )
    return list(json.loads(done.stdout))


def told(values: list[float]) -> str:
    """Return the median of values and their range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Measure in turn and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("checkouts", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    places = [place.resolve() for place in asked.checkouts]
    found: list[list[list[float]]] = [[] for _ in places]
    with tempfile.TemporaryDirectory() as folder:
        caches = [Path(folder) / str(i) for i in range(len(places))]
        for place, cache in zip(places, caches, strict=True):
            measure(place, cache)
        for turn in range(asked.rounds):
            for i in range(len(places))[:: -1 if turn % 2 else 1]:
                found[i].append(measure(places[i], caches[i]))
    print("| whole run, one thread | checkout | ns per user-step | ratio to the first |\n|---|---|---|---|")
    for column, (users, steps) in enumerate(SIZES):
        first = [one[column] for one in found[0]]
        for place, rounds in zip(asked.checkouts, found, strict=True):
            values = [one[column] for one in rounds]
            ratios = [a / b for a, b in zip(values, first, strict=True)]
            print(f"| {users:,} users, T = {steps:,} | {place} | {told(values)} | {told(ratios)} |")


if __name__ == "__main__":
    main()
