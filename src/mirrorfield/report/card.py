"""What an object shows of itself in a notebook: a title and figures, as a few lines of text or a small table."""

import textwrap
from collections.abc import Sequence
from html import escape

LINES, COLUMNS = 5, 110
_TABLE = "border-collapse:collapse;margin:.4em 0"
_LINE = "border-bottom:1px solid rgba(128,128,128,.35);padding:.15em .9em .15em 0;"

Figures = Sequence[tuple[str, str]]


def text_card(title: str, figures: Figures) -> str:
    """Return a title and figures, (what it is of, value), as at most five lines of 110 columns.

    >>> print(text_card("Run of x", [("locked in", "73%"), ("hooked", "26%")]))
    Run of x
      locked in 73% · hooked 26%
    """
    told = " · ".join(f"{name} {value}" for name, value in figures)
    lines = textwrap.wrap(
        _one_line(told), COLUMNS, initial_indent="  ", subsequent_indent="  ", max_lines=LINES - 1, placeholder=" …"
    )
    return "\n".join([textwrap.shorten(_one_line(title), COLUMNS, placeholder=" …"), *lines])


def html_card(title: str, figures: Figures, note: str = "") -> str:
    """Return a title and figures, none of them escaped, as an HTML table in the notebook's own colours and fonts."""
    rows = "".join(
        f'<tr><th scope="row" style="{_LINE}text-align:left;font-weight:normal">{escape(name)}</th>'
        f'<td style="{_LINE}text-align:right;font-variant-numeric:tabular-nums">{escape(value)}</td></tr>'
        for name, value in figures
    )
    below = f'<p style="margin:.2em 0;opacity:.8">{escape(note)}</p>' if note else ""
    return (
        f'<div style="color:inherit;background:none"><p style="margin:.2em 0"><strong>{escape(title)}</strong></p>'
        f'<table style="{_TABLE}"><tbody>{rows}</tbody></table>{below}</div>'
    )


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
