"""What happens to users over time: how soon, how far, and back again. Arrays in, numbers out."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import STATES, FloatArray, IntArray


@dataclass(frozen=True)
class Survival:
    """A Kaplan-Meier curve: share not yet seen to have the event after each time, with a 95% interval."""

    time: IntArray
    share: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def median(self) -> float:
        """First time at which the share is one half or less; inf if it never is."""
        below = np.flatnonzero(self.share <= 0.5)
        return float(self.time[below[0]]) if len(below) else float("inf")


def kaplan_meier(time: IntArray, events: IntArray, users: int, censored: IntArray | None = None) -> Survival:
    """Return the share of users that have not had an event yet, from counts that may be added up over blocks of users.

    Formula: S(t) = prod_{i: t_i <= t} (1 - d_i / n_i), n_i the users at risk; interval exp(-exp(ln(-ln S) -+ 1.96
    se)) with Greenwood's variance, which stays in [0, 1].

    Parameters: time, ascending, shape (C,); events d_i, users with their event in (t_{i-1}, t_i], (C,); users, all of
    them; censored, users last seen at t_i, (C,), default all that remain at the last time. Returns a Survival. An event
    between two times is dated to the later one. Source: Kaplan and Meier (1958), https://doi.org/10.2307/2281868;
    interval by Kalbfleisch and Prentice (1980).

    >>> kaplan_meier(np.array([1, 2, 3]), np.array([1, 1, 0]), 4).share.tolist()
    [0.75, 0.5, 0.5]
    """
    gone = np.cumsum(events) - events
    lost = np.zeros(len(time), np.int64) if censored is None else np.cumsum(censored) - censored
    at_risk = np.maximum(users - gone - lost, 1)
    share = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(events / (at_risk * np.maximum(at_risk - events, 1)))
        spread = 1.959964 * np.sqrt(variance) / np.abs(np.log(share))
        low, high = share ** np.exp(spread), share ** np.exp(-spread)
    exact = (share == 0) | (share == 1)
    return Survival(time, share, np.where(exact, share, low), np.where(exact, share, high))


def first_times(seen: IntArray) -> IntArray:
    """Return how many users are first seen in an event at each recorded step.

    Formula: d_c = |{u: x_cu, not x_bu for any b < c}|.

    Parameters: seen, booleans of shape (C, n). Returns int64 of shape (C,). Source: the definition.

    >>> first_times(np.array([[0, 1], [1, 1]], bool)).tolist()
    [1, 1]
    """
    ever = np.maximum.accumulate(seen, axis=0).sum(axis=1)
    return np.asarray(np.diff(ever, prepend=0), np.int64)


@dataclass(frozen=True)
class Flows:
    """Rates over one interval between recorded steps, per user in the state that is left."""

    up: float
    down: float
    recovery: float
    staying: FloatArray
    net: float


def state_rates(flow: IntArray) -> Flows:
    """Return how users moved between states over one interval.

    Formula: up = users that rose / users not yet hooked; down = users that fell / users not calm; recovery = users
    that left hooked / users hooked; staying_s = F_ss / sum_s' F_ss'; net = (rose - fell) / users. The mean dwell time
    of a chain with this table, in intervals, is 1 / (1 - staying_s).

    Parameters: flow F, counts of shape (S, S), row before and column after. Returns Flows; NaN where nobody was at
    risk. Source: Ribeiro et al. (2020), https://doi.org/10.1145/3351095.3372879, for migration between groups.

    >>> state_rates(np.array([[8, 2, 0], [1, 3, 1], [0, 1, 4]])).up
    0.2
    """
    before, rose, fell = flow.sum(axis=1), int(np.triu(flow, 1).sum()), int(np.tril(flow, -1).sum())
    hooked = STATES.index("hooked")
    with np.errstate(invalid="ignore", divide="ignore"):
        return Flows(
            up=float(np.float64(rose) / (before.sum() - before[hooked])),
            down=float(np.float64(fell) / before[1:].sum()),
            recovery=float(1 - np.float64(flow[hooked, hooked]) / before[hooked]),
            staying=np.diag(flow) / before,
            net=float(np.float64(rose - fell) / before.sum()),
        )


def slope(time: FloatArray, value: FloatArray) -> FloatArray:
    """Return each user's escalation: the least-squares slope of a value against time.

    Formula: sum_c (t_c - tbar)(y_cu - ybar_u) / sum_c (t_c - tbar)**2.

    Parameters: time, shape (C,), C >= 2, such as the logarithm of the step; value, (C, n), such as intensity. Returns
    shape (n,), value per time; 0 means none. The mean over users of slopes is the slope of the mean. Source: Haroon et
    al. (2023), https://doi.org/10.1073/pnas.2213020120, who regress slant on position in a trail.

    >>> slope(np.array([0.0, 1.0, 2.0]), np.array([[0.0], [1.0], [2.0]])).tolist()
    [1.0]
    """
    centred = time - time.mean()
    return np.asarray(centred @ (value - value.mean(axis=0)) / (centred @ centred))


def drift(feed: FloatArray, start: FloatArray) -> FloatArray:
    """Return how far a feed has moved from where it was: total variation distance.

    Formula: (1/2) sum_a |p_ta - p_0a|. In a bounded space it cannot be infinite as a degenerate loop's is; what can
    be asked is how large it gets and when it first passes a threshold.

    Parameters: feed and start, probabilities that broadcast to (..., K). Returns shape (...), from 0 (unmoved) to 1
    (nothing in common). Source: Jiang et al. (2019), https://doi.org/10.1145/3306618.3314288, with total variation for
    the norm.

    >>> float(drift(np.array([1.0, 0.0]), np.array([0.5, 0.5])))
    0.5
    """
    return np.asarray(0.5 * np.abs(feed - start).sum(axis=-1))


def induced_shift(changed: FloatArray, safe: FloatArray) -> FloatArray:
    """Return how far a policy moved each user, summed over time, from where a safe policy would have let it go.

    Formula: sum_c ||x_cu - y_cu||_2 / C over C recorded steps, x under the policy and y under the safe one, with the
    same luck.

    Parameters: changed and safe, states of the same users in two runs of one seed, shape (C, n) or (C, n, D). Returns
    shape (n,), from 0 (not moved). Source: Carroll et al. (2022), https://arxiv.org/abs/2204.11966.

    >>> induced_shift(np.array([[1.0], [2.0]]), np.array([[1.0], [0.0]])).tolist()
    [1.0]
    """
    apart = np.abs(changed - safe) if changed.ndim == 2 else np.sqrt(((changed - safe) ** 2).sum(axis=-1))
    return np.asarray(apart.mean(axis=0))
