"""The entropy bonus: a push towards the uniform policy."""

from typing import Any


def entropy_gradient(probability: Any, log_probability: Any, entropy: Any) -> Any:
    """Return the derivative of the policy's entropy with respect to one logit.

    Formula: d H / d theta_a = -pi(a) (log pi(a) + H), with H = -sum_b pi(b) log pi(b).

    Parameters: probability pi(a) and log_probability, floats of shape (..., K); entropy H, in nats, broadcastable.
    Returns shape (..., K), a pure number. Source: derivative of H through the softmax; the bonus is that of Williams
    and Peng (1991).

    >>> entropy_gradient(0.25, -1.0, 1.5)
    -0.125
    """
    return -probability * (log_probability + entropy)
