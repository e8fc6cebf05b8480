"""A user under a frozen policy is a Markov chain over its states: where it is in the long run, and how soon."""

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.errors import InputError


def under_policy(transition: FloatArray, policy: FloatArray) -> FloatArray:
    """Return the transition matrix of a user's states while the policy does not change.

    Formula: P_pi(s, s') = sum_a pi(a | s) P(s' | s, a).

    Parameters: transition, probabilities of shape (S, K, S); policy, (S, K). Returns float64 (S, S), rows summing to
    1. Source: Sutton and Barto (2018), eq. 3.14 with the reward left out.

    >>> under_policy(np.array([[[1.0, 0.0], [0.0, 1.0]]] * 2), np.full((2, 2), 0.5)).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    return np.asarray(np.einsum("sa,sat->st", policy, transition))


def closed_classes(chain: FloatArray) -> list[list[int]]:
    """Return the sets of states that the chain never leaves and in which every state leads to every other.

    Parameters: chain, transition probabilities of shape (S, S). Returns sorted lists of states. Source: Norris (1997).

    >>> closed_classes(np.array([[1.0, 0.0], [0.5, 0.5]]))
    [[0]]
    """
    size = len(chain)
    reach = np.linalg.matrix_power((chain > 0).astype(float) + np.eye(size), size) > 0
    groups = {tuple(np.flatnonzero(reach[s] & reach[:, s]).tolist()) for s in range(size)}
    return sorted(
        list(group) for group in groups if not reach[group[0]][[s for s in range(size) if s not in group]].any()
    )


def stationary_law(chain: FloatArray) -> FloatArray:
    """Return the share of time that the chain spends in each state in the long run.

    Formula: d P = d, sum_s d(s) = 1.

    Parameters: chain, shape (S, S). Returns float64 (S,); 0 for a state that is left for ever. Raises InputError if the
    chain has several closed classes, because the answer then depends on the start. Source: Norris (1997), theorem
    1.7.7.

    >>> stationary_law(np.array([[0.5, 0.5], [0.25, 0.75]])).round(6).tolist()
    [0.333333, 0.666667]
    """
    classes = closed_classes(chain)
    if len(classes) > 1:
        shown = " and ".join("{" + ", ".join(map(str, group)) + "}" for group in classes)
        raise InputError(
            f"chain: expected one set of states that is never left, got {len(classes)}: {shown}; the long run depends "
            "on where the user starts, so there is no single stationary law"
        )
    size = len(chain)
    equations = np.vstack([np.asarray(chain, float).T - np.eye(size), np.ones(size)])
    law = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]
    inside = np.isin(np.arange(size), classes[0])
    return np.where(inside, law, 0.0)


def spectral_gap(chain: FloatArray) -> float:
    """Return how fast the chain forgets where it started.

    Formula: 1 - max |eigenvalue of P other than 1|; after n steps the distance to the stationary law is of the order of
    (1 - gap)**n.

    Parameters: chain, shape (S, S). Returns a number in [0, 1]; 0 for a periodic chain. Raises InputError as
    `stationary_law` does. Source: Levin and Peres (2017), section 12.2.

    >>> round(spectral_gap(np.array([[0.5, 0.5], [0.25, 0.75]])), 6)
    0.75
    """
    stationary_law(chain)
    sizes = np.sort(np.abs(np.linalg.eigvals(chain)))
    return float(max(0.0, 1 - sizes[-2])) if len(sizes) > 1 else 1.0
