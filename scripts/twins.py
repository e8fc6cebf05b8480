"""The twin claim: intention in a person, in labels, in prompts and in retrieval, for docs/results/twins.md.

Usage: uv run python scripts/twins.py [--users N] [--steps T] [--picture]
People with lambda = 0 under clicks are the base. Each lever is turned up from there, on the same people with the same
luck: lambda itself; the weight of deliberate ratings in the reward; kappa towards the person's own wish; a retriever by
that wish that takes fewer and fewer of sixty posts. Prints Markdown; --picture writes docs/assets/twins.png.
"""

import argparse
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from people import OUTCOMES, WORDS, effects, outcomes, scenario
from rich.progress import track

from mirrorfield.metrics.paired import Effect
from mirrorfield.report.style import INK, styled

PLACE = Path(__file__).parent.parent / "docs" / "assets" / "twins.png"
ITEMS = 60
DOSES: dict[str, tuple[float, ...]] = {
    "lambda": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    "labels": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    "prompts": (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0),
    "retrieval": (60, 50, 40, 30, 20, 16, 12, 8, 4, 2, 1),
}
AXES = {
    "lambda": "λ of the person",
    "labels": "weight of ratings",
    "prompts": "κ towards the wish",
    "retrieval": "posts retrieved, of 60",
}
SHOWN = ("deliberate_value", "hooked", "locked_in", "filter_bubble")
REACTIVE = {"population": {"intentionality": {"distribution": "point", "value": 0.0}}}


def turned(lever: str, dose: float) -> dict[str, Any]:
    """Return what a lever at a dose changes in a scenario of reactive people."""
    if lever == "lambda":
        return {"population": {"intentionality": {"distribution": "point", "value": dose}}}
    if lever == "labels":
        return REACTIVE | {"reward": {"source": "mixture", "weight": dose}}
    if lever == "prompts":
        return REACTIVE | {"context": {"source": "query", "kappa": dose}}
    return REACTIVE | {"retrieval": {"corpus": "posts", "retriever": "query", "count": int(dose)}}


Curve = dict[float, dict[str, Effect]]


def crossing(curve: Curve, outcome: str, level: float, start: float) -> float | None:
    """Return the dose at which an outcome first reaches a level, linear between doses, or None where it never does."""
    doses, values = [start, *curve], [0.0, *(curve[dose][outcome].difference for dose in curve)]
    for (one, x), (other, y) in pairwise(zip(doses, values, strict=True)):
        if min(x, y) <= level <= max(x, y) and x != y:
            return one + (other - one) * (level - x) / (y - x)
    return None


def exchange(curves: dict[str, Curve], lever: str, outcome: str, dose: float) -> str:
    """Return how much of a lever does to an outcome what a dose of lambda does, with the interval of that dose."""
    effect = curves["lambda"][dose][outcome]
    start = float(ITEMS) if lever == "retrieval" else 0.0
    ends = [crossing(curves[lever], outcome, level, start) for level in (effect.difference, effect.low, effect.high)]
    if ends[0] is None:
        return "never"
    known = [end for end in ends if end is not None]
    return f"{ends[0]:.2f} ({min(known):.2f} to {max(known):.2f})"


def picture(curves: dict[str, Curve], base: dict[str, float]) -> Figure:
    """Return the dose-response curves: a row for every outcome, a column for every lever."""
    with styled():
        drawing = Figure(figsize=(8.6, 7.8))
        for row, outcome in enumerate(SHOWN):
            for column, (lever, curve) in enumerate(curves.items()):
                axes = drawing.add_subplot(len(SHOWN), len(curves), row * len(curves) + column + 1)
                start = float(ITEMS) if lever == "retrieval" else 0.0
                doses = [start, *curve] if lever != "retrieval" else list(curve)
                level = [] if lever == "retrieval" else [base[outcome]]
                level += [curve[dose][outcome].changed for dose in curve]
                axes.axhline(base[outcome], color="#9aa5b1", linewidth=1, linestyle=":")
                axes.plot(doses, level, color="#0072B2", marker="o", markersize=3.5)
                axes.set_ylim(-0.03, 1.05)
                if lever == "retrieval":
                    axes.set_xlim(62, 0)
                if row == len(SHOWN) - 1:
                    axes.set_xlabel(AXES[lever])
                if column == 0:
                    unit = "reaction" if outcome == "deliberate_value" else "0 to 1"
                    axes.set_ylabel(f"{WORDS[outcome]}\n({unit})", fontsize=9, color=INK)
                else:
                    axes.set_yticklabels([])
                if row == 0:
                    axes.set_title(lever, loc="left", color=INK)
        drawing.subplots_adjust(0.09, 0.07, 0.985, 0.96, hspace=0.2, wspace=0.1)
    return drawing


def main() -> None:
    """Run every lever at every dose on the same people, and print curves and exchange rates."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--picture", action="store_true")
    asked = parser.parse_args()
    base = outcomes(scenario(asked.users, asked.steps, **REACTIVE))
    curves: dict[str, Curve] = {lever: {} for lever in DOSES}
    for lever, dose in track([(lever, dose) for lever, doses in DOSES.items() for dose in doses], console=None):
        changed = outcomes(scenario(asked.users, asked.steps, **turned(lever, dose)))
        curves[lever][dose] = effects(base, changed)
    print("| lever | dose | " + " | ".join(WORDS[o] for o in OUTCOMES) + " |\n" + "|---" * (len(OUTCOMES) + 2) + "|")
    print("| none | | " + " | ".join(f"{base[o].mean():.3f}" for o in OUTCOMES) + " |")
    for lever, curve in curves.items():
        for dose, found in curve.items():
            cells = [f"{e.changed:.3f} ± {(e.high - e.low) / 2:.3f}" for e in (found[o] for o in OUTCOMES)]
            print(f"| {lever} | {dose:g} | " + " | ".join(cells) + " |")
    for dose in (0.2, 0.5):
        print(f"\nWhat does as much as lambda = {dose:g}:\n")
        print("| outcome | effect of lambda | labels | prompts | retrieval |\n|---|---|---|---|---|")
        for outcome in OUTCOMES:
            effect = curves["lambda"][dose][outcome]
            cells = [exchange(curves, lever, outcome, dose) for lever in ("labels", "prompts", "retrieval")]
            print(f"| {WORDS[outcome]} | {effect.difference:+.3f} | " + " | ".join(cells) + " |")
    if asked.picture:
        level = {name: float(base[name].mean()) for name in OUTCOMES}
        picture(curves, level).savefig(PLACE, dpi=180, metadata={"Software": None})


if __name__ == "__main__":
    main()
