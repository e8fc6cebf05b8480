"""The pages of `mirrorfield neighbours` and `mirrorfield tip`: a picture, what it says, and a table."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mirrorfield.report.canvas import blank, place, to_svg
from mirrorfield.report.leaf import figure, leaf, table
from mirrorfield.report.style import INK, MUTED, styled
from mirrorfield.study.neighbours import AtDistance, Neighbours
from mirrorfield.study.tipping import Tipping

BLUE, ORANGE = "#0072B2", "#D55E00"


def _points(axes: Axes, found: list[AtDistance], which: str, color: str, marker: str, label: str, shift: float) -> None:
    x = np.arange(len(found)) + shift
    shares = [getattr(pair, which) for pair in found]
    value = 100 * np.array([share.value for share in shares])
    below = value - 100 * np.array([share.low for share in shares])
    above = 100 * np.array([share.high for share in shares]) - value
    axes.errorbar(
        x, value, [np.maximum(below, 0), np.maximum(above, 0)], color=color, marker=marker, linewidth=1.4, label=label
    )


def neighbours_chart(found: Neighbours) -> Figure:
    """Return the share of pairs whose diets have parted, in percent, against their distance in profile."""
    with styled():
        drawing = blank(3.4)
        axes = place(drawing, 0.58, 2.7, 0.2)
        _points(axes, found.distances, "other_luck", ORANGE, "s", "other luck", 0.06)
        _points(axes, found.distances, "same_luck", BLUE, "o", "same luck", -0.06)
        axes.axhline(100 * found.strangers.value, color=MUTED, linewidth=0.9, linestyle=(0, (4, 2)))
        axes.text(0, 100 * found.strangers.value, "strangers", va="bottom", color=MUTED)
        axes.set_xticks(range(len(found.distances)), [f"{pair.distance:g}" for pair in found.distances])
        axes.set_xlabel("distance of the two profiles")
        axes.set_ylabel("pairs that have parted (%)")
        axes.set_ylim(bottom=-1)
        axes.legend(frameon=False, loc="center left")
    return drawing


def neighbours_page(found: Neighbours, command: str) -> str:
    """Return the page of two neighbours."""
    told = [
        (
            f"{pair.distance:g}",
            *(f"{s.value:.4f} [{s.low:.4f}, {s.high:.4f}]" for s in (pair.same_luck, pair.other_luck)),
        )
        for pair in found.distances
    ]
    chart = to_svg(
        neighbours_chart(found), "neighbours", "Share of pairs that have parted by distance; the table has it."
    )
    caption = (
        "Pairs whose diets have less than a tenth in common after the last post, with 95% intervals; the places on the "
        "axis are not to scale. Same luck: the same random numbers. Strangers: two users drawn apart."
    )
    parts = [
        (name, f"{index:.3f}", f"{error:.3f}")
        for name, (index, error) in (("profile", found.profile), ("luck", found.luck))
    ]
    body = (
        f"<section><h2>When neighbours part</h2>\n{figure(chart, caption, found.scenario)}"
        f"{table(('distance', 'same luck', 'other luck'), told)}</section>\n<section><h2>Who decides</h2>\n"
        "<p>First-order index: the part of who ends up in which category that one of the two decides alone.</p>\n"
        f"{table(('decided by', 'index', 'standard error'), parts)}</section>\n"
    )
    base = found.scenario
    run = f"{base.name}: {found.pairs:,} pairs, {base.steps:,} interactions each, seeds {base.seed} and {base.seed + 1}"
    return leaf("Two neighbours", run, body, base, command)


def tipping_chart(found: Tipping) -> Figure:
    """Return a metric against the setting that it tips over, with the logistic fit and the warm policies."""
    with styled():
        drawing = blank(3.4)
        axes = place(drawing, 0.58, 2.7, 0.2)
        axes.axhline(found.level, color=MUTED, linewidth=0.8)
        axes.plot(found.place, found.value, "o", color=INK, markersize=4, label="fresh policy")
        if found.fit:
            fine = np.linspace(found.place[0], found.place[-1], 200)
            axes.plot(fine, found.fit.at(fine), color=INK, linewidth=1, label="logistic fit")
        if found.hysteresis:
            warm = found.hysteresis
            axes.plot(warm.place, warm.up, "^-", color=BLUE, markersize=4, label="moved up")
            axes.plot(warm.place, warm.down, "v-", color=ORANGE, markersize=4, label="moved down")
        axes.set_xlabel(found.over)
        axes.set_ylabel(found.metric)
        axes.legend(frameon=False)
    return drawing


def tipping_page(found: Tipping, command: str) -> str:
    """Return the page of a tipping point."""
    chart = to_svg(tipping_chart(found), "tip", f"{found.metric} against {found.over}; the table has it.")
    caption = (
        f"{found.metric} of the population after the last post. Fresh: everyone starts with an even policy at that "
        "place. Moved: the policy was learned at one end, then everyone was moved there and as many posts followed."
    )
    rows = [(f"{x:.4f}", f"{y:.4f}") for x, y in zip(found.place, found.value, strict=True)]
    low, high = found.bracket
    body = (
        f"<section><h2>It crosses {found.level:g} between {low:.4f} and {high:.4f}</h2>\n"
        f"{figure(chart, caption, found.scenario)}{table((found.over, found.metric), rows)}</section>\n"
    )
    base = found.scenario
    run = f"{base.name}: {base.users:,} users x {base.steps:,} interactions, seed {base.seed}"
    return leaf(f"Where {found.metric} tips", run, body, base, command)
