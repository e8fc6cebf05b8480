"""The claims of `mirrorfield verify` as Markdown or as one HTML page, with a chart of how far each is off."""

from collections.abc import Sequence
from html import escape

from matplotlib.figure import Figure

from mirrorfield.report.canvas import blank, place, to_svg
from mirrorfield.report.sheet import SHEET
from mirrorfield.report.style import INK, MUTED, styled
from mirrorfield.validation.claim import LIMIT, Claim
from mirrorfield.version import VERSION

HEADINGS = ("no.", "group", "claim", "predicted", "measured", "s.e.", "holds if", "verdict")
WIDEST = 6.0
TITLE = "Theory against the compiled kernel"
ALT = "Dots, one per claim, at its distance from the prediction in standard errors; dashed lines at plus and minus 4."
CAPTION = (
    "Measured less predicted, in standard errors, for the claims that two numbers are equal; the number is that of the "
    "table. A claim holds between the dashed lines; one beyond 6 is drawn at the edge."
)


def cells(number: int, claim: Claim) -> tuple[str, ...]:
    """Return a claim as the texts of a table's row."""
    numbers = f"{claim.predicted:.4g}", f"{claim.measured:.4g}", f"{claim.error:.2g}"
    return (str(number), claim.group, claim.text, *numbers, claim.rule, "holds" if claim.holds else "FAILS")


def score_chart(claims: Sequence[Claim]) -> Figure:
    """Return the chart of distances in standard errors, one row per claim that two numbers are equal.

    Parameters: claims, in the table's order. Raises nothing.
    """
    shown = [(n, claim) for n, claim in enumerate(claims, 1) if claim.score is not None]
    with styled():
        figure = blank(0.17 * len(shown) + 0.75)
        axes = place(figure, 0.55, 0.17 * len(shown) + 0.1, 0.15, 0.5)
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
        axes.set_xlabel("measured less predicted (standard errors)")
    return figure


def markdown(claims: Sequence[Claim]) -> str:
    """Return the claims as a Markdown table."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *(cells(n, claim) for n, claim in enumerate(claims, 1))]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def page(claims: Sequence[Claim], command: str) -> str:
    """Return the claims as one self-contained HTML page; `command` is what made them."""
    head = "".join(f"<th>{escape(text)}</th>" for text in HEADINGS)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in cells(n, claim)) + "</tr>\n"
        for n, claim in enumerate(claims, 1)
    )
    failing = sum(not claim.holds for claim in claims)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{TITLE}</title>\n<style>{SHEET}</style>\n</head>\n<body>\n<header>\n<h1>{TITLE}</h1>\n"
        f'<p class="run">{len(claims) - failing} of {len(claims)} claims hold.</p>\n</header>\n<main>\n'
        f"<figure>{to_svg(score_chart(claims), 'scores', ALT)}<figcaption>{escape(CAPTION)}</figcaption></figure>\n"
        f'<div style="overflow-x: auto"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n'
        f"</main>\n<footer><p>{escape(command)} · mirrorfield {VERSION}</p></footer>\n</body>\n</html>\n"
    )
