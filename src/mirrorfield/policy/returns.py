"""Returns: what a post is credited with. Each function is one step of a sum taken backwards through a session."""

from typing import Any


def discounted(reward: Any, later: Any, discount: Any) -> Any:
    """Return the return-to-go of a post from that of the post after it.

    Formula: R_h = r_h + gamma R_{h+1}, with R_H = 0 after the last post of the session.

    Parameters: reward and later, floats of one shape in the reaction's unit; discount gamma in (0, 1]. Returns that
    shape and unit. Source: Sutton and Barto (2018), eq. 3.9.

    >>> discounted(1.0, 2.0, 0.5)
    2.0
    """
    return reward + discount * later


def td_error(reward: Any, value: Any, next_value: Any, discount: Any) -> Any:
    """Return how much better one post went than the learned values said.

    Formula: delta_h = r_h + gamma V(s_{h+1}) - V(s_h); V(s_{h+1}) = 0 where the session's end is the end.

    Parameters: reward, value, next_value: floats of one shape in the reaction's unit; discount in (0, 1]. Returns that
    shape and unit. Source: Schulman et al. (2016), section 3, https://arxiv.org/abs/1506.02438.

    >>> td_error(1.0, 0.5, 2.0, 0.5)
    1.5
    """
    return reward + discount * next_value - value


def gae(delta: Any, later: Any, discount: Any, trace_decay: Any) -> Any:
    """Return the generalised advantage of a post from that of the post after it.

    Formula: A_h = delta_h + gamma lambda A_{h+1}, with A_H = 0 after the last post of the session.

    Parameters: delta and later, floats of one shape in the reaction's unit; discount gamma in (0, 1]; trace_decay
    lambda in [0, 1]. Returns that shape and unit. Source: Schulman et al. (2016), eq. 16.

    >>> gae(1.0, 2.0, 0.5, 0.5)
    1.5
    """
    return delta + discount * trace_decay * later
