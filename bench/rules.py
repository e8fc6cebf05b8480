"""Measure every rule against plain REINFORCE, per post, in one run, and print a Markdown table.

Usage: uv run python bench/rules.py [--rounds 5] [--users 16384] [--steps 1500]

Rules take turns within a round; a ratio is taken within a round, and the table has its median and range over rounds.
Each figure is the best of 3, in seconds of processor time on one thread, of a whole run: drawing users, posts,
learning, recording and the fold over users. Every post of every rollout counts as one user-step.
"""

import argparse
import statistics

from kernel import best_of_three

import mirrorfield as mf
from mirrorfield.api import execute
from mirrorfield.policy.presets import PRESETS
from mirrorfield.population.run import Plan, plan_run


def plan_of(rule: str, users: int, steps: int) -> Plan:
    """Return the default scenario under a rule, one user in twenty kept in the sample."""
    return plan_run(mf.Scenario(users=users, steps=steps, policy={"rule": rule}, record={"users": users // 20}))


def nanoseconds(plan: Plan) -> float:
    """Return nanoseconds per user-step of a whole run."""
    return 1e9 * best_of_three(lambda: execute(plan, 1)) / plan.scenario.users / plan.scenario.steps


def spread(values: list[float]) -> str:
    """Return a median and its range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=16_384)
    parser.add_argument("--steps", type=int, default=1500)
    given = parser.parse_args()
    plans = {name: plan_of(name, given.users, given.steps) for name in PRESETS}
    for plan in plans.values():
        execute(plan, 1)
    rounds = [{name: nanoseconds(plan) for name, plan in plans.items()} for _ in range(given.rounds)]
    print("| rule | M user-steps/s | time against plain REINFORCE |\n|---|---|---|")
    for name in PRESETS:
        rate = statistics.median(1e3 / times[name] for times in rounds)
        print(f"| `{name}` | {rate:.0f} | {spread([times[name] / times['reinforce'] for times in rounds])} |")


if __name__ == "__main__":
    main()
