"""What intensity, interventions, labels, context and retrieval cost: whole runs on one thread beside the plain loop.

Usage: uv run python bench/extended.py
Prints user-steps per second of processor time, best of three, for 40,000 users and 500 posts of the default scenario,
and the ratio to the plain loop.
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
    "a lens, nothing on": {"reward": {"source": "mixture", "weight": 0.0}},
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


def main() -> None:
    """Print a Markdown table."""
    print("| | M user-steps/s | of the plain loop |\n|---|---|---|")
    plain = 0.0
    for name, changes in SCENARIOS.items():
        plan = plan_run(mf.Scenario(users=USERS, steps=STEPS, **changes))
        execute(plan, 1)
        seconds = best_of_three(lambda p=plan: execute(p, 1))
        plain = plain or seconds
        print(f"| {name} | {USERS * STEPS / seconds / 1e6:.0f} | {plain / seconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()
