"""Session memory: what was shown and reacted to lately, as a context of the policy and as priming of the user."""

from typing import Any

from mirrorfield.maths import ONE, ZERO, log


def remembered(recent: Any, reacted: Any, forget: Any) -> Any:
    """Return what is remembered of one category after a post.

    Formula: c_a + f (max(G_t, 0) 1[a = a_t] - c_a), with f = 1 / memory.

    Parameters: recent c_a >= 0, in reactions; reacted, max(G_t, 0) for the category shown and 0 for the others; forget
    f in (0, 1]; float32 of one shape. Returns that shape, >= 0. Source: docs/context.md, eq. 12.

    >>> remembered(0.5, 1.0, 0.5), remembered(0.5, 0.0, 0.5)
    (0.75, 0.25)
    """
    return recent + forget * (reacted - recent)


def remembered_share(recent: Any, total: Any, even: Any) -> Any:
    """Return the share of a category in what is remembered, or an even share where nothing is.

    Parameters: recent c_a >= 0 and total sum_a c_a, in reactions; even, 1 / K; float32 of one shape. Returns that
    shape, from 0 to 1. Source: docs/context.md, eq. 13.

    >>> remembered_share(1.0, 4.0, 0.5), remembered_share(0.0, 0.0, 0.5)
    (0.25, 0.5)
    """
    return recent / total if total > ZERO else even


def context_tilt(share: Any, kappa: Any, blur: Any) -> Any:
    """Return what the context adds to a category's logit.

    Formula: kappa ln w_c(a), w_c(a) = blur + (1 - blur) share_a: pi_ctx(a given s, c) is proportional to
    pi(a given s) w_c(a)^kappa. blur > 0 keeps w_c above zero, so that no context is a ban.

    Parameters: share in [0, 1]; kappa >= 0; blur in (0, 1]; float32 of one shape. Returns that shape, in nat, at most
    0; exactly 0 for kappa = 0. Source: docs/context.md, eq. 13.

    >>> float(context_tilt(0.5, 0.0, 0.1)), float(context_tilt(1.0, 3.0, 0.1))
    (-0.0, 0.0)
    """
    return kappa * log(blur + (ONE - blur) * share)


def primed(share: Any, priming: Any, even: Any) -> Any:
    """Return the factor by which what was shown lately shapes the reaction to more of it.

    Formula: 1 + b (share_a - 1/K) / (1 - 1/K): 1 + b if nothing but a is remembered, 1 for an even share, and 1 on
    average over categories. b > 0 is assimilation, b < 0 contrast or satiation.

    Parameters: share in [0, 1]; priming b >= -1; even, 1 / K; float32 of one shape. Returns that shape, a pure number;
    exactly 1 for b = 0. Source: docs/context.md, eq. 14.

    >>> print(primed(1.0, 0.5, 0.25), primed(0.25, 0.5, 0.25))
    1.5 1.0
    """
    return ONE + priming * ((share - even) / (ONE - even))
