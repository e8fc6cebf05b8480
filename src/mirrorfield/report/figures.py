"""The three line charts: who is fed what over time, how narrow feeds become, and where intentionality tips it."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mirrorfield.arrays import FloatArray
from mirrorfield.metrics.mirrors import wilson
from mirrorfield.report.canvas import Label, blank, draw_line, end_labels, label_inches, place, step_axis
from mirrorfield.report.style import INK, QUIET, Mark, highlights, marks, number, percent, styled

_INDEX_MARKS = {
    "locked_in": Mark("locked_in", "locked in", INK, "o", ()),
    "filter_bubble": Mark("filter_bubble", "bubble", "#a8490f", "s", (6, 2)),
    "overlap": Mark("overlap", "overlap", "#2a6f97", "^", (1.5, 1.5)),
}


def _percent_axis(axes: Axes, label: str, apart: int) -> None:
    axes.set_ylim(-2, 102)
    axes.set_yticks(range(0, 101, apart))
    axes.set_ylabel(label)


def share_lines(dataset: xr.Dataset) -> Figure:
    """Return the share of all users that each category holds, in percent, against the step.

    Parameters: dataset, with `share` (step, category), fractions, and steps >= 1.
    """
    every, chosen, steps = marks(dataset), highlights(dataset), dataset["step"].values
    shares = dataset["share"].values.astype(float)
    texts = [f"{every[k].short} {percent(shares[-1, k])}" for k in chosen]
    with styled():
        figure = blank(3.2)
        axes = place(figure, 0.58, 2.5, label_inches(texts))
        top = max(10.0, float(shares.max()) * 108)
        axes.set_ylim(-0.02 * top, top)
        axes.set_ylabel("share of users (%)")
        step_axis(axes, steps)
        for k in sorted(set(range(len(every))) - set(chosen)):
            axes.plot(steps, shares[:, k] * 100, ".-", color=QUIET, linewidth=0.7, markersize=2)
        for k in chosen:
            draw_line(axes, steps, shares[:, k] * 100, every[k], every=6)
        end_labels(axes, _line_ends(texts, steps, shares * 100, [(k, every[k]) for k in chosen]))
    return figure


def _line_ends(
    texts: Sequence[str], x: FloatArray, values: FloatArray, chosen: Sequence[tuple[int, Mark]]
) -> list[Label]:
    return [
        Label(text, float(x[-1]), float(values[-1, k]), mark.color, mark.marker)
        for text, (k, mark) in zip(texts, chosen, strict=True)
    ]


def diversity_lines(dataset: xr.Dataset) -> Figure:
    """Return how many categories a feed effectively holds and, below, three indices between 0 and 1, by step.

    Parameters: dataset, with `effective_categories`, `filter_bubble`, `overlap` and `locked_in` (step); an
    undefined value (the overlap of a single user) leaves a gap.
    """
    steps, effective = dataset["step"].values, dataset["effective_categories"].values.astype(float)
    final = {name: float(dataset[name].values[-1]) for name in _INDEX_MARKS}
    texts = {name: f"{mark.short} {number(final[name])}" for name, mark in _INDEX_MARKS.items()}
    margin = label_inches(list(texts.values()))
    with styled():
        figure = blank(4.4)
        above, below = place(figure, 2.72, 1.5, margin), place(figure, 0.58, 1.85, margin)
        count = dataset.sizes["category"]
        above.set_ylim(1 - 0.04 * (count - 1), 1 + 1.06 * (count - 1))
        above.set_yticks(np.unique(np.linspace(1, count, min(count, 4)).round()))
        above.set_ylabel("effective\ncategories")
        step_axis(above, steps, label=False)
        draw_line(above, steps, effective, Mark("", "", INK, "D", ()), every=6)
        end_labels(above, [Label(number(effective[-1]), float(steps[-1]), float(effective[-1]), INK, "D")])
        below.set_ylim(-0.02, 1.03)
        below.set_ylabel("index (0 to 1)")
        step_axis(below, steps)
        for name, mark in _INDEX_MARKS.items():
            draw_line(below, steps, dataset[name].values.astype(float), mark, every=6)
        ends = [Label(texts[n], float(steps[-1]), final[n], m.color, m.marker) for n, m in _INDEX_MARKS.items()]
        end_labels(below, ends)
    return figure


def intensity_lines(dataset: xr.Dataset) -> Figure:
    """Return the mean intensity of feeds by category of their users and, below, these users' mean floor, by step.

    Parameters: dataset, with `intensity` and `floor` (step, category), 0 to 1.
    """
    every, chosen, steps = marks(dataset), highlights(dataset), dataset["step"].values
    margin = label_inches([f"{every[k].short} 0.00" for k in chosen])
    with styled():
        figure = blank(4.6)
        above, below = place(figure, 2.62, 1.8, margin), place(figure, 0.58, 1.8, margin)
        for axes, name in ((above, "intensity"), (below, "floor")):
            values = dataset[name].values.astype(float)
            axes.set_ylim(-0.02, 1.03)
            axes.set_ylabel(f"{name} (0 to 1)")
            step_axis(axes, steps, label=axes is below)
            for k in chosen:
                draw_line(axes, steps, values[:, k], every[k], every=6)
            texts = [f"{every[k].short} {number(values[-1, k])}" for k in chosen]
            end_labels(axes, _line_ends(texts, steps, values, [(k, every[k]) for k in chosen]))
    return figure


def _banded(axes: Axes, dataset: xr.Dataset, counts: FloatArray, mark: Mark) -> None:
    users, low, high = (dataset[name].values.astype(float) for name in ("band_users", "band_low", "band_high"))
    held = users > 0
    share = np.full(len(users), np.nan)
    share[held] = counts[held] / users[held]
    least, most = wilson(counts[held], users[held])
    axes.bar(
        (low + high)[held] / 2,
        (most - least) * 100,
        width=(high - low)[held],
        bottom=least * 100,
        color=mark.color,
        alpha=0.22,
        linewidth=0,
    )
    draw_line(axes, (low + high) / 2, share * 100, mark)


def tipping_curve(dataset: xr.Dataset) -> Figure:
    """Return each category's share of users by band of intentionality at the last step, and the share locked in.

    Parameters: dataset, with `band_users` (band), `band_category` and `band_locked` (step, band, category), counts.
    Bands without users are left out; bars show the 95% Wilson interval of each band.
    """
    every, chosen = marks(dataset), highlights(dataset)
    by_category = dataset["band_category"].values[-1].astype(float)
    locked = dataset["band_locked"].values[-1].sum(axis=-1).astype(float)
    held = np.flatnonzero(dataset["band_users"].values > 0)
    middle = (dataset["band_low"].values + dataset["band_high"].values) / 2
    margin = label_inches([every[k].short for k in chosen])
    with styled():
        figure = blank(4.9)
        above, below = place(figure, 2.05, 2.7, margin), place(figure, 0.58, 1.15, margin)
        for axes in (above, below):
            axes.set_xlim(0, 1)
        above.tick_params(labelbottom=False)
        _percent_axis(above, "share of the band (%)", 25)
        _percent_axis(below, "locked in (%)", 50)
        below.set_xlabel("intentionality λ (0 reactive, 1 intentional)")
        for k in chosen:
            _banded(above, dataset, by_category[:, k], every[k])
        _banded(below, dataset, locked, _INDEX_MARKS["locked_in"])
        if held.size:
            last, total = held[-1], float(dataset["band_users"].values[held[-1]])
            ends = [(every[k], float(by_category[last, k]) / total * 100) for k in chosen]
            end_labels(above, [Label(m.short, float(middle[last]), y, m.color, m.marker) for m, y in ends])
    return figure
