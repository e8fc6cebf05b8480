"""What bandits and other recommenders do to the same people, for docs/results/recommenders.md.

Usage: uv run python scripts/recommenders.py FOLDER [--users N] [--steps T] [--vary] [--picture]
REINFORCE in the default scenario is the base; the other rules and the models of `mirrorfield.recommenders` serve the
same people with the same luck. What became of each person goes to FOLDER as soon as a recommender has finished; one
that is there already is not run again. Prints a Markdown table: means over all people, and the paired difference from
the base with half its 95% interval. --vary has other settings of each; --picture writes docs/assets/recommenders.png.
"""

import argparse
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import mirrorfield as mf
from mirrorfield.arrays import STATES, FloatArray
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.metrics.concentration import effective_categories
from mirrorfield.metrics.outcomes import deliberate_value
from mirrorfield.metrics.paired import paired_effect
from mirrorfield.population.settings import changed
from mirrorfield.recommenders import BPR, UCB, EpsilonGreedy, Popularity, Random, Reinforce, Thompson
from mirrorfield.report.style import INK, MUTED, styled

PLACE = Path(__file__).parent.parent / "docs" / "assets" / "recommenders.png"
COLUMNS = {
    "reward": "reward per post",
    "hooked": "hooked",
    "kinds": "kinds shown",
    "one_kind": "posts of one kind",
    "locked_in": "locked-in diets",
    "deliberate_value": "deliberate value",
}
BASE = "REINFORCE"
ARMS: dict[str, Any] = {
    BASE: {},
    "PPO, 0.1": {"policy.rule": "ppo"},
    "PPO, 3.2": {"policy.rule": "ppo", "policy.learning_rate": 3.2},
    "GRPO, 0.1": {"policy.rule": "grpo"},
    "GRPO, 0.66": {"policy.rule": "grpo", "policy.learning_rate": 0.66},
    "REINFORCE, blind": Reinforce(),
    "random": Random(),
    "popularity": Popularity(),
    "epsilon-greedy, 0.1": EpsilonGreedy(),
    "UCB1": UCB(),
    "BPR": BPR(),
    "Thompson": Thompson(),
}
VARIED: dict[str, Any] = {
    BASE: {},
    "REINFORCE, 0.03": {"policy.learning_rate": 0.03},
    "REINFORCE, 0.3": {"policy.learning_rate": 0.3},
    "REINFORCE, blind, 0.1": Reinforce(),
    "REINFORCE, blind, 0.3": Reinforce(0.3),
    "epsilon-greedy, 0.01": EpsilonGreedy(0.01),
    "epsilon-greedy, 0.1": EpsilonGreedy(0.1),
    "epsilon-greedy, 0.3": EpsilonGreedy(0.3),
    "UCB1, scale 0.2": UCB(0.2),
    "UCB1, scale 1": UCB(1.0),
    "UCB1, scale 3": UCB(3.0),
    "Thompson, spread 0.2": Thompson(0.2),
    "Thompson, spread 0.5": Thompson(0.5),
    "Thompson, spread 1.5": Thompson(1.5),
    "BPR, rate 0.1": BPR(),
    "BPR, rate 0.5": BPR(rate=0.5),
    "BPR, temperature 1": BPR(temperature=1.0),
}
SEEING = ("REINFORCE", "PPO", "GRPO")
PANELS = {
    "reward": ("reward per post", (0, 0.5, 1)),
    "hooked": ("share hooked", (0, 0.1, 0.2)),
    "kinds": ("kinds shown, of 4", (1, 2, 3, 4)),
    "one_kind": ("nine posts in ten alike", (0, 0.3, 0.6)),
}
STYLES: dict[bool, dict[str, Any]] = {
    True: {"marker": "o", "color": "#0072b2", "label": "sees arousal"},
    False: {"marker": "D", "color": "#d55e00", "markerfacecolor": "#ffffff", "label": "does not see arousal"},
}


def sees_arousal(name: str) -> bool:
    """Return whether an arm keeps a policy for every state of arousal."""
    return name.startswith(SEEING) and "blind" not in name


def became(run: mf.Run) -> dict[str, FloatArray]:
    """Return what became of every person, {column: float32 (n,)}."""
    sample, scenario = run.part.sample, run.scenario
    shown = np.ascontiguousarray(sample.exposures.T, float)
    shown /= shown.sum(axis=1, keepdims=True)
    worth = scenario.intentional.table("mean", scenario.k)
    found = {
        "reward": sample.mean_reaction[-1],
        "hooked": sample.state[-1] == STATES.index("hooked"),
        "kinds": effective_categories(shown),
        "one_kind": shown.max(axis=1) > LOCKED_IN,
        "locked_in": sample.diet[-1].max(axis=0) > LOCKED_IN,
        "deliberate_value": deliberate_value(sample.served, sample.time_in_state, worth),
    }
    return {name: np.asarray(values, np.float32) for name, values in found.items()}


def outcomes(folder: Path, base: mf.Scenario, name: str, arm: Any) -> dict[str, FloatArray]:
    """Return what became of everyone under an arm, from its file in the folder if it has one."""
    words = re.sub(r"[^a-z0-9.]+", "-", name.lower())
    place = folder / f"{base.users}-{base.steps}-{base.seed}-{words}.npz"
    if not place.exists():
        began = time.perf_counter()
        scenario, own = (changed(base, arm), None) if isinstance(arm, dict) else (base, arm)
        found = became(mf.simulate(scenario, recommender=own, threads=1))
        beside = place.with_suffix(".tmp")
        with beside.open("wb") as file:
            np.savez(file, **found)
        beside.rename(place)
        print(f"<!-- {name}: {time.perf_counter() - began:.0f} s -->", flush=True)
    with np.load(place) as kept:
        return {column: kept[column].astype(float) for column in COLUMNS}


def cell(base: FloatArray, other: FloatArray) -> str:
    """Return a cell of the table: the level, and the paired difference with half its 95% interval."""
    effect = paired_effect("", base[: len(other)], other)
    half = (effect.high - effect.low) / 2
    return f"{effect.changed:.4f} ({effect.difference:+.4f} ± {half:.4f})"


def picture(levels: dict[str, dict[str, float]]) -> Figure:
    """Return four panels of dots, one row for each recommender, in the order of what it earns."""
    names = sorted(levels, key=lambda name: levels[name]["reward"])
    with styled():
        drawing = Figure(figsize=(5.6, 7.4))
        for i, (column, (title, ticks)) in enumerate(PANELS.items()):
            axes = drawing.add_subplot(2, 2, i + 1)
            values = np.array([levels[name][column] for name in names])
            axes.axvline(levels[BASE][column], color=MUTED, linewidth=1, linestyle=":")
            for seeing, style in STYLES.items():
                rows = [place for place, name in enumerate(names) if sees_arousal(name) == seeing]
                axes.plot(values[rows], rows, linestyle="none", markersize=7.5, markeredgewidth=2, **style)
            axes.set_yticks(range(len(names)), names if i % 2 == 0 else [])
            axes.tick_params(axis="y", length=0)
            axes.set_ylim(-0.6, len(names) - 0.4)
            axes.set_title(title, loc="left", color=INK)
            axes.grid(axis="x")
            low, high = (1.0, 4.0) if column == "kinds" else (0.0, float(values.max()))
            axes.set_xlim(low - 0.06 * (high - low), high + 0.08 * (high - low))
            axes.set_xticks(ticks)
        drawing.legend(loc="lower left", ncols=2, frameon=False, handles=axes.get_lines()[1:], handletextpad=0.2)
        drawing.subplots_adjust(0.3, 0.085, 0.985, 0.96, hspace=0.2, wspace=0.1)
    return drawing


def main() -> None:
    """Run every arm that is not in the folder, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=512)
    parser.add_argument("--vary", action="store_true")
    parser.add_argument("--picture", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    world = mf.Scenario(users=asked.users, steps=asked.steps, record={"steps": 1, "users": asked.users})
    base, levels = outcomes(asked.folder, world, BASE, {}), {}
    rows = [f"| {BASE} | " + " | ".join(f"{base[column].mean():.4f}" for column in COLUMNS) + " |"]
    levels[BASE] = {column: float(values.mean()) for column, values in base.items()}
    for name, arm in (VARIED if asked.vary else ARMS).items():
        if name == BASE:
            continue
        found = outcomes(asked.folder, world, name, arm)
        levels[name] = {column: float(values.mean()) for column, values in found.items()}
        rows.append(f"| {name} | " + " | ".join(cell(base[column], found[column]) for column in COLUMNS) + " |")
    print(f"{asked.users:,} people, {asked.steps:,} posts, seed {world.seed}\n")
    print("| recommender |", " | ".join(COLUMNS.values()), "|\n|---|" + "---:|" * len(COLUMNS))
    print("\n".join(rows), flush=True)
    if asked.picture:
        picture(levels).savefig(PLACE, dpi=180, metadata={"Software": None})


if __name__ == "__main__":
    main()
