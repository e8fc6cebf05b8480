"""How alike the items of a corpus are, within and between its categories."""

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import F32Array, IntArray


def mean_cosine(embedding: F32Array, category: IntArray, categories: int) -> NDArray[np.float64]:
    """Return the mean cosine of two different items, one of each of two categories.

    Formula: (S_a . S_b - [a = b] n_a) / (n_a (n_b - [a = b])), S_a the sum of the n_a unit vectors of category a: exact
    over all pairs, without going through them.

    Parameters: embedding, float32 (M, d) of unit length; category, (M,), each from 0 to categories - 1 and met;
    categories, K. Returns float64 (K, K), symmetric; nan on the diagonal where a category has one item.

    >>> mean_cosine(np.array([[1, 0], [0, 1], [0, 1]], np.float32), np.array([0, 0, 1]), 2).tolist()
    [[0.0, 0.5], [0.5, nan]]
    """
    count = np.bincount(category, minlength=categories)
    total = np.zeros((categories, embedding.shape[1]))
    np.add.at(total, category, embedding.astype(np.float64))
    pairs = np.outer(count, count) - np.diag(count)
    return np.asarray((total @ total.T - np.diag(count)) / np.where(pairs > 0, pairs, np.nan))
