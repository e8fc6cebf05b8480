"""Luck for the arrays engine: each person's own streams, side by side."""

from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.kernel import persons
from mirrorfield.streams import INTERACTION, OWN_PEOPLE, OWN_RECOMMENDER, U64

AHEAD = 16
UNIT = 2.0**-24


class Stream:
    """The streams of n people for one purpose."""

    def __init__(self, seed: int, ids: IntArray, purpose: Any) -> None:
        self.words = np.empty((4, len(ids)), np.uint32)
        with np.errstate(over="ignore"):
            persons.start_words(U64(seed), ids.astype(np.uint64), purpose, self.words)

    def uniforms(self, count: int) -> FloatArray:
        """Return the next uniforms on [0, 1) of everyone, float64 (count, n), multiples of 2**-24."""
        out = np.empty((count, self.words.shape[1]))
        with np.errstate(over="ignore"):
            persons.draw_uniforms(self.words, out)
        return out


def box_muller(radius: FloatArray, angle: FloatArray) -> FloatArray:
    """Return standard normal variates of uniforms on (0, 1] and on [0, 1): sqrt(-2 ln radius) cos(2 pi angle)."""
    return np.asarray(np.sqrt(-2 * np.log(radius)) * np.cos(2 * np.pi * angle))


class PostLuck:
    """The luck of people's posts: `choice`, `noise` and `transition` of the present one, (n,).

    Everyone's post t has the same four words whatever shows it and whoever reacts, so two runs with one seed are paired
    post by post. `uniform` and `normal` draw from a further stream, for people with laws of their own.
    """

    def __init__(self, seed: int, ids: IntArray) -> None:
        n = len(ids)
        self._posts, self._more = Stream(seed, ids, INTERACTION), Stream(seed, ids, OWN_PEOPLE)
        self._ahead = np.empty((3, AHEAD, n), np.float32)
        self._place = AHEAD
        nothing: FloatArray = np.zeros(n)
        self.choice = self.noise = self.transition = nothing

    def next_post(self) -> None:
        """Go on to the next post."""
        if self._place == AHEAD:
            with np.errstate(over="ignore"):
                persons.draw_posts(self._posts.words, *self._ahead)
            self._place = 0
        self.choice, self.noise, self.transition = self._ahead[:, self._place].astype(float)
        self._place += 1

    def uniform(self) -> FloatArray:
        """Return the next uniform on [0, 1) of every person, (n,)."""
        return np.asarray(self._more.uniforms(1)[0])

    def normal(self) -> FloatArray:
        """Return the next standard normal variate of every person, (n,), by the Box-Muller transform."""
        radius, angle = self._more.uniforms(2)
        return box_muller(1 - radius, angle)


class ArmLuck:
    """Uniforms for a recommender that draws: (n, count, K) for every post, from each person's own stream."""

    def __init__(self, seed: int, ids: IntArray, count: int, arms: int) -> None:
        self.shape = (len(ids), count, arms)
        self._stream = Stream(seed, ids, OWN_RECOMMENDER) if count else None

    def draw(self) -> FloatArray:
        """Return the uniforms of the next post."""
        n, count, arms = self.shape
        if self._stream is None:
            return np.empty(self.shape)
        return np.ascontiguousarray(self._stream.uniforms(count * arms).T).reshape(n, count, arms)
