"""What is served and heard under an intervention: exploration, a quota, friction, and a swap of feeds."""

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.engine.luck import Stream
from mirrorfield.errors import InputError
from mirrorfield.population.change import Intervention
from mirrorfield.streams import INTERVENTION

TINY = 1e-300


def served(policy: FloatArray, change: Intervention, opened: NDArray[np.bool_], rungs: int) -> FloatArray:
    """Return what is served, (n, K I): the policy, within a quota on categories, and a share of posts drawn evenly."""
    of_category = policy.reshape(len(policy), -1, rungs).sum(2)
    largest = of_category == of_category.max(1, keepdims=True)
    fullest = of_category.max(1, keepdims=True)
    rest = np.where(largest, 0, of_category).sum(1, keepdims=True)
    factor = np.where(largest, change.quota / fullest, (1 - change.quota) / np.maximum(rest, TINY))
    held = policy * np.where(fullest > change.quota, factor, 1.0).repeat(rungs, 1)
    return np.asarray((1 - change.exploration) * held + change.exploration * opened / opened.sum(-1, keepdims=True))


def partners(ids: IntArray) -> IntArray:
    """Return the row of everyone's partner, id u xor 1, among distinct ids; raise InputError for people without theirs.

    >>> partners(np.array([4, 7, 5, 6])).tolist()
    [2, 3, 0, 1]
    """
    order = np.argsort(ids)
    row = order[np.searchsorted(ids, ids ^ 1, sorter=order).clip(max=len(ids) - 1)]
    if (ids[row] != ids ^ 1).any():
        raise InputError("people: expected both of every pair of partners under swap, ids u and u xor 1")
    return np.asarray(row)


class Meddling:
    """Friction and swap: whose reaction is not heard, and who is shown a post of their partner's feed."""

    def __init__(self, change: Intervention, seed: int, ids: IntArray) -> None:
        self.change, self.luck = change, Stream(seed, ids, INTERVENTION)
        self.partner = partners(ids) if change.swap else np.arange(len(ids))

    def meet(self, feed: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return what is served to everyone of the feeds made for them, (n, K), and whether they are heard, (n,)."""
        swap, friction = self.luck.uniforms(2)
        swapped = swap < self.change.swap
        return np.where(swapped[:, None], feed[self.partner], feed), ~swapped & (friction >= self.change.friction)
