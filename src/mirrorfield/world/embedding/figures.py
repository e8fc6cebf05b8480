"""From the feeds of the people measured to the figures of every other world."""

from typing import Any

import numpy as np

from mirrorfield.arrays import STATES, F32Array, FloatArray, IntArray, S
from mirrorfield.kernel import FEED_UNIT
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.metrics.concentration import effective_categories, entropy, filter_bubble, overlap, within_and_between
from mirrorfield.metrics.outcomes import category_of, divergence_from_mean
from mirrorfield.world.embedding.record import Record, band_of

BANDS = 5


def feed_overlap(feed: F32Array) -> float:
    """Return the chance that two different people's next posts share a category; NaN for one person.

    Parameters: feed, (n, K). Source: docs/model.md, section 4.3; feeds rounded to 2**-24, exact sums.
    """
    units = np.rint(feed / FEED_UNIT).astype(np.int64)
    squares = sum(int(part.sum()) for part in np.array_split((units**2).sum(1), max(1, len(units) >> 13)))
    found = overlap([int(total) for total in units.sum(0)], squares, len(feed), round(1 / FEED_UNIT))
    return np.nan if found is None else found


def feed_figures(feed: F32Array, people: IntArray) -> dict[str, Any]:
    """Return the figures of one recorded step from feeds, (n, K), and the ids of their people, (n,).

    Source: docs/model.md, section 4.
    """
    exact = feed.astype(float) / feed.astype(float).sum(axis=1, keepdims=True)
    category, entropies, k = category_of(feed, people), entropy(exact), feed.shape[1]
    groups = [category == c for c in range(k)]
    within, between = within_and_between(
        np.array([exact[group].sum(0) for group in groups]),
        np.array([entropies[group].sum() for group in groups]),
        np.array([group.sum() for group in groups]),
    )
    return {
        "share": np.array([group.mean() for group in groups]),
        "locked_in": float((feed.max(axis=1) > LOCKED_IN).mean()),
        "effective_categories": float(effective_categories(exact).mean()),
        "filter_bubble": filter_bubble(exact.mean(0), float(entropies.mean())),
        "filter_bubble_within": within,
        "filter_bubble_between": between,
        "overlap": feed_overlap(feed),
        "mean_feed": exact.mean(0),
    }


def series(record: Record, first_user: int) -> dict[str, FloatArray]:
    """Return every figure at every recorded step, {name: (C, ...)}."""
    steps = [feed_figures(feed, record.people + first_user) for feed in record.feed]
    found = {name: np.array([step[name] for step in steps]) for name in steps[0]}
    found["effective_items"] = record.effective_items.astype(float).mean(axis=1)
    states = band_of(record.arousal)
    found["state_share"] = np.stack([(states == s).mean(axis=1) for s in range(S)], axis=1)
    found["mean_arousal"], found["mean_reaction"], found["interest_moved"] = record.everyone.T
    return found


def by_band(record: Record, intentionality: F32Array, bands: int, first_user: int) -> dict[str, IntArray]:
    """Count the measured people by band of lambda: users (B,), category and locked (C, B, K), state (C, B, S).

    Parameters: record; intentionality of the people measured, (n,); bands B; first_user, the id of the first.
    """
    c, _, k = record.feed.shape
    band = np.minimum(bands - 1, (intentionality * np.float32(bands)).astype(int))
    found: dict[str, IntArray] = {
        "users": np.bincount(band, minlength=bands),
        "category": np.zeros((c, bands, k), np.int64),
        "locked": np.zeros((c, bands, k), np.int64),
        "state": np.zeros((c, bands, S), np.int64),
    }
    for step in range(c):
        category = category_of(record.feed[step], record.people + first_user)
        locked = record.feed[step].max(axis=1) > LOCKED_IN
        np.add.at(found["category"][step], (band, category), 1)
        np.add.at(found["locked"][step], (band[locked], category[locked]), 1)
        np.add.at(found["state"][step], (band, band_of(record.arousal[step])), 1)
    return found


def standard_errors(record: Record) -> dict[str, float | None]:
    """Return the standard errors of the last figures over people drawn anew, given the policy that all of them taught.

    Formula: the standard deviation over people of each one's part of the figure, over sqrt(n). Another seed also has
    another policy; that is not in it. None for one person. Source: docs/embedding.md, section 4.
    """
    feed, n = record.feed[-1].astype(float), len(record.people)
    parts = {
        "locked_in": (feed.max(axis=1) > LOCKED_IN).astype(float),
        "effective_categories": effective_categories(feed),
        "filter_bubble": divergence_from_mean(feed),
        "mean_reaction": record.mean_reaction[-1].astype(float),
    }
    return {name: float(part.std(ddof=1) / np.sqrt(n)) if n > 1 else None for name, part in parts.items()}


def summarise(
    record: Record, intentionality: F32Array, names: tuple[str, ...], users: int, seed: int, first_user: int
) -> dict[str, Any]:
    """Return the figures at the last step as plain values for JSON; `measured` says how many people they are from.

    Parameters: record; intentionality of the people measured, (n,); category names (K,); users N; seed; the id of the
    first person. Mean arousal, mean reaction and `interest_moved` are over everyone.
    """
    last = {name: values[-1] for name, values in series(record, first_user).items()}
    plain = {
        name: None if np.isnan(value) else float(value)
        for name, value in last.items()
        if name not in ("share", "mean_feed", "state_share")
    }
    counted = by_band(record, intentionality, BANDS, first_user)
    return {
        "users": users,
        "measured": len(record.people),
        "steps": int(record.steps[-1]),
        "seed": seed,
        "shares": dict(zip(names, map(float, last["share"]), strict=True)),
        **plain,
        "states": dict(zip(STATES, map(float, last["state_share"]), strict=True)),
        "standard_errors": standard_errors(record),
        "by_intentionality": [_band(counted, names, band) for band in range(BANDS)],
    }


def _band(counted: dict[str, IntArray], names: tuple[str, ...], band: int) -> dict[str, Any]:
    users = int(counted["users"][band])
    row: dict[str, Any] = {"low": band / BANDS, "high": (band + 1) / BANDS, "users": users}
    if users == 0:
        return row | {"shares": None, "hooked": None, "locked_in": None}
    category, locked, state = (counted[name][-1, band] for name in ("category", "locked", "state"))
    return row | {
        "shares": {name: int(count) / users for name, count in zip(names, category, strict=True)},
        "hooked": int(state[-1]) / users,
        "locked_in": int(locked.sum()) / users,
    }
