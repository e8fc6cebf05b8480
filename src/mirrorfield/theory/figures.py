"""Every figure of a crowd at one step, from its users one by one in float64: the definitions of docs/model.md, anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray

LOCKED, BINS = 0.9, 64


def entropy(p: FloatArray) -> float:
    """Return -sum_a p_a ln p_a of one feed, in nats."""
    held = p[p > 0]
    return float(-(held * np.log(held)).sum())


def leader(p: FloatArray, user: int) -> int:
    """Return the category with the largest entry; of m tied ones, that at place `user` modulo m."""
    tied = np.flatnonzero(p == p.max())
    return int(tied[user % len(tied)])


@dataclass(frozen=True)
class Crowd:
    """n users at C recorded steps: served (C, n, K), state and mean reaction (C, n), intentionality (n,), ids.

    `served` is their diet, or their feed where figures are momentary.
    """

    served: FloatArray
    state: IntArray
    mean_reaction: FloatArray
    intentionality: FloatArray
    ids: Sequence[int]

    def leaders(self, c: int) -> IntArray:
        """Return every user's category at a recorded step."""
        return np.array([leader(p, user) for p, user in zip(self.served[c], self.ids, strict=True)])

    def locked(self, c: int) -> Any:
        """Return who is locked in at a recorded step."""
        return np.array([p.max() > LOCKED for p in self.served[c]])

    def bands(self, count: int) -> IntArray:
        """Return every user's band of intentionality."""
        return np.array([min(count - 1, int(lam * count)) for lam in self.intentionality])


def figures(crowd: Crowd, c: int) -> dict[str, Any]:
    """Return the figures of one recorded step, named as in a run's dataset. Source: docs/model.md, section 4."""
    feed, category, n = crowd.served[c], crowd.leaders(c), len(crowd.ids)
    k, own = feed.shape[1], np.array([entropy(p) for p in feed])
    whole, mean_feed = np.log(k), feed.mean(axis=0)
    inside = sum((category == d).mean() * entropy(feed[category == d].mean(axis=0)) for d in set(category.tolist()))
    pairs = (feed @ feed.T)[np.tril_indices(n, -1)]
    return {
        "share": np.array([(category == d).mean() for d in range(k)]),
        "locked_in": crowd.locked(c).mean(),
        "effective_categories": np.exp(own).mean(),
        "filter_bubble": (entropy(mean_feed) - own.mean()) / whole,
        "filter_bubble_within": (inside - own.mean()) / whole,
        "filter_bubble_between": (entropy(mean_feed) - inside) / whole,
        "overlap": pairs.mean() if n > 1 else np.nan,
        "mean_diet": mean_feed,
        "second_moment": sum(np.outer(p, p) for p in feed) / n,
        "state_share": np.array([(crowd.state[c] == s).mean() for s in range(3)]),
        "mean_reaction": crowd.mean_reaction[c].mean(),
    }


def counts(crowd: Crowd, c: int, bands: int) -> dict[str, Any]:
    """Return the counts of users of one recorded step, named as in a run's dataset."""
    category, band, state = crowd.leaders(c), crowd.bands(bands), crowd.state[c]
    before = crowd.state[c - 1] if c else np.zeros(len(state), int)
    locked, k = crowd.locked(c), crowd.served.shape[2]
    earlier = np.any([crowd.locked(b) for b in range(c)], axis=0) if c else np.zeros(len(state), bool)
    first = np.flatnonzero(locked & ~earlier)
    held = [(b, d) for b, d, hit in zip(band, category, locked, strict=True) if hit]
    return {
        "state_flow": tally(zip(before, state, strict=True), 3, 3),
        "band_category": tally(zip(band, category, strict=True), bands, k),
        "band_locked": tally(held, bands, k),
        "band_state": tally(zip(band, state, strict=True), bands, 3),
        "lock_in_users": tally(((category[u],) for u in first), k),
        "band_users": tally(((b,) for b in band), bands),
        "entropy_users": histogram([entropy(p) for p in crowd.served[c]], 0.0, np.log(k)),
    }


def tally(places: Any, *shape: int) -> IntArray:
    """Return how often each place comes, as an array of this shape."""
    table = np.zeros(shape, int)
    for place in places:
        table[tuple(place)] += 1
    return table


def histogram(values: Any, low: float, high: float) -> IntArray:
    """Return how many values lie in each of 64 bins of equal width; the end bins also hold what is beyond."""
    places = [int(np.floor((x - low) / (high - low) * BINS)) for x in values]
    return tally(((min(BINS - 1, max(0, i)),) for i in places), BINS)


def by_leader(crowd: Crowd, c: int, values: FloatArray) -> FloatArray:
    """Return the mean of a number over the users of each category, NaN where there is nobody."""
    category = crowd.leaders(c)
    return np.array([
        values[category == d].mean() if (category == d).any() else np.nan for d in range(crowd.served.shape[2])
    ])  # fmt: skip
