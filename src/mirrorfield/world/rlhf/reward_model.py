"""The reward model r_phi: one table for all labellers, one for each, or one for each that is drawn to the others'."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import STATES, FloatArray, IntArray, S
from mirrorfield.errors import InputError, check_known
from mirrorfield.world.rlhf.bradley_terry import Fit, check_connected, fit_scores, score_gradient
from mirrorfield.world.rlhf.preferences import Preferences

KINDS = ("shared", "per-user", "hierarchical")
EM_STEPS = 500
EM_TOLERANCE = 1e-4
LEAST_VARIANCE = 1e-6
MAX_RIDGE, MAX_MARGIN = 1e9, 1000.0


@dataclass(frozen=True)
class RewardModel:
    """A fitted r_phi, centred to mean 0 in every state, in nats: a gap of 1 is odds of e to 1.

    score and error, the standard errors, are (R, S, K) with R = 1 for a shared model and R = n else. spread, (S,), is
    the standard deviation of labellers around the shared scores, of a hierarchical model only. gradient is the largest
    component left at the optimum, in labels.
    """

    kind: str
    ridge: float
    margin: float
    score: FloatArray
    error: FloatArray
    gradient: float
    spread: FloatArray | None = None

    @property
    def mean_score(self) -> FloatArray:
        """The mean of the scores over labellers, (S, K)."""
        return np.asarray(self.score.mean(axis=0))

    def gap(self, preferences: Preferences) -> FloatArray:
        """Return r_phi of the first post less that of the second, for the labeller asked: (m,), in nats."""
        row, s = preferences.labeller % len(self.score), preferences.state
        return np.asarray(self.score[row, s, preferences.first] - self.score[row, s, preferences.second])


def fit_reward_model(
    preferences: Preferences,
    kind: str = "shared",
    ridge: float = 0.0,
    margin: float = 0.0,
    names: Sequence[str] = (),
) -> RewardModel:
    """Fit r_phi to preferences.

    "shared": one table, with standard errors that allow for each labeller's answers hanging together. "per-user": a
    table of its own for each labeller. "hierarchical": per-user tables, r_u ~ Normal(r, tau_s^2) around a shared
    table, tau_s by empirical Bayes; the ridge is that of the shared table it starts from.

    Parameters: preferences; kind; ridge p >= 0, in 1/nat^2, the precision of a Normal(0, 1/p) prior on every score;
    margin m in nats, by which a preferred post is asked to lead; names of the K categories. Returns a RewardModel.
    Raises InputError for an unknown kind, numbers out of range, and, with ridge = 0, where a state's win graph is not
    strongly connected. Source: docs/rlhf.md, eqs. 4 to 6.
    """
    check_known(kind, KINDS, "model: unknown reward model")
    for name, value, most in (("ridge", ridge, MAX_RIDGE), ("margin", margin, MAX_MARGIN)):
        if not 0 <= value <= most:
            raise InputError(f"{name}: expected a number from 0 to {most:g}, got {value:g}")
    known = list(names) or [f"category {a}" for a in range(preferences.categories)]
    own = preferences.wins_by_labeller()
    if kind == "per-user":
        if ridge == 0:
            _check(own, known)
        fit = fit_scores(own, 0.0, ridge, margin)
        return RewardModel(kind, ridge, margin, fit.score, fit.error, fit.gradient)
    wins = own.sum(axis=0)
    if ridge == 0:
        _check(wins[None], known)
    shared = fit_scores(wins, 0.0, ridge, margin)
    if kind == "shared":
        error = clustered_error(shared, own, margin)
        return RewardModel(kind, ridge, margin, shared.score[None], error[None], shared.gradient)
    fit, spread = _empirical_bayes(own, shared.score, margin)
    return RewardModel(kind, ridge, margin, fit.score, fit.error, fit.gradient, spread)


def _check(wins: IntArray, names: list[str]) -> None:
    for u, s in np.ndindex(wins.shape[:2]):
        who = f" for labeller {u}" if len(wins) > 1 else ""
        check_connected(wins[u, s], names, f"in state {STATES[s]}{who}")


def clustered_error(fit: Fit, own: IntArray, margin: float = 0.0) -> FloatArray:
    """Return standard errors of shared scores that hold when a labeller's answers hang together.

    Formula: sqrt diag(H^-1 (n/(n-1) sum_u g_u g_u^T) H^-1), g_u the gradient of labeller u's own labels; with one
    labeller, the inverse Hessian.

    Parameters: fit of the summed wins, score (S, K); own wins (n, S, K, K); margin. Returns (S, K). Source: Liang and
    Zeger (1986), https://doi.org/10.1093/biomet/73.1.13; docs/rlhf.md, eq. 5.
    """
    n = len(own)
    if n == 1:
        return fit.error
    each = score_gradient(np.broadcast_to(fit.score, own.shape[:-1]), own, margin)[0]
    each = each - each.mean(axis=0)
    meat = np.einsum("usa,usb->sab", each, each) * n / (n - 1)
    covariance = fit.covariance @ meat @ fit.covariance
    return np.asarray(np.sqrt(np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 0.0)))


def _empirical_bayes(own: IntArray, shared: FloatArray, margin: float) -> tuple[Fit, FloatArray]:
    """Return per-user fits around a shared table, and tau_s: expectation-maximisation with Gaussian posteriors."""
    k = own.shape[-1]
    centre, variance = shared, np.ones(S)
    for _ in range(EM_STEPS):
        fit = fit_scores(own, centre, np.broadcast_to(1 / variance, own.shape[:2]), margin)
        centre = fit.score.mean(axis=0)
        squares = ((fit.score - centre) ** 2).sum(axis=-1) + np.trace(fit.covariance, axis1=-2, axis2=-1)
        found = np.maximum(squares.mean(axis=0) / (k - 1), LEAST_VARIANCE)
        settled = bool((abs(found - variance) <= EM_TOLERANCE * variance).all())
        variance = found
        if settled:
            break
    return fit, np.sqrt(variance)
