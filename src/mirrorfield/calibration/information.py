"""Intervals of a hidden Markov model's numbers, from the observed information."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from mirrorfield.calibration.hidden import AT_ONCE, Chains, Sums, expect, prior_sums, total
from mirrorfield.calibration.sessions import DWELL, Sessions

Array = NDArray[np.float64]

STEP, NORMAL = 1e-4, 1.96


def to_vector(chains: Chains) -> Array:
    """Return the free numbers (P,) of one model: m, ln s, logit p, and log-odds of start and moves over the last state.

    >>> one = np.ones((1, 1))
    >>> to_vector(Chains(one, one[None], 2 * one, one, 0.5 * one[None])).tolist()
    [2.0, 0.0, 0.0]
    """
    p = chains.acts[0]
    laws = np.concatenate([chains.start, chains.moves[0]])
    odds = np.log(laws[:, :-1] / laws[:, -1:])
    return np.concatenate([chains.mean[0], np.log(chains.sd[0]), np.log(p / (1 - p)).ravel(), odds.ravel()])


def from_vectors(vectors: Array, n: int, actions: int) -> Chains:
    """Return the models of n states with these free numbers (R, P)."""
    mean, log_sd, odds, rest = np.split(vectors, np.cumsum([n, n, n * actions]), axis=1)
    free = rest.reshape(len(vectors), n + 1, n - 1)
    laws = softmax(np.concatenate([free, np.zeros((len(vectors), n + 1, 1))], axis=2), axis=2)
    acts = expit(odds).reshape(len(vectors), n, actions)
    return Chains(laws[:, 0], laws[:, 1:], mean, np.exp(log_sd), acts)


def score(chains: Chains, sums: Sums) -> Array:
    """Return the gradient (R, P) of the log-likelihood by the free numbers, from the expected sums.

    Source: Fisher's identity: the score is the expected score of states and events together.
    """
    f, m, v = sums.features, chains.mean, chains.sd**2
    by_mean = (f[:, :, 2] - f[:, :, 1] * m) / v
    by_sd = (f[:, :, 3] - 2 * m * f[:, :, 2] + f[:, :, 1] * m * m) / v - f[:, :, 1]
    by_acts = f[:, :, DWELL:] - f[:, :, :1] * chains.acts
    counts = np.concatenate([sums.start[:, None], sums.moves], axis=1)
    laws = np.concatenate([chains.start[:, None], chains.moves], axis=1)
    by_laws = (counts - counts.sum(axis=2, keepdims=True) * laws)[:, :, :-1]
    rows = len(m)
    return np.concatenate([by_mean, by_sd, by_acts.reshape(rows, -1), by_laws.reshape(rows, -1)], axis=1)


def covariance(sessions: Sessions, chains: Chains) -> Array | None:
    """Return the covariance (P, P) of the free numbers: the inverse of the observed information; None if it has none.

    Formula: -dg/dtheta by central differences of the exact score g, 10^-4 to each side, of the log-likelihood with
    that of the prior's events.
    """
    theta, n = to_vector(chains), chains.mean.shape[1]
    prior = prior_sums(sessions, n)
    beside = np.concatenate([theta + STEP * np.eye(len(theta)), theta - STEP * np.eye(len(theta))])
    some = max(1, AT_ONCE // (n * len(sessions.features)))
    gradients = []
    for i in range(0, len(beside), some):
        moved = from_vectors(beside[i : i + some], n, len(sessions.actions))
        gradients.append(score(moved, total(expect(sessions, moved), prior)))
    up, down = np.split(np.concatenate(gradients), 2)
    found = (down - up) / (2 * STEP)
    found = (found + found.T) / 2
    if not np.isfinite(found).all() or np.linalg.eigvalsh(found)[0] <= 0:
        return None
    return np.asarray(np.linalg.inv(found), np.float64)


def intervals(chains: Chains, spread: Array | None) -> dict[str, Array]:
    """Return low and high (2, ...) of the numbers of one model, 95%, from the covariance of its free numbers.

    mean (2, n), sd (2, n), acts (2, n, M), start (2, n), moves (2, n, n). Formula: value -+ 1.96 standard errors of the
    mean, of ln s and of the log-odds of probabilities, turned back. NaN where there is no covariance.
    """
    n, actions = chains.mean.shape[1], chains.acts.shape[2]
    size = n * (2 + actions) + (n + 1) * (n - 1)
    v = np.full((size, size), np.nan) if spread is None else spread
    error = np.sqrt(np.diag(v))
    at = np.cumsum([0, n, n, n * actions])
    both = np.array([-NORMAL, NORMAL])[:, None]
    theta = to_vector(chains)
    mean = theta[: at[1]] + both * error[: at[1]]
    sd = np.exp(theta[at[1] : at[2]] + both * error[at[1] : at[2]])
    acts = expit(theta[at[2] : at[3]] + both * error[at[2] : at[3]]).reshape(2, n, actions)
    laws = np.concatenate([chains.start, chains.moves[0]])
    rows = []
    for i, law in enumerate(laws):
        own = slice(at[3] + i * (n - 1), at[3] + (i + 1) * (n - 1))
        turn = (np.eye(n) - law)[:, :-1] / (1 - law)[:, None]
        wide = np.sqrt(np.einsum("jk,kl,jl->j", turn, v[own, own], turn))
        rows.append(expit(np.log(law / (1 - law)) + both * wide))
    return {"mean": mean, "sd": sd, "acts": acts, "start": rows[0], "moves": np.stack(rows[1:], axis=1)}
