"""What each weight of a published objective does to people, for docs/results/objective.md.

Usage: uv run python scripts/objective.py [--users N] [--steps T] [--preset x-2026] [--picture]
Scenario `default` with N users, the same people with the same luck under every objective. Prints Markdown: objectives
side by side, and the preset without one weight at a time, learned from actions and from predictions. --picture writes
docs/assets/objective.png.
"""

import argparse
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from people import OUTCOMES, WORDS, effects, outcomes, scenario, told
from rich.progress import track

from mirrorfield.arrays import FloatArray
from mirrorfield.metrics.paired import Effect
from mirrorfield.population.action import PRESETS
from mirrorfield.report.style import INK, styled

PLACE = Path(__file__).parent.parent / "docs" / "assets" / "objective.png"
DRAWN = ("deliberate_value", "hooked", "depth")
Found = dict[str, FloatArray]


def side_by_side() -> dict[str, dict[str, object]]:
    """Return every objective that is compared with the felt reaction, by name."""
    found: dict[str, dict[str, object]] = {
        f"{name}, {learns}": {"objective": {"preset": name, "learns_from": learns}}
        for name in PRESETS
        if name != "reaction"
        for learns in ("actions", "predictions")
    }
    return found | {"deliberate rating": {"reward": {"source": "ratings"}}}


def without(preset: str, learns: str) -> dict[str, dict[str, object]]:
    """Return the preset without one weight at a time, and without any that is negative."""
    weights = PRESETS[preset][0]
    minus = {name: 0.0 for name, weight in weights.items() if weight < 0}
    dropped = {f"without {name}": {name: 0.0} for name in weights} | {"without any penalty": minus}
    return {
        name: {"objective": {"preset": preset, "weights": change, "learns_from": learns}}
        for name, change in dropped.items()
    }


def table(title: str, base_name: str, base: Found, arms: dict[str, dict[str, Effect]]) -> None:
    """Print one table of levels and paired differences from the base."""
    print(f"\n{title}\n\n| objective | " + " | ".join(WORDS[o] for o in OUTCOMES) + " |")
    print("|---|" + "---:|" * len(OUTCOMES))
    print(f"| {base_name} | " + " | ".join(f"{base[o].mean():.4f}" for o in OUTCOMES) + " |")
    for name, changed in arms.items():
        print(f"| {name} | " + " | ".join(told(changed[o]) for o in OUTCOMES) + " |", flush=True)


def picture(tables: dict[str, dict[str, dict[str, Effect]]], preset: str) -> Figure:
    """Return what dropping each weight changes, a panel for every outcome, with 95% intervals."""
    styles = {"actions": ("#D55E00", "o", -0.16), "predictions": ("#0072B2", "s", 0.16)}
    names = list(tables["actions"])
    with styled():
        drawing = Figure(figsize=(7.4, 4.0))
        for place, outcome in enumerate(DRAWN):
            axes = drawing.add_subplot(1, len(DRAWN), place + 1)
            axes.axvline(0, color=INK, linewidth=0.8)
            for learns, (color, marker, shift) in styles.items():
                found = [tables[learns][name][outcome] for name in names]
                x = [effect.difference for effect in found]
                half = [(effect.high - effect.low) / 2 for effect in found]
                y = [i + shift for i in range(len(names))]
                axes.errorbar(
                    x, y, xerr=half, fmt=marker, color=color, markersize=4, label=f"learned from {learns}", capsize=2
                )
            axes.set_title(f"{WORDS[outcome]}", loc="left", color=INK)
            axes.set_yticks(range(len(names)), names if place == 0 else [""] * len(names))
            axes.xaxis.set_major_locator(MaxNLocator(3))
            axes.invert_yaxis()
            axes.set_xlabel(f"difference from {preset}")
        drawing.subplots_adjust(0.23, 0.14, 0.97, 0.84, wspace=0.16)
        handles, labels = drawing.axes[0].get_legend_handles_labels()
        drawing.legend(handles, labels, frameon=False, loc="upper left", ncols=2, bbox_to_anchor=(0.21, 1.0))
    return drawing


def main() -> None:
    """Run every objective on the same people, and print what each does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--preset", choices=[name for name in PRESETS if len(PRESETS[name][0]) > 1], default="x-2026")
    parser.add_argument("--picture", action="store_true")
    asked = parser.parse_args()

    def run(title: str, base: Found, arms: dict[str, dict[str, object]]) -> dict[str, dict[str, Effect]]:
        rows = track(arms.items(), description=title, console=None)
        return {name: effects(base, outcomes(scenario(asked.users, asked.steps, **parts))) for name, parts in rows}

    felt = outcomes(scenario(asked.users, asked.steps))
    table("Objectives side by side", "reaction", felt, run("objectives", felt, side_by_side()))
    tables = {}
    for learns in ("actions", "predictions"):
        whole = {"objective": {"preset": asked.preset, "learns_from": learns}}
        base = outcomes(scenario(asked.users, asked.steps, **whole))
        tables[learns] = run(learns, base, without(asked.preset, learns))
        table(f"Without one weight, learned from {learns}", asked.preset, base, tables[learns])
    if asked.picture:
        picture(tables, asked.preset).savefig(PLACE, dpi=180, metadata={"Software": None})


if __name__ == "__main__":
    main()
