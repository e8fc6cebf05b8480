"""The exact law of a short run without noise: every path that the posts can take, with its probability."""

from itertools import product

import numpy as np

from mirrorfield.arrays import FloatArray


def mean_policy(mean: FloatArray, learning_rate: float, posts: int, baseline: str) -> FloatArray:
    """Return the expected policy after some posts of a user with one state whose reactions have no spread.

    Formula: sum over all K**T sequences of posts of the product of their probabilities times the policy they lead to.

    Parameters: mean reactions (K,); learning rate alpha; posts T; baseline "none", "welford" or "welford-inclusive".
    Returns float64 (K,), exact up to rounding. Source: enumeration; docs/model.md, eqs. 3 to 6.

    >>> mean_policy(np.array([1.0, 0.0]), 0.0, 3, "welford").tolist()
    [0.5, 0.5]
    """
    k, expected = len(mean), np.zeros(len(mean))
    paths = np.array(list(product(range(k), repeat=posts)))
    logits, chance, running = np.zeros((len(paths), k)), np.ones(len(paths)), np.zeros(len(paths))
    everyone = np.arange(len(paths))
    for t in range(posts):
        policy = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        arm, reaction = paths[:, t], mean[paths[:, t]]
        chance = chance * policy[everyone, arm]
        later = (t * running + reaction) / (t + 1)
        compared = {"none": np.zeros(len(paths)), "welford": running, "welford-inclusive": later}[baseline]
        logits += learning_rate * (reaction - compared)[:, None] * (np.eye(k)[arm] - policy)
        running = later
    expected = chance @ (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    return np.asarray(expected)
