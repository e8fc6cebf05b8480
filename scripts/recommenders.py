"""What bandits and other recommenders do to the same people, for docs/results/recommenders.md.

Usage: uv run python scripts/recommenders.py [--users N] [--steps T]
REINFORCE in the default scenario is the base; PPO, GRPO and the models of `mirrorfield.recommenders` serve the same
people with the same luck. Prints a Markdown table of means over all people, with half a 95% interval of the paired
difference from the base.
"""

import argparse

import numpy as np

import mirrorfield as mf
from mirrorfield.contract import Snapshot
from mirrorfield.metrics.concentration import effective_categories
from mirrorfield.recommenders import BPR, UCB, EpsilonGreedy, Popularity, Random, Thompson

ALPHA = 0.1
COLUMNS = {
    "mean_reaction": "mean reaction",
    "hooked": "hooked",
    "deliberate_value": "deliberate value",
    "kinds seen": "kinds seen",
    "largest share": "largest share",
    "share:depth": "mostly depth",
}


def kinds_seen(snapshot: Snapshot) -> np.ndarray:
    """Return the effective number of categories among the posts shown: exp of the entropy of their shares."""
    return np.asarray(effective_categories(snapshot.exposures / snapshot.exposures.sum(axis=1, keepdims=True)))


def largest_share(snapshot: Snapshot) -> np.ndarray:
    """Return the share of the category shown most, among the posts shown."""
    return np.asarray(snapshot.exposures.max(axis=1) / snapshot.exposures.sum(axis=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=1_500)
    asked = parser.parse_args()
    base = mf.Scenario(users=asked.users, steps=asked.steps, record={"steps": 1, "users": asked.users})
    arms = {
        "PPO": {"policy.rule": "ppo"},
        "GRPO": {"policy.rule": "grpo"},
        "random": Random(),
        "popularity": Popularity(),
        "epsilon-greedy, 0.1": EpsilonGreedy(),
        "UCB1": UCB(),
        "Thompson": Thompson(),
        "BPR": BPR(),
    }
    found = mf.compare(base, arms, {"kinds seen": kinds_seen, "largest share": largest_share})
    print(f"{found.pairs:,} people, {asked.steps:,} posts, seed {base.seed}\n")
    print("| recommender |", " | ".join(COLUMNS.values()), "|\n|---|" + "---:|" * len(COLUMNS))
    first = {effect.metric: effect.base for effect in found.arms[0].effects}
    print("| REINFORCE |", " | ".join(f"{first[metric]:.4f}" for metric in COLUMNS), "|")
    for arm in found.arms:
        effects = {effect.metric: effect for effect in arm.effects}
        cells = [f"{e.changed:.4f} ± {(e.high - e.low) / 2:.4f}" for e in (effects[metric] for metric in COLUMNS)]
        print(f"| {arm.name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
