"""Surrogates: the objective of one post as a function of the ratio of the policy to the one that chose the post.

Every surrogate's gradient with respect to the logits is a weight times the score, 1[a = a_t] - pi(a), so the step of
`reinforce.logit_step` serves all of them with the weight in the advantage's place. At ratio 1 the weight is the
advantage.
"""

from typing import Any

import numpy as np

from mirrorfield.maths import ONE, ZERO


def surrogate(ratio: Any, advantage: Any, low: Any, high: Any, cap: Any) -> Any:
    """Return the objective of one post, to be maximised: clipped on both sides, and capped where the advantage is < 0.

    Formula: m = min(rho A, clip(rho, 1 - low, 1 + high) A); m if A >= 0, else max(m, c A), computed as m at
    min(rho, c), which is the same for c > 1 + high. low = high = c = inf is the plain surrogate rho A.

    Parameters: ratio rho > 0 and advantage A, floats of one shape; low, high >= 0 and cap c > 1, floats. Returns that
    shape, in the advantage's unit. Source: Schulman et al. (2017), eq. 7, https://arxiv.org/abs/1707.06347; two widths:
    Yu et al. (2025), eq. 10, https://arxiv.org/abs/2503.14476; cap: Ye et al. (2020), "dual clip",
    https://arxiv.org/abs/1912.09729.

    >>> float(surrogate(1.5, 1.0, 0.25, 0.25, np.inf))
    1.25
    """
    capped = np.where(advantage < ZERO, np.minimum(ratio, cap), ratio)
    return np.minimum(capped * advantage, np.clip(capped, ONE - low, ONE + high) * advantage)


def surrogate_weight(ratio: Any, advantage: Any, low: Any, high: Any, cap: Any) -> Any:
    """Return the surrogate's derivative with respect to log pi(a_t): what multiplies the score.

    Formula: rho A, but 0 if A > 0 and rho > 1 + high, or if A < 0 and (rho < 1 - low or rho > c).

    Parameters: as in `surrogate`. Returns that shape, in the advantage's unit. Source: the derivative of `surrogate`; d
    rho / d log pi = rho.

    >>> [float(surrogate_weight(ratio, 1.0, 0.2, 0.28, np.inf)) for ratio in (1.25, 1.5)]
    [1.25, 0.0]
    """
    above = (advantage > ZERO) & (ratio > ONE + high)
    below = (advantage < ZERO) & ((ratio < ONE - low) | (ratio > cap))
    return ratio * advantage * (ONE - (above | below))
