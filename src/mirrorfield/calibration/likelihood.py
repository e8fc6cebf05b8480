"""The likelihood of a log's reactions, the population mean, and how much of the spread is whose.

In the eigenbasis of a user's X'X (see Designs), with eigenvalues l_k and z = Q'1, the estimate of direction k has mean
(Q'mu)_k + z_k b_u and variance tau_cell^2 + sigma^2 / l_k, independent between directions given b_u. So each user's
events act like one cell mean per direction with l_k events behind it: one K x K eigendecomposition per user, after
which every value of the variances costs O(K) per user. With r = ybar - Q'mu and p_k = 1 / (tau_cell^2 + sigma^2 / l_k),

    g = tau_user^2 / (1 + tau_user^2 sum_k p_k z_k^2)    is the posterior variance of b_u,
    b = g sum_k p_k z_k r_k                              its posterior mean.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from mirrorfield.calibration.designs import Array, Designs

LEAST_RATIO, MOST_RATIO, LEAST_SIGMA = 1e-4, 1e4, 1e-6


@dataclass(frozen=True)
class Spread:
    """Standard deviations in the model's unit: tau_user of b_u, tau_cell > 0 of c_ua, sigma > 0 of one reaction."""

    tau_user: float
    tau_cell: float
    sigma: float


def precision(strength: Array, spread: Spread) -> Array:
    """Return the precision of what a user's events say about each direction, given mu and b_u.

    Formula: p = 1 / (tau_cell^2 + sigma^2 / l) = l / (l tau_cell^2 + sigma^2), 0 when l = 0.

    Parameters: strength l (n, K); spread. Returns (n, K) float64, one over the model's unit squared.

    >>> precision(np.array([[0.0, 4.0]]), Spread(0.0, 0.5, 1.0)).tolist()
    [[0.0, 2.0]]
    """
    p: Array = strength / (strength * spread.tau_cell**2 + spread.sigma**2)
    return p


def user_variance(found: Designs, p: Array, spread: Spread) -> Array:
    """Return the posterior variance of every b_u given mu.

    Formula: g = tau_user^2 / (1 + tau_user^2 sum_k p_k z_k^2).

    Parameters: found; p (n, K), the precisions; spread. Returns (n,) float64 in the model's unit squared.
    """
    variance: Array = spread.tau_user**2 / (1 + spread.tau_user**2 * (p * found.ones**2).sum(axis=1))
    return variance


def population_mean(found: Designs, spread: Spread) -> Array:
    """Return the generalised least squares estimate of mu.

    Formula: solve (sum_u M_u) mu = sum_u Q_u (P_u ybar_u - g_u p_u z_u (p_u z_u)'ybar_u), where
    M_u = X_u'V_u^-1 X_u = Q_u (P_u - g_u (p_u z_u)(p_u z_u)') Q_u', P_u = diag(p_u), V_u the covariance of y_u. Where
    the events leave combinations of mu open (labels that always come together), the solution of least norm around
    the average reaction is taken, so a category nobody met gets the average.

    Parameters: found; spread. Returns (K,) float64 in the model's unit.
    Source: Searle, Casella & McCulloch (1992), Variance Components: for given variances this maximises the
    likelihood.
    """
    p = precision(found.strength, spread)
    g, weight = user_variance(found, p, spread)[:, None], p * found.ones
    left = found.matrices(p, -g[:, 0], found.to_categories(weight)).sum(axis=0)
    centre = float((weight * found.mean).sum() / (weight * found.ones).sum())
    mean = found.mean - centre * found.ones
    right = found.to_categories(p * mean - g * weight * (weight * mean).sum(axis=1)[:, None]).sum(axis=0)
    return centre + np.asarray(np.linalg.lstsq(left, right, rcond=1e-10)[0])


def log_likelihood(found: Designs, mu: Array, spread: Spread) -> float:
    """Return the marginal log-likelihood of all reactions.

    Formula: -1/2 [E ln(2 pi sigma^2) + sum_uk ln(1 + l_uk tau_cell^2 / sigma^2)
    + sum_u ln(1 + tau_user^2 sum_k p_uk z_uk^2) + rest / sigma^2 + sum_uk p_uk r_uk^2 - sum_u b_u^2 / g_u].

    Parameters: found; mu (K,); spread. Returns a float in nats.
    Source: matrix determinant lemma and Sherman-Morrison-Woodbury formula on the model of this module.
    """
    log_det, quadratic = _parts(found, mu, spread)
    return float(-0.5 * (found.size * np.log(2 * np.pi * spread.sigma**2) + log_det + quadratic))


def estimate_spread(found: Designs) -> Spread:
    """Return the maximum likelihood estimates of tau_user, tau_cell and sigma.

    Formula: maximise the log-likelihood over (ln tau_user / sigma, ln tau_cell / sigma), with mu at its generalised
    least squares value and sigma^2 = (its quadratic form at sigma = 1) / E for each pair. The ratios are kept in
    [1e-4, 1e4] and sigma above 1e-6; a ratio at the lower end means no spread was detected.

    Parameters: found. Returns a Spread.
    Source: Searle, Casella & McCulloch (1992), Variance Components.
    """

    def loss(log_ratio: Array) -> float:
        variance, log_det = _profiled(found, log_ratio)
        return float(np.log(variance) + log_det / found.size)

    bounds = [(np.log(LEAST_RATIO), np.log(MOST_RATIO))] * 2
    best = minimize(loss, np.log([0.5, 0.5]), method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-8})
    sigma = float(np.sqrt(_profiled(found, best.x)[0]))
    tau_user, tau_cell = sigma * np.exp(best.x)
    return Spread(float(tau_user), float(tau_cell), sigma)


def equal_people(found: Designs) -> float:
    """Return the largest log-likelihood, in nats, of a population whose people do not differ: both taus 0."""
    variance, _ = _profiled(found, np.array([-np.inf, -np.inf]))
    spread = Spread(0.0, 0.0, float(np.sqrt(variance)))
    return log_likelihood(found, population_mean(found, spread), spread)


def _profiled(found: Designs, log_ratio: Array) -> tuple[float, float]:
    """Return the best sigma^2 for these ratios, and ln det V - E ln sigma^2."""
    spread = Spread(float(np.exp(log_ratio[0])), float(np.exp(log_ratio[1])), 1.0)
    log_det, quadratic = _parts(found, population_mean(found, spread), spread)
    return max(quadratic / found.size, LEAST_SIGMA**2), log_det


def _parts(found: Designs, mu: Array, spread: Spread) -> tuple[float, float]:
    """Return ln det V - E ln sigma^2 and (y - X mu)'V^-1 (y - X mu), V the covariance of all reactions."""
    p, r = precision(found.strength, spread), found.mean - found.to_directions(mu)
    g = user_variance(found, p, spread)
    log_det = np.log1p(found.strength * (spread.tau_cell / spread.sigma) ** 2).sum()
    log_det += np.log1p(spread.tau_user**2 * (p * found.ones**2).sum(axis=1)).sum()
    quadratic = found.rest / spread.sigma**2 + (p * r**2).sum() - (g * (p * found.ones * r).sum(axis=1) ** 2).sum()
    return float(log_det), float(quadratic)
