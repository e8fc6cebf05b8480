"""Fold users into whole numbers, so that the order in which blocks finish cannot change a result.

Counts are integers. Real quantities are rounded per user to a multiple of 2**-24 (reactions: 2**-20) and summed as
integers; each sum is then exact for the rounded values, and a mean is off by at most that unit. With at most 8e9 users,
32 categories and mean reactions within 1024 of zero, no sum leaves 63 bits.
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
BATCH = 1024

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
    totals = Totals(*(a + b for a, b in zip(first, second, strict=True)))
    high, low = totals.feed_square[:, 0], totals.feed_square[:, 1]
    high += low >> 24
    low &= 0xFFFFFF
    return totals


def to_units(value: Any, scale: Any) -> Any:
    """Return a float32 as a whole number of 1/scale, to the nearest; int64."""
    return np.int64(np.floor(value * scale + HALF))


shared(to_units)


@compiled
def _narrowness(feed: Any, c: int, start: int, users: int, entropy: Any, totals: Any) -> None:
    """Add up feeds, their squares and their entropies at one recorded step."""
    entropy[:users] = ZERO
    for i in range(feed.shape[1]):
        total = np.int64(0)
        squares = np.int64(0)
        for u in range(users):
            p = feed[c, i, start + u]
            q = np.int64(np.int32(p * _FEED_SCALE + HALF))
            total += q
            squares += q * q
            p = p if p > _TINY else _TINY
            entropy[u] -= p * log(p)
        totals.feed[c, i] += total
        squares += totals.feed_square[c, 1]
        totals.feed_square[c, 0] += squares >> 24
        totals.feed_square[c, 1] = squares & 0xFFFFFF
    total = np.int64(0)
    effective = np.int64(0)
    for u in range(users):
        h = entropy[u] if entropy[u] > ZERO else ZERO
        total += np.int64(np.int32(h * _FEED_SCALE + HALF))
        effective += np.int64(np.int32(exp(h) * _FEED_SCALE + HALF))
    totals.entropy[c] += total
    totals.effective[c] += effective


@compiled
def _categories(feed: Any, c: int, start: int, users: int, first_user: Any, largest: Any, category: Any) -> None:
    """Find each user's largest entry and its category; a tie goes to one of the tied categories by the user's id."""
    categories = feed.shape[1]
    ties = np.zeros(users, np.int32)
    largest[:users] = -ONE
    category[:users] = 0
    for i in range(categories):
        for u in range(users):
            p = feed[c, i, start + u]
            largest[u] = p if p > largest[u] else largest[u]
    for i in range(categories):
        for u in range(users):
            hit = np.int32(feed[c, i, start + u] == largest[u])
            ties[u] += hit
            category[u] += hit * np.int32(i)
    for u in range(users):
        if ties[u] > 1:
            skip = np.int64((first_user + np.uint64(start + u)) % np.uint64(ties[u]))
            for i in range(categories):
                if feed[c, i, start + u] == largest[u]:
                    if skip == 0:
                        category[u] = i
                    skip -= 1


@compiled
def fold(trace: Any, first_user: Any, users: int, totals: Any) -> None:
    """Add the first `users` users of a trace to the totals.

    A tie for the largest entry of a feed (a user whose state has not been seen yet has a uniform feed) goes to one
    of the tied categories by the user's id, so that no category is favoured.
    """
    bands = len(totals.band_users)
    entropy = np.empty(BATCH, np.float32)
    largest = np.empty(BATCH, np.float32)
    category = np.empty(BATCH, np.int32)
    band_of = np.empty(BATCH, np.int32)
    for start in range(0, users, BATCH):
        count = min(BATCH, users - start)
        for u in range(count):
            band_of[u] = min(np.int32(trace.intentionality[start + u] * F32(bands)), np.int32(bands - 1))
            totals.band_users[band_of[u]] += 1
        for c in range(trace.feed.shape[0]):
            _narrowness(trace.feed, c, start, count, entropy, totals)
            _categories(trace.feed, c, start, count, first_user, largest, category)
            for u in range(count):
                state = trace.state[c, start + u]
                before = trace.state[c - 1, start + u] if c > 0 else np.int8(0)
                totals.band_category[c, band_of[u], category[u]] += 1
                totals.band_state[c, band_of[u], state] += 1
                totals.state_flow[c, before, state] += 1
                totals.band_locked[c, band_of[u], category[u]] += np.int64(largest[u] > LOCKED_IN)
                totals.reaction[c] += to_units(trace.mean_reaction[c, start + u], _REACTION_SCALE)
