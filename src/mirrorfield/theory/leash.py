"""Where a policy comes to rest on a KL leash: two different forces, one of them the textbook's."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from mirrorfield.arrays import FloatArray


def reverse_kl_policy(mean: FloatArray, reference: FloatArray, beta: float) -> FloatArray:
    """Return the policy at rest on the leashes k1 in the reward, k2 in the loss and k3 times rho.

    Formula: pi = pi_ref exp(mu / beta) / Z, the maximum of J - beta KL(pi || pi_ref).

    Parameters: mean reactions (K,); reference policy (K,), no zeros; beta > 0, in reaction per nat. Returns float64
    (K,). Source: Ziegler et al. (2019), eq. 2, solved.

    >>> reverse_kl_policy(np.zeros(2), np.array([0.25, 0.75]), 1.0).tolist()
    [0.25, 0.75]
    """
    logits = np.log(reference) + mean / beta
    return np.asarray(np.exp(logits - logsumexp(logits)))


def forward_kl_policy(mean: FloatArray, reference: FloatArray, beta: float) -> FloatArray:
    """Return the policy at rest on the leash k3 in the loss: its force is the gradient of KL(pi_ref || pi).

    Formula: pi_a (mu_a - J) = beta (pi_a - pi_ref,a) for all a, so pi_a = beta pi_ref,a / (beta + J - mu_a) with J
    above max mu - beta such that sum_a pi_a = 1.

    Parameters: as for `reverse_kl_policy`. Returns float64 (K,). Source: the expected gradient of k3 as a loss is pi -
    pi_ref (docs/rules.md).

    >>> forward_kl_policy(np.zeros(2), np.array([0.25, 0.75]), 1.0).round(12).tolist()
    [0.25, 0.75]
    """
    top = float(mean.max())
    best = float(reference[mean == top].sum())

    def excess(height: float) -> float:
        return float((beta * reference / (height + top - mean)).sum()) - 1

    height = brentq(excess, beta * best * (1 - 1e-9), beta * (1 + 1e-9), xtol=1e-15, rtol=1e-14)
    return np.asarray(beta * reference / (height + top - mean))
