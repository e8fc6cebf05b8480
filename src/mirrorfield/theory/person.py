"""One person and what the recommender has learned of it, in float64: every equation of a post, in its own words."""

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import FloatArray
from mirrorfield.theory.between import EMPTY, Between, Shelf
from mirrorfield.theory.diet import long_run
from mirrorfield.theory.luck import Luck
from mirrorfield.theory.people import S, Values, draw_person, moves, table
from mirrorfield.theory.rules import Recipe, Rows

TOP = 1 - 2.0**-23  # the kernel's way to keep the last category from being passed


def rows(logits: Rows, arms: int) -> FloatArray:
    """Return none, one or S rows of logits as float64 (S, A)."""
    return np.broadcast_to(np.asarray(logits or 0.0, float), (S, arms)).copy()


def softmax(logits: FloatArray) -> FloatArray:
    """Return exp(theta_a) over their sum; 0 for -inf."""
    weight = np.exp(logits - logits.max())
    return np.asarray(weight / weight.sum())


class Person:
    """A user of a scenario, given as its plain values, from before the first post on.

    Source: docs/model.md, sections 1, 2 and 5. Nothing is taken from the code that it is compared with.
    """

    def __init__(self, values: Values, user: int, rule: Recipe, shelf: Shelf = EMPTY) -> None:
        self.values, self.user, k = values, user, len(values["categories"])
        self.lam, self.w, self.segment = draw_person(values, user)
        part = values["intensity"]
        self.rungs = part["rungs"]
        self.arms = k * self.rungs
        self.level = np.array([r / max(1, self.rungs - 1) for _ in range(k) for r in range(self.rungs)])
        self.between = Between(values, user, self.w, shelf)
        self.set_profile(self.lam)
        self.logits, self.value, self.beta = rows(rule.start, self.arms), np.zeros(S), rule.beta
        self.running = self.felt = self.rewarded = self.floor = 0.0
        self.heard, self.posts, self.state = 0, 0, 0
        self.exposures = np.zeros(self.arms, int)
        self.cap, self.change = 1.0, dict(values["intervention"], exploration=0.0, quota=1.0, swap=0.0, friction=0.0)
        self.luck, self.meddling, self.order = (
            Luck(values["seed"], user, purpose) for purpose in ("interaction", "intervention", "shuffle")
        )

    def set_profile(self, lam: float) -> None:
        """Blend the two profiles at an intentionality: eq. 1."""
        self.between.lam = lam
        k, one, other = len(self.w), self.values["reactive"], self.values["intentional"]
        mean = (1 - lam) * self.w * table(one["mean"], k) + lam * table(other["mean"], k)
        std = (1 - lam) * table(one["std"], k) + lam * table(other["std"], k)
        law = (1 - lam) * moves(one, k) + lam * moves(other, k)
        self.mean, self.std, self.law = (x.repeat(self.rungs, axis=1) for x in (mean, std, law))

    def open_arms(self) -> NDArray[np.bool_]:
        """Return which arms may be shown: up to the cap, and of a category that has anything to show."""
        return (self.level <= self.cap) & self.between.opened

    def policy(self, state: int) -> FloatArray:
        """Return the policy in a state, in its context and among what is open: eq. 3."""
        return softmax(np.where(self.open_arms(), self.logits[state] + self.between.tilt, -np.inf))

    def served(self, state: int | None = None) -> FloatArray:
        """Return what would be served in a state, or next: the policy within the quota, and a share drawn evenly."""
        law, quota = self.policy(self.state if state is None else state), self.change["quota"]
        if quota < 1:
            share = law.reshape(-1, self.rungs).sum(axis=1)
            top = int(share.argmax())
            if share[top] > quota:
                scale = np.full(len(share), (1 - quota) / (1 - share[top]))
                scale[top] = quota / share[top]
                law = law * scale.repeat(self.rungs)
        explored = self.change["exploration"]
        if explored > 0:
            opened = self.open_arms()
            law = (1 - explored) * law + explored * opened / opened.sum()
        return law

    def laws(self) -> FloatArray:
        """Return what would be served now in each state, (S, A)."""
        return np.array([self.served(s) for s in range(S)])

    def dwelling(self, laws: FloatArray | None = None) -> FloatArray:
        """Return the long run of the person's states under what is served now, (S,)."""
        laws = self.laws() if laws is None else laws
        return long_run(np.array([laws[s] @ self.law[s] for s in range(S)]), self.state)

    def show(self, law: FloatArray) -> tuple[int, float]:
        """Show one post drawn from a law; return its arm and the reaction, and move the person on: eqs. 2, 7, 8, 9."""
        pick, noise, move = self.luck.uniform() * TOP, self.luck.normal(), self.luck.uniform()
        arm = int((np.cumsum(law)[:-1] <= pick).sum())
        part, i, self.between.noise = self.values["intensity"], self.level[arm], noise
        reaction = self.mean[self.state, arm] + self.std[self.state, arm] * noise
        reaction *= (1 + part["slope"] * i) * np.exp(-max(0.0, self.floor - i) / part["width"])
        reaction *= self.between.factor(arm)
        fall, _, rise = self.law[self.state, arm]
        self.state = 0 if move < fall else (2 if move >= 1 - rise else 1)
        self.floor += (part["eta"] if i > self.floor else part["decay"]) * (i - self.floor)
        self.exposures[arm] += 1
        self.posts += 1
        self.felt += (reaction - self.felt) / self.posts
        return arm, float(reaction)

    def meet(self, own: FloatArray, partner: FloatArray) -> None:
        """See one post, the recommender's or the partner's, and let the recommender learn from it: eqs. 4 to 6."""
        swapped, unnoticed = False, False
        if self.change["swap"] > 0 or self.change["friction"] > 0:
            swapped = self.meddling.uniform() < self.change["swap"]
            unnoticed = self.meddling.uniform() < self.change["friction"]
        state, policy = self.state, self.policy(self.state)
        arm, reaction = self.show(partner if swapped else own)
        reward, labelled = self.between.seen(reaction, state, arm)
        if labelled and not swapped and not unnoticed:
            self.heard += 1
            gain = reward - self.running
            self.running += gain / self.heard
            score = -policy
            score[arm] += 1
            self.logits[state] += self.alpha * gain * policy[arm] / own[arm] * score
        self.between.remember(arm, reaction)
        self.between.look_back()
        self.between.fetch(self.posts)

    alpha = 0.0
