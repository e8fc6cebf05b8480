"""Over-optimisation: what a policy is worth in truth against what the reward model says, as it leaves its reference."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import rel_entr

from mirrorfield.theory.leash import reverse_kl_policy
from mirrorfield.types import FloatArray, S

WIDEST = 30.0


@dataclass(frozen=True)
class Curve:
    """Along J leashes, strongest first: beta (J,), KL in nats (J,), and gains over the reference by name (J,)."""

    beta: FloatArray
    kl: FloatArray
    gain: dict[str, FloatArray]


def leashed_policy(score: FloatArray, reference: FloatArray, beta: float) -> FloatArray:
    """Return the optimum of E r_phi - beta KL(pi || pi_ref) in every state.

    Formula: pi*(a | s) = pi_ref(a | s) exp(r_phi[s, a] / beta) / Z_s.

    Parameters: score r_phi (S, K); reference policy (S, K), no zeros; beta > 0 in units of r_phi per nat. Returns
    (S, K). Raises nothing. Source: docs/rlhf.md, eq. 8; Rafailov et al. (2023), eq. 4,
    https://arxiv.org/abs/2305.18290.

    >>> leashed_policy(np.zeros((3, 2)), np.full((3, 2), 0.5), 1.0)[0].tolist()
    [0.5, 0.5]
    """
    return np.stack([reverse_kl_policy(score[s], reference[s], beta) for s in range(S)])


def divergence(policy: FloatArray, reference: FloatArray, weight: FloatArray) -> float:
    """Return KL(pi || pi_ref) in nats, averaged over states.

    Formula: sum_s w_s sum_a pi(a|s) log(pi(a|s) / pi_ref(a|s)).

    Parameters: policy and reference (S, K); weight w, (S,), of sum 1. Raises nothing. Source: the definition.
    """
    return float(weight @ rel_entr(policy, reference).sum(axis=1))


def gain(policy: FloatArray, reference: FloatArray, value: FloatArray, weight: FloatArray) -> float:
    """Return how much more a policy is worth than the reference: sum_s w_s sum_a (pi - pi_ref)(a|s) value[s, a]."""
    return float(weight @ ((policy - reference) * value).sum(axis=1))


def beta_at(score: FloatArray, reference: FloatArray, weight: FloatArray, kl: float) -> float:
    """Return the leash at which the optimum is a given divergence from the reference, or NaN if none is.

    KL(pi*_beta || pi_ref) falls as beta grows: its derivative in 1/beta is Var_pi*(r_phi) / beta. Parameters as for
    `divergence`; kl > 0 in nats. Raises nothing. Source: docs/rlhf.md, eq. 8.
    """
    scale = max(float(np.ptp(score, axis=1).max()), 1e-300)

    def excess(log_beta: float) -> float:
        return divergence(leashed_policy(score, reference, scale * np.exp(log_beta)), reference, weight) - kl

    if excess(-WIDEST) <= 0:
        return float("nan")
    return float(scale * np.exp(brentq(excess, -WIDEST, WIDEST, xtol=1e-12)))


def goodhart_curve(
    score: FloatArray, reference: FloatArray, values: Mapping[str, FloatArray], weight: FloatArray, kl: FloatArray
) -> Curve:
    """Return proxy and true gains of the leashed optimum at given divergences from the reference.

    Formula: gain_v(KL) = sum_s w_s sum_a (pi*_beta - pi_ref)(a|s) v[s, a], beta such that KL(pi*_beta || pi_ref) = KL.

    Parameters: score r_phi (S, K), which is also the value "proxy"; reference policy (S, K); values, {name: (S, K)};
    weight of the states (S,), of sum 1; kl (J,), > 0, in nats. Returns a Curve, with NaN where the reward model cannot
    lead that far. Raises nothing. Source: docs/rlhf.md, eq. 9; the set-up is that of Gao et al. (2023),
    https://arxiv.org/abs/2210.10760.
    """
    betas = np.array([beta_at(score, reference, weight, at) for at in kl])
    named = {"proxy": score, **values}
    gains = {name: np.full(len(kl), np.nan) for name in named}
    for j, beta in enumerate(betas):
        if np.isfinite(beta):
            policy = leashed_policy(score, reference, beta)
            for name, value in named.items():
                gains[name][j] = gain(policy, reference, value, weight)
    return Curve(betas, np.asarray(kl, float), gains)
