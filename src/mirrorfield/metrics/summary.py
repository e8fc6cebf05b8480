"""The summary of a run: the figures at its last step, as plain values for JSON."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from mirrorfield.arrays import STATES, IntArray
from mirrorfield.kernel import FEED_UNIT, Totals
from mirrorfield.metrics.series import Series, population_series

SUMMARY_BANDS = 5
FIGURES = (
    *("locked_in", "two_faced", "effective_categories", "filter_bubble", "overlap"),
    *("mean_reaction", "intensity", "floor", "effective_items", "mean_arousal", "interest_moved"),
)


def _fractions(names: tuple[str, ...], counts: IntArray) -> dict[str, float]:
    total = int(counts.sum())
    return {name: int(count) / total for name, count in zip(names, counts, strict=True)}


def summarise(
    totals: Totals, momentary: Totals | None, categories: tuple[str, ...], steps: int, seed: int
) -> dict[str, Any]:
    """Return the summary at the last recorded step.

    Parameters: totals of diets, over N >= 1 users; momentary, totals of feeds, or None to leave them out; category
    names (K); steps T; seed. Returns users, steps, seed, the figures of diets (see `_figures`), two_faced, states,
    mean_reaction, where posts have an intensity also the mean floor, and under `momentary` the figures of feeds, by
    the same names. Source: docs/model.md, section 4.
    """
    series, users = population_series(totals), int(totals.band_users.sum())
    summary = {"users": users, "steps": steps, "seed": seed} | _figures(totals, series, categories)
    summary["two_faced"] = float(series.two_faced[-1])
    summary["states"] = dict(zip(STATES, map(float, series.state_share[-1]), strict=True))
    summary["mean_reaction"] = float(series.mean_reaction[-1])
    if len(totals.floor):
        summary["floor"] = int(totals.floor[-1].sum()) * FEED_UNIT / users
    for band, row in enumerate(summary["by_intentionality"]):
        row["hooked"] = _hooked(totals, band)
    if momentary is not None:
        summary["momentary"] = _figures(momentary, population_series(momentary), categories)
    return summary


def _figures(totals: Totals, series: Series, categories: tuple[str, ...]) -> dict[str, Any]:
    """Return the figures that are of diets or of feeds, as the totals are.

    These are shares, locked_in, effective_categories, filter_bubble and its split within and between users by category,
    overlap (None for one user), the mean intensity where posts have one, and by_intentionality: five bands of lambda,
    whose shares and locked_in are None where nobody is.
    """
    overlap = float(series.overlap[-1])
    figures = {
        "shares": dict(zip(categories, map(float, series.share[-1]), strict=True)),
        "locked_in": float(series.locked_in[-1]),
        "effective_categories": float(series.effective_categories[-1]),
        "filter_bubble": float(series.filter_bubble[-1]),
        "filter_bubble_within": float(series.filter_bubble_within[-1]),
        "filter_bubble_between": float(series.filter_bubble_between[-1]),
        "overlap": None if np.isnan(overlap) else overlap,
        "by_intentionality": [_band(totals, categories, band) for band in range(SUMMARY_BANDS)],
    }
    if len(totals.floor):
        figures["intensity"] = int(totals.intensity[-1].sum()) * FEED_UNIT / int(totals.band_users.sum())
    return figures


def figure_names(categories: Iterable[str]) -> list[str]:
    """Return the names that `population_figures` may give to the figures of a population with these categories.

    >>> figure_names(["depth"])[-2:]
    ['hooked', 'share:depth']
    """
    return [*FIGURES, *STATES, *(f"share:{name}" for name in categories)]


def population_figures(summary: dict[str, Any]) -> dict[str, float]:
    """Return a summary's figures of the whole population as {metric: value}, named as in `mirrorfield compare`.

    >>> population_figures({"locked_in": 0.5, "states": {"calm": 1.0}, "shares": {"depth": 0.2}})
    {'locked_in': 0.5, 'calm': 1.0, 'share:depth': 0.2}
    """
    found: dict[str, float] = {name: summary[name] for name in FIGURES if summary.get(name) is not None}
    found.update(summary["states"])
    found.update({f"share:{name}": share for name, share in summary["shares"].items()})
    return found


def _inside(totals: Totals, band: int) -> slice:
    width = len(totals.band_users) // SUMMARY_BANDS
    return slice(band * width, (band + 1) * width)


def _band(totals: Totals, categories: tuple[str, ...], band: int) -> dict[str, Any]:
    inside = _inside(totals, band)
    users = int(totals.band_users[inside].sum())
    row: dict[str, Any] = {"low": band / SUMMARY_BANDS, "high": (band + 1) / SUMMARY_BANDS, "users": users}
    if users == 0:
        return row | {"shares": None, "locked_in": None}
    return row | {
        "shares": _fractions(categories, totals.band_category[-1, inside].sum(axis=0)),
        "locked_in": int(totals.band_locked[-1, inside].sum()) / users,
    }


def _hooked(totals: Totals, band: int) -> float | None:
    inside = _inside(totals, band)
    users = int(totals.band_users[inside].sum())
    return int(totals.band_state[-1, inside, STATES.index("hooked")].sum()) / users if users else None
