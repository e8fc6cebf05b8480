"""An audit as one HTML page to hand on: the answer first, then what it rests on."""

from html import escape

import numpy as np
from matplotlib.figure import Figure

from mirrorfield.report.canvas import blank, place, to_svg
from mirrorfield.report.comparison import section
from mirrorfield.report.headline import interval
from mirrorfield.report.leaf import figure, leaf, table
from mirrorfield.report.scorecard import published
from mirrorfield.report.style import INK, MUTED, short, styled
from mirrorfield.study.audit import FITTED, Audit

TITLE = "What a change does to the people of a log"
HEAD = ("metric", "change, 95% interval", "sign", "range over the assumptions", "base")
ROW, TOP = 0.24, 0.3
FOREST_CAPTION = (
    "The change with its 95% interval: of the people as fitted in the first row, below of up to 2,000 of them under "
    "one other assumption each, which the log leaves open."
)
MEANING = (
    "An interval is over the people of the log and their luck, with their profiles and all that is assumed held fixed. "
    "The range is over the assumptions: the least and the largest change under any of them."
)


def forest(found: Audit, arm: int, metric: str) -> Figure:
    """Return the effect of an arm on a metric, one row for the people as fitted and one for each assumption."""
    effects = found.effects(arm, metric)
    height = ROW * len(effects)
    with styled():
        drawing = blank(height + TOP + 0.55)
        axes = place(drawing, 0.5, height, 0.15, 1.75)
        for row, (name, effect) in enumerate(effects.items()):
            color = INK if name == FITTED else MUTED
            axes.plot([effect.low, effect.high], [row, row], color=color, linewidth=2.0 if name == FITTED else 1.3)
            axes.plot([effect.difference], [row], "o", color=color, markersize=5.5 if name == FITTED else 4)
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.set_ylim(len(effects) - 0.5, -0.5)
        axes.set_yticks(np.arange(len(effects)), [short(name, 26) for name in effects])
        axes.grid(visible=False, axis="y")
        axes.set_title(short(metric, 40), loc="left", color=INK)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(f"change of {short(metric, 30)}")
    return drawing


def _answer(found: Audit, arm: int) -> str:
    rows = []
    for metric in found.metrics:
        span = found.span(arm, metric)
        ends = f"{span.low:+.4f} to {span.high:+.4f}"
        rows.append((metric, interval(span.fitted), span.sign, ends, f"{span.fitted.base:.4f}"))
    return f"<section><h2>{escape(found.comparison.arms[arm].name)}</h2>\n{table(HEAD, rows)}</section>\n"


def _sensitivity(found: Audit, arm: int) -> str:
    drawn = [
        to_svg(
            forest(found, arm, metric), f"forest{arm}-{number}", f"{metric} under every assumption; the table has it."
        )
        for number, metric in enumerate(found.metrics)
    ]
    rows = [
        (name, *(interval(found.effects(arm, metric)[name]) for metric in found.metrics))
        for name in (FITTED, *(assumed.name for assumed, _ in found.varied))
    ]
    pictures = "".join(figure(svg, "") for svg in drawn)
    name = escape(found.comparison.arms[arm].name)
    return (
        f"<section><h2>What the log leaves open: {name}</h2>\n<p>{escape(FOREST_CAPTION)}</p>"
        f'<div class="figures">{pictures}</div>'
        f"{table(('assumption', *found.metrics), rows)}</section>\n"
    )


def _assumed(found: Audit) -> str:
    listed = "".join(
        f"<li><b>{escape(assumed.name)}.</b> {escape(assumed.means)}</li>\n" for assumed, _ in found.varied
    )
    return f'<section><h2>The assumptions</h2><p>{escape(MEANING)}</p><ul class="honest">{listed}</ul></section>\n'


def _doubts(found: Audit) -> str:
    if not found.doubts:
        return ""
    listed = "".join(
        f"<li><b>{escape(fact.id)}</b> ({escape(', '.join(fact.concerns))}). {escape(fact.statement)} Published: "
        f"{escape(published(fact))} {escape(fact.unit)}, {escape(fact.source.authors)} ({fact.source.year}), "
        f"{escape(fact.source.address)}. Model: {escape(fact.recorded)}.</li>\n"
        for fact in found.doubts
    )
    return (
        "<section><h2>Published facts that the model contradicts</h2><p>They concern figures of this page. The model "
        "was held against them with its default people, not with those of this log.</p>"
        f'<ul class="honest">{listed}</ul></section>\n'
    )


def _fit(found: Audit) -> str:
    told = found.fitted.summary
    rows = [(name, value) for name, value in found.fitted.figures]
    text = f"{told['not_observed']} Scale: {told['scaling']['formula']}."
    return f"<section><h2>The people</h2><p>{escape(text)}</p>{table(('', ''), rows)}</section>\n"


def page(found: Audit, command: str) -> str:
    """Return an audit as one self-contained HTML page; `command` is what made it."""
    base, arms = found.comparison.base, range(len(found.comparison.arms))
    holds = "The log bears out its people." if found.verdict.holds else "The log does not bear out its people."
    verdict = f'<p class="tagline">{holds}</p><p>{escape(found.verdict.line)}</p>\n'
    body = verdict + "".join(_answer(found, arm) for arm in arms) + _doubts(found) + _assumed(found)
    body += "".join(_sensitivity(found, arm) for arm in arms) + _fit(found)
    body += "".join(section(arm, found.comparison.arms[arm], found.comparison) for arm in arms)
    run = f"{found.comparison.pairs:,} people, {base.steps:,} posts each, seed {base.seed}"
    return leaf(TITLE, run, body, base, command)
