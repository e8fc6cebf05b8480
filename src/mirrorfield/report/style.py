"""Colours, marks and number formats that every figure and table of the report share."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import xarray as xr

INK, MUTED, RULE, QUIET = "#1f2933", "#52606d", "#d5dbe1", "#9aa5b1"
STATE_COLORS = ("#d3e2ee", "#7ba6c8", "#1d4568")
STATE_INKS = (INK, INK, "#ffffff")
WIDTH = 4.8
"""Width of every figure, inches: 10 pt text then stays about 10 px tall on a 360 px screen."""
TEXT = 10.0
HIGHLIGHTS = 7
"""How many categories a line chart colours and labels; the others are thin grey lines."""

_FALLBACK = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "p", "<", ">")
_DASHES: tuple[tuple[float, ...], ...] = ((), (6, 2), (1.5, 1.5), (6, 2, 1.5, 2), (3, 1.5), (9, 2, 3, 2))
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_RC_GROUPS = frozenset(
    {"axes", "figure", "font", "grid", "image", "lines", "patch", "path", "savefig", "scatter", "svg", "text"}
    | {"xtick", "ytick"}
)
_RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": TEXT,
    "axes.labelsize": TEXT,
    "axes.titlesize": TEXT,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "mirrorfield",
}


@dataclass(frozen=True)
class Mark:
    """How one category is drawn everywhere: its name as written, a short form, and what tells it apart in grey."""

    name: str
    short: str
    color: str
    marker: str
    dashes: tuple[float, ...]


def short(name: str, limit: int = 12) -> str:
    """Return a name on one line and at most `limit` characters long, an ellipsis marking what was cut.

    >>> short("a rather long name")
    'a rather lo…'
    """
    line = " ".join(name.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def marks(dataset: xr.Dataset) -> list[Mark]:
    """Return one `Mark` for each of the K categories; a colour that is not '#rrggbb' is replaced.

    Parameters: dataset, with coordinates `category` and `category_color` of shape (K,).
    """
    names = [str(name) for name in dataset["category"].values]
    colors = [str(color) for color in dataset["category_color"].values]
    return [
        Mark(
            name,
            short(name),
            color if _HEX.fullmatch(color) else _FALLBACK[index % len(_FALLBACK)],
            _MARKERS[index % len(_MARKERS)],
            _DASHES[index % len(_DASHES)],
        )
        for index, (name, color) in enumerate(zip(names, colors, strict=True))
    ]


def highlights(dataset: xr.Dataset) -> list[int]:
    """Return the indices of the categories to colour: all when K <= 8, otherwise the largest at the last step."""
    final = dataset["share"].values[-1]
    if len(final) <= HIGHLIGHTS + 1:
        return list(range(len(final)))
    return sorted(int(index) for index in np.argsort(-final, kind="stable")[:HIGHLIGHTS])


@contextmanager
def styled() -> Iterator[None]:
    """Apply the report's matplotlib settings for the length of a `with`, whatever the reader's own settings are."""
    default = {key: value for key, value in matplotlib.rcParamsDefault.items() if key.split(".")[0] in _RC_GROUPS}
    with matplotlib.rc_context({**default, **_RC}):
        yield


def percent(fraction: float | None, digits: int = 0) -> str:
    """Return a fraction in [0, 1] as a percentage that never rounds a little to nothing or most to all.

    >>> percent(0.001), percent(0.25), percent(0.9999), percent(float("nan"))
    ('<1%', '25%', '>99%', 'n/a')
    """
    if fraction is None or not math.isfinite(fraction):
        return "n/a"
    least = 10.0**-digits
    if 0 < fraction * 100 < least / 2:
        return f"<{least:.{digits}f}%"
    if 100 - least / 2 < fraction * 100 < 100:
        return f">{100 - least:.{digits}f}%"
    return f"{fraction:.{digits}%}"


def users(count: int) -> str:
    """Return a number of users in words that agree with it.

    >>> users(1), users(2000)
    ('1 user', '2,000 users')
    """
    return "1 user" if count == 1 else f"{count:,} users"


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with thousands separators and a fixed count of decimals, or 'n/a' when it is undefined.

    >>> number(1234.5, 1), number(None)
    ('1,234.5', 'n/a')
    """
    return "n/a" if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def fed(dataset: xr.Dataset) -> str:
    """Return the word for what a user's figures are of, and the variable that holds it.

    A run of the base model has everyone's diet. In the embedding world, where arousal has no closed long run, it is the
    feed: what they would be served in their present arousal.
    """
    return "feed" if "feed" in dataset and "diet" not in dataset else "diet"
