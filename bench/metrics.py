"""What the figures of a run cost: the default scenario with and without them.

Usage: uv run python bench/metrics.py [--rounds N] [--users N] Whole runs on one thread, taken in turns. `none`
records the last step only; `all` is the default, 29 recorded steps of 1,500, with every exact total. The kernel
writes feeds and states at recorded steps in both.
"""

import argparse
import statistics

from kernel import best_of_three

import mirrorfield as mf
from mirrorfield.api import execute
from mirrorfield.population.run import plan_run

STEPS = {"none": 1, "all": 32}


def main() -> None:
    """Print the time of a run with its figures, relative to one without."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=65_536)
    asked = parser.parse_args()
    plans = {
        name: plan_run(mf.Scenario(users=asked.users, record={"steps": steps, "users": 1000}))
        for name, steps in STEPS.items()
    }
    for plan in plans.values():
        execute(plan, 1)
    ratios = []
    for _ in range(asked.rounds):
        none, every = (best_of_three(lambda p=plan: execute(p, 1)) for plan in plans.values())
        ratios.append(every / none)
    low, high = min(ratios), max(ratios)
    print(f"all figures: {statistics.median(ratios):.3f} times the run without ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
