"""How well the profiles predict reactions they have not seen, against two simple rules."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.designs import predict, subset, sum_by
from mirrorfield.calibration.log import InteractionLog
from mirrorfield.calibration.scaling import Scaling, scaling_of
from mirrorfield.calibration.shrinkage import shrink
from mirrorfield.errors import InputError

FEWEST_EVENTS, ONE_IN, RESAMPLES, BATCH = 5, 5, 1000, 1 << 22
PROFILES, GLOBAL_MEAN, USER_MEAN = "profiles", "global_mean", "user_mean"

Array = NDArray[np.float64]


def last_events(user: NDArray[np.int64], time: Array) -> NDArray[np.bool_]:
    """Return which events are among the last fifth of their user's, in time.

    Formula: of n_u events the last floor(n_u / 5) in time are marked, ties by order in the file; none when n_u < 5.

    Parameters: user (E,) int64; time (E,) float64. Returns (E,) bool.

    >>> last_events(np.zeros(5, dtype=np.int64), np.array([5.0, 1.0, 2.0, 5.0, 3.0])).tolist()
    [False, False, False, True, False]
    """
    order = np.lexsort((time, user))
    count = np.bincount(user)
    start = np.cumsum(count) - count
    rank = np.empty(len(user), dtype=np.int64)
    rank[order] = np.arange(len(user)) - start[user[order]]
    marked: NDArray[np.bool_] = rank >= (count - count // ONE_IN)[user]
    return marked


def last_of(log: InteractionLog) -> NDArray[np.bool_]:
    """Return which events are held out: the last fifth of each person's, or of their sessions where the log has them.

    Sessions are in the order in which they begin, and whole: reactions of one session have its mood in common.
    Returns (E,) bool. Source: `last_events`, for sessions in place of events.
    """
    if log.session is None:
        return last_events(log.user, log.time)
    begun = np.lexsort((log.time, log.session, log.user))
    user, session = log.user[begun], log.session[begun]
    first = np.append(True, (np.diff(user) != 0) | (np.diff(session) != 0))
    held = np.empty(len(begun), np.bool_)
    held[begun] = last_events(user[first], log.time[begun][first])[np.cumsum(first) - 1]
    return held


def predictions(log: InteractionLog, y: Array, scaling: Scaling, train: NDArray[np.bool_]) -> dict[str, Array]:
    """Return each method's prediction (E,) of every event, in the model's unit, learned from the training events.

    global_mean: average training reaction. user_mean: average of the user's own training reactions.
    """
    user, n = log.user[train], len(log.user_names)
    count = np.bincount(user, minlength=n)
    own = sum_by(user, y[train], n) / np.maximum(count, 1)
    fitted = predict(log, shrink(subset(log, train), scaling).mean)
    return {PROFILES: fitted, GLOBAL_MEAN: np.full(len(y), y[train].mean()), USER_MEAN: own[log.user]}


def bootstrap_rmse(squares: Array, count: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """Return bootstrap replicates of the root mean squared error, resampling users with replacement.

    Formula: RMSE* = sqrt(sum_u k_u S_u / sum_u k_u c_u), k ~ Multinomial(U; 1/U, ..., 1/U), the same k for every
    method, so that differences between methods are paired.

    Parameters: squares (U, M) sums of squared errors of each user and method; count (U,) events of each user; rng.
    Returns (1000, M) float64 in the unit of the errors.
    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, for the percentile interval.

    >>> bootstrap_rmse(np.array([[8.0]]), np.array([2]), np.random.default_rng(0))[0].tolist()
    [2.0]
    """
    users = len(count)
    batch = max(1, BATCH // users)
    parts = []
    for start in range(0, RESAMPLES, batch):
        rows = min(batch, RESAMPLES - start)
        drawn = rng.integers(users, size=(rows, users)) + users * np.arange(rows)[:, None]
        draws = np.bincount(drawn.ravel(), minlength=rows * users).reshape(rows, users)
        parts.append(np.sqrt(draws @ squares / (draws @ count)[:, None]))
    return np.concatenate(parts)


def heldout_check(log: InteractionLog, seed: int, scaling: Scaling | None = None) -> dict[str, Any]:
    """Hold out the last fifth of each user's events, or sessions, fit on the rest, and return the prediction errors.

    Formula: RMSE = sqrt(mean over held-out events of (y - yhat)^2), for the profiles and for two baselines, each
    with a 95% percentile interval from 1000 resamples of the held-out users, and RMSE(profiles) - RMSE(baseline)
    with its paired interval: below zero, the profiles predict better.

    Parameters: log; seed of the resampling; scaling (default: by the range of the log). Returns plain data: counts,
    and "rmse" and "difference" by method, in the model's unit ("unit") and the log's ("log_unit"), each as value,
    low, high. When nothing can be checked, "events" is 0 and "note" says why.
    """
    scaling = scaling or scaling_of(log)
    held = last_of(log)
    short = len(np.unique(log.user)) - len(np.unique(log.user[held]))
    counts: dict[str, Any] = {"events": int(held.sum()), "training_events": int((~held).sum()), "seed": seed}
    counts |= {"users": len(np.unique(log.user[held])), "users_kept_whole": short, "resamples": RESAMPLES}
    if not held.any():
        what = "events" if log.session is None else "sessions"
        return counts | {"note": f"No user has {FEWEST_EVENTS} {what} or more: nothing could be held out."}
    y = scaling.to_unit(log.reaction)
    try:
        guesses = predictions(log, y, scaling, ~held)
    except InputError as error:
        return counts | {"events": 0, "note": f"The events left for training are too few. {error}"}
    errors = np.column_stack([y - guess for guess in guesses.values()])[held]
    return counts | _table(tuple(guesses), errors, log.user[held], scaling.width, seed)


def _table(names: tuple[str, ...], errors: Array, user: NDArray[np.int64], width: float, seed: int) -> dict[str, Any]:
    _, code, count = np.unique(user, return_inverse=True, return_counts=True)
    squares = np.column_stack([sum_by(code, error**2, len(count)) for error in errors.T])
    rmse = np.sqrt(squares.sum(axis=0) / count.sum())
    replicates = bootstrap_rmse(squares, count, np.random.default_rng(seed))
    table = {name: _interval(rmse[i], replicates[:, i], width) for i, name in enumerate(names)}
    ours, others = names.index(PROFILES), [name for name in names if name != PROFILES]
    difference = {}
    for name in others:
        i = names.index(name)
        difference[name] = _interval(rmse[ours] - rmse[i], replicates[:, ours] - replicates[:, i], width)
    return {"rmse": table, "difference": difference}


def _interval(value: float, replicates: Array, width: float) -> dict[str, dict[str, float]]:
    low, high = np.quantile(replicates, [0.025, 0.975])
    unit = {"value": float(value), "low": float(low), "high": float(high)}
    return {"unit": unit, "log_unit": {key: number * width for key, number in unit.items()}}
