"""What people do with the post shown, and the objective that a platform makes of it, in NumPy and float64."""

import numpy as np
from scipy.special import ndtr

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.engine.luck import Stream
from mirrorfield.kernel.task import Acts
from mirrorfield.model.action import LEAST_SECONDS
from mirrorfield.model.profile import blend
from mirrorfield.streams import ACTION


class Acting:
    """The actions of n people, with the luck of each; `done` and `seconds` are those of the last post, (A, n) and (n,).

    What is learned from predictions is never drawn: `done` holds probabilities, and `seconds` the mean dwell.
    """

    def __init__(self, acts: Acts, seed: int, ids: IntArray) -> None:
        self.acts, self.luck = acts, Stream(seed, ids, ACTION)
        self.done: FloatArray = np.zeros((len(acts.weight), len(ids)))
        self.seconds: FloatArray = np.zeros(len(ids))

    def objective(
        self,
        felt: FloatArray,
        cell: IntArray,
        leaning: FloatArray,
        susceptibility: FloatArray,
        noise: FloatArray,
    ) -> FloatArray:
        """Return the objective of one post each, (n,).

        Parameters: felt, the felt reactions; cell, state times K plus the arm shown; leaning and susceptibility, of the
        person and the category shown; noise, of the reaction; (n,) each.
        """
        acts = self.acts
        chance = self.chances(cell, leaning, susceptibility)
        median = blend(
            leaning,
            susceptibility * acts.seconds_reactive[cell].astype(float),
            acts.seconds_intentional[cell].astype(float),
        ).clip(min=float(LEAST_SECONDS))
        sigma, short = float(acts.sigma), float(acts.short)
        if acts.predicted:
            self.done, self.seconds = chance, median * np.exp(sigma**2 / 2)
            scrolled = ndtr(np.log(short / median) / sigma)
        else:
            self.done = (self.luck.uniforms(len(chance)) < chance).astype(float)
            self.seconds = median * np.exp(sigma * noise)
            scrolled = (self.seconds < short).astype(float)
        total = acts.weight.astype(float) @ self.done + float(acts.felt) * felt
        return np.asarray(total + float(acts.second) * self.seconds + float(acts.scroll) * scrolled)

    def chances(self, cell: IntArray, leaning: FloatArray, susceptibility: FloatArray) -> FloatArray:
        """Return the probability of every action on the post shown, (A, n)."""
        acts = self.acts
        w = np.where(acts.susceptible[:, None] > 0, susceptibility, 1.0)
        reactive, intentional = acts.reactive[:, cell].astype(float), acts.intentional[:, cell].astype(float)
        odds = w * reactive
        total = odds + (1 - reactive)
        return np.asarray(blend(leaning, odds / np.where(total > 0, total, 1), intentional))
