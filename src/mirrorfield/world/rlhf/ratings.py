"""Scalar ratings: one number for one post, and the reward model of least squares."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import STATES, FloatArray, IntArray, S
from mirrorfield.errors import InputError
from mirrorfield.maths import normal
from mirrorfield.streams import RATING, U64, below, next_word, stream, uniform, uniform_positive
from mirrorfield.world.rlhf.labellers import Labellers


@dataclass(frozen=True)
class Ratings:
    """m ratings, in reactions, of K categories: labeller, state, category and rating, each (m,)."""

    categories: int
    labeller: IntArray
    state: IntArray
    category: IntArray
    rating: FloatArray


def collect_ratings(labellers: Labellers, count: int, noise: float) -> Ratings:
    """Ask for ratings of posts drawn evenly; rating j goes to labeller j modulo n.

    Formula: y = r_u[s, a] + noise n, n ~ Normal(0, 1).

    Parameters: labellers; count m >= 1; noise >= 0 in reactions. Returns Ratings. Raises InputError for numbers out of
    range. Source: docs/rlhf.md, eq. 7.
    """
    if count < 1 or not 0 <= noise < np.inf:
        raise InputError(f"ratings: expected 1 rating or more and noise from 0 up, got {count:,} and {noise:g}")
    columns: list[list[FloatArray | IntArray]] = []
    with np.errstate(over="ignore"):
        words = np.stack(stream(U64(labellers.seed), np.arange(labellers.count, dtype=np.uint64), RATING))
        for begin in range(0, count, labellers.count):
            who = np.arange(min(labellers.count, count - begin))
            luck = []
            for _ in range(4):
                word, *words[:, who] = next_word(*words[:, who])
                luck.append(word)
            s, a = below(luck[0], S), below(luck[1], labellers.k)
            y = labellers.value[who, s, a] + noise * normal(uniform_positive(luck[2]), uniform(luck[3])).astype(float)
            columns.append([who, s, a, y])
    who, s, a, y = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    return Ratings(labellers.k, who, s, a, y)


def rating_loss(predicted: FloatArray, rating: FloatArray) -> tuple[float, FloatArray]:
    """Return the mean squared error of predicted ratings, and its gradient.

    Formula: L = mean (r - y)^2, dL/dr = 2 (r - y) / B.

    Parameters: predicted r and rating y, floats of shape (B,), in reactions. Returns the loss and (B,). Source: the
    definition.

    >>> rating_loss(np.array([1.0, 2.0]), np.array([0.0, 2.0]))
    (0.5, array([1., 0.]))
    """
    wrong = predicted - rating
    return float((wrong**2).mean()), 2 * wrong / len(wrong)


def fit_ratings(ratings: Ratings, names: list[str]) -> tuple[FloatArray, FloatArray]:
    """Return the table of least squares, the mean of every cell, and its standard errors.

    Parameters: ratings; names of the K categories. Returns two arrays (S, K), in reactions; the error is NaN for a cell
    with one rating. Raises InputError naming a cell without any: missing is not zero. Source: docs/rlhf.md, eq. 7.
    """
    cell = ratings.state * ratings.categories + ratings.category
    size = S * ratings.categories
    count = np.bincount(cell, minlength=size)
    if not count.all():
        s, a = divmod(int(count.argmin()), ratings.categories)
        raise InputError(
            f"ratings: expected every category in every state, but {names[a]} in state {STATES[s]} has none"
        )
    mean = np.bincount(cell, ratings.rating, size) / count
    squares = np.bincount(cell, (ratings.rating - mean[cell]) ** 2, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(squares / (count - 1) / count)
    return mean.reshape(S, -1), error.reshape(S, -1)
