"""The items: unit vectors around the centres of their categories, and the moments of a category's vectors."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array
from mirrorfield.kernel.jit import entry, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.maths import F32, ONE, ZERO, log
from mirrorfield.model.draw import draw_normal, start_stream
from mirrorfield.streams import ITEM, U64

shared(*LINKED)


class Catalogue(NamedTuple):
    """M items of K categories in d dimensions; item i is of category i modulo K. All float32.

    `mixture` says how much of each category an item is; `centre`, `variance` and `counts` are of a category's vectors.
    """

    vectors: F32Array  # (M, d), unit length
    columns: F32Array  # (d, M), the same numbers
    mixture: F32Array  # (M, K), rows sum to 1
    centre: F32Array  # (K, d)
    variance: F32Array  # (K, d)
    counts: F32Array  # (K,)
    log_counts: F32Array  # (K,)


def draw_item(seed: Any, item: Any, category: Any, spread: Any, words: Any, vector: Any) -> None:
    """Fill `vector`, float32 (d,), with an item: a unit vector near the axis of its category.

    Formula: v = (e_c + spread n / sqrt(d)) / |e_c + spread n / sqrt(d)|, n standard normal in R^d.

    Parameters: seed and item, uint64; category c, its axis; spread, float32 >= 0; words, uint32 (4,) scratch. Source:
    docs/embedding.md, eq. 1.
    """
    start_stream(seed, item, ITEM, words)
    scale = spread / np.sqrt(F32(len(vector)))
    square = ZERO
    for j in range(len(vector)):
        vector[j] = scale * draw_normal(words)
        if j == category:
            vector[j] += ONE
        square += vector[j] * vector[j]
    length = np.sqrt(square)
    for j in range(len(vector)):
        vector[j] = vector[j] / length


def mix_categories(vector: Any, category: Any, mixture: Any) -> None:
    """Fill `mixture`, float32 (K,), with how much of each category an item is.

    Formula: m_a = max(0, v_a)**2 / sum_b max(0, v_b)**2 over the K axes of the categories; its own category alone if no
    coordinate is positive.

    Parameters: vector v, float32 (d,); category, the item's own. Source: docs/embedding.md, eq. 2.
    """
    total = ZERO
    for a in range(len(mixture)):
        positive = max(vector[a], ZERO)
        mixture[a] = positive * positive
        total += mixture[a]
    for a in range(len(mixture)):
        mixture[a] = mixture[a] / total if total > ZERO else F32(a == category)


shared(draw_item, mix_categories)


@entry
def _draw_items(seed: Any, spread: Any, vectors: Any, mixture: Any) -> None:
    words = np.empty(4, np.uint32)
    categories = mixture.shape[1]
    for i in range(len(vectors)):
        draw_item(seed, U64(i), i % categories, spread, words, vectors[i])
        mix_categories(vectors[i], i % categories, mixture[i])


def draw_items(seed: int, count: int, dimension: int, categories: int, spread: float) -> Catalogue:
    """Return the items that a seed stands for; an item does not depend on how many there are.

    >>> draw_items(1, 4, 4, 4, 0.0).vectors.tolist() == np.eye(4).tolist()
    True
    """
    vectors, mixture = np.empty((count, dimension), np.float32), np.empty((count, categories), np.float32)
    _draw_items(U64(seed), F32(spread), vectors, mixture)
    groups = [vectors[c::categories].astype(float) for c in range(categories)]
    return Catalogue(
        vectors=vectors,
        columns=np.ascontiguousarray(vectors.T),
        mixture=mixture,
        centre=np.array([group.mean(0) for group in groups], np.float32),
        variance=np.array([group.var(0) for group in groups], np.float32),
        counts=np.array([len(group) for group in groups], np.float32),
        log_counts=np.array([log(F32(len(group))) for group in groups], np.float32),
    )
