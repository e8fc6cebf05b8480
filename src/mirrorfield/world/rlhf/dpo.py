"""Direct preference optimisation: the policy fitted to the pairs themselves, without a reward model between."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.errors import InputError
from mirrorfield.policy.softmax import log_softmax

LEAST_BETA = 1e-6


def dpo_loss(
    logits: FloatArray,
    reference: FloatArray,
    winner: IntArray,
    loser: IntArray,
    beta: float,
    weight: FloatArray | float = 1.0,
) -> tuple[float, FloatArray]:
    """Return the loss of a policy on pairs seen in one state, and its gradient.

    Formula: L = -mean log sigmoid(h), h = beta ((log pi_w - log pi_l) - (log ref_w - log ref_l));
    dL/dtheta = -mean beta sigmoid(-h) (e_w - e_l): the normalisers of pi cancel.

    Parameters: logits theta (K,) in nats; reference, log pi_ref up to a constant (K,); winner and loser, categories of
    shape (B,); beta > 0; weight of the pairs, (B,), such as how often each came. Returns the loss in nats and (K,).
    Source: docs/rlhf.md, eq. 10; Rafailov et al. (2023), eq. 7, https://arxiv.org/abs/2305.18290.

    >>> round(dpo_loss(np.zeros(2), np.zeros(2), np.array([0]), np.array([1]), 0.1)[0], 6)
    0.693147
    """
    implicit, share = beta * (logits - reference), np.broadcast_to(weight, winner.shape)
    share = share / share.sum()
    gap = implicit[winner] - implicit[loser]
    pull = share * beta * expit(-gap)
    gradient = np.zeros(len(logits))
    np.add.at(gradient, loser, pull)
    np.subtract.at(gradient, winner, pull)
    return float(-(share * log_expit(gap)).sum()), gradient


def fit_dpo(wins: IntArray, reference: FloatArray, beta: float, ridge: float = 0.0) -> FloatArray:
    """Return the policy of least DPO loss, by gradient descent on its logits.

    Formula: min_theta sum_ab W_ab (-log sigmoid(h_ab)) + p/2 |h|^2, h = beta (theta - log pi_ref) minus its mean, by
    BFGS from theta = log pi_ref.

    Parameters: wins W (S, K, K), a preferred to b; reference, log pi_ref (S, K); beta > 0, in nats of score per nat of
    KL; ridge p >= 0. Returns the policy (S, K), pi_ref in a state
    without labels. Raises InputError for beta out of range or where the descent does not settle.
    Source: docs/rlhf.md, eq. 10; Rafailov et al. (2023), eq. 7.
    """
    if not LEAST_BETA <= beta < np.inf:
        raise InputError(f"beta: expected a number from {LEAST_BETA:g} up, got {beta:g}")
    return np.stack([_fit_state(table, log_ref, beta, ridge) for table, log_ref in zip(wins, reference, strict=True)])


def _fit_state(wins: IntArray, reference: FloatArray, beta: float, ridge: float) -> FloatArray:
    winner, loser = np.nonzero(wins)
    weight = wins[winner, loser].astype(float)
    if not len(weight):
        return np.exp(log_softmax(reference))

    def objective(scaled: FloatArray) -> tuple[float, FloatArray]:
        loss, gradient = dpo_loss(scaled / beta, reference, winner, loser, beta, weight)
        implicit = scaled - beta * reference
        implicit, penalty = implicit - implicit.mean(), ridge / weight.sum()
        return loss + penalty / 2 * float(implicit @ implicit), gradient / beta + penalty * implicit

    found = minimize(objective, beta * reference, jac=True, method="BFGS", options={"gtol": 1e-9})
    if not abs(found.jac).max() <= 1e-6:
        raise InputError("dpo: the descent did not settle; collect more labels, or use a ridge above 0")
    return np.exp(log_softmax(np.asarray(found.x) / beta))
