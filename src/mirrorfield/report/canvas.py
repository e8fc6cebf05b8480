"""Axes placed in inches, labels set beside the lines they name, and a figure turned into inline SVG."""

import io
import re
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.report.geometry import spread
from mirrorfield.report.style import INK, MUTED, TEXT, WIDTH, Mark, styled

RASTER_DPI = 200
NOTE_COLUMNS, NOTE_INCHES = 110, 0.16
_LINE_INCHES = 1.3 * TEXT / 72
_TAG = re.compile(r"<[^>]+>")
_REFERENCE = re.compile(r'(\bid="|url\(#|href="#)')
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass(frozen=True)
class Label:
    """A text to set beside the point where its line ends; x and y are in data units."""

    text: str
    x: float
    y: float
    color: str
    marker: str


def label_inches(texts: Sequence[str]) -> float:
    """Return the margin, in inches, that the longest of some end labels needs, its leader included."""
    return 0.4 + 0.62 * TEXT / 72 * max((len(text) for text in texts), default=0)


def place(figure: Figure, bottom: float, height: float, right: float, left: float = 0.72) -> Axes:
    """Add axes at a distance in inches from the bottom of the figure and with margins left and right."""
    width, tall = figure.get_size_inches()
    return figure.add_axes((left / width, bottom / tall, (width - left - right) / width, height / tall))


class Picture(Figure):
    """A figure that a notebook shows at the end of a cell, without pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        with styled():
            self.savefig(buffer, format="png", dpi=RASTER_DPI / 2)
        return buffer.getvalue()


def blank(height: float) -> Figure:
    """Return an empty figure of the report's width and a height in inches."""
    return Picture(figsize=(WIDTH, height))


def noted(figure: Figure, note: str) -> Figure:
    """Return the figure, made taller by a line at its lower edge with the note; unchanged without one."""
    if not note:
        return figure
    width, tall = figure.get_size_inches()
    lines = textwrap.wrap(note, NOTE_COLUMNS)
    added = NOTE_INCHES * len(lines)
    for axes in figure.axes:
        left, bottom, wide, high = axes.get_position().bounds
        axes.set_position((left, (bottom * tall + added) / (tall + added), wide, high * tall / (tall + added)))
    figure.set_size_inches(width, tall + added)
    with styled():
        figure.text(0.01, 0.04 / (tall + added), "\n".join(lines), color=MUTED, fontsize=7.5, va="bottom")
    return figure


def end_labels(axes: Axes, labels: Sequence[Label]) -> None:
    """Write each label to the right of the axes, joined by a thin line to its point and kept apart from the others."""
    known = [label for label in labels if np.isfinite(label.y)]
    low, high = axes.get_ylim()
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    inches = axes.get_position().height * figure.get_size_inches()[1]
    places = spread([label.y for label in known], _LINE_INCHES / inches * (high - low), low, high)
    beside = axes.get_yaxis_transform()
    for label, y in zip(known, places, strict=True):
        leader = {"arrowstyle": "-", "color": label.color, "linewidth": 0.8, "shrinkA": 2, "shrinkB": 2}
        axes.annotate("", xy=(label.x, label.y), xytext=(1.08, y), textcoords=beside, arrowprops=leader)
        axes.plot([1.08], [y], label.marker, color=label.color, markersize=4.5, transform=beside, clip_on=False)
        axes.text(1.12, y, label.text, transform=beside, va="center", color=INK)


def draw_line(axes: Axes, x: FloatArray | IntArray, y: FloatArray, mark: Mark, every: int = 1) -> None:
    """Draw one category's line with its colour, dashes and markers; an undefined value leaves a gap."""
    axes.plot(x, y, color=mark.color, linewidth=1.8, dashes=mark.dashes or (None, None))
    axes.plot(x[::-every], y[::-every], mark.marker, color=mark.color, markersize=4.5, clip_on=False)


def step_axis(axes: Axes, steps: IntArray, label: bool = True) -> None:
    """Make the x axis the recorded steps on a logarithmic scale, with plain numbers on it."""
    first, last = int(steps[0]), int(steps[-1])
    axes.set_xscale("log")
    axes.set_xlim(first / 1.6, last * 1.6) if first == last else axes.set_xlim(first, last * 1.04)
    tens = [10**power for power in range(10) if first <= 10**power <= last]
    ticks = sorted({first, *tens} | ({last} if not tens or last > 3 * tens[-1] else set()))
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if label else ""))
    if label:
        axes.set_xlabel("step (posts shown to each user, log scale)")


def to_svg(figure: Figure, key: str, alt: str) -> str:
    """Return a figure as an inline SVG element whose ids start with `key` and whose text stays text.

    Parameters: figure; key, an HTML id fragment unique on the page; alt, the text read aloud in its place.
    Returns the same bytes for the same figure.
    """
    buffer = io.StringIO()
    with styled(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", dpi=RASTER_DPI, metadata=_NO_METADATA)
    body = buffer.getvalue()
    body = body[body.index("<svg") :]
    body = re.sub(r"\s*<style.*?</style>", "", body, count=1, flags=re.DOTALL)
    body = _TAG.sub(lambda tag: _REFERENCE.sub(rf"\1{key}-", tag.group()), body)
    return body.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
