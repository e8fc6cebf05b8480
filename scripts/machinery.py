"""Compare rules on the default population, user by user under common random numbers, and write tables and a figure.

Usage: uv run python scripts/machinery.py FOLDER [--users 200000] [--seed 1]

Every rule sees the same users, and post number t of a user has the same luck under all of them. Rules are compared at
one learning rate, and at equal service: at the least learning rate at which the mean reaction over the whole run is
that of plain REINFORCE at 0.1. Intervals are 95%, of the mean difference to plain REINFORCE over pairs of one user with
itself; for the filter-bubble index, which is a figure of a crowd, over 40 disjoint crowds.
"""

import argparse
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from scipy import stats

import mirrorfield as mf
from mirrorfield.metrics.concentration import effective_categories, entropy, filter_bubble

matplotlib.use("Agg")

CROWDS, LOCKED, HOOKED = 40, 0.9, 2
SEED = 1
RATES = np.geomspace(0.005, 20.0, 19)
BASE = 0.1
PRESETS = {name: {"rule": name} for name in (
    "reinforce", "a2c", "ppo", "ppo-trl", "grpo", "grpo-trl", "grpo-verl", "dr-grpo", "rloo", "dapo",
)}  # fmt: skip
PARTS = {
    "session of 8 posts": {"horizon": 8, "aggregate": "mean"},
    "group of 8, running mean": {"group": 8, "aggregate": "mean"},
    "group of 8, group mean": {"group": 8, "aggregate": "mean", "baseline": "group-mean"},
    "group of 8, leave one out": {"group": 8, "aggregate": "mean", "baseline": "leave-one-out"},
    "group of 8, z-score": {"group": 8, "aggregate": "mean", "baseline": "group-mean", "normalise": "group"},
    "no baseline": {"baseline": "none"},
    "learned value": {"baseline": "value", "value_rate": 0.1},
    "session return, 8 posts": {"horizon": 8, "aggregate": "mean", "returns": "session"},
    "4 epochs, no clip": {"horizon": 8, "aggregate": "mean", "epochs": 4},
    "4 epochs, clip 0.2": {"horizon": 8, "aggregate": "mean", "epochs": 4, "clip_low": 0.2, "clip_high": 0.2},
    "leash k2 in loss, 0.05": {"leash": "k2-in-loss", "beta": 0.05},
    "leash k2 in loss, 0.5": {"leash": "k2-in-loss", "beta": 0.5},
    "leash k3 in loss, 0.05": {"leash": "k3-in-loss", "beta": 0.05},
    "leash k3 in loss, 0.5": {"leash": "k3-in-loss", "beta": 0.5},
    "leash k1 in reward, 0.5": {"leash": "k1-in-reward", "beta": 0.5},
    "entropy bonus 0.05": {"entropy": 0.05},
    "entropy bonus 0.5": {"entropy": 0.5},
}


@dataclass
class Outcome:
    """One number per user, and the feeds; times in posts, reactions in the scenario's unit."""

    feed: np.ndarray
    per_user: dict[str, np.ndarray]

    @property
    def bubble(self) -> float:
        """The filter-bubble index of all users."""
        return bubble(self.feed)


def bubble(feed: np.ndarray) -> float:
    """Return the filter-bubble index of these users."""
    return filter_bubble(feed.mean(axis=0), float(entropy(feed).mean()))


def run(policy: dict[str, Any], rate: float, users: int) -> Outcome:
    """Run the default scenario under a rule."""
    changed = {"users": users, "seed": SEED, "policy": {**policy, "learning_rate": rate}}
    scenario = mf.Scenario(**changed, record={"users": users, "steps": 40})
    sample = mf.simulate(scenario).part.sample
    largest = sample.diet.max(axis=1)
    times = mf.api.prepare(scenario, None, None, None).steps
    locked = largest > LOCKED
    first = np.where(locked.any(axis=0), times[locked.argmax(axis=0)], scenario.steps)
    feed = sample.diet[-1].T.astype(float)
    return Outcome(feed, {
        "mean reaction": sample.mean_reaction[-1].astype(float),
        "locked in": locked[-1].astype(float),
        "time to lock-in": first.astype(float),
        "effective categories": effective_categories(feed),
        "hooked": (sample.state[-1] == HOOKED).astype(float),
    })  # fmt: skip


def differences(one: Outcome, base: Outcome) -> dict[str, tuple[float, float]]:
    """Return the mean paired difference of each outcome and the half width of its 95% interval."""
    found = {}
    for name in base.per_user:
        d = one.per_user[name] - base.per_user[name]
        found[name] = float(d.mean()), float(1.96 * d.std(ddof=1) / np.sqrt(len(d)))
    pairs = zip(np.array_split(one.feed, CROWDS), np.array_split(base.feed, CROWDS), strict=True)
    d = np.array([bubble(a) - bubble(b) for a, b in pairs])
    half = stats.t.ppf(0.975, CROWDS - 1) * d.std(ddof=1) / np.sqrt(CROWDS)
    found["filter-bubble index"] = one.bubble - base.bubble, float(half)
    return found


def curve(policy: dict[str, Any], users: int) -> list[dict[str, float]]:
    """Return mean reaction, lock-in and bubble index for every learning rate of RATES."""
    points = []
    for rate in RATES:
        one = run(policy, float(rate), users)
        means = {name: float(values.mean()) for name, values in one.per_user.items()}
        points.append({"rate": float(rate), "filter-bubble index": one.bubble, **means})
    return points


def matched_rate(points: list[dict[str, float]], policy: dict[str, Any], wanted: float, users: int) -> float | None:
    """Return the least learning rate with the wanted mean reaction, or None if none between points of the curve has."""
    for low, high in pairwise(points):
        if low["mean reaction"] < wanted <= high["mean reaction"]:
            below, above = np.log(low["rate"]), np.log(high["rate"])
            for _ in range(7):
                middle = (below + above) / 2
                reached = run(policy, float(np.exp(middle)), users).per_user["mean reaction"].mean()
                below, above = (middle, above) if reached < wanted else (below, middle)
            return float(np.exp(above))
    return None


def cell(found: tuple[float, float], digits: int) -> str:
    """Return a difference with its interval; in bold if the interval is on one side of zero."""
    text = f"{found[0]:+.{digits}f} ± {found[1]:.{digits}f}"
    return f"**{text}**" if abs(found[0]) > found[1] else text


def row(name: str, rate: float, one: Outcome, base: Outcome) -> str:
    """Return a row of a table."""
    d = differences(one, base)
    cells = [
        cell(d["mean reaction"], 4), cell(tuple(100 * x for x in d["locked in"]), 2), cell(d["time to lock-in"], 1),
        cell(d["filter-bubble index"], 4), cell(d["effective categories"], 3),
        cell(tuple(100 * x for x in d["hooked"]), 2),
    ]  # fmt: skip
    return f"| {name} | {rate:.3g} | " + " | ".join(cells) + " |"


HEAD = (
    "| rule | alpha | mean reaction | locked in, points | time to lock-in, posts | filter-bubble index | "
    "effective categories | hooked, points |\n|---|---|---|---|---|---|---|---|"
)


def draw(curves: dict[str, list[dict[str, float]]], file: Path, users: int) -> None:
    """Draw lock-in and bubble index against mean reaction, one line per preset, one point per learning rate."""
    colors = [
        "#000000",
        "#56B4E9",
        "#0072B2",
        "#5D8AA8",
        "#D55E00",
        "#E69F00",
        "#CC79A7",
        "#009E73",
        "#8B5A2B",
        "#999999",
    ]
    marks = "osD^vPX<>*"
    figure, axes = plt.subplots(1, 2, figsize=(11, 5.2), layout="constrained")
    for axis, name, label in zip(
        axes, ("locked in", "filter-bubble index"), ("share of users locked in", "filter-bubble index"), strict=True
    ):
        for preset, color, mark in zip(PRESETS, colors, marks, strict=True):
            points = curves[preset]
            x, y = ([p[key] for p in points] for key in ("mean reaction", name))
            axis.plot(x, y, color=color, marker=mark, markersize=4, linewidth=1, label=preset)
        axis.set_xlabel("mean reaction over the run (reaction units)")
        axis.set_ylabel(label)
        axis.set_ylim(0, 1)
        axis.spines[["top", "right"]].set_visible(False)
    axes[1].legend(title="rule", frameon=False, fontsize=9, ncols=2)
    figure.suptitle(
        f"What a rule earns and how it fragments: default scenario, {users:,} users, 1,500 posts, seed {SEED}"
    )
    figure.savefig(file, dpi=130)


def main() -> None:
    """Run everything and write tables.md, curves.json and machinery.png."""
    global SEED
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    SEED = given.seed
    given.folder.mkdir(parents=True, exist_ok=True)
    few = min(given.users, 20_000)
    base = run({"rule": "reinforce"}, BASE, given.users)
    wanted = float(run({"rule": "reinforce"}, BASE, few).per_user["mean reaction"].mean())
    curves = {name: curve(policy, few) for name, policy in (PRESETS | PARTS).items()}
    lines = ["plain REINFORCE at 0.1:", ""]
    lines += [f"* {name}: {values.mean():.4f}" for name, values in base.per_user.items()]
    lines += [f"* filter-bubble index: {base.bubble:.4f}", ""]
    for title, policies in {"presets": PRESETS, "parts": PARTS}.items():
        lines += [f"## {title}, alpha 0.1", "", HEAD]
        lines += [
            row(name, BASE, run(p, BASE, given.users), base) for name, p in policies.items() if name != "reinforce"
        ]
        lines += ["", f"## {title}, equal mean reaction", "", HEAD]
        for name, policy in policies.items():
            rate = matched_rate(curves[name], policy, wanted, few) if name != "reinforce" else None
            best = max(curves[name], key=lambda p: p["mean reaction"])
            if rate:
                lines.append(row(name, rate, run(policy, rate, given.users), base))
            elif name != "reinforce":
                best_run = run(policy, best["rate"], given.users)
                lines.append(row(f"{name} (best it reaches)", best["rate"], best_run, base))
        lines.append("")
    (given.folder / "tables.md").write_text("\n".join(lines), encoding="utf-8")
    (given.folder / "curves.json").write_text(json.dumps(curves, indent=1), encoding="utf-8")
    draw(curves, given.folder / "machinery.png", few)


if __name__ == "__main__":
    main()
