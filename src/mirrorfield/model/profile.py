"""What a user is: the reaction profile, a point between a reactive and an intentional one."""

from typing import Any

from mirrorfield.maths import ONE


def blend(intentionality: Any, reactive: Any, intentional: Any) -> Any:
    """Return a table entry of a user between the two profiles.

    Formula: (1 - lambda_u) reactive + lambda_u intentional; exact at both ends, so rows of P stay stochastic.

    Parameters: intentionality in [0, 1]; entries of mean, std or transition; shapes broadcast. Returns their unit.
    Source: docs/model.md, eq. 1.

    >>> float(blend(0.25, 1.0, 0.0))
    0.75
    """
    return (ONE - intentionality) * reactive + intentionality * intentional


def reaction(mean: Any, std: Any, normal: Any) -> Any:
    """Return the reaction G_t to one post: the reward.

    Formula: G_t = mu[s, a] + sigma[s, a] n, n ~ Normal(0, 1).

    Parameters: mean, std >= 0 and normal, floats of one shape. Returns the reaction's unit. Source: docs/model.md, eq.
    2.

    >>> reaction(1.0, 0.5, -2.0)
    0.0
    """
    return mean + std * normal
