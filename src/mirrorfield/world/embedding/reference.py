"""The same steps in plain NumPy and float64, people side by side: slow, short, and independent of the compiled loop.

It starts from the same draws and consumes the same streams, so the two agree choice by choice.
"""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray, S
from mirrorfield.engine.luck import UNIT, Stream, box_muller
from mirrorfield.policy.softmax import softmax
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.streams import CANDIDATES, INTERACTION
from mirrorfield.world.embedding.correction import capped_weight, corrected, log_mass, nomination, top_k
from mirrorfield.world.embedding.crowd import DOWN, MEAN, STD, UP
from mirrorfield.world.embedding.loop import World
from mirrorfield.world.embedding.user import drifted, hat, moved_arousal, remembered


@dataclass
class Nominated:
    """The candidates of n people, each (n, C): item, probability in the policy, and that over the chance to be here."""

    item: IntArray
    score: FloatArray
    weight: FloatArray


class ReferenceWorld:
    """n people in float64, with the items and the start of a `World`."""

    def __init__(self, scenario: EmbeddingScenario) -> None:
        world = World.start(scenario)
        crowd, self.scenario, self.laws = world.crowd, scenario, world.laws
        self.vectors, self.mixture = world.catalogue.vectors.astype(float), world.catalogue.mixture.astype(float)
        self.centre, self.variance = world.catalogue.centre.astype(float), world.catalogue.variance.astype(float)
        self.count = world.catalogue.counts.astype(float)
        self.lam, self.susceptibility = crowd.intentionality.astype(float), crowd.susceptibility.astype(float)
        self.interest, self.history = crowd.interest.astype(float), crowd.history.astype(float)
        self.arousal, self.baseline = crowd.arousal.astype(float), crowd.baseline.astype(float)
        self.seen = np.zeros(scenario.users, int)
        ids = scenario.first_user + np.arange(scenario.users)
        self.luck, self.candidate_luck = (Stream(scenario.seed, ids, purpose) for purpose in (INTERACTION, CANDIDATES))
        self.tower = world.tower

    def features(self) -> FloatArray:
        """Return what is observed of everyone, (n, S + d): eq. 8."""
        return np.hstack([hat(self.arousal[:, None], np.arange(S)), self.history])

    def candidates(self, logit: FloatArray) -> Nominated:
        """Return the candidates for everyone, given the user towers (n, d): eqs. 10 to 12."""
        policy, k = self.scenario.policy, self.scenario.k
        if policy.candidates == 0:
            score = softmax(logit @ self.vectors.T)
            return Nominated(np.broadcast_to(np.arange(len(self.vectors)), score.shape), score, score)
        masses = log_mass(np.log(self.count), logit @ self.centre.T, logit**2 @ self.variance.T)
        total = np.logaddexp.reduce(masses, axis=1)
        odds = nomination(
            np.exp(masses - total[:, None]), np.float64(policy.exploration), self.count, 1 / len(self.vectors)
        )
        drawn = self.candidate_luck.uniforms(2 * policy.candidates)
        words = drawn.reshape(policy.candidates, 2, -1).transpose(1, 2, 0)
        category = (words[0][..., None] >= np.cumsum(odds, axis=1)[:, None, :-1]).sum(axis=2)
        item = category + k * (words[1] * self.count[category]).astype(int)
        score = np.exp(np.einsum("nd,ncd->nc", logit, self.vectors[item]) - total[:, None])
        return Nominated(item, score, score * self.count[category] / np.take_along_axis(odds, category, 1))

    def react(self, item: IntArray, uniforms: FloatArray, who: IntArray) -> FloatArray:
        """Show one item to each of some people, move them on, and return their reactions: eqs. 3 to 7."""
        _, radius, angle, move = uniforms[:, who]
        lam, h, v, mixture = self.lam[who], self.arousal[who], self.vectors[item], self.mixture[item]
        part = hat(h[:, None], np.arange(S))
        reactive, intentional = (np.einsum("ns,qsa->nqa", part, table.astype(float)) for table in self.laws)
        reactive[:, MEAN] *= self.susceptibility[who]
        intentional[:, MEAN] = 0
        profile = (1 - lam)[:, None, None] * reactive + lam[:, None, None] * intentional
        law = np.einsum("nqa,na->nq", profile, mixture)
        noise = box_muller(radius + UNIT, angle)
        felt = law[:, MEAN] + lam * (self.interest[who] * v).sum(1) + law[:, STD] * noise
        arousal = self.scenario.arousal
        self.arousal[who] = moved_arousal(h, law[:, UP], law[:, DOWN], move, arousal.step, np.float64(arousal.noise))
        self.interest[who] = drifted(self.interest[who], v, self.scenario.interest.drift)
        self.history[who] = remembered(self.history[who], felt[:, None], v, self.scenario.policy.memory)
        self.seen[who] += 1
        self.baseline[who] += (felt - self.baseline[who]) / self.seen[who]
        return np.asarray(felt)

    def pull(self, given: Nominated, chosen: IntArray, gain: FloatArray) -> FloatArray:
        """Return what one chosen candidate of everyone teaches, in item space, (n, d): eqs. 13 to 15."""
        policy, rows = self.scenario.policy, np.arange(len(chosen))
        total, vectors = given.weight.sum(1, keepdims=True), self.vectors[given.item]
        mean, v = np.einsum("nc,ncd->nd", given.weight, vectors), vectors[rows, chosen]
        factor = gain * top_k(np.minimum(given.score[rows, chosen], 1), policy.slate) / policy.slate
        if policy.candidates == 0 or not policy.correction:
            return np.asarray(factor[:, None] * (v - mean / total) / policy.temperature)
        c, own = given.weight.shape[1], given.weight[rows, chosen][:, None]
        others, rest = (total - own) / (c - 1), (mean - own * v) / (c - 1)
        found = corrected(v, capped_weight(total / c, policy.cap), others, rest)
        return np.asarray(factor[:, None] * found / policy.temperature)

    def advance(self) -> IntArray:
        """Show everyone a page and move the tower; return the items shown, (n, slate)."""
        policy, rows, everyone = self.scenario.policy, np.arange(len(self.lam)), np.arange(len(self.lam))
        features, before = self.features(), self.baseline.copy()
        with np.errstate(over="ignore"):
            given = self.candidates(features @ self.tower / policy.temperature)
            cumulative = np.cumsum(given.weight, axis=1)
            shown = np.empty((len(rows), policy.slate), int)
            felt, pull = np.empty(shown.shape), np.zeros((len(rows), self.vectors.shape[1]))
            for k in range(policy.slate):
                uniforms = self.luck.uniforms(4)
                chosen = (uniforms[0][:, None] * cumulative[:, -1:] >= cumulative[:, :-1]).sum(axis=1)
                shown[:, k] = given.item[rows, chosen]
                again = shown[:, :k] == shown[:, k : k + 1]
                known = again.any(axis=1)
                felt[known, k] = felt[known, again.argmax(axis=1)[known]] if k else 0
                felt[~known, k] = self.react(shown[~known, k], uniforms, everyone[~known])
                pull += self.pull(given, chosen, felt[:, k] - before)
        self.tower = self.tower + policy.learning_rate * features.T @ pull / len(rows)
        return shown
