"""Parts that somebody else may have written: every array is checked against its run before anything computes with it.

Whoever knows the format can write a part whose checksum is right. Such a part may still hold wrong numbers, but none
that a block of these users could not have left behind: shapes, types, bounds, and every sum that must agree.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import FloatArray, IntArray, S
from mirrorfield.errors import InputError
from mirrorfield.kernel import FEED_UNIT, LOW_BITS, REACTION_UNIT, Totals, Trace
from mirrorfield.population.bounds import MAX_MEAN_REACTION
from mirrorfield.population.run import Part, Plan, columns_of, new_totals, new_trace

Array = NDArray[Any]
NEAR = 1e-3
"""How far a float32 sum of probabilities, or a sum of rounded units, may lie from its value; relative."""
UNITS = round(1 / FEED_UNIT)
SHARES = ("diet", "feed", "intensity", "next_intensity", "floor", "served", "served_intensity", "moves",
          "time_in_state", "intentionality")  # fmt: skip
COUNTED = ("band_users", "band_category", "band_locked", "band_state", "state_flow", "lock_in", "entropy_bins",
           "reaction_bins", "two_faced")  # fmt: skip


def check_part(plan: Plan, part: Part) -> None:
    """Raise InputError for the first array of a part that its users cannot have left behind in this run."""
    scenario, recorded = plan.scenario, len(plan.steps)
    place = columns_of(plan.sample, part.first_user, part.first_user + part.users)
    _check_form("sample", part.sample, new_trace(scenario, recorded, place.stop - place.start))
    _check_sample(plan, part.sample)
    for name, totals, steps in (("totals", part.totals, recorded), ("momentary", part.momentary, 1)):
        _check_form(name, totals, new_totals(scenario, steps))
        _check_bounds(name, totals, part.users, scenario.k)
        _check_counts(name, totals, part.users)
        _check_feeds(name, totals, part.users)


def _check_form(kind: str, found: Totals | Trace, wanted: Totals | Trace) -> None:
    for name, one, other in zip(found._fields, found, wanted, strict=True):
        if (one.shape, one.dtype) != (other.shape, other.dtype):
            raise InputError(f"{kind}.{name}: expected {_form(other)}, got {_form(one)}")


def _form(array: Array) -> str:
    return f"{array.dtype} of shape {array.shape}"


def _within(name: str, array: Array, least: float, most: float) -> None:
    if not ((array >= least) & (array <= most)).all():  # NaN is not within
        raise InputError(f"{name}: expected numbers from {least:g} to {most:g}, got others")


def _equal(name: str, found: Array, expected: Array | int, what: str) -> None:
    if (found != expected).any():
        raise InputError(f"{name}: expected sums of {what}, got others")


def _near(name: str, found: Array, expected: Array | float, what: str) -> None:
    if not np.allclose(found, expected, rtol=NEAR, atol=NEAR):
        raise InputError(f"{name}: expected {what}, got others")


def _check_sample(plan: Plan, sample: Trace) -> None:
    for name in SHARES:
        _within(f"sample.{name}", getattr(sample, name), -NEAR, 1 + NEAR)
    for name in ("diet", "feed", "served", "moves"):
        _near(f"sample.{name}", getattr(sample, name).sum(axis=1), 1.0, "shares that add up to 1")
    _near("sample.time_in_state", sample.time_in_state.sum(axis=0), 1.0, "shares that add up to 1")
    _within("sample.two_faced", sample.two_faced, 0, 1)
    _within("sample.state", sample.state, 0, S - 1)
    _within("sample.mean_reaction", sample.mean_reaction, -MAX_MEAN_REACTION, MAX_MEAN_REACTION)
    _within("sample.logits", sample.logits, float(np.finfo(np.float32).min), float(np.finfo(np.float32).max))
    _within("sample.susceptibility", sample.susceptibility, 0, float(np.finfo(np.float32).max))
    _within("sample.segment", sample.segment, 0, max(1, len(plan.scenario.population.segments)) - 1)
    _within("sample.exposures", sample.exposures, 0, plan.scenario.steps)
    _equal("sample.exposures", sample.exposures.sum(axis=0), plan.scenario.steps, "one post a step")


def _check_bounds(kind: str, totals: Totals, users: int, categories: int) -> None:
    """Keep every entry so small that no sum of them leaves 63 bits."""
    share = math.ceil((1 + NEAR) * users * UNITS)
    most = dict.fromkeys(COUNTED, users) | {
        "category_feed": share,
        "category_entropy": math.ceil(share * max(1.0, math.log(categories))),
        "effective": share * categories,
        "intensity": share,
        "floor": share,
        "feed_product": share,
    }
    for name, limit in most.items():
        _within(f"{kind}.{name}", getattr(totals, name), 0, limit)
    reaction = math.ceil(users * MAX_MEAN_REACTION / REACTION_UNIT)
    _within(f"{kind}.reaction", totals.reaction, -reaction, reaction)
    _within(f"{kind}.feed_product", totals.feed_product[..., 1], 0, (1 << LOW_BITS) - 1)


def _check_counts(kind: str, totals: Totals, users: int) -> None:
    """Raise InputError unless everyone is counted once wherever everyone is."""
    everyone, states = f"{users:,} users", totals.band_state.sum(axis=1)
    _equal(f"{kind}.band_users", totals.band_users.sum(), users, everyone)
    for name in ("entropy_bins", "reaction_bins"):
        _equal(f"{kind}.{name}", getattr(totals, name).sum(axis=1), users, everyone)
    for name in ("band_category", "band_state"):
        _equal(f"{kind}.{name}", getattr(totals, name).sum(axis=2), totals.band_users, "the users of each band")
    _equal(f"{kind}.state_flow", totals.state_flow.sum(axis=1), states, "the users in each state")
    _equal(f"{kind}.state_flow", totals.state_flow[1:].sum(axis=2), states[:-1], "the users in each state before")
    locked = totals.band_locked.sum(axis=1)
    ever = totals.lock_in.sum(axis=1).cumsum()
    if (totals.band_locked > totals.band_category).any() or (totals.lock_in > locked).any() or ever[-1] > users:
        raise InputError(f"{kind}.band_locked, lock_in: expected no more locked-in users than users")
    if (ever < locked.sum(axis=1)).any():
        raise InputError(f"{kind}.lock_in: expected everyone who is locked in to have been seen first at some step")


def _check_feeds(kind: str, totals: Totals, users: int) -> None:
    """Raise InputError unless what the users are served adds up to one feed each."""
    of = totals.band_category.sum(axis=1)
    categories, whole = of.shape[1], float(users * UNITS)
    _near(f"{kind}.category_feed", totals.category_feed.sum(axis=2) / UNITS, of, "one feed a user")
    largest = {"category_entropy": max(1.0, math.log(categories)), "intensity": 1.0, "floor": 1.0}
    for name, most in largest.items():
        sums: IntArray = getattr(totals, name)
        if len(sums) and (sums > (1 + NEAR) * most * of * UNITS).any():
            raise InputError(f"{kind}.{name}: expected at most {most:g} for each user of a category, got more")
    _within(f"{kind}.effective", totals.effective, (1 - NEAR) * whole, (1 + NEAR) * whole * categories)
    product: FloatArray = (totals.feed_product[..., 0] + totals.feed_product[..., 1] * FEED_UNIT) / UNITS
    both = 2 * np.triu(product, 1).sum(axis=(1, 2)) + np.einsum("caa->c", product)
    _near(f"{kind}.feed_product", both, float(users), "squares of feeds that add up to 1 for each user")
    if np.tril(product.sum(axis=0), -1).any():
        raise InputError(f"{kind}.feed_product: expected nothing below the diagonal")
