"""The claims of `mirrorfield verify` as Markdown or as one HTML page, with a chart of how far each is off."""

from collections.abc import Sequence
from itertools import cycle
from math import isfinite
from typing import Any

from matplotlib.figure import Figure

from mirrorfield.report.canvas import blank, place, to_svg
from mirrorfield.report.leaf import figure, leaf, table
from mirrorfield.report.style import INK, MUTED, styled
from mirrorfield.validation.claim import LIMIT, Claim

HEADINGS = ("no.", "group", "claim", "predicted", "measured", "s.e.", "holds if", "finds an error of", "verdict")
WIDEST = 6.0
TITLE = "Theory against the compiled kernel"
ALT = "Dots, one per claim, at its distance from the prediction in standard errors; dashed lines at plus and minus 4."
CAPTION = (
    "Measured minus predicted, in standard errors, for the claims that two numbers are equal; the number is that of "
    "the table. A claim holds between the dashed lines; one beyond 6 is drawn at the edge."
)
MARKS = (("o", "#0072B2"), ("s", "#D55E00"), ("^", "#009E73"), ("D", "#CC79A7"), ("v", "#8B5A2B"), ("P", "#56B4E9"))
POWER = (
    "The last column but one is the power of a claim: the smallest error that it finds, for certain where no luck is "
    "in it, and otherwise with probability 0.9."
)
AGREEMENT_ALT = (
    "Measured against predicted value from 0 to 1, one mark per claim and one shape per group, along the diagonal."
)
AGREEMENT_CAPTION = (
    "Measured against predicted, for the claims that two numbers between 0 and 1 are equal: shares of users, "
    "probabilities and mean policies. Bars are 4 standard errors to each side, mostly smaller than the mark; the line "
    "is equality."
)


def cells(number: int, claim: Claim) -> tuple[str, ...]:
    """Return a claim as the texts of a table's row."""
    numbers = f"{claim.predicted:.4g}", f"{claim.measured:.4g}", f"{claim.error:.2g}"
    finds, verdict = f"{claim.power:.2g} ({claim.power_of})", "holds" if claim.holds else "FAILS"
    return (str(number), claim.group, claim.text, *numbers, claim.rule, finds, verdict)


def plain(claims: Sequence[Claim]) -> dict[str, Any]:
    """Return the claims as plain values for JSON; None for a number that is not finite."""
    names = ("group", "text", "predicted", "measured", "error", "rule", "holds", "power", "power_of")
    rows = [{name: _finite(getattr(claim, name)) for name in names} for claim in claims]
    return {"claims": rows, "holding": sum(claim.holds for claim in claims), "of": len(claims)}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value


def score_chart(claims: Sequence[Claim]) -> Figure:
    """Return the chart of distances in standard errors, one row per claim that two numbers are equal.

    Parameters: claims, in the table's order.
    """
    shown = [(n, claim) for n, claim in enumerate(claims, 1) if claim.score is not None]
    with styled():
        drawing = blank(0.17 * len(shown) + 0.75)
        axes = place(drawing, 0.55, 0.17 * len(shown) + 0.1, 0.15, 0.5)
        for row, (_, claim) in enumerate(shown):
            score = min(max(claim.score or 0.0, -WIDEST), WIDEST)
            axes.plot(
                [score], [row], "o" if claim.holds else "X", color=INK if claim.holds else "#a8490f", markersize=4.5
            )
        axes.axvline(0, color=MUTED, linewidth=0.8)
        for edge in (-LIMIT, LIMIT):
            axes.axvline(edge, color=MUTED, linewidth=0.8, dashes=(4, 2))
        axes.set_xlim(-WIDEST - 0.3, WIDEST + 0.3)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_yticks(range(len(shown)), [str(n) for n, _ in shown])
        axes.tick_params(axis="y", labelsize=7)
        axes.set_ylabel("claim")
        axes.set_xlabel("measured minus predicted (standard errors)")
    return drawing


def agreement_chart(claims: Sequence[Claim]) -> Figure:
    """Return measured against predicted for the claims that two numbers between 0 and 1 are equal.

    Parameters: claims.
    """
    shown = [c for c in claims if c.rule.startswith("within") and 0 <= c.predicted < 1 and "slope" not in c.text]
    groups = list(dict.fromkeys(claim.group for claim in shown))
    with styled():
        drawing = blank(4.6)
        axes = place(drawing, 0.6, 3.9, 0.15, 0.55)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8)
        for group, (mark, color) in zip(groups, cycle(MARKS), strict=False):
            inside = [claim for claim in shown if claim.group == group]
            x, y, bars = zip(*((c.predicted, c.measured, LIMIT * c.error) for c in inside), strict=True)
            axes.errorbar(x, y, bars, fmt=mark, color=color, markersize=4.5, elinewidth=1, label=group)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("predicted (share or probability)")
        axes.set_ylabel("measured (share or probability)")
        if groups:
            axes.legend(frameon=False, loc="upper left")
    return drawing


def markdown(claims: Sequence[Claim]) -> str:
    """Return the claims as a Markdown table."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *(cells(n, claim) for n, claim in enumerate(claims, 1))]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def page(claims: Sequence[Claim], command: str) -> str:
    """Return the claims as one self-contained HTML page; `command` is what made them."""
    failing = sum(not claim.holds for claim in claims)
    pictures = (
        (score_chart(claims), "scores", ALT, CAPTION),
        (agreement_chart(claims), "agreement", AGREEMENT_ALT, AGREEMENT_CAPTION),
    )
    figures = "".join(figure(to_svg(drawing, name, alt), caption) for drawing, name, alt, caption in pictures)
    rows = [cells(n, claim) for n, claim in enumerate(claims, 1)]
    run = f"{len(claims) - failing} of {len(claims)} claims hold. {POWER}"
    return leaf(TITLE, run, figures + table(HEADINGS, rows), None, command)
