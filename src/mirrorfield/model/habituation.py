"""The adaptive user: yesterday's intensity is today's floor, and what stays below it moves them less."""

from typing import Any

from mirrorfield.maths import ONE, ZERO, exp


def strength(floor: Any, intensity: Any, slope: Any, inverse_width: Any) -> Any:
    """Return the factor by which a post's intensity and the user's floor scale the reaction.

    Formula: (1 + c i) exp(-max(0, h - i) / width): intensity has its own pull c, and a post below the floor is dulled.

    Parameters: floor h and intensity i in [0, 1]; slope c; inverse_width, 1/width >= 0; float32 of one shape. Returns
    that shape, a pure number; exactly 1 at h = 0 and c = 0. Source: docs/model.md, eq. 8.

    >>> import numpy as np
    >>> one = np.float32(1)
    >>> float(strength(0 * one, one, 0 * one, one))
    1.0
    """
    below = floor - intensity
    return (ONE + slope * intensity) * exp(-(below if below > ZERO else ZERO) * inverse_width)


def moved_floor(floor: Any, intensity: Any, eta: Any, decay: Any) -> Any:
    """Return the user's floor after a post of some intensity.

    Formula: h + eta (i - h) if i > h, else h + decay (i - h).

    Parameters: floor h and intensity i in [0, 1]; eta and decay in [0, 1]; float32 of one shape. Returns that shape, in
    [0, 1]. Source: docs/model.md, eq. 9; the rise and fall of an adaptation level, Helson (1948).

    >>> moved_floor(0.5, 1.0, 0.1, 0.01), moved_floor(0.5, 0.0, 0.1, 0.01)
    (0.55, 0.495)
    """
    return floor + (eta if intensity > floor else decay) * (intensity - floor)
