"""The two pictures of users themselves: where they stand in policy space, and how their arousal flows."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Polygon, Rectangle

from mirrorfield.arrays import STATES, F32Array, FloatArray, IntArray, S
from mirrorfield.metrics.paired import moves
from mirrorfield.report.canvas import blank, place
from mirrorfield.report.geometry import corners, narrowing_steps, ribbon, spread, subsample
from mirrorfield.report.style import (
    INK,
    MUTED,
    QUIET,
    STATE_COLORS,
    STATE_INKS,
    WIDTH,
    Mark,
    fed,
    marks,
    percent,
    short,
    styled,
)

MOST_DOTS = 4000
NAMED_CORNERS = 4
"""Up to this many categories the corners carry names; beyond it they carry numbers that a key explains."""
_PANEL, _ROW, _EDGE = WIDTH / 2, WIDTH / 2 + 0.2, 0.06
_EXTENTS = {2: (1.3, -0.75, 1.3), 3: (1.2, -1.1, 1.7), 4: (1.14, -1.25, 1.4)}
_BAR, _SPACE = 0.5, 0.02


def _corner_labels(axes: Axes, every: list[Mark], shares: F32Array) -> None:
    for k, (x, y) in enumerate(corners(len(every))):
        if len(every) > NAMED_CORNERS:
            axes.text(1.16 * x, 1.16 * y, str(k + 1), ha="center", va="center", color=INK)
            continue
        side = "center" if abs(x) < 0.1 else "left" if x < 0 else "right"
        lean = 0.0 if side == "center" else np.copysign(0.3 if abs(x) < 0.9 else 0.15, x)
        axes.text(
            x + lean,
            y + (0.07 if y > 0.1 else -0.07 if y < -0.1 else 0.56),
            f"{short(every[k].name, 11)}\n{percent(float(shares[k]))}",
            ha=side,
            va="bottom" if y > -0.1 else "top",
            color=INK,
            linespacing=1.05,
        )


def _dots(axes: Axes, feeds: F32Array, held: IntArray, every: list[Mark]) -> None:
    spots = feeds.astype(float) @ corners(len(every))
    if len(every) == 2:
        spots[:, 1] = np.linspace(-0.5, 0.5, len(spots) + 2)[1:-1]
    size = float(np.clip(3000 / len(spots), 5, 36))
    for k in np.unique(held):
        x, y = spots[held == k].T
        drawn = axes.scatter(x, y, s=size, c=every[k].color, marker=every[k].marker, alpha=0.55, linewidths=0)
        drawn.set_rasterized(True)
        drawn.set_clip_on(False)


def _map_axes(figure: Figure, index: int, rows: int, columns: int, count: int) -> Axes:
    row, column = divmod(index, columns)
    left = (WIDTH - columns * _PANEL) / 2 + column * _PANEL
    axes = place(figure, (rows - 1 - row) * _ROW, _ROW, WIDTH - left - _PANEL, left)
    axes.set_axis_off()
    axes.set_aspect("equal")
    half, low, high = _EXTENTS.get(count, (1.28, -1.3, 1.6))
    axes.set_xlim(-half, half)
    axes.set_ylim(low, high)
    return axes


def policy_map(dataset: xr.Dataset) -> Figure:
    """Return small maps of the sampled users' diets at up to four steps, each user a dot among K corners.

    A dot is the mean of the corners weighted by the user's diet: exact for K <= 3, a projection beyond. Its colour
    and shape are the user's category at the last step. At most 4,000 users are drawn.

    Parameters: dataset, with `diet` (step, user, category) and `share` (step, category).
    """
    every, picked = marks(dataset), narrowing_steps(dataset)
    drawn = dataset[fed(dataset)].isel(step=picked, user=subsample(dataset.sizes["user"], MOST_DOTS)).values
    held = drawn[-1].argmax(axis=-1)
    columns = min(2, len(picked))
    rows = -(-len(picked) // columns)
    with styled():
        figure = blank(rows * _ROW + _EDGE)  # without the edge the titles of the first row are cut
        for index, record in enumerate(picked):
            axes = _map_axes(figure, index, rows, columns, len(every))
            axes.add_patch(Polygon(corners(len(every)), fill=False, edgecolor=QUIET, linewidth=0.8))
            _dots(axes, drawn[index], held, every)
            _corner_labels(axes, every, dataset["share"].values[record])
            title = f"step {int(dataset['step'].values[record]):,}"
            axes.text(0, axes.get_ylim()[1], title, ha="center", va="top", weight="bold")
    return figure


def flow_steps(dataset: xr.Dataset) -> IntArray:
    """Return the indices of up to five records, evenly spaced from the first to the last."""
    return subsample(dataset.sizes["step"], 5)


def _bases(totals: IntArray) -> FloatArray:
    fractions = totals / max(int(totals.sum()), 1)
    return np.concatenate([[0.0], np.cumsum(fractions + _SPACE)[:-1]])


def _column(axes: Axes, x: float, totals: IntArray, shares: F32Array) -> None:
    for state, base in enumerate(_bases(totals)):
        height = totals[state] / totals.sum()
        axes.add_patch(Rectangle((x, base), _BAR, height, facecolor=STATE_COLORS[state], linewidth=0))
        if height > 0.06:
            text = percent(float(shares[state]))
            axes.text(x + _BAR / 2, base + height / 2, text, ha="center", va="center", color=STATE_INKS[state])


def _ribbons(axes: Axes, x: float, flows: IntArray) -> None:
    total = flows.sum()
    leaving, arriving = _bases(flows.sum(axis=1)), _bases(flows.sum(axis=0))
    for source, target in np.ndindex(S, S):
        thickness = flows[source, target] / total
        if thickness > 0:
            path = ribbon(x + _BAR, x + 1, float(leaving[source]), float(arriving[target]), float(thickness))
            axes.add_patch(PathPatch(path, facecolor=STATE_COLORS[source], alpha=0.55, linewidth=0))
            leaving[source] += thickness
            arriving[target] += thickness


def arousal_flows(dataset: xr.Dataset) -> Figure:
    """Return how the sampled users move between calm, engaged and hooked over up to five recorded steps.

    Bars and ribbons are counts of sampled users; the percentages written on the bars are those of all users.

    Parameters: dataset, with `sample_state` (step, user), 0..2, and `state_share` (step, state).
    """
    picked = flow_steps(dataset)
    states = dataset["sample_state"].isel(step=picked).values
    totals = [np.bincount(row, minlength=S) for row in states]
    with styled():
        figure = blank(3.4)
        axes = place(figure, 0.58, 2.7, 0.85, left=0.1)
        for x, (record, counts) in enumerate(zip(picked, totals, strict=True)):
            _column(axes, x, counts, dataset["state_share"].values[record])
            if x + 1 < len(picked):
                _ribbons(axes, x, moves(states[x], states[x + 1], S))
        _name_states(axes, len(picked) - 1 + _BAR, totals[-1])
        axes.set_xlim(0, len(picked) - 1 + _BAR)
        axes.set_ylim(0, 1 + _SPACE * (S - 1))
        axes.set_xticks(np.arange(len(picked)) + _BAR / 2, [f"{int(dataset['step'].values[i]):,}" for i in picked])
        axes.tick_params(length=0)
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("step (posts shown to each user)")
    return figure


def _name_states(axes: Axes, x: float, totals: IntArray) -> None:
    centers = _bases(totals) + totals / totals.sum() / 2
    for name, y in zip(STATES, spread(list(centers), 0.08, 0.04, 1.0), strict=True):
        axes.annotate(name, (x, y), xytext=(6, 0), textcoords="offset points", va="center", color=MUTED, weight="bold")
