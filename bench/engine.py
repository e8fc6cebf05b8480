"""How long the arrays engine takes for a post of one person, with each of the recommenders to copy.

Usage: uv run python bench/engine.py [--users N] [--steps T]
CPU time of this process on one thread, the whole run (draw, loop, record, fold); and the peak memory.
"""

import argparse
import resource
import time

import mirrorfield as mf
from mirrorfield.contract import name_of
from mirrorfield.engine import run_block
from mirrorfield.engine.own import with_own
from mirrorfield.population.run import plan_run
from mirrorfield.recommenders import BPR, UCB, EpsilonGreedy, Popularity, Random, Reinforce, Thompson


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=200)
    asked = parser.parse_args()
    scenario = mf.Scenario(users=asked.users, steps=asked.steps)
    mf.simulate(mf.Scenario(users=10, steps=2), recommender=Random())
    print("| recommender | us per post of a person |\n|---|---:|")
    for own in (Random(), EpsilonGreedy(), UCB(), Thompson(), Reinforce(), Popularity(), BPR()):
        plan = with_own(plan_run(scenario), own, observe="state")
        began = time.process_time()
        run_block(plan, 0, asked.users)
        spent = time.process_time() - began
        print(f"| {name_of(own)} | {1e6 * spent / asked.users / asked.steps:.3f} |", flush=True)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
