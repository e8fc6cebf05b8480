"""Empirical Bayes reaction profiles: each user's mean reaction to each category, shrunk by how little is known.

The model of the mean reaction of user u to category a, over n_ua (effective) events, is

    ybar_ua = mu_a + b_u + c_ua + e_ua,    b_u ~ N(0, tau_user^2),  c_ua ~ N(0, tau_cell^2),
                                           e_ua ~ N(0, sigma_a^2 / n_ua),  all independent.

With d_ua = tau_cell^2 + sigma_a^2 / n_ua and D_u = diag(d_ua) over the categories u has met, the cell means of u are
N(mu, V_u) with V_u = D_u + tau_user^2 1 1'. V_u is diagonal plus rank one, so its inverse (Sherman-Morrison) and its
determinant (matrix determinant lemma) need only the precisions p_ua = 1 / d_ua, which are 0 for unmet categories.

An event with several labels enters the cells of all of them. Two simplifications follow, and both blur tastes: the
e_ua of one user are treated as independent, and the other labels' share in a cell mean is not taken out, so tau_cell
is estimated too low. With one label per event neither arises and the model is exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from mirrorfield.calibration.cells import Cells, pooled_std

LEAST_TAU, MOST_TAU = 1e-4, 10.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Profiles:
    """Reaction profiles of n users over K categories; reactions in the model's unit.

    mean (n, K) float64: posterior mean reaction, clipped to [0, 1]; clipped says how many were.
    std (K,): pooled standard deviation of a reaction. thin (K,) bool: where std is the one over all categories.
    events (n, K): events observed, each shared equally by its labels. shrinkage (n, K): share of a cell's deviation
    that is kept, from 0 (never observed) to 1. tau_user, tau_cell: standard deviations of b_u and c_ua.
    mu (K,): population mean. log_likelihood: of the cell means, maximised, in nats.
    """

    mean: Array
    std: Array
    events: Array
    shrinkage: Array
    tau_user: float
    tau_cell: float
    mu: Array
    clipped: int
    thin: NDArray[np.bool_]
    log_likelihood: float


def precision(effective: Array, std: Array, tau_cell: float) -> Array:
    """Return the precision of a cell mean given mu_a and b_u.

    Formula: p_ua = 1 / (tau_cell^2 + sigma_a^2 / n_ua) = n_ua / (n_ua tau_cell^2 + sigma_a^2), 0 when n_ua = 0.

    Parameters: effective (n, K); std (K,) and tau_cell > 0 in the model's unit. Returns (n, K), one over unit squared.

    >>> precision(np.array([[0.0, 4.0]]), np.array([1.0, 1.0]), 0.5).tolist()
    [[0.0, 2.0]]
    """
    return np.divide(effective, effective * tau_cell**2 + std**2, out=np.zeros_like(effective), where=effective > 0)


def population_mean(mean: Array, p: Array, tau_user: float) -> Array:
    """Return the generalised least squares estimate of mu.

    Formula: solve (sum_u V_u^-1) mu = sum_u V_u^-1 ybar_u with V_u^-1 = P_u - g_u p_u p_u', P_u = diag(p_u),
    g_u = tau_user^2 / (1 + tau_user^2 sum_a p_ua). A category nobody met takes the average of the others.

    Parameters: mean, p (n, K); tau_user >= 0. Returns (K,) float64 in the model's unit.
    Source: Searle, Casella & McCulloch (1992), Variance Components, ch. 6: for given variances this maximises the
    likelihood.

    >>> population_mean(np.array([[1.0, 0.0], [3.0, 1.0]]), np.ones((2, 2)), 0.0).tolist()
    [2.0, 0.5]
    """
    g = _user_gain(p, tau_user)
    met = p.max(axis=0) > 0
    p, mean = p[:, met], mean[:, met]
    left = np.diag(p.sum(axis=0)) - (p * g[:, None]).T @ p
    right = (p * (mean - (g * (p * mean).sum(axis=1))[:, None])).sum(axis=0)
    solved = np.linalg.solve(left, right)
    mu = np.full(len(met), solved.mean())
    mu[met] = solved
    return mu


def log_likelihood(mean: Array, p: Array, mu: Array, tau_user: float) -> float:
    """Return the marginal log-likelihood of the cell means.

    Formula: -1/2 sum_u [m_u ln 2 pi + ln det V_u + r_u' V_u^-1 r_u] with r = ybar - mu, m_u cells met,
    ln det V_u = -sum_a ln p_ua + ln(1 + tau_user^2 sum_a p_ua),
    r_u' V_u^-1 r_u = sum_a p_ua r_ua^2 - g_u (sum_a p_ua r_ua)^2, g_u = tau_user^2 / (1 + tau_user^2 sum_a p_ua).

    Parameters: mean, p (n, K); mu (K,); tau_user >= 0. Returns a float in nats.
    Source: matrix determinant lemma and Sherman-Morrison formula on the model of this module.

    >>> round(log_likelihood(np.array([[1.0]]), np.array([[1.0]]), np.array([0.0]), 0.0), 4)
    -1.4189
    """
    r = mean - mu
    log_precision = np.log(p, out=np.zeros_like(p), where=p > 0)
    log_det = np.log1p(tau_user**2 * p.sum(axis=1)).sum() - log_precision.sum()
    quadratic = (p * r**2).sum() - (_user_gain(p, tau_user) * (p * r).sum(axis=1) ** 2).sum()
    return float(-0.5 * ((p > 0).sum() * np.log(2 * np.pi) + log_det + quadratic))


def posterior_mean(cells: Cells, std: Array, mu: Array, tau_user: float, tau_cell: float) -> tuple[Array, Array]:
    """Return the best linear unbiased prediction of every cell, and the share of its deviation that is kept.

    Formula: b_u = g_u sum_a p_ua (ybar_ua - mu_a), g_u = tau_user^2 / (1 + tau_user^2 sum_a p_ua);
    c_ua = B_ua (ybar_ua - mu_a - b_u), B_ua = tau_cell^2 / (tau_cell^2 + sigma_a^2 / n_ua) = tau_cell^2 p_ua;
    m_ua = mu_a + b_u + c_ua, which is mu_a + b_u for a category never met (B = 0).

    Parameters: cells; std, mu (K,), tau_user >= 0 and tau_cell > 0 in the model's unit. Returns m and B, (n, K)
    float64; m is not clipped.
    Source: Efron & Morris (1975), J. Am. Stat. Assoc. 70, 311-319, for shrinkage with estimated variances;
    Searle, Casella & McCulloch (1992), Variance Components, ch. 7, for the prediction of random effects.

    >>> one = np.ones((1, 1))
    >>> cells = Cells(4 * one, 4 * one, mean=one, residual=one, degrees=3 * one)
    >>> [x.tolist() for x in posterior_mean(cells, np.array([1.0]), np.array([0.0]), 0.0, 0.5)]
    [[[0.5]], [[0.5]]]
    """
    p = precision(cells.effective, std, tau_cell)
    kept = tau_cell**2 * p
    deviation = cells.mean - mu
    b = (_user_gain(p, tau_user) * (p * deviation).sum(axis=1))[:, None]
    return mu + b + kept * (deviation - b), kept


def estimate_spread(cells: Cells, std: Array) -> tuple[float, float]:
    """Return the maximum likelihood estimates of tau_user and tau_cell.

    Formula: maximise over (ln tau_user, ln tau_cell) the log-likelihood of the cell means, with mu at its
    generalised least squares value for each pair. The search keeps tau / (standard deviation of the observed cell
    means) in [1e-4, 10]; an estimate at the lower end means no spread was detected.

    Parameters: cells; std (K,) in the model's unit. Returns two floats in the model's unit.
    Source: Searle, Casella & McCulloch (1992), Variance Components, ch. 6.
    """
    met = cells.events > 0
    scale = max(float(cells.mean[met].std()), 1e-9)

    def loss(log_tau: Array) -> float:
        tau_user, tau_cell = scale * np.exp(log_tau)
        p = precision(cells.effective, std, tau_cell)
        mu = population_mean(cells.mean, p, tau_user)
        return -log_likelihood(cells.mean, p, mu, tau_user) / int(met.sum())

    bounds = [(np.log(LEAST_TAU), np.log(MOST_TAU))] * 2
    found = minimize(loss, np.log([0.5, 0.5]), method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-8})
    tau_user, tau_cell = scale * np.exp(found.x)
    return float(tau_user), float(tau_cell)


def shrink(cells: Cells) -> Profiles:
    """Return the reaction profiles of all users, with every variance estimated from the log itself.

    Steps: sigma_a by pooling within cells, tau_user and tau_cell by marginal likelihood, mu by generalised least
    squares, then the posterior mean of every cell, clipped to [0, 1]. Raises InputError when no user reacted twice
    to a category.
    """
    std, thin = pooled_std(cells)
    tau_user, tau_cell = estimate_spread(cells, std)
    p = precision(cells.effective, std, tau_cell)
    mu = population_mean(cells.mean, p, tau_user)
    mean, kept = posterior_mean(cells, std, mu, tau_user, tau_cell)
    clipped = int(((mean < 0) | (mean > 1)).sum())
    likelihood = log_likelihood(cells.mean, p, mu, tau_user)
    return Profiles(np.clip(mean, 0, 1), std, cells.events, kept, tau_user, tau_cell, mu, clipped, thin, likelihood)


def _user_gain(p: Array, tau_user: float) -> Array:
    gain: Array = tau_user**2 / (1 + tau_user**2 * p.sum(axis=1))
    return gain
