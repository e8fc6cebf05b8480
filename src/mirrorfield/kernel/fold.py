"""Fold a trace into totals: pass by pass over the users side by side, then one pass that counts them."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array, IntArray
from mirrorfield.kernel.jit import aligned_array, compiled, lanewise, larger, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.kernel.totals import BINS, LOW_BITS
from mirrorfield.maths import F32, HALF, I32, ONE, ZERO, exp, log
from mirrorfield.streams import U32

LOCKED_IN = F32(0.9)
LAST_BIN = F32(BINS - 1)
_FEED_SCALE, _REACTION_SCALE = F32(2.0**24), F32(2.0**20)
_TINY = F32(1e-30)

shared(*LINKED)


class Scales(NamedTuple):
    """Where the histograms' bins lie: BINS of them from zero entropy, and from a least reaction; float32."""

    entropy_bins_per_nat: Any
    least_reaction: Any
    reaction_bins_per_unit: Any


class Notes(NamedTuple):
    """Scratch of the fold: one number per user and, for `units`, category."""

    units: IntArray  # (K, n) the diet in units of 2**-24
    largest: F32Array
    category: IntArray
    skip: IntArray
    entropy: F32Array
    effective: F32Array
    band: IntArray
    locked: IntArray


def empty_notes(categories: int, users: int) -> Notes:
    """Return scratch for folding up to `users` users."""
    return Notes(
        units=aligned_array(categories, users, dtype=np.int32),
        largest=aligned_array(users),
        category=aligned_array(users, dtype=np.int32),
        skip=aligned_array(users, dtype=np.int32),
        entropy=aligned_array(users),
        effective=aligned_array(users),
        band=aligned_array(users, dtype=np.int32),
        locked=aligned_array(users, dtype=np.int32),
    )


@compiled
def _narrowness(feed: Any, users: int, notes: Any) -> None:
    """Find each user's largest entry, entropy and effective categories, and round its feed."""
    largest, entropy, effective = notes.largest, notes.entropy, notes.effective
    largest[:users] = -ONE
    entropy[:users] = ZERO
    for i in range(feed.shape[0]):
        row, units = feed[i], notes.units[i]
        for u in range(users):
            p = row[u]
            units[u] = I32(p * _FEED_SCALE + HALF)
            largest[u] = larger(p, largest[u])
            p = larger(p, _TINY)
            entropy[u] -= p * log(p)
    for u in range(users):
        entropy[u] = larger(entropy[u], ZERO)
        effective[u] = exp(entropy[u])


@compiled
def _categories(feed: Any, first_user: Any, users: int, notes: Any) -> None:
    """Find each user's category; a tie goes to one of the tied categories by the user's id."""
    largest, category, skip = notes.largest, notes.category, notes.skip
    skip[:users] = I32(0)
    for i in range(feed.shape[0]):
        row = feed[i]
        for u in range(users):
            skip[u] += I32(1) if row[u] == largest[u] else I32(0)
    for u in range(users):
        tied = skip[u]
        skip[u] = I32(0)
        if tied > 1:
            skip[u] = I32((first_user + np.uint64(u)) % np.uint64(tied))
    for i in range(feed.shape[0]):
        row = feed[i]
        for u in range(users):
            hit = row[u] == largest[u]
            category[u] = I32(i) if hit and skip[u] == I32(0) else category[u]
            skip[u] -= I32(1) if hit else I32(0)


@compiled
def _products(units: Any, users: int, product: Any) -> None:
    """Add up p_a p_b for every pair a <= b."""
    for a in range(units.shape[0]):
        for b in range(a, units.shape[0]):
            one, other = units[a], units[b]
            total = product[a, b, 1]
            for u in range(users):
                total += np.int64(one[u]) * np.int64(other[u])
            product[a, b, 0] += total >> LOW_BITS
            product[a, b, 1] = total & ((1 << LOW_BITS) - 1)


@lanewise
def _bins(x: Any, least: Any, per_unit: Any, bins: Any) -> None:
    """Find the histogram bin of every number; those beyond either end go to the bin at that end."""
    for u in range(len(x)):
        bins[u] = I32(min(max((x[u] - least) * per_unit, ZERO), LAST_BIN))


@compiled
def _tally(bins: Any, counts: Any) -> None:
    """Count the numbers in each bin."""
    for u in range(len(bins)):
        counts[U32(bins[u])] += 1


@compiled
def _sums(trace: Any, step: int, c: int, users: int, scales: Any, notes: Any, totals: Any) -> Any:
    """Add up entropies, effective categories and reactions; return the largest reaction, up to sign."""
    reactions, marks, bins = trace.mean_reaction[step, :users], trace.two_faced[step], notes.skip[:users]
    effective, reaction, two_faced, worst = np.int64(0), np.int64(0), np.int64(0), I32(0)
    for u in range(users):
        effective += np.int64(I32(notes.effective[u] * _FEED_SCALE + HALF))
        reaction += np.int64(I32(np.floor(reactions[u] * _REACTION_SCALE + HALF)))
        worst = max(worst, F32(np.abs(reactions[u])).view(np.int32))  # positive numbers are in the order of their bits
        two_faced += np.int64(marks[u])
    totals.two_faced[c] += two_faced
    totals.effective[c] += effective
    totals.reaction[c] += reaction
    _bins(notes.entropy[:users], ZERO, scales.entropy_bins_per_nat, bins)
    _tally(bins, totals.entropy_bins[c])
    _bins(reactions, scales.least_reaction, scales.reaction_bins_per_unit, bins)
    _tally(bins, totals.reaction_bins[c])
    return I32(worst).view(np.float32)


@compiled
def _counts(trace: Any, step: int, c: int, users: int, notes: Any, totals: Any) -> None:
    """Count users by band, category and state, and add up the feeds of each category's users."""
    categories = trace.feed.shape[1]
    for u in range(users):
        band, category, state = U32(notes.band[u]), U32(notes.category[u]), U32(trace.state[step, u])
        before = U32(trace.state[step - 1, u]) if step > 0 else U32(0)
        totals.band_category[c, band, category] += 1
        totals.band_state[c, band, state] += 1
        totals.state_flow[c, before, state] += 1
        if notes.largest[u] > LOCKED_IN:
            totals.band_locked[c, band, category] += 1
            totals.lock_in[c, category] += 1 - notes.locked[u]
            notes.locked[u] = 1
        totals.category_entropy[c, category] += np.int64(I32(notes.entropy[u] * _FEED_SCALE + HALF))
        for i in range(categories):
            totals.category_feed[c, category, i] += np.int64(notes.units[i, u])


@compiled
def _intensities(intensity: Any, floor: Any, c: int, users: int, notes: Any, totals: Any) -> None:
    """Add up the intensity of each category's feeds, and its users' floors."""
    for u in range(users):
        category = U32(notes.category[u])
        totals.intensity[c, category] += np.int64(I32(intensity[u] * _FEED_SCALE + HALF))
        totals.floor[c, category] += np.int64(I32(floor[u] * _FEED_SCALE + HALF))


@compiled
def fold(
    trace: Any,
    feeds: Any,
    intensity: Any,
    first_step: Any,
    first_user: Any,
    users: int,
    scales: Any,
    notes: Any,
    totals: Any,
) -> Any:
    """Add the first `users` users of a trace to the totals, and return their largest mean reaction, up to sign.

    `feeds` and `intensity` are the trace's diets or its feeds; the totals' first step is recorded step `first_step`. A
    tie for the largest entry (a user who was shown nothing yet has a uniform feed) goes to one of the tied categories
    by the user's id, so that no category is favoured.
    """
    bands = len(totals.band_users)
    for u in range(users):
        notes.band[u] = min(I32(trace.intentionality[u] * F32(bands)), I32(bands - 1))
        notes.locked[u] = 0
        totals.band_users[notes.band[u]] += 1
    worst = ZERO
    for c in range(len(totals.effective)):
        step = first_step + c
        _narrowness(feeds[step], users, notes)
        _categories(feeds[step], first_user, users, notes)
        _products(notes.units, users, totals.feed_product[c])
        worst = max(worst, _sums(trace, step, c, users, scales, notes, totals))
        _counts(trace, step, c, users, notes, totals)
        if len(totals.floor) > 0:
            _intensities(intensity[step], trace.floor[step], c, users, notes, totals)
    return worst
