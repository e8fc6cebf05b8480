"""What a run did to each user, as one number per user and metric; a crowd's figure is their mean."""

import numpy as np

from mirrorfield.arrays import STATES, FloatArray, IntArray
from mirrorfield.kernel import Trace
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.maths64 import log
from mirrorfield.metrics.concentration import effective_categories, entropy
from mirrorfield.metrics.escalation import drift

FIRST = (
    *("locked_in", "time_to_lock_in", "effective_categories", "filter_bubble", "drift", "two_faced"),
    "mean_reaction",
)


def category_of(feed: FloatArray, users: IntArray) -> IntArray:
    """Return each user's category: the largest entry of their diet; a tie goes to one of the tied by the user's id.

    Parameters: feed, probabilities of shape (n, K); users, ids of shape (n,). Returns shape (n,), 0 to K - 1. Source:
    docs/model.md, section 4.

    >>> category_of(np.array([[0.2, 0.8], [0.5, 0.5]]), np.array([0, 1])).tolist()
    [1, 1]
    """
    tied = (feed == feed.max(axis=1, keepdims=True)).cumsum(axis=1)
    return np.asarray((tied > (users % tied[:, -1])[:, None]).argmax(axis=1))


def divergence_from_mean(feed: FloatArray) -> FloatArray:
    """Return how far each feed is from the mean feed; the mean over users is the filter-bubble index.

    Formula: KL(p_u || pbar) / ln K, with pbar = mean_u p_u.

    Parameters: feed, probabilities of shape (n, K). Returns shape (n,), from 0 on. The index's influence function is
    this minus its mean, so its spread over users gives the index's standard error. Source: Lin (1991), written as a
    mean over users.

    >>> divergence_from_mean(np.eye(2)).tolist()
    [1.0, 1.0]
    """
    mean = feed.mean(axis=0)
    cross = -(feed * log(np.where(mean > 0, mean, 1.0))).cumsum(axis=1)[:, -1]
    return np.asarray((cross - entropy(feed)) / log(feed.shape[1]))


def deliberate_value(served: FloatArray, time_in_state: FloatArray, mean: FloatArray) -> FloatArray:
    """Return what each user would say their diet is worth, rating with full intention.

    Formula: sum_s d_u(s) sum_a pi_u(a | s) mu_intentional[s, a].

    Parameters: served, probabilities of shape (S, K, n); time_in_state d_u, (S, n); mean, mu_intentional (S, K), in
    reactions. Returns shape (n,), in reactions. Source: docs/labels.md, eq. 11.

    >>> deliberate_value(np.full((1, 2, 1), 0.5), np.ones((1, 1)), np.array([[0.0, 1.0]])).tolist()
    [0.5]
    """
    worth = (served.astype(float) * mean[:, :, None]).sum(axis=1)
    return np.asarray((worth * time_in_state).sum(axis=0))


def outcome_names(categories: list[str], extended: bool) -> list[str]:
    """Return the metrics that `user_outcomes` finds, in its order; with `extended`, those of intensity too.

    >>> outcome_names(["depth"], False)[-2:]
    ['hooked', 'share:depth']
    """
    more = ["intensity", "floor"] if extended else []
    return [*FIRST, *more, *STATES, *(f"share:{name}" for name in categories)]


def user_outcomes(sample: Trace, steps: IntArray, users: IntArray, names: list[str]) -> dict[str, FloatArray]:
    """Return every metric of every user at the last recorded step.

    Parameters: sample, the trace of n users at C recorded steps; users, their ids (n,); names of the K categories.
    Returns {metric: float64 (n,)}: locked_in, time_to_lock_in in posts (the last step if it never was),
    effective_categories, filter_bubble, drift, two_faced, mean_reaction, intensity and floor where posts have an
    intensity, one for each state, and share:NAME for each category. What is of the feed's shape is taken from the
    diet; states and floors are those of the last step. Source: docs/model.md, section 4;
    docs/whatif.md.
    """
    diet, state = sample.diet, sample.state
    last = np.ascontiguousarray(diet[-1].T, float)
    locked = diet.max(axis=1) > LOCKED_IN
    category = category_of(diet[-1].T, users)
    first = np.where(locked.any(axis=0), steps[locked.argmax(axis=0)], steps[-1])
    found = {
        "locked_in": locked[-1],
        "time_to_lock_in": first,
        "effective_categories": effective_categories(last),
        "filter_bubble": divergence_from_mean(last),
        "drift": drift(diet[-1].T, diet[0].T),
        "two_faced": sample.two_faced[-1],
        "mean_reaction": sample.mean_reaction[-1],
    }
    if len(sample.floor):
        found |= {"intensity": sample.intensity[-1], "floor": sample.floor[-1]}
    found |= {name: state[-1] == s for s, name in enumerate(STATES)}
    found |= {f"share:{name}": category == k for k, name in enumerate(names)}
    return {name: np.asarray(values, float) for name, values in found.items()}
