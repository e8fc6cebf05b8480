"""The scorecard as a picture: one strip for each fact, with what was published, the model's number and the nulls'."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from math import inf, isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mirrorfield.errors import InputError
from mirrorfield.report.canvas import blank
from mirrorfield.report.style import INK, MUTED, QUIET, RULE, WIDTH, short, styled
from mirrorfield.study.scorecard import Row
from mirrorfield.validation.facing import FACTOR, ORDER, Measured
from mirrorfield.validation.facts import Fact

MODEL, ZONE, WHITE = "#d55e00", "#dbe9f4", "#ffffff"
SMALL, COLUMNS = 9.0, 64
LINE, LANE, GAP, HEAD, KEY = 0.16, 0.16, 0.2, 0.32, 0.56
LEFT, INSIDE = 0.02, 0.96
EDGE = 1.08
"""Where a strip ends, with the largest number in it at 1."""
INCH = 2 * EDGE / (INSIDE * WIDTH)
MARKS = {"published": (INK, "D", INK), "the model": (MODEL, "o", MODEL), "null models": (MUTED, "s", WHITE)}
HEADS = {
    "contradicts": "The model contradicts {}",
    "agrees": "The model agrees with {}",
    "cannot be compared": "The model's sign is not clear for {}",
}
CAPTION = (
    "Each strip has a scale of its own, with zero on the line in its middle. Black: the published number, or an arrow "
    "for a fact that has only a sign. Orange: the model. Grey: null models, by name. Bars are 95% intervals. A number "
    "in the blue zone agrees with the published one by the rule below. Facts for which the model has no number are in "
    "the table only."
)
ALT = "One strip for each fact: the published number, the model's and the null models' on one scale. See the table."


def number(value: float) -> str:
    """Return a number with three digits.

    >>> number(-0.04567), number(float("inf"))
    ('-0.0457', 'never')
    """
    return f"{value:.3g}" if isfinite(value) else "never"


def zone(fact: Fact) -> tuple[float, float]:
    """Return the ends between which a number agrees with a fact, by the rule: for a sign, to infinity on its side.

    >>> from mirrorfield.validation.facts import facts
    >>> zone(facts()[0]), zone(facts()[1])
    ((10.0, 90.0), (-0.02, 0.02))
    """
    if fact.kind == "zero":
        margin = fact.margin or 0.0
        return -margin, margin
    if fact.kind == "sign":
        return (0.0, inf) if fact.value > 0 else (-inf, 0.0)
    ends = [fact.value / FACTOR, fact.value * FACTOR, *(end for end in (fact.low, fact.high) if end is not None)]
    return min(ends), max(ends)


def strips(rows: Sequence[Row]) -> Figure:
    """Return the facts that the model has a number for as strips, one below the other, under a heading a verdict.

    Raises InputError if there is no such fact.
    """
    groups = {word: [row for row in rows if row.model and row.verdict.word == word] for word in ORDER}
    if not any(groups.values()):
        raise InputError("scorecard: expected at least one fact that the model has a number for, got none to draw")
    words = {row.fact.id: textwrap.wrap(row.fact.statement, COLUMNS) for part in groups.values() for row in part}
    heights = {name: (1 + len(lines)) * LINE + 3 * LANE + GAP for name, lines in words.items()}
    tall = KEY + sum(heights.values()) + HEAD * sum(map(bool, groups.values()))
    with styled():
        drawing = blank(tall)
        _key(drawing, tall)
        top = tall - KEY
        for word, part in groups.items():
            if part:
                count = "1 fact" if len(part) == 1 else f"{len(part)} facts"
                drawing.text(LEFT, top / tall, HEADS[word].format(count), va="top", fontsize=12, weight="bold")
                top -= HEAD
            for row in part:
                _words(drawing, row, words[row.fact.id], top / tall, tall)
                top -= heights[row.fact.id]
                _strip(drawing.add_axes((LEFT, (top + GAP) / tall, INSIDE, 3 * LANE / tall)), row)
    return drawing


def _words(drawing: Figure, row: Row, lines: Sequence[str], top: float, tall: float) -> None:
    drawing.text(LEFT, top, row.fact.id, va="top", weight="bold")
    drawing.text(LEFT + INSIDE, top, short(row.verdict.why, 40), va="top", ha="right", color=MUTED)
    for place, line in enumerate(lines, 1):
        drawing.text(LEFT, top - (place * LINE + 0.02) / tall, line, va="top", fontsize=SMALL, color=MUTED)


def _strip(axes: Axes, row: Row) -> None:
    """Draw one fact: its zone, and a lane each for what was published, the model and the null models."""
    assert row.model is not None
    fact, nulls = row.fact, {name: found for name, (found, _) in row.nulls.items()}
    published = [fact.value, fact.low, fact.high] if fact.kind == "size" else [fact.margin]
    ends = [end for found in (row.model, *nulls.values()) for end in (found.value, found.low, found.high)]
    scale = max((abs(end) for end in (*published, *ends) if end and isfinite(end)), default=1.0)
    axes.set_xlim(-EDGE, EDGE)
    axes.set_ylim(2.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.axvspan(*(_at(end, scale) for end in zone(fact)), color=ZONE, linewidth=0)
    axes.axhline(2.5, color=RULE, linewidth=1)
    axes.axvline(0, color=QUIET, linewidth=0.8)
    _published(axes, fact, scale)
    _bar(axes, row.model, scale, 1, "the model")
    _label(axes, number(row.model.value), row.model, scale, 1, MODEL)
    for found in nulls.values():
        _bar(axes, found, scale, 2, "null models")
    _names(axes, {name: _span(found, scale) for name, found in nulls.items()})


def _at(value: float, scale: float) -> float:
    return min(max(value / scale, -EDGE), EDGE)


def _published(axes: Axes, fact: Fact, scale: float) -> None:
    if fact.kind == "sign":
        arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 2.2, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", xy=(fact.value * 0.5, 0), xytext=(0, 0), arrowprops=arrow)
        return
    ends = (-(fact.margin or 0.0), fact.margin) if fact.kind == "zero" else (fact.low, fact.high)
    found = Measured(fact.value, *(fact.value if end is None else end for end in ends))
    _bar(axes, found, scale, 0, "published")
    _label(axes, f"{fact.value:g}", found, scale, 0, INK)


def _bar(axes: Axes, found: Measured, scale: float, lane: int, kind: str) -> None:
    """Draw a number with its interval; one that is never reached is an arrow at the edge."""
    color, mark, face = MARKS[kind]
    axes.plot([_at(found.low, scale), _at(found.high, scale)], [lane, lane], color=color, linewidth=2.2)
    mark = mark if isfinite(found.value) else ">"
    axes.plot([_at(found.value, scale)], [lane], mark, color=color, markerfacecolor=face, markersize=5.5, clip_on=False)


def _label(axes: Axes, text: str, found: Measured, scale: float, lane: int, color: str) -> None:
    """Write a number to the right of its bar, or to the left where the strip ends."""
    low, high = _span(found, scale)
    right = high + _wide(text) < EDGE
    place = high + 0.04 * INCH if right else low - 0.04 * INCH
    axes.text(place, lane, text, ha="left" if right else "right", va="center", fontsize=SMALL, color=color)


def _span(found: Measured, scale: float) -> tuple[float, float]:
    """Return the ends of a bar with its mark, in units of a strip."""
    value, mark = _at(found.value, scale), 0.06 * INCH
    return min(_at(found.low, scale), value - mark), max(_at(found.high, scale), value + mark)


def _wide(text: str) -> float:
    """Return how wide a text is at most, with its distance from a mark, in units of a strip."""
    return INCH * (0.08 + 0.62 * SMALL / 72 * len(text))


def _names(axes: Axes, spans: Mapping[str, tuple[float, float]]) -> None:
    """Write the names of null models beside their bars, in one text where they would lie on one another."""
    groups: list[list[str]] = []
    for name in sorted(spans, key=lambda name: spans[name]):
        apart = spans[name][0] - spans[groups[-1][-1]][1] if groups else inf
        first_goes_left = len(groups) == 1 and apart > 0.1 * INCH and _fits_left(groups[0], spans)
        if apart > _wide(", ".join(groups[-1]) if groups else "") or first_goes_left:
            groups.append([name])
        else:
            groups[-1].append(name)
    for group, after in zip_longest(groups, groups[1:]):
        text, end = ", ".join(group), EDGE if after is None else spans[after[0]][0]
        right = spans[group[-1]][1] + _wide(text) < end
        place = spans[group[-1]][1] + 0.04 * INCH if right else spans[group[0]][0] - 0.04 * INCH
        axes.text(place, 2, text, ha="left" if right else "right", va="center", fontsize=SMALL, color=MUTED)


def _fits_left(group: Sequence[str], spans: Mapping[str, tuple[float, float]]) -> bool:
    return spans[group[0]][0] - _wide(", ".join(group)) > -EDGE


def _key(drawing: Figure, tall: float) -> None:
    """Draw what the marks mean, at the upper edge."""
    axes = drawing.add_axes((LEFT, (tall - 0.46) / tall, INSIDE, 0.42 / tall))
    axes.set_axis_off()
    axes.set_xlim(0, INSIDE * WIDTH)
    axes.set_ylim(1.5, -0.5)
    for column, (kind, (color, marker, face)) in enumerate(MARKS.items()):
        place = 0.1 + 1.25 * column
        axes.plot([place - 0.1, place + 0.1], [0, 0], color=color, linewidth=2.2)
        axes.plot([place], [0], marker, color=color, markerfacecolor=face, markersize=5.5)
        axes.text(place + 0.2, 0, kind, va="center")
    axes.plot([0, 0.2], [1, 1], color=ZONE, linewidth=9, solid_capstyle="butt")
    axes.text(0.3, 1, "where a number agrees; zero is the line in the middle", va="center")
