"""A comparison as one HTML page: effects with their intervals, and which users moved from which category to which."""

from html import escape

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from mirrorfield.arrays import IntArray
from mirrorfield.report.canvas import blank, place, to_svg
from mirrorfield.report.leaf import figure, leaf, table
from mirrorfield.report.style import INK, MUTED, short, styled
from mirrorfield.study.whatif import Arm, Comparison

TITLE = "What a change does to the same people"
GAP, BAR = 0.03, 0.06
HEAD = ("metric", "base", "changed", "difference", "95% interval", "variance ratio", "people")
SHARES = ("locked_in", "filter_bubble", "calm", "engaged", "hooked")
EFFECTS_CAPTION = (
    "Change of each share or index that lies between 0 and 1, in hundredths, with its 95% interval: the same users "
    "with the same luck, with the change minus without it."
)
FLOW_CAPTION = (
    "Users by the category that takes up most of their diet: without the change on the left, with it on the right. A "
    "band's height is the number of users who went that way; bands of under half a percent are left out."
)


def effect_chart(arm: Arm) -> Figure:
    """Return the effects on shares and indices, in hundredths, one row each with its interval."""
    shown = [effect for effect in arm.effects if effect.metric in SHARES or effect.metric.startswith("share:")]
    with styled():
        drawing = blank(0.3 * max(len(shown), 1) + 0.75)
        axes = place(drawing, 0.55, 0.3 * max(len(shown), 1) + 0.1, 0.15, 1.35)
        for row, effect in enumerate(shown):
            axes.plot([100 * effect.low, 100 * effect.high], [row, row], color=INK, linewidth=1.4)
            axes.plot([100 * effect.difference], [row], "o", color=INK, markersize=4.5)
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_yticks(range(len(shown)), [short(effect.metric.removeprefix("share:"), 16) for effect in shown])
        axes.set_xlabel("change (hundredths)")
    return drawing


def _bounds(totals: IntArray) -> list[tuple[float, float]]:
    height, top, found = 1 - GAP * (len(totals) - 1), 1.0, []
    for total in totals:
        bottom = top - height * total / totals.sum()
        found.append((bottom, top))
        top = bottom - GAP
    return found


def flow_chart(moves: IntArray, names: list[str], colors: list[str]) -> Figure:
    """Return bands from each category without the change to each category with it.

    Parameters: moves, users, of shape (K, K), row without, column with; names and colors of the K categories.
    """
    left, right = _bounds(moves.sum(axis=1)), _bounds(moves.sum(axis=0))
    scale = (1 - GAP * (len(moves) - 1)) / moves.sum()
    places = [[top for _, top in left], [top for _, top in right]]
    with styled():
        drawing = blank(3.6)
        axes = place(drawing, 0.1, 3.4, 1.15, 1.15)
        for i, j in np.ndindex(moves.shape):
            high = scale * moves[i, j]
            y0, y1 = places[0][i], places[1][j]
            places[0][i], places[1][j] = y0 - high, y1 - high
            if moves[i, j] >= 0.005 * moves.sum():
                corners = [
                    (BAR, y0), (0.5, y0), (0.5, y1), (1 - BAR, y1),
                    (1 - BAR, y1 - high), (0.5, y1 - high), (0.5, y0 - high), (BAR, y0 - high), (BAR, y0),
                ]  # fmt: skip
                codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
                axes.add_patch(PathPatch(Path(corners, codes), facecolor=colors[i], alpha=0.45, linewidth=0))
        for side, bounds, totals in ((0.0, left, moves.sum(axis=1)), (1 - BAR, right, moves.sum(axis=0))):
            for k, (bottom, top) in enumerate(bounds):
                axes.bar(side, top - bottom, BAR, bottom, align="edge", color=colors[k])
                text = f"{short(names[k])} {100 * totals[k] / totals.sum():.1f}%"
                x, align = (-0.02, "right") if side == 0 else (1.02, "left")
                axes.text(x, (bottom + top) / 2, text, ha=align, va="center", fontsize=8)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_axis_off()
    return drawing


def section(number: int, arm: Arm, comparison: Comparison) -> str:
    """Return what one arm does, as a section of a page: who moved, effects on shares, and all effects."""
    base = comparison.base
    names, colors = [c.name for c in base.categories], [c.color for c in base.categories]
    rows = [
        (
            *(e.metric, f"{e.base:.4f}", f"{e.changed:.4f}", f"{e.difference:+.4f}"),
            *(f"{e.low:+.4f} to {e.high:+.4f}", f"{e.variance_ratio:.1f}", f"{e.people:,}"),
        )
        for e in arm.effects
    ]
    effects = to_svg(
        effect_chart(arm), f"effects{number}", f"Effects of {arm.name} with 95% intervals; the table has them."
    )
    flow = to_svg(
        flow_chart(arm.moves, names, colors), f"flow{number}", f"Bands of users between categories under {arm.name}."
    )
    return (
        f"<section><h2>{escape(arm.name)}</h2>\n{figure(flow, FLOW_CAPTION, base)}"
        f"{figure(effects, EFFECTS_CAPTION, base)}{table(HEAD, rows)}</section>\n"
    )


def page(comparison: Comparison, command: str) -> str:
    """Return a comparison as one self-contained HTML page; `command` is what made it."""
    base = comparison.base
    run = (
        f"{base.name}: {base.users:,} users x {base.steps:,} interactions, seed {base.seed}; {comparison.pairs:,} pairs"
    )
    sections = "".join(section(number, arm, comparison) for number, arm in enumerate(comparison.arms))
    return leaf(TITLE, run, sections, base, command)
