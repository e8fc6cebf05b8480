"""Sums over users in whole numbers, so that no partition, order or tree of merges can change a result.

Counts are integers. Real quantities are rounded per user to a multiple of 2**-24 (reactions: 2**-20) and summed as
integers; each sum is then exact for the rounded values, and a mean is off by at most half that unit. Products of two
feeds are exact multiples of 2**-48, kept in two words. With at most 8e9 users, 32 categories and mean reactions within
1024 of zero, no sum leaves 63 bits.
"""

from typing import NamedTuple

import numpy as np

from mirrorfield.arrays import IntArray, S

FEED_UNIT = 2.0**-24
REACTION_UNIT = 2.0**-20
LOW_BITS = 24
BINS = 64


class Totals(NamedTuple):
    """Sums over users at C recorded steps; d is a user's category, the largest entry of their diet.

    Where totals are momentary, read "feed" for "diet".
    """

    band_users: IntArray  # (B,) users by band of intentionality
    band_category: IntArray  # (C, B, K) users by band and d
    band_locked: IntArray  # (C, B, K) users with max of the diet > 0.9, by band and d
    band_state: IntArray  # (C, B, S) users by band and state
    state_flow: IntArray  # (C, S, S) users by state at the recorded step before (calm at the start) and at this one
    lock_in: IntArray  # (C, K) users first seen with max of the diet > 0.9 at this step, by d
    entropy_bins: IntArray  # (C, BINS) users by entropy of the diet
    reaction_bins: IntArray  # (C, BINS) users by mean reaction
    category_feed: IntArray  # (C, K, K) sum of the diet by d, in units of 2**-24
    category_entropy: IntArray  # (C, K) sum of the diet's entropy by d, in units of 2**-24 nat
    feed_product: IntArray  # (C, K, K, 2) sum of p_a p_b, a <= b; high and low word, (high 2**24 + low) 2**-48
    two_faced: IntArray  # (C,) users whose leading category differs between states that they live in
    effective: IntArray  # (C,) sum of exp(entropy), in units of 2**-24
    intensity: IntArray  # (C, K) sum of the diet's mean intensity by d, in units of 2**-24; (0, K) without intensity
    floor: IntArray  # (C, K) sum of the floor by d, in units of 2**-24; (0, K)
    reaction: IntArray  # (C,) sum of the mean reaction, in units of 2**-20


def empty_totals(recorded: int, categories: int, bands: int, extended: bool = False) -> Totals:
    """Return totals over no user; with those of intensity in the extended loop."""
    c, k = recorded, categories

    def zeros(*shape: int) -> IntArray:
        return np.zeros(shape, np.int64)

    return Totals(
        band_users=zeros(bands),
        band_category=zeros(c, bands, k),
        band_locked=zeros(c, bands, k),
        band_state=zeros(c, bands, S),
        state_flow=zeros(c, S, S),
        lock_in=zeros(c, k),
        entropy_bins=zeros(c, BINS),
        reaction_bins=zeros(c, BINS),
        category_feed=zeros(c, k, k),
        category_entropy=zeros(c, k),
        feed_product=zeros(c, k, k, 2),
        two_faced=zeros(c),
        effective=zeros(c),
        intensity=zeros(c if extended else 0, k),
        floor=zeros(c if extended else 0, k),
        reaction=zeros(c),
    )


def merge_totals(first: Totals, second: Totals, out: Totals | None = None) -> Totals:
    """Return the totals over both groups of users; associative and commutative, because every entry is an integer.

    `out`, which may be one of them, receives the result; without it, new arrays do.
    """
    if out is None:
        out = Totals(*(np.empty_like(array) for array in first))
    for one, other, both in zip(first, second, out, strict=True):
        np.add(one, other, out=both)
    high, low = out.feed_product[..., 0], out.feed_product[..., 1]
    high += low >> LOW_BITS
    low &= (1 << LOW_BITS) - 1
    return out
