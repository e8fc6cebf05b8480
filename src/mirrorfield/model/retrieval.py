"""Retrieval: which items of a corpus can be seen at all, before any policy chooses among them."""

from enum import IntEnum
from typing import Any

from mirrorfield.maths import F32, ONE

LUCK = F32(1e-4)


class Retriever(IntEnum):
    """What decides which items are retrieved."""

    NONE, HISTORY, QUERY, RANDOM, DIVERSE = range(5)


def retrieval_score(similarity: Any, luck: Any) -> Any:
    """Return the score by which items are ranked: their similarity to the query, ties split by luck.

    Formula: <v_i, q> / |q| + 1e-4 u, with u uniform on [0, 1) for every user, retrieval and item.

    Parameters: similarity in [-1, 1], 0 where there is no query yet; luck u; float32 of one shape. Returns that shape.
    Source: docs/retrieval.md, eq. 15.

    >>> bool(retrieval_score(0.5, 0.9) > retrieval_score(0.5, 0.1))
    True
    """
    return similarity + LUCK * luck


def marginal_relevance(score: Any, nearest: Any, diversity: Any) -> Any:
    """Return what an item adds to those already taken.

    Formula: (1 - d) score_i - d max_{l taken} <v_i, v_l>; the maximum over none is 0.

    Parameters: score; nearest, the maximum; diversity d in [0, 1]: 0 for relevance alone; float32 of one shape. Returns
    that shape. Source: maximal marginal relevance, Carbonell and Goldstein (1998),
    https://doi.org/10.1145/290941.291025, with d = 1 - lambda; docs/retrieval.md, eq. 16.

    >>> print(marginal_relevance(0.75, 0.5, 0.5), marginal_relevance(0.75, 0.5, 0.0))
    0.125 0.75
    """
    return (ONE - diversity) * score - diversity * nearest
