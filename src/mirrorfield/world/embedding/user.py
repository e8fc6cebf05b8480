"""What a person does in the embedding world, one equation a function; compiled code and the reference call them."""

from typing import Any

import numpy as np

from mirrorfield.maths import F32, ONE, ZERO

TWO = F32(2)


def hat(arousal: Any, state: Any) -> Any:
    """Return how much of one of the three states there is in an arousal.

    Formula: b_s(h) = max(0, 1 - |2 h - s|); calm, engaged and hooked are h = 0, 1/2 and 1, and the three sum to 1.

    Parameters: arousal h in [0, 1], a float32 scalar or array; state s = 0, 1 or 2 as float32. Returns h's shape,
    in [0, 1]. Source: docs/embedding.md, eq. 3; linear interpolation.

    >>> [float(hat(F32(0.25), F32(s))) for s in range(3)]
    [0.5, 0.5, 0.0]
    """
    return np.maximum(ZERO, ONE - np.abs(TWO * arousal - state))


def moved_arousal(arousal: Any, up: Any, down: Any, uniform: Any, step: Any, noise: Any) -> Any:
    """Return the arousal after a post.

    Formula: h' = h + delta ((1 - nu) (U - D) + nu xi), held within [0, 1]; xi = -1 if u < D, 1 if u >= 1 - U, else 0,
    so that the mean of xi is U - D and noise does not change the mean move.

    Parameters: arousal h in [0, 1]; up U and down D, probabilities with U + D <= 1; uniform u in [0, 1); step delta in
    (0, 1]; noise nu in [0, 1]; float32 of one shape. Returns that shape. Source: docs/embedding.md, eq. 5. With delta =
    1/2 and nu = 1 it is the chain of docs/model.md, eq. 7.

    >>> float(moved_arousal(F32(0.5), F32(0.4), F32(0.1), F32(0.7), F32(0.5), F32(1)))
    1.0
    """
    jump = F32(uniform >= ONE - up) - F32(uniform < down)
    moved = arousal + step * ((ONE - noise) * (up - down) + noise * jump)
    return np.minimum(ONE, np.maximum(ZERO, moved))


def drifted(interest: Any, item: Any, rate: Any) -> Any:
    """Return one coordinate of a person's interest after an item was shown.

    Formula: x' = x + eta (v - x).

    Parameters: interest x and item v, floats of one shape, 1; rate eta in [0, 1]; 0 leaves x as it was, bit for bit.
    Returns that shape. Source: docs/embedding.md, eq. 6; exponential smoothing.

    >>> drifted(1.0, 0.0, 0.25)
    0.75
    """
    return interest + rate * (item - interest)


def remembered(history: Any, reaction: Any, item: Any, rate: Any) -> Any:
    """Return one coordinate of what the recommender remembers of a person after a reaction to an item.

    Formula: z' = z + rho (G v - z): an exponentially forgotten mean of items, each times the reaction to it.

    Parameters: history z, in the reaction's unit; reaction G; item v; rate rho in [0, 1]; 0 keeps z at 0. Returns z's
    shape and unit. Source: docs/embedding.md, eq. 7; exponential smoothing.

    >>> remembered(0.0, 2.0, 0.5, 0.1)
    0.1
    """
    return history + rate * (reaction * item - history)
