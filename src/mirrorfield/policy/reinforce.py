"""REINFORCE, one equation a function; the compiled kernel and the arrays engine call the same ones."""

from typing import Any


def advantage(reaction: Any, baseline: Any) -> Any:
    """Return how much better the reaction was than the running mean before it.

    Formula: A_t = G_t - Gbar_{t-1}. The baseline does not yet hold G_t, so the update stays unbiased.

    Parameters: floats of one shape, in the reaction's unit. Returns that shape and unit. Source: Williams (1992), the
    reinforcement baseline b_ij = Gbar; https://doi.org/10.1007/BF00992696.

    >>> advantage(1.5, 1.0)
    0.5
    """
    return reaction - baseline


def logit_step(learning_rate: Any, advantage: Any, chosen: Any, probability: Any) -> Any:
    """Return the change of one logit after one reaction.

    Formula: alpha A_t (1[a = a_t] - pi(a | s_t)): the learning rate times the advantage times the score.

    Parameters: learning_rate > 0; advantage, a float; chosen, 1.0 for the category shown and 0.0 else;
    probability, pi(a | s_t) in [0, 1]; shapes broadcast. Returns floats in nats. Source: Williams (1992); Sutton and
    Barto (2018), eq. 2.12. The update is myopic: it credits the immediate reaction, not the states that the post leads
    to.

    >>> logit_step(0.1, 0.5, 1.0, 0.25)
    0.037500000000000006
    """
    return learning_rate * advantage * (chosen - probability)


def reinforce(
    logit: Any, policy: Any, chosen: Any, advantage: Any, reward: Any, propensity: Any, learning_rate: Any
) -> Any:
    """Return a logit after one reaction: the rule of this package in the form that `update_rule` takes.

    Formula: theta(s, a) + alpha A_t (1[a = a_t] - pi(a | s)). Parameters: as for `logit_step`; reward and propensity
    are not used. Source: as for `logit_step`.

    >>> reinforce(0.0, 0.25, 1.0, 0.5, 0.7, 0.25, 0.1)
    0.037500000000000006
    """
    return logit + logit_step(learning_rate, advantage, chosen, policy)
