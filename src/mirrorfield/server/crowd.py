"""The crowd on the page: where everyone stands, as numbers for a picture, and who one of them is."""

from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.kernel import Totals, empty_notes, empty_totals
from mirrorfield.kernel.entries import fold_people
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.metrics.summary import summarise
from mirrorfield.population.live import LiveCrowd
from mirrorfield.population.run import recorded_steps
from mirrorfield.population.scenario import Scenario
from mirrorfield.report.geometry import corners
from mirrorfield.server.catalogue import pick

USERS = 20_000
SIZES = (20_000, 200_000, 1_000_000)
REACH = 32_000
GRID = 128
WIDTH = 2**14
RETOLD, MOST_RETOLD, MOST_TURNS = 60, 50_000, 1000


class Picture(NamedTuple):
    """A crowd between two posts: its figures, its frame, and where each user is, (2, N) in units of 1/REACH."""

    figures: dict[str, Any]
    frame: bytes
    spots: IntArray


def new_crowd(seed: int, learning_rate: float, users: int = USERS) -> LiveCrowd:
    """Return the default population with this seed and rate, before the first post."""
    return LiveCrowd(Scenario(users=users, seed=seed, policy={"learning_rate": learning_rate}))


def places_of(feed: FloatArray) -> FloatArray:
    """Return where users with these feeds, (K, n), stand, (2, n) in [-1, 1]: at the mean of the corners.

    >>> places_of(np.eye(4)).round(9).tolist()
    [[-1.0, 1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]]
    """
    places = corners(len(feed)).T
    return np.asarray((places / abs(places).max()) @ feed.astype(float))


def picture(crowd: LiveCrowd) -> Picture:
    """Return the figures of a crowd, those of the run's summary to the bit, and its frame.

    A frame begins with the step, uint32. For up to 20,000 users: x and y, int16 in units of 1/32,000, then categories,
    uint8. For more: how many users of each category are in each cell of a grid, uint32 of shape (K, 128, 128), rows
    from the bottom. Little-endian.
    """
    users, k = crowd.scenario.users, crowd.scenario.k
    totals, notes = empty_totals(1, k, crowd.scenario.record.bands), empty_notes(k, WIDTH)
    spots, category = np.empty((2, users), "<i2"), np.empty(users, np.uint8)
    for first, count, trace in crowd.survey(WIDTH):
        fold_people(trace, trace.diet, trace.intensity, 0, np.uint64(first), count, crowd.plan.scales, notes, totals)
        here = slice(first, first + count)
        spots[:, here] = np.rint(places_of(trace.diet[0, :, :count]) * REACH)
        category[here] = notes.category[:count]
    parts = [spots, category] if users <= USERS else [tiles(spots, category, k)]
    frame = b"".join(part.tobytes() for part in (np.array(crowd.t, "<u4"), *parts))
    return Picture(figures(crowd, totals), frame, spots)


def tiles(spots: IntArray, category: IntArray, k: int) -> IntArray:
    """Return how many users of each category stand in each cell of the grid, (K, GRID, GRID)."""
    counts = np.zeros(k * GRID * GRID, np.int64)
    for first in range(0, len(category), 4 * WIDTH):
        here = slice(first, first + 4 * WIDTH)
        column, row = (spots[:, here].astype(np.int32) + REACH) * GRID // (2 * REACH + 1)
        cell = (category[here].astype(np.int32) * GRID + row) * GRID + column
        counts += np.bincount(cell, minlength=len(counts))
    return counts.reshape(k, GRID, GRID).astype("<u4")


def figures(crowd: LiveCrowd, totals: Totals) -> dict[str, Any]:
    """Return the figures of the crowd as it stands."""
    names = tuple(category.name for category in crowd.scenario.categories)
    summary = summarise(totals, None, names, crowd.t, crowd.scenario.seed)
    wanted = ("locked_in", "effective_categories", "filter_bubble", "overlap", "mean_reaction", "users")
    return {name: summary[name] for name in wanted} | {
        "t": crowd.t,
        "seed": crowd.scenario.seed,
        "shares": list(summary["shares"].values()),
        "states": list(summary["states"].values()),
    }


def nearest_spot(spots: IntArray, x: float, y: float) -> int:
    """Return the user who stands nearest to a place in [-1, 1] x [-1, 1].

    >>> nearest_spot(np.array([[0, 32_000], [0, 32_000]]), 0.9, 0.8)
    1
    """
    away = [spots[axis].astype(np.int32) - round(place * REACH) for axis, place in enumerate((x, y))]
    return int(np.argmin(np.hypot(*away, dtype=np.float32)))


def person(crowd: LiveCrowd, user: int) -> dict[str, Any]:
    """Return who a user is, where they stand, their diet, what they have been shown, and their story."""
    now = crowd.one(user)
    feed = now.diet[0, :, 0].astype(float)
    most = crowd.scenario.categories[int(feed.argmax())].name
    return {
        "user": user,
        "intentionality": float(now.intentionality[0]),
        "susceptibility": now.susceptibility[:, 0].astype(float).tolist(),
        "feed": feed.tolist(),
        "place": places_of(feed[:, None])[:, 0].tolist(),
        "shown": now.exposures[:, 0].tolist(),
        "state": int(now.state[0, 0]),
        "mean_reaction": float(now.mean_reaction[0, 0]),
        "post": pick(most, user, crowd.scenario.seed).text,
        "story": story(crowd, user),
    }


def story(crowd: LiveCrowd, user: int) -> dict[str, Any] | None:
    """Return a user's diets, places and states at steps from their first post to now, and when they first locked in.

    None before the first post, and after 50,000 posts or 1,000 turns, when it would take too long to run again.
    """
    if not 0 < crowd.t <= MOST_RETOLD or len(crowd.turns) > MOST_TURNS:
        return None
    steps = recorded_steps(crowd.t, min(RETOLD, crowd.t)).tolist()
    past = crowd.retell(user, steps)
    feeds = past.diet[:, :, 0].astype(float)
    locked = past.diet[:, :, 0].max(axis=1) > LOCKED_IN
    return {
        "steps": steps,
        "feeds": feeds.round(4).tolist(),
        "places": places_of(feeds.T).T.round(4).tolist(),
        "states": past.state[:, 0].tolist(),
        "locked_in": steps[int(locked.argmax())] if locked.any() else None,
    }


def profiles(crowd: LiveCrowd) -> FloatArray:
    """Return the profiles (ln w_1, ..., ln w_K, lambda) of the first 20,000 users, (n, K + 1)."""
    first, count = crowd.look(USERS), min(USERS, crowd.scenario.users)
    return np.column_stack([np.log(first.susceptibility.T), first.intentionality])[:count].astype(float)


def neighbours(crowd: LiveCrowd, user: int | None = None) -> tuple[int, int]:
    """Return a user and the one with the nearest profile, or the two nearest of all, among the first 20,000.

    The distance is Euclidean over (ln w_1, ..., ln w_K, lambda), as in `mirrorfield neighbours`.
    """
    points = profiles(crowd)
    if user is None:
        away, nearest = map(np.asarray, cKDTree(points).query(points, k=2))
        user = int(away[:, 1].argmin())
        return user, int(nearest[user, 1])
    gap = np.linalg.norm(points - profile(crowd, user), axis=1)
    if user < len(gap):
        gap[user] = np.inf
    return user, int(gap.argmin())


def profile(crowd: LiveCrowd, user: int) -> FloatArray:
    """Return the profile of a user, (K + 1,)."""
    own = crowd.one(user)
    return np.append(np.log(own.susceptibility[:, 0]), own.intentionality[0]).astype(float)
