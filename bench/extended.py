"""What intensity and interventions cost: whole runs on one thread beside the plain loop.

Usage: uv run python bench/extended.py
Prints user-steps per second of processor time, best of three, for 40,000 users and 500 posts of the default scenario.
"""

from kernel import best_of_three

import mirrorfield as mf
from mirrorfield.api import execute
from mirrorfield.population.run import plan_run

USERS, STEPS = 40_000, 500
SCENARIOS = {
    "plain": {},
    "extended, nothing on": {"intensity": {"width": 0.7}},
    "friction": {"intervention": {"friction": 0.1}},
    "swapped feeds": {"intervention": {"swap": 0.1}},
    "exploration and quota": {"intervention": {"exploration": 0.1, "quota": 0.8}},
    "three rungs": {"intensity": {"rungs": 3, "eta": 0.05}},
}


def main() -> None:
    """Print a Markdown table."""
    print("| | M user-steps/s |\n|---|---|")
    for name, changes in SCENARIOS.items():
        plan = plan_run(mf.Scenario(users=USERS, steps=STEPS, **changes))
        execute(plan, 1)
        seconds = best_of_three(lambda p=plan: execute(p, 1))
        print(f"| {name} | {USERS * STEPS / seconds / 1e6:.0f} |", flush=True)


if __name__ == "__main__":
    main()
