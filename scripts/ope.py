"""Off-policy evaluation where the truth is known, for docs/results/ope.md.

Usage: uv run python scripts/ope.py [--users N] [--steps T]
Epsilon-greedy (0.3) serves N people and leaves logs. Three policies are then evaluated from the logs alone, and run on
the same people with the same luck, which gives the truth. Once for people whose state never moves, once for those of
the default scenario. Prints Markdown.
"""

import argparse

import numpy as np

import mirrorfield as mf
from mirrorfield.arrays import FloatArray
from mirrorfield.engine.logs import Logs
from mirrorfield.metrics.ope import Estimate, doubly_robust, ips, snips
from mirrorfield.population.settings import changed
from mirrorfield.recommenders import EpsilonGreedy

TARGETS = {
    "even": (0.25, 0.25, 0.25, 0.25),
    "mostly threat": (0.7, 0.1, 0.1, 0.1),
    "mostly depth": (0.1, 0.1, 0.1, 0.7),
}


class Fixed:
    """Serve everyone by one distribution."""

    shared = False

    def __init__(self, policy: tuple[float, ...]) -> None:
        self.policy = np.array(policy)

    def start(self, people: int, categories: int, rng: object) -> None:
        """Know nothing."""

    def serve(self, state: None, seen: mf.contract.Seen) -> FloatArray:
        """Return the distribution for everyone, over what may be shown, (n, K)."""
        policy = self.policy * seen.allowed
        return np.asarray(policy / policy.sum(axis=1, keepdims=True))

    def learn(self, *seen: object) -> None:
        """Learn nothing."""


def modelled(logs: Logs, target: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each person's own mean reward of the arm shown, and of the target's arms; the mean of all where unseen."""
    _, row = np.unique(logs.person, return_inverse=True)
    arms = len(logs.names)
    cell = row * arms + logs.shown
    count = np.bincount(cell, minlength=arms * (row.max() + 1)).reshape(-1, arms)
    total = np.bincount(cell, logs.reward, arms * len(count)).reshape(-1, arms)
    mean = np.where(count > 0, total / np.maximum(count, 1), total.sum(0) / count.sum(0))
    return mean[row, logs.shown], (mean @ target)[row]


def by_products(logs: Logs, weight: FloatArray, people: int) -> tuple[Estimate, float]:
    """Return the estimate with the product of all weights so far, and how many people it rests on at the last post."""
    product = weight.reshape(-1, people).cumprod(axis=0)
    found = ips(logs.reward, product.ravel(), logs.person)
    return found, float(product[-1].sum() ** 2 / (product[-1] ** 2).sum())


def cell(found: Estimate, truth: Estimate) -> str:
    """Return an estimate as the table has it: how far it is from the truth, and its standard error."""
    return f"{found.value - truth.value:+.4f} ({found.error:.4f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=100)
    asked = parser.parse_args()
    base = mf.Scenario(users=asked.users, steps=asked.steps, record={"steps": 1, "users": asked.users})
    still = {f"{profile}.{move}": 0.0 for profile in ("reactive", "intentional") for move in ("up", "down")}
    worlds = {"stand still": changed(base, still), "change": base}
    print("| people who | target | truth (s.e.) | IPS | SNIPS | DR | product of weights | effective people |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for name, world in worlds.items():
        logs = mf.simulate(world, recommender=EpsilonGreedy(0.3)).logs(asked.users)
        for words, policy in TARGETS.items():
            reward = mf.simulate(world, recommender=Fixed(policy)).part.sample.mean_reaction[-1].astype(float)
            truth = Estimate(float(reward.mean()), float(reward.std(ddof=1) / np.sqrt(len(reward))))
            target = np.array(policy)
            weight = target[logs.shown] / logs.propensity
            model, expected = modelled(logs, target)
            found = [ips(logs.reward, weight, logs.person), snips(logs.reward, weight, logs.person)]
            found.append(doubly_robust(logs.reward, weight, logs.person, model, expected))
            exact, effective = by_products(logs, weight, asked.users)
            cells = " | ".join(cell(estimate, truth) for estimate in [*found, exact])
            print(
                f"| {name} | {words} | {truth.value:.4f} ({truth.error:.4f}) | {cells} | {effective:.1f} |", flush=True
            )


if __name__ == "__main__":
    main()
