"""The frame of a page with one question: its title, what was run, the answer, and how to make it again."""

from collections.abc import Sequence
from html import escape

from mirrorfield.population.assumed import assumption
from mirrorfield.population.worlds import AnyScenario
from mirrorfield.report.sheet import SHEET
from mirrorfield.version import VERSION


def leaf(title: str, run: str, body: str, base: AnyScenario | None, command: str) -> str:
    """Return a self-contained HTML page.

    Parameters: title and run, not yet escaped; body, sections of HTML; base, the scenario that the answer is about,
    if any; command, what made the page.
    """
    about = f"<section><h2>The base scenario</h2><pre>{escape(base.to_toml())}</pre></section>\n" if base else ""
    run = f"{run}. {assumption(base)}" if base and assumption(base) else run
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{SHEET}</style>\n</head>\n<body>\n<header>\n<h1>{escape(title)}</h1>\n"
        f'<p class="run">{escape(run)}</p>\n</header>\n<main>\n{body}{about}'
        f"</main>\n<footer><p>{escape(command)} · mirrorfield {VERSION}</p></footer>\n</body>\n</html>\n"
    )


def figure(svg: str, caption: str, base: AnyScenario | None = None) -> str:
    """Return a picture with its caption, not yet escaped, as HTML; the caption ends with what `base` assumes."""
    told = f"{caption} {assumption(base)}".strip() if base else caption
    return f"<figure>{svg}<figcaption>{escape(told)}</figcaption></figure>\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return texts, not yet escaped, as an HTML table that scrolls sideways where it must."""
    top = "".join(f"<th>{escape(text)}</th>" for text in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>\n" for row in rows)
    return (
        f'<div style="overflow-x: auto"><table><thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n'
    )
