"""The softmax policy."""

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.maths64 import exp, log


def softmax(logits: FloatArray) -> FloatArray:
    """Return the policy that a row of logits stands for.

    Formula: pi(a | s) = exp(theta_sa - max_b theta_sb) / sum_c exp(theta_sc - max_b theta_sb).

    Parameters: logits, floats of shape (..., K), in nats. Returns the same shape; the last axis sums to 1.
    Source: Sutton and Barto (2018), eq. 13.2.

    >>> softmax(np.zeros(4)).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def log_softmax(logits: FloatArray) -> FloatArray:
    """Return the logarithm of the policy, finite even where the policy underflows.

    Formula: log pi(a | s) = theta_sa - max_b theta_sb - log sum_c exp(theta_sc - max_b theta_sb).

    Parameters: logits, floats of shape (..., K), in nats. Returns the same shape, in nats. Source: the logarithm of
    Sutton and Barto (2018), eq. 13.2.

    >>> float(log_softmax(np.array([0.0, 1000.0]))[0])
    -1000.0
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - log(exp(shifted).cumsum(axis=-1)[..., -1:]))
