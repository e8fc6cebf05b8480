"""One policy for all against one for each: who is served what, at low intentionality, as both learn.

Usage: uv run python scripts/embedding.py
Writes docs/assets/embedding.png: the share of people with lambda < 0.2 whose feed gives a category its greatest
probability, in the base model (5,000 users, 700 steps, seed 1) and in the embedding world at its default setting.
"""

from pathlib import Path

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import mirrorfield as mf
from mirrorfield.report.canvas import draw_line, step_axis
from mirrorfield.report.style import marks, styled

PLACE = Path(__file__).parent.parent / "docs" / "assets" / "embedding.png"
REACTIVE = 0.2


def panel(axes: Axes, dataset: xr.Dataset, title: str) -> None:
    """Draw the shares of categories, and lock-in, of people of low intentionality."""
    low = dataset["band_high"].values <= REACTIVE + 1e-9
    people = dataset["band_users"].values[low].sum()
    counts, locked = (dataset[name].values[:, low].sum(axis=1) / people for name in ("band_category", "band_locked"))
    steps = dataset["step"].values
    for k, mark in enumerate(marks(dataset)):
        draw_line(axes, steps, 100 * counts[:, k], mark, every=3)
        axes.plot(
            [], [], mark.marker, color=mark.color, linestyle="-", dashes=mark.dashes or (None, None), label=mark.name
        )
    axes.fill_between(steps, 0, 100 * locked.sum(axis=1), color="#1f2933", alpha=0.09, linewidth=0, label="locked in")
    axes.set_ylim(-2, 102)
    axes.set_title(title)
    step_axis(axes, steps)


def main() -> None:
    """Run both worlds and draw."""
    scenario = mf.EmbeddingScenario()
    base = mf.simulate(mf.Scenario(users=scenario.users, steps=scenario.steps, seed=scenario.seed))
    with styled():
        figure = Figure(figsize=(9.2, 3.8), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        panel(left, base.dataset, "A policy for each person")
        panel(right, mf.simulate(scenario).dataset, "One policy for all")
        left.set_ylabel(f"people with λ < {REACTIVE:g} (%)")
        right.legend(frameon=False, loc="center left")
        figure.savefig(PLACE, dpi=160)
    print(PLACE)


if __name__ == "__main__":
    main()
