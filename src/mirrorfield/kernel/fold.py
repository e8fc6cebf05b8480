"""Fold users into whole numbers, so that the order in which blocks finish cannot change a result.

Counts are integers. Real quantities are rounded per user to a multiple of 2**-24 (reactions: 2**-20) and summed as
integers; each sum is then exact for the rounded values, and a mean is off by at most half that unit.
"""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.kernel.jit import compiled, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.maths import F32, HALF, ONE, ZERO, exp, log
from mirrorfield.types import IntArray, S

FEED_UNIT = 2.0**-24
REACTION_UNIT = 2.0**-20
LOCKED_IN = F32(0.9)
_FEED_SCALE, _REACTION_SCALE = F32(2.0**24), F32(2.0**20)
_TINY = F32(1e-30)

shared(*LINKED)


class Totals(NamedTuple):
    """Sums over users at C recorded steps: counts, and fixed-point sums in units of 2**-24 or 2**-20."""

    band_users: IntArray  # (B,)
    band_category: IntArray  # (C, B, K)
    band_locked: IntArray  # (C, B, K)
    band_state: IntArray  # (C, B, S)
    state_flow: IntArray  # (C, S, S)
    feed: IntArray  # (C, K)
    feed_square: IntArray  # (C, 2): high and low parts, value = high 2**24 + low, in units of 2**-48
    entropy: IntArray  # (C,)
    effective: IntArray  # (C,)
    reaction: IntArray  # (C,)


def empty_totals(recorded: int, categories: int, bands: int) -> Totals:
    """Return totals over no user."""
    return Totals(
        band_users=np.zeros(bands, np.int64),
        band_category=np.zeros((recorded, bands, categories), np.int64),
        band_locked=np.zeros((recorded, bands, categories), np.int64),
        band_state=np.zeros((recorded, bands, S), np.int64),
        state_flow=np.zeros((recorded, S, S), np.int64),
        feed=np.zeros((recorded, categories), np.int64),
        feed_square=np.zeros((recorded, 2), np.int64),
        entropy=np.zeros(recorded, np.int64),
        effective=np.zeros(recorded, np.int64),
        reaction=np.zeros(recorded, np.int64),
    )


def merge_totals(first: Totals, second: Totals) -> Totals:
    """Return the totals over both groups of users; associative and commutative, because every entry is an integer."""
    return Totals(*(a + b for a, b in zip(first, second, strict=True)))


def to_units(value: Any, scale: Any) -> Any:
    """Return a non-negative or negative float32 as a whole number of 1/scale, ties away from minus infinity."""
    return np.int64(np.floor(value * scale + HALF))


shared(to_units)


@compiled
def fold(trace: Any, first_user: Any, users: int, totals: Any) -> None:
    """Add the first `users` users of a trace to the totals.

    A tie for the largest entry of a feed (a user whose state has not been seen yet has a uniform feed) goes to one
    of the tied categories by the user's id, so that no category is favoured.
    """
    recorded, categories, _ = trace.feed.shape
    bands = len(totals.band_users)
    band_of = np.empty(users, np.int32)
    entropy = np.empty(users, np.float32)
    for u in range(users):
        band_of[u] = min(np.int32(trace.intentionality[u] * F32(bands)), np.int32(bands - 1))
        totals.band_users[band_of[u]] += 1
    for c in range(recorded):
        entropy[:] = ZERO
        for i in range(categories):
            row = trace.feed[c, i]
            for u in range(users):
                p = row[u] if row[u] > _TINY else _TINY
                entropy[u] -= p * log(p)
        for u in range(users):
            h = entropy[u] if entropy[u] > ZERO else ZERO
            totals.entropy[c] += to_units(h, _FEED_SCALE)
            totals.effective[c] += to_units(exp(h), _FEED_SCALE)
            totals.reaction[c] += to_units(trace.mean_reaction[c, u], _REACTION_SCALE)
        for u in range(users):
            largest = -ONE
            ties = 0
            for i in range(categories):
                p = trace.feed[c, i, u]
                if p > largest:
                    largest = p
                    ties = 0
                if p == largest:
                    ties += 1
                q = to_units(p, _FEED_SCALE)
                totals.feed[c, i] += q
                totals.feed_square[c, 0] += (q * q) >> 24
                totals.feed_square[c, 1] += (q * q) & 0xFFFFFF
            skip = np.int64((first_user + np.uint64(u)) % np.uint64(ties))
            category = 0
            for i in range(categories):
                if trace.feed[c, i, u] == largest:
                    if skip == 0:
                        category = i
                    skip -= 1
            state = trace.state[c, u]
            before = trace.state[c - 1, u] if c > 0 else np.int8(0)
            totals.band_category[c, band_of[u], category] += 1
            totals.band_state[c, band_of[u], state] += 1
            totals.state_flow[c, before, state] += 1
            if largest > LOCKED_IN:
                totals.band_locked[c, band_of[u], category] += 1
