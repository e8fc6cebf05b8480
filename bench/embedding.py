"""The embedding world, compiled, against the same algorithm in plain NumPy, in one run.

Usage: uv run python bench/embedding.py [--rounds N] [--users N] [--items N] Both take turns on one thread (processor
time), and the compiled loop on two as well (wall clock). NumPy takes 2,000 people at a time, since their candidates'
vectors are an array of people x candidates x dimensions. OMP_NUM_THREADS=1 keeps its library to one thread.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.world.embedding.loop import World, spread_over
from mirrorfield.world.embedding.reference import ReferenceWorld

NUMPY_USERS, STEPS, NUMPY_STEPS = 2000, 10, 3


def per_person(work: Callable[[], object], people: int, steps: int, clock: Callable[[], float]) -> float:
    """Return the microseconds that one person's step takes."""
    began = clock()
    for _ in range(steps):
        work()
    return (clock() - began) / people / steps * 1e6


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--items", type=int, default=10_000)
    asked = parser.parse_args()
    scenario = EmbeddingScenario(users=asked.users, items={"count": asked.items})
    world, numpy = World.start(scenario), ReferenceWorld(scenario.model_copy(update={"users": NUMPY_USERS}))
    rooms, found = world.rooms(2), {"compiled": [], "compiled, two threads, wall clock": [], "NumPy": []}
    with spread_over(1) as one, spread_over(2) as two:
        world.advance(one, rooms)
        for _ in range(asked.rounds):
            for name, spread, clock in (
                ("compiled", one, time.process_time),
                ("compiled, two threads, wall clock", two, time.perf_counter),
            ):
                work = lambda s=spread: world.advance(s, rooms)  # noqa: E731
                found[name].append(per_person(work, asked.users, STEPS, clock))
            found["NumPy"].append(per_person(numpy.advance, NUMPY_USERS, NUMPY_STEPS, time.process_time))
    print("| | microseconds per user-step, median (range) | M user-steps/s |\n|---|---|---|")
    for name, values in found.items():
        middle = statistics.median(values)
        print(f"| {name} | {middle:.2f} ({min(values):.2f} to {max(values):.2f}) | {1 / middle:.3f} |")
    ratios = [a / b for a, b in zip(found["NumPy"], found["compiled"], strict=True)]
    print(f"\nNumPy / compiled: {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
