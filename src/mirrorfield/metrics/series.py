"""From integer totals to the figures a person reads, at every recorded step."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.kernel import FEED_UNIT, REACTION_UNIT, Totals
from mirrorfield.metrics.concentration import filter_bubble, overlap
from mirrorfield.types import FloatArray


@dataclass(frozen=True)
class Series:
    """Population quantities at C recorded steps; shares are fractions of users, reactions in the scenario's unit."""

    share: FloatArray  # (C, K)
    locked_in: FloatArray  # (C,)
    effective_categories: FloatArray  # (C,)
    filter_bubble: FloatArray  # (C,)
    overlap: FloatArray  # (C,), NaN for one user
    state_share: FloatArray  # (C, S)
    mean_reaction: FloatArray  # (C,)


def population_series(totals: Totals) -> Series:
    """Return the population's figures at every recorded step.

    Parameters: totals over N >= 1 users. Returns a Series of float64. Raises nothing. Source: docs/model.md, section 4.
    """
    users = int(totals.band_users.sum())
    feed_scale = round(1 / FEED_UNIT)
    bubbles, overlaps = [], []
    for c in range(len(totals.entropy)):
        sums = [int(value) for value in totals.feed[c]]
        mean_feed = np.array(sums) / sum(sums)
        bubbles.append(filter_bubble(mean_feed, int(totals.entropy[c]) * FEED_UNIT / users))
        squares = (int(totals.feed_square[c, 0]) << 24) + int(totals.feed_square[c, 1])
        pair = overlap(sums, squares, users, feed_scale)
        overlaps.append(np.nan if pair is None else pair)
    return Series(
        share=totals.band_category.sum(axis=1) / users,
        locked_in=totals.band_locked.sum(axis=(1, 2)) / users,
        effective_categories=totals.effective * FEED_UNIT / users,
        filter_bubble=np.array(bubbles),
        overlap=np.array(overlaps),
        state_share=totals.band_state.sum(axis=1) / users,
        mean_reaction=totals.reaction * REACTION_UNIT / users,
    )
