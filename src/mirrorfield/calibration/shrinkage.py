"""Empirical Bayes reaction profiles: each user's mean reaction to each category, shrunk by how little is known.

The reaction of user u to event e, which carries the categories of the set A_e, is

    y_e = mean over a in A_e of m_ua + eps_e,    eps_e ~ N(0, sigma^2),
    m_ua = mu_a + b_u + c_ua,                    b_u ~ N(0, tau_user^2),  c_ua ~ N(0, tau_cell^2),  all independent.

One sigma serves every event in the likelihood; the spread of reactions to each category is measured afterwards.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.designs import Array, Designs, designs, events_by_cell, label_pairs, predict, sum_by
from mirrorfield.calibration.likelihood import (
    Spread,
    equal_people,
    estimate_spread,
    log_likelihood,
    population_mean,
    precision,
    user_variance,
)
from mirrorfield.calibration.log import EventLog, InteractionLog
from mirrorfield.calibration.scaling import Scaling
from mirrorfield.errors import InputError

FEWEST_DEGREES = 30.0
MOST_USERS = 20_000
"""Users from whom the variances are estimated: with as many, their relative standard errors are about 1%."""
BLOCK = 1 << 21
"""Numbers in the K x K matrices of the users that are taken at a time."""


@dataclass(frozen=True)
class Profiles:
    """Reaction profiles of n users over K categories; reactions in the model's unit.

    mean (n, K) float64: posterior mean reaction, clipped to [0, 1]; clipped says how many were.
    std (K,): standard deviation of a reaction around its user's profile. thin (K,) bool: where std is sigma.
    events (n, K): events observed, each shared equally by its labels. shrinkage (n, K): 1 - posterior variance /
    prior variance of a mean, from 0 (nothing learned from the user's own events) toward 1 (they decide).
    tau_user, tau_cell, sigma: standard deviations of b_u, c_ua and eps_e. mu (K,): population mean.
    log_likelihood: of all reactions, maximised, in nats. likelihood_ratio: twice its gain over people who do not
    differ.
    """

    mean: Array
    std: Array
    events: Array
    shrinkage: Array
    tau_user: float
    tau_cell: float
    sigma: float
    mu: Array
    clipped: int
    thin: NDArray[np.bool_]
    log_likelihood: float
    likelihood_ratio: float


def posterior(found: Designs, mu: Array, spread: Spread) -> tuple[Array, Array]:
    """Return the posterior mean and covariance of every user's mean reactions, given mu and the variances.

    Formula: m_u = mu + b_u + Q_u c_u, c_uk = tau_cell^2 p_uk (r_uk - z_uk b_u);
    covariance tau_cell^2 I - tau_cell^4 Q_u P_u Q_u' + g_u t_u t_u', t_u = 1 - tau_cell^2 Q_u (p_u z_u).

    Parameters: found; mu (K,); spread. Returns (n, K), not clipped, and (n, K, K), float64.
    Source: Searle, Casella & McCulloch (1992), Variance Components, for the prediction of random effects.
    """
    p, within = precision(found.strength, spread), spread.tau_cell**2
    g, r = user_variance(found, p, spread), found.mean - found.to_directions(mu)
    b = (g * (p * found.ones * r).sum(axis=1))[:, None]
    mean = mu + b + found.to_categories(within * p * (r - b * found.ones))
    left = 1 - within * found.to_categories(p * found.ones)
    covariance = found.matrices(within - within**2 * p, g, left)
    return mean, covariance


@dataclass
class CategorySpread:
    """Sums over events, by category, of squared residuals and of their expectation in units of sigma^2."""

    residual: Array
    degrees: Array

    def add(self, log: InteractionLog, error: Array, covariance: Array, sigma: float) -> None:
        """Add the events of a log with residuals (E,) around posterior means of this covariance (n, K, K)."""
        k, user = len(self.residual), log.user[log.event]
        known = np.zeros(len(error))
        for i, j in label_pairs(log.event):
            once = log.weight[i] * log.weight[j] * covariance[user[i], log.category[i], log.category[j]]
            known += sum_by(log.event[i], np.where(i == j, once, 2 * once), len(error))
        self.residual += sum_by(log.category, log.weight * (error**2)[log.event], k)
        self.degrees += sum_by(log.category, log.weight * (1 - known / sigma**2)[log.event], k)

    def std(self, sigma: float) -> tuple[Array, NDArray[np.bool_]]:
        """Return the standard deviation of a reaction to each category around its user's posterior mean.

        Formula: sigma_a^2 = sum_e w_ea (y_e - x_e'm_u)^2 / sum_e w_ea (1 - x_e'C_u x_e / sigma^2), C_u the posterior
        covariance: the bracket is the expectation of the squared residual over sigma^2. An event with several labels
        counts for each in its share. A category whose denominator, in degrees of freedom, is below 30 (a relative
        standard error above 13%, from 1 / sqrt(2 degrees)) takes sigma.

        Returns (K,) float64 in the model's unit, and which categories took sigma, (K,) bool. Source: derived here; with
        one label per event and tau_cell much above sigma it is the variance pooled within cells.
        """
        thin = self.degrees < FEWEST_DEGREES
        full = np.full(len(thin), sigma**2)
        return np.sqrt(np.divide(self.residual, self.degrees, out=full, where=~thin)), thin


def shrink(log: InteractionLog | EventLog, scaling: Scaling) -> Profiles:
    """Return the reaction profiles of all users of a log, with every variance estimated from the log itself.

    Steps: the variances by marginal likelihood and mu by generalised least squares, from 20,000 users spread evenly
    over a log of more; then the posterior mean of every user and category, clipped to [0, 1], some users at a time.
    Raises InputError when no user reacted twice to a category.
    """
    seen = log if isinstance(log, InteractionLog) else log.sample(MOST_USERS)
    cell = np.sort(seen.user[seen.event] * len(seen.category_names) + seen.category)
    if not (cell[1:] == cell[:-1]).any():
        raise InputError("No user reacted twice to the same category: noise and taste cannot be told apart.")
    found = designs(seen, scaling.to_unit(seen.reaction))
    spread = estimate_spread(found)
    mu = population_mean(found, spread)
    likelihood = log_likelihood(found, mu, spread)
    ratio = 2 * (likelihood - equal_people(found))
    n, k = len(log.user_names), len(log.category_names)
    blocks = [(0, log)] if isinstance(log, InteractionLog) else log.blocks(max(1, BLOCK // k**2))
    del found, seen
    mean, events, shrinkage = (np.zeros((n, k)) for _ in range(3))
    spreads, prior = CategorySpread(np.zeros(k), np.zeros(k)), spread.tau_user**2 + spread.tau_cell**2
    for first, part in blocks:
        y = scaling.to_unit(part.reaction)
        own = slice(first, first + len(part.user_names))
        mean[own], covariance = posterior(designs(part, y), mu, spread)
        spreads.add(part, y - predict(part, mean[own]), covariance, spread.sigma)
        events[own] = events_by_cell(part)
        shrinkage[own] = np.clip(1 - np.diagonal(covariance, axis1=1, axis2=2) / prior, 0.0, 1.0)
    std, thin = spreads.std(spread.sigma)
    clipped = int(((mean < 0) | (mean > 1)).sum())
    return Profiles(
        np.clip(mean, 0, 1, out=mean), std, events, shrinkage, spread.tau_user, spread.tau_cell, spread.sigma, mu,
        clipped, thin, likelihood, ratio,
    )  # fmt: skip
