"""Over-optimisation: what a policy is worth in truth against what the reward model says, as it leaves its reference."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import rel_entr

from mirrorfield.arrays import FloatArray
from mirrorfield.policy.softmax import softmax


@dataclass(frozen=True)
class Curve:
    """Along J leashes: beta (J,), KL in nats (J,), and gains over the reference by name (J,)."""

    beta: FloatArray
    kl: FloatArray
    gain: dict[str, FloatArray]


def leashed_policy(score: FloatArray, reference: FloatArray, beta: float) -> FloatArray:
    """Return the optimum of E r_phi - beta KL(pi || pi_ref) in every state.

    Formula: pi*(a | s) = pi_ref(a | s) exp(r_phi[s, a] / beta) / Z_s.

    Parameters: score r_phi (..., S, K); reference policy (S, K), no zeros; beta > 0 in units of r_phi per nat. Returns
    (..., S, K). Source: docs/rlhf.md, eq. 8; Rafailov et al. (2023), eq. 4, https://arxiv.org/abs/2305.18290.

    >>> leashed_policy(np.zeros((3, 2)), np.full((3, 2), 0.5), 1.0)[0].tolist()
    [0.5, 0.5]
    """
    return softmax(np.log(reference) + score / beta)


def divergence(policy: FloatArray, reference: FloatArray, weight: FloatArray) -> float:
    """Return KL(pi || pi_ref) in nats, averaged over states, and over the rows of a model that has several.

    Formula: sum_s w_s sum_a pi(a|s) log(pi(a|s) / pi_ref(a|s)).

    Parameters: policy (..., S, K); reference (S, K); weight w, (S,), of sum 1. Source: the definition.
    """
    return float((rel_entr(policy, reference).sum(axis=-1) @ weight).mean())


def gain(policy: FloatArray, reference: FloatArray, value: FloatArray, weight: FloatArray) -> float:
    """Return how much more a policy is worth than the reference: sum_s w_s sum_a (pi - pi_ref)(a|s) value[s, a].

    Parameters: policy and value, (..., S, K); reference (S, K); weight w, (S,), of sum 1. Returns the mean over rows.
    """
    return float((((policy - reference) * value).sum(axis=-1) @ weight).mean())


def goodhart_curve(
    score: FloatArray, reference: FloatArray, values: Mapping[str, FloatArray], weight: FloatArray, beta: FloatArray
) -> Curve:
    """Return how far the leashed optimum is from the reference, and its proxy and true gains, at several leashes.

    Formula: KL_j = KL(pi*_beta_j || pi_ref), gain_v,j = sum_s w_s sum_a (pi*_beta_j - pi_ref)(a|s) v[s, a].

    Parameters: score r_phi (..., S, K), which is also the value "proxy"; reference policy (S, K); values, {name: (...,
    S, K)}; weight of the states (S,), of sum 1; beta (J,), > 0. Returns a Curve; KL and the proxy's gain rise as beta
    falls. Source: docs/rlhf.md, eq. 9; the set-up is that of Gao et al. (2023), https://arxiv.org/abs/2210.10760.
    """
    policies = [leashed_policy(score, reference, one) for one in beta]
    named = {"proxy": score, **values}
    gains = {name: np.array([gain(pi, reference, value, weight) for pi in policies]) for name, value in named.items()}
    return Curve(beta, np.array([divergence(pi, reference, weight) for pi in policies]), gains)
