"""Each user's events as a least-squares design: what they add up to, and in which directions they can tell tastes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.log import InteractionLog

NEGLIGIBLE = 1e-10

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Designs:
    """Sufficient statistics of n users' reactions y_u = X_u m_u + noise, in the eigenbasis of X_u'X_u.

    X_u (events of u, K) holds the label weights of each event, so its rows sum to 1; X_u'X_u = Q_u diag(strength) Q_u'.

    basis (n, K, K) float64: basis[u, k] is the k-th eigenvector, a row of Q_u'. strength (n, K): the eigenvalues,
    in events; 0 marks a direction the user's events say nothing about. ones (n, K): Q_u'1. mean (n, K): the least
    squares estimate of Q_u'm_u, in the model's unit, 0 where strength is 0. rest: sum over users of
    |y_u - X_u m|^2 at that estimate, unit squared. size: number of events. With one label per event the basis is
    the categories themselves in some order, strength counts events and mean is the plain cell mean.
    """

    basis: Array
    strength: Array
    ones: Array
    mean: Array
    rest: float
    size: int

    def to_categories(self, directions: Array) -> Array:
        """Return Q_u x_u for x (n, K) in the eigenbasis: the same vectors by category, (n, K)."""
        turned: Array = np.matmul(directions[:, None, :], self.basis)[:, 0]
        return turned

    def to_directions(self, categories: Array) -> Array:
        """Return Q_u'x_u for x (n, K) or (K,) by category: the same vectors in the eigenbasis, (n, K)."""
        turned: Array = np.matmul(self.basis, categories[..., None])[..., 0]
        return turned

    def matrices(self, diagonal: Array, factor: Array, vector: Array) -> Array:
        """Return Q_u diag(d_u) Q_u' + f_u v_u v_u' for d (n, K), f (n,) and v (n, K) by category: (n, K, K)."""
        # Small products, one per user: one tall product would run into OpenBLAS's threads, and stall on a busy machine.
        found: Array = np.matmul(self.basis.transpose(0, 2, 1), diagonal[:, :, None] * self.basis)
        found += (factor[:, None] * vector)[:, :, None] * vector[:, None, :]
        return found


def sum_by(code: Index, values: Array, size: int) -> Array:
    """Return the sum of the values of each code 0 ... size - 1, float64 (size,).

    >>> sum_by(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), 3).tolist()
    [1.0, 0.0, 5.0]
    """
    return np.bincount(code, weights=values, minlength=size).astype(np.float64)


def subset(log: InteractionLog, keep: NDArray[np.bool_]) -> InteractionLog:
    """Return the log with only the events marked in keep (E,) bool; users and categories keep their numbers."""
    used = keep[log.event]
    return replace(
        log,
        user=log.user[keep],
        reaction=log.reaction[keep],
        time=log.time[keep],
        event=(np.cumsum(keep) - 1)[log.event[used]],
        category=log.category[used],
        weight=log.weight[used],
        session=None if log.session is None else log.session[keep],
        propensity=None if log.propensity is None else log.propensity[keep],
        deliberate=None if log.deliberate is None else log.deliberate[keep],
    )


def predict(log: InteractionLog, mean: Array) -> Array:
    """Return the predicted reaction of every event: the average of its user's means over its labels.

    Formula: yhat_e = sum_a w_ea m_{u(e),a}, w_ea = 1 / (labels of e).

    Parameters: log; mean (n, K). Returns (E,) float64 in the unit of mean.
    """
    return sum_by(log.event, log.weight * mean[log.user[log.event], log.category], len(log.user))


def events_by_cell(log: InteractionLog) -> Array:
    """Return the events of every user and category, float64 (n, K): sum of w_ea, so that each event counts 1 in all."""
    shape = len(log.user_names), len(log.category_names)
    cell = log.user[log.event] * shape[1] + log.category
    return sum_by(cell, log.weight, shape[0] * shape[1]).reshape(shape)


def label_pairs(event: Index) -> Iterator[tuple[Index, Index]]:
    """Yield every unordered pair of labels of one event once, a label with itself included.

    Parameters: event (R,), ordered, the event of each label. Yields two arrays of positions in it at a time, first
    those of equal labels, then those one apart, and so on: memory stays in proportion to R.

    >>> [(i.tolist(), j.tolist()) for i, j in label_pairs(np.array([0, 0, 1]))]
    [([0, 1, 2], [0, 1, 2]), ([0], [1])]
    """
    first, apart = np.arange(len(event)), 0
    while len(first):
        yield first, first + apart
        apart += 1
        first = first[first + apart < len(event)]
        first = first[event[first] == event[first + apart]]


def designs(log: InteractionLog, y: Array) -> Designs:
    """Return the sufficient statistics of every user's reactions.

    Formula: G = X'X = sum_e x_e x_e', x_e the label weights of event e; G = Q diag(l) Q'; strength = l, ones = Q'1,
    mean = Q'X'y / l, rest = sum_u (y'y - sum_k (Q'X'y)_k^2 / l_k), with y taken from its average for precision.
    Eigenvalues below 1e-10 of the user's largest are rounding, and 0.

    Parameters: log; y (E,) float64, the reactions in the model's unit. Returns Designs; 8 n K^2 bytes for the basis.

    >>> y, weight = np.array([1.0, 2.0]), np.array([0.5, 0.5, 1.0])
    >>> log = InteractionLog(
    ...     np.array([0, 0]), y, y, np.array([0, 0, 1]), np.array([0, 1, 1]), weight, ("ann",), ("a", "b"), report={}
    ... )
    >>> found = designs(log, y)
    >>> found.to_categories(found.mean).round(9) + 0.0
    array([[0., 2.]])
    """
    shape = len(log.user_names), len(log.category_names)
    centre = y.mean()
    strength, basis = _directions(_gram(log, shape))
    shifted = log.weight * (y - centre)[log.event]
    totals = sum_by(log.user[log.event] * shape[1] + log.category, shifted, shape[0] * shape[1]).reshape(shape)
    found = Designs(basis, strength, basis.sum(axis=2), np.zeros(shape), 0.0, len(y))
    totals = found.to_directions(totals)
    mean = np.divide(totals, strength, out=np.zeros(shape), where=strength > 0)
    rest = max(float(((y - centre) ** 2).sum() - (totals * mean).sum()), 0.0)
    return replace(found, mean=np.where(strength > 0, mean + centre * found.ones, 0.0), rest=rest)


def _gram(log: InteractionLog, shape: tuple[int, int]) -> Array:
    n, k = shape
    gram = np.zeros(n * k * k)
    row = log.user[log.event] * k + log.category
    for i, j in label_pairs(log.event):
        product = log.weight[i] * log.weight[j]
        gram += sum_by(row[i] * k + log.category[j], product, gram.size)
    half = gram.reshape(n, k, k)
    whole: Array = half + half.transpose(0, 2, 1)
    whole[:, range(k), range(k)] /= 2
    return whole


def _directions(gram: Array) -> tuple[Array, Array]:
    strength, vectors = np.linalg.eigh(gram)
    strength[strength <= NEGLIGIBLE * np.maximum(strength[:, -1:], 0.0)] = 0.0
    return strength, np.ascontiguousarray(vectors.transpose(0, 2, 1))
