"""From integer totals to the figures a person reads, at every recorded step."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.kernel import FEED_UNIT, LOW_BITS, REACTION_UNIT, Totals
from mirrorfield.metrics.concentration import filter_bubble, overlap, within_and_between


@dataclass(frozen=True)
class Series:
    """Population quantities at C recorded steps; shares are fractions of users, reactions in the scenario's unit.

    They are of diets or of feeds, as the totals they were made of.
    """

    share: FloatArray  # (C, K)
    locked_in: FloatArray  # (C,)
    two_faced: FloatArray  # (C,)
    effective_categories: FloatArray  # (C,)
    filter_bubble: FloatArray  # (C,)
    filter_bubble_within: FloatArray  # (C,)
    filter_bubble_between: FloatArray  # (C,)
    overlap: FloatArray  # (C,), NaN for one user
    mean_feed: FloatArray  # (C, K)
    second_moment: FloatArray  # (C, K, K)
    state_share: FloatArray  # (C, S)
    mean_reaction: FloatArray  # (C,)
    intensity: FloatArray  # (C, K) by category of the user, NaN where there is none; (0, K) without intensity
    floor: FloatArray  # (C, K), or (0, K)


def _product_sums(product: IntArray) -> list[list[int]]:
    """Return sum_u p_a p_b in units of 2**-48, as exact Python integers, both halves filled."""
    k = len(product)
    pairs = [[(min(a, b), max(a, b)) for b in range(k)] for a in range(k)]
    return [[(int(product[pair][0]) << LOW_BITS) + int(product[pair][1]) for pair in row] for row in pairs]


def _mean_by_category(sums: IntArray, users: IntArray) -> FloatArray:
    users = users[: len(sums)]
    return np.where(users > 0, sums * FEED_UNIT / np.maximum(users, 1), np.nan)


def population_series(totals: Totals) -> Series:
    """Return the population's figures at every recorded step.

    Parameters: totals over N >= 1 users. Returns a Series of float64. Source: docs/model.md, section 4.
    """
    users = int(totals.band_users.sum())
    feed_scale = round(1 / FEED_UNIT)
    by_category = totals.band_category.sum(axis=1)
    mean_feed, bubbles, splits, overlaps, moments = [], [], [], [], []
    for c in range(len(totals.effective)):
        sums = [int(value) for value in totals.category_feed[c].sum(axis=0)]
        products = _product_sums(totals.feed_product[c])
        mean_feed.append(np.array(sums) / sum(sums))
        entropies = totals.category_entropy[c] * FEED_UNIT
        bubbles.append(filter_bubble(mean_feed[-1], int(totals.category_entropy[c].sum()) * FEED_UNIT / users))
        splits.append(within_and_between(totals.category_feed[c].astype(float), entropies, by_category[c]))
        pair = overlap(sums, sum(products[a][a] for a in range(len(sums))), users, feed_scale)
        overlaps.append(np.nan if pair is None else pair)
        moments.append([[value / (users * feed_scale**2) for value in row] for row in products])
    within, between = np.array(splits).T
    return Series(
        share=by_category / users,
        locked_in=totals.band_locked.sum(axis=(1, 2)) / users,
        two_faced=totals.two_faced / users,
        effective_categories=totals.effective * FEED_UNIT / users,
        filter_bubble=np.array(bubbles),
        filter_bubble_within=within,
        filter_bubble_between=between,
        overlap=np.array(overlaps),
        mean_feed=np.array(mean_feed),
        second_moment=np.array(moments),
        state_share=totals.band_state.sum(axis=1) / users,
        mean_reaction=totals.reaction * REACTION_UNIT / users,
        intensity=_mean_by_category(totals.intensity, by_category),
        floor=_mean_by_category(totals.floor, by_category),
    )
