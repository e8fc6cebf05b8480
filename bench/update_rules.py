"""How long a rule in a few lines takes in the compiled lanes, against the loop of plain REINFORCE that is built in.

Usage: uv run python bench/update_rules.py [--users N] [--steps T] [--times N]
CPU time of this process on one thread, whole runs, one after the other and again; the least of each is kept.
"""

import argparse
import time
from dataclasses import replace

import mirrorfield as mf
from mirrorfield.engine.own import with_own
from mirrorfield.population.run import plan_run, run_block
from mirrorfield.recommenders import Reinforce, boltzmann_q, exp3, tracked_means


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=8192)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--times", type=int, default=9)
    asked = parser.parse_args()
    plan = plan_run(mf.Scenario(users=asked.users, steps=asked.steps, record={"steps": 2, "users": 10}))
    arms = {"built in": plan}
    for rule in (Reinforce(), exp3, boltzmann_q, tracked_means):
        for observe in ("state", "history"):
            arms[f"{rule.name}, {observe}"] = with_own(plan, rule, None, observe)
    compiling = {}
    for name, arm in arms.items():
        began = time.process_time()
        run_block(replace(arm, scenario=arm.scenario.model_copy(update={"users": 1})), 0, 1)
        compiling[name] = time.process_time() - began
    least = dict.fromkeys(arms, float("inf"))
    for _ in range(asked.times):
        for name, arm in arms.items():
            began = time.process_time()
            run_block(arm, 0, asked.users)
            least[name] = min(least[name], (time.process_time() - began) / asked.users / asked.steps)
    print(
        "| rule, observe | ns per post of a person | speed, of the built-in loop | s to compile |\n|---|---:|---:|---:|"
    )
    for name, seconds in least.items():
        print(f"| {name} | {1e9 * seconds:.2f} | {least['built in'] / seconds:.2f} | {compiling[name]:.1f} |")


if __name__ == "__main__":
    main()
