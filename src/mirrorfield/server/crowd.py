"""The crowd on the page: where everyone stands, as numbers for a picture, and who one of them is."""

from typing import Any

import numpy as np

from mirrorfield.kernel import Trace
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.metrics.concentration import effective_categories, entropy, filter_bubble
from mirrorfield.metrics.outcomes import category_of
from mirrorfield.population.live import Crowd
from mirrorfield.population.scenario import Scenario
from mirrorfield.report.geometry import corners
from mirrorfield.server.catalogue import pick
from mirrorfield.types import STATES

USERS = 20_000
REACH = 32_000


def new_crowd(seed: int, learning_rate: float) -> Crowd:
    """Return the default population with this seed and rate, before the first post."""
    return Crowd(Scenario(users=USERS, seed=seed, policy={"learning_rate": learning_rate}))


def frame(crowd: Crowd, trace: Trace) -> bytes:
    """Return where the users stand: the step, uint32, then x and y, int16 in units of 1/32,000, then categories, uint8.

    A user is at the mean of the corners, weighted by its feed, as on the map of a report, here a full square.
    Little-endian.
    """
    n = crowd.scenario.users
    feed = trace.feed[0, :, :n].T.astype(float)
    places = corners(crowd.scenario.k)
    spots = np.rint(feed @ (places / abs(places).max()) * REACH).astype("<i2")
    category = category_of(feed, np.arange(n)).astype(np.uint8)
    return b"".join([np.array(crowd.t, "<u4").tobytes(), spots.T.tobytes(), category.tobytes()])


def figures(crowd: Crowd, trace: Trace) -> dict[str, Any]:
    """Return the figures of the crowd as it stands."""
    n, k = crowd.scenario.users, crowd.scenario.k
    feed = trace.feed[0, :, :n].T.astype(float)
    counts = np.bincount(category_of(feed, np.arange(n)), minlength=k)
    states = np.bincount(trace.state[0, :n], minlength=len(STATES))
    return {
        "t": crowd.t,
        "users": n,
        "shares": (counts / n).tolist(),
        "states": (states / n).tolist(),
        "locked_in": float((feed.max(axis=1) > LOCKED_IN).mean()),
        "effective_categories": float(effective_categories(feed).mean()),
        "filter_bubble": filter_bubble(feed.mean(axis=0), float(entropy(feed).mean())),
    }


def person(crowd: Crowd, trace: Trace, user: int) -> dict[str, Any]:
    """Return who a user is, what it would be served next, and what it has been shown."""
    feed = trace.feed[0, :, user].astype(float)
    most = crowd.scenario.categories[int(feed.argmax())].name
    return {
        "user": user,
        "intentionality": float(trace.intentionality[user]),
        "susceptibility": trace.susceptibility[:, user].astype(float).tolist(),
        "feed": feed.tolist(),
        "shown": trace.exposures[:, user].tolist(),
        "state": int(trace.state[0, user]),
        "mean_reaction": float(trace.mean_reaction[0, user]),
        "post": pick(most, user, crowd.scenario.seed).text,
    }
