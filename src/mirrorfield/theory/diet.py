"""What a person is served in the long run of their own states, under a policy that stands still."""

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray

RESTART = 1e-12


def long_run(chain: FloatArray, state: IntArray | int) -> FloatArray:
    """Return the share of time that a chain of three states spends in each, from the present state on.

    Formula: d(s) proportional to the sum, over the three trees that lead to s, of the product of their two moves
    (Kirchhoff's theorem for Markov chains): sums of products of probabilities only, nothing is taken off. A chain with
    several sets of states that are never left is started again in the present state with probability 1e-12 a step,
    whose law is that of the long run from there.

    Parameters: chain, transition probabilities (..., 3, 3); state, 0 to 2, (...). Returns float64 (..., 3). Source:
    Freidlin and Wentzell (1984), chapter 6, lemma 3.1.

    >>> long_run(np.eye(3), 1).round(9).tolist()
    [0.0, 1.0, 0.0]
    >>> long_run(np.array([[0.5, 0.5, 0.0], [0.25, 0.5, 0.25], [0.0, 0.5, 0.5]]), 0).round(9).tolist()
    [0.25, 0.5, 0.25]
    """
    p = (1 - RESTART) * np.asarray(chain, float) + RESTART * np.eye(3)[state][..., None, :]
    trees = np.stack([
        p[..., b, a] * p[..., c, a] + p[..., b, c] * p[..., c, a] + p[..., c, b] * p[..., b, a]
        for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1))
    ], axis=-1)  # fmt: skip
    return np.asarray(trees / trees.sum(axis=-1, keepdims=True))


def diet(policy: FloatArray, transition: FloatArray, state: IntArray) -> FloatArray:
    """Return what each user is served in the long run: pbar_u = sum_s d_u(s) pi_u(. | s).

    Parameters: policy pi_u, probabilities of shape (n, 3, K); transition P_u, (n, 3, K, 3); state, that of the present,
    (n,). Returns float64 (n, K), rows summing to 1. Source: the law of total probability.

    >>> diet(np.full((1, 3, 2), 0.5), np.full((1, 3, 2, 3), 1 / 3), np.zeros(1, int)).tolist()
    [[0.5, 0.5]]
    """
    chains = np.einsum("nsa,nsat->nst", policy, transition)
    return np.asarray(np.einsum("ns,nsa->na", long_run(chains, state), policy))
