"""What intensity, interventions, labels, context and retrieval cost: whole runs on one thread beside the plain loop.

Usage: uv run python bench/extended.py [--rounds N]
Prints user-steps per second of processor time for 40,000 users and 500 posts of the default scenario, and the ratio to
the plain loop, run just before each: medians over rounds, with the range of the ratio.
"""

import argparse
import statistics
import time

import mirrorfield as mf
from mirrorfield.api import execute
from mirrorfield.population.run import Plan, plan_run

USERS, STEPS = 40_000, 500
SCENARIOS = {
    "plain": {},
    "nothing on": {"reward": {"source": "mixture", "weight": 0.0}, "context": {"memory": 5.0}},
    "extended, nothing changes": {"intervention": {"policy": {}}},
    "friction": {"intervention": {"friction": 0.1}},
    "swapped feeds": {"intervention": {"swap": 0.1}},
    "exploration and quota": {"intervention": {"exploration": 0.1, "quota": 0.8}},
    "three rungs": {"intensity": {"rungs": 3, "eta": 0.05}},
    "a lens, nothing changes": {"context": {"priming": 1e-30}},
    "reward model": {"reward": {"source": "reward_model", "model": [[0.1, 0.1, 0.2, 1.0]] * 3}},
    "ratings": {"reward": {"source": "ratings"}},
    "context: query": {"context": {"source": "query", "kappa": 0.5}},
    "priming": {"context": {"priming": 0.5}},
    "context: session memory": {"context": {"kappa": 0.5}},
    "60 items, no retriever": {"retrieval": {"corpus": "posts"}},
    "retrieval: query": {"retrieval": {"corpus": "posts", "retriever": "query"}},
    "retrieval: history": {"retrieval": {"corpus": "posts", "retriever": "history"}},
    "retrieval: diverse": {"retrieval": {"corpus": "posts", "retriever": "diverse"}},
}


def seconds(plan: Plan) -> float:
    """Return the processor time of a run on one thread."""
    began = time.process_time()
    execute(plan, 1)
    return time.process_time() - began


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    plain = plan_run(mf.Scenario(users=USERS, steps=STEPS))
    execute(plain, 1)
    print("| | M user-steps/s | of the plain loop (range) |\n|---|---|---|")
    for name, changes in SCENARIOS.items():
        plan = plan_run(mf.Scenario(users=USERS, steps=STEPS, **changes))
        execute(plan, 1)
        pairs = [(seconds(plain), seconds(plan)) for _ in range(rounds)]
        ratios = sorted(before / after for before, after in pairs)
        speed = USERS * STEPS / statistics.median(after for _, after in pairs) / 1e6
        middle = statistics.median(ratios)
        print(f"| {name} | {speed:.0f} | {middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |", flush=True)


if __name__ == "__main__":
    main()
