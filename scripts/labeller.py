"""Who is the labeller: the same people under clicks, ratings and a learned reward, for docs/results/labeller.md.

Usage: uv run python scripts/labeller.py [--users N] [--steps T] [--picture]
Scenario `default` with N users; lambda is that of the population, in ten bands; lambda_label is on a grid. The learned
reward is fitted to 100,000 pairs of 2,000 labellers with that lambda_label. Prints Markdown; --picture writes
docs/assets/labeller.png.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from people import OUTCOMES, WORDS, effects, outcomes, scenario, told
from rich.progress import track

import mirrorfield as mf
from mirrorfield.arrays import FloatArray
from mirrorfield.metrics.concentration import entropy, filter_bubble
from mirrorfield.report.style import INK, styled
from mirrorfield.world.rlhf.labellers import draw_labellers
from mirrorfield.world.rlhf.preferences import collect
from mirrorfield.world.rlhf.reward_model import fit_reward_model

PLACE = Path(__file__).parent.parent / "docs" / "assets" / "labeller.png"
GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
LABELLERS, PAIRS, BANDS = 2000, 100_000, 10
SHOWN = ("deliberate_value", "hooked", "locked_in", "filter_bubble")
Found = dict[str, FloatArray]


def learned(base: mf.Scenario, intentionality: float) -> tuple[tuple[float, ...], ...]:
    """Return r_phi, (S, K), shared by everyone, fitted to the pairs of labellers."""
    people = draw_labellers(base, LABELLERS, intentionality)
    labels = collect(people, PAIRS, "random", np.full((3, base.k), 1 / base.k))
    model = fit_reward_model(labels, "shared", 0.1, 0.0, [category.name for category in base.categories])
    return tuple(map(tuple, model.mean_score.tolist()))


def arms(base: mf.Scenario) -> dict[str, dict[str, object]]:
    """Return every source of the reward that is compared, by name."""
    found: dict[str, dict[str, object]] = {}
    for x in GRID:
        found[f"ratings, {x:g}"] = {"source": "ratings", "intentionality": x}
    for x in GRID:
        found[f"r_phi, {x:g}"] = {"source": "reward_model", "model": learned(base, x)}
    found["a tenth rated, 1"] = {"source": "ratings", "rate": 0.1}
    found["clicks and ratings, half each"] = {"source": "mixture", "weight": 0.5}
    return found


def by_band(found: Found, outcome: str) -> FloatArray:
    """Return an outcome's mean in every band of lambda, (BANDS,); for the filter bubble, the index within each band."""
    band = np.minimum((found["intentionality"] * BANDS).astype(int), BANDS - 1)
    if outcome == "filter_bubble":
        inside = [found["diet"][band == b].astype(float) for b in range(BANDS)]
        return np.array([filter_bubble(feed.mean(axis=0), float(entropy(feed).mean())) for feed in inside])
    return np.bincount(band, weights=found[outcome], minlength=BANDS) / np.bincount(band, minlength=BANDS)


def picture(found: dict[str, Found]) -> Figure:
    """Return outcomes over lambda, one line for every source."""
    lines = (
        ("clicks", "clicks", "#000000", "o", "-"),
        ("ratings, 1", "ratings, λ label 1", "#0072B2", "s", "-"),
        ("ratings, 0", "ratings, λ label 0", "#D55E00", "^", "-"),
        ("r_phi, 1", "learned reward, λ label 1", "#56B4E9", "D", "--"),
        ("r_phi, 0", "learned reward, λ label 0", "#E69F00", "v", "--"),
    )
    middle = (np.arange(BANDS) + 0.5) / BANDS
    with styled():
        drawing = Figure(figsize=(7.2, 6.4))
        for place, outcome in enumerate(SHOWN):
            axes = drawing.add_subplot(2, 2, place + 1)
            for key, name, color, marker, dash in lines:
                axes.plot(
                    middle, by_band(found[key], outcome), dash, color=color, marker=marker, markersize=4, label=name
                )
            unit = "reaction" if outcome == "deliberate_value" else "0 to 1"
            within = " within a band" if outcome == "filter_bubble" else ""
            axes.set_title(f"{WORDS[outcome]}{within} ({unit})", loc="left", color=INK)
            axes.set_xlim(0, 1)
            axes.set_ylim(-0.03, 1.05)
            if place > 1:
                axes.set_xlabel("λ of the person who scrolls (1)")
        drawing.subplots_adjust(0.07, 0.09, 0.98, 0.82, hspace=0.28, wspace=0.18)
        handles, names = drawing.axes[0].get_legend_handles_labels()
        drawing.legend(handles, names, frameon=False, loc="upper left", ncols=2, bbox_to_anchor=(0.05, 1.0))
    return drawing


def main() -> None:
    """Run every source on the same people, and print what each does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--picture", action="store_true")
    asked = parser.parse_args()
    base = scenario(asked.users, asked.steps)
    found = {"clicks": outcomes(base)}
    sources = arms(base)
    for name, reward in track(sources.items(), description="sources", console=None):
        found[name] = outcomes(scenario(asked.users, asked.steps, reward=reward))
    print("| source, lambda_label | " + " | ".join(WORDS[o] for o in OUTCOMES) + " |")
    print("|---" * (len(OUTCOMES) + 1) + "|")
    clicks = found["clicks"]
    print("| clicks | " + " | ".join(f"{clicks[o].mean():.4f}" for o in OUTCOMES) + " |")
    for name in sources:
        changed = effects(clicks, found[name])
        print(f"| {name} | " + " | ".join(told(changed[o]) for o in OUTCOMES) + " |")
    for outcome in SHOWN:
        print(f"\n{WORDS[outcome]}, by band of lambda:\n")
        print("| source | " + " | ".join(f"{(b + 0.5) / BANDS:.2f}" for b in range(BANDS)) + " |")
        print("|---" * (BANDS + 1) + "|")
        for name, one in found.items():
            print(f"| {name} | " + " | ".join(f"{x:.3f}" for x in by_band(one, outcome)) + " |")
    for name in ("r_phi, 0", "r_phi, 1"):
        print(f"\n{name}:", [[round(x, 3) for x in row] for row in sources[name]["model"]])  # type: ignore[attr-defined]
    if asked.picture:
        picture(found).savefig(PLACE, dpi=180, metadata={"Software": None})


if __name__ == "__main__":
    main()
