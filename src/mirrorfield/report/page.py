"""A result as one HTML page that needs nothing else: no network, no script, no font of its own."""

from collections.abc import Mapping
from html import escape
from typing import Any

import xarray as xr

from mirrorfield.errors import InputError
from mirrorfield.report.canvas import to_svg
from mirrorfield.report.captions import exhibit_html, exhibits
from mirrorfield.report.glossary import definitions, honesty
from mirrorfield.report.sections import headline, intentionality_table, origin, run_line, share_table
from mirrorfield.report.sheet import SHEET
from mirrorfield.report.style import fed

_NEEDED = (
    *("step", "category", "category_color", "category_post", "share", "locked_in", "effective_categories"),
    *("filter_bubble", "overlap", "state_share", "band_users", "band_low", "band_high", "band_category"),
    *("band_locked", "sample_state"),
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_TAGLINE = "Same gradient. A billion different lock-ins."


def _check(dataset: xr.Dataset) -> None:
    missing = [name for name in (*_NEEDED, fed(dataset)) if name not in dataset.variables]
    if missing:
        raise InputError(
            f"a report needs a finished result; this one lacks {', '.join(missing)}. Run the scenario again."
        )
    for dimension in ("step", "user"):
        if dataset.sizes[dimension] == 0:
            raise InputError(f"a report needs at least one {dimension}; this result has none. Run the scenario again.")


def _head(name: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(name)} – mirrorfield report</title>\n<style>{SHEET}</style>\n</head>\n"
    )


def write_report(dataset: xr.Dataset, summary: Mapping[str, Any], scenario_toml: str, command: str) -> str:
    """Return a result as one self-contained HTML page; the same input gives the same bytes.

    Parameters: dataset, a result with C >= 1 recorded steps (each >= 1), 2 <= K <= 32 categories and U >= 1 sampled
    users; summary, its numbers at the last step; scenario_toml, the scenario's text; command, what made the result.
    Returns the page's text, to be written as UTF-8. Raises InputError when the dataset lacks a variable that the
    page shows, or has no step or no sampled user.

    >>> write_report(xr.Dataset(), {}, "", "")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    mirrorfield.errors.InputError: a report needs a finished result; this one lacks step, ...
    """
    _check(dataset)
    name, run = str(dataset.attrs["name"]), run_line(dataset)
    figures = "".join(
        exhibit_html(exhibit, to_svg(exhibit.draw(dataset), exhibit.key, exhibit.alt), run)
        for exhibit in exhibits(dataset)
    )
    return (
        f'{_head(name)}<body>\n<header>\n<h1>{escape(name)}</h1>\n<p class="tagline">{_TAGLINE}</p>\n'
        f'<p class="run">{escape(run)}</p>\n{headline(summary)}</header>\n<main>\n'
        '<section aria-labelledby="fed"><h2 id="fed">What users are fed</h2>\n'
        f"{share_table(dataset, summary)}</section>\n"
        '<section aria-labelledby="bands"><h2 id="bands">By intentionality</h2>\n'
        f"{intentionality_table(dataset, summary)}</section>\n"
        '<section aria-labelledby="seen"><h2 id="seen">What happened</h2>\n'
        f'<div class="figures">\n{figures}</div></section>\n'
        f"{definitions()}{honesty()}{origin(dataset, scenario_toml, command)}</main>\n"
        f"<footer><p>{escape(run)} · mirrorfield {escape(str(dataset.attrs['version']))}</p></footer>\n"
        "</body>\n</html>\n"
    )
