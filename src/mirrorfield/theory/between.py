"""What stands between a person and what is learned of it, one person at a time: labels, session memory, retrieval."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import FloatArray
from mirrorfield.theory.acting import Acting
from mirrorfield.theory.luck import Luck
from mirrorfield.theory.people import S, Values, table

NEAR_NOTHING, TIE_BREAK, GRAIN = 1e-20, 1e-4, 2.0**-15


class Shelf(NamedTuple):
    """M items: category (M,), quality (M,) and embedding (M, d), in the order of their categories."""

    category: NDArray[np.int_]
    quality: FloatArray
    embedding: FloatArray


EMPTY = Shelf(np.empty(0, int), np.empty(0), np.empty((0, 1)))


def deliberate_wish(values: Values) -> FloatArray:
    """Return the shares that a user asks for: in proportion to the intentional mean, averaged over states."""
    wish = table(values["intentional"]["mean"], len(values["categories"])).clip(min=0).mean(axis=0)
    return np.asarray(wish / wish.sum() if wish.sum() > 0 else np.full(len(wish), 1 / len(wish)))


@dataclass
class Memory:
    """What a session can go back to: the session memory, (A,), and the history of items, (M,)."""

    recent: FloatArray
    past: FloatArray


class Between:
    """Actions, labels, context, priming and retrieval of one user, from a scenario's values.

    `lam` and `noise` are the intentionality of the person now, and the noise of the reaction to the last post.
    """

    def __init__(self, values: Values, user: int, susceptibility: FloatArray, shelf: Shelf) -> None:
        self.reward, self.context, self.part = values["reward"], values["context"], values["retrieval"]
        self.rungs, k = values["intensity"]["rungs"], len(values["categories"])
        self.arms = k * self.rungs
        self.label, self.pick, self.search = (Luck(values["seed"], user, p) for p in ("label", "pick", "retrieval"))
        self._make_labels(values, susceptibility)
        self.acting, self.lam, self.noise = Acting(values, user, susceptibility), 0.0, 0.0
        self.recent: FloatArray = np.zeros(self.arms)
        self.tilt: FloatArray = np.zeros(self.arms)
        if self.context["source"] == "query":
            self.tilt = self.lean(deliberate_wish(values).repeat(self.rungs))
        self.past: FloatArray = np.zeros(len(shelf.category))
        self.shelf, self.item = shelf, 0
        whole = np.rint(shelf.embedding / GRAIN) * GRAIN
        self.alike = whole @ whole.T
        centres = [whole[shelf.category == a].mean(axis=0) for a in range(k)] if len(whole) else []
        self.query = sum((w * c for w, c in zip(deliberate_wish(values), centres, strict=False)), np.zeros(1))
        self.embedding = whole
        self.take(np.ones(len(shelf.category), bool))
        self.fetch(0)

    def _make_labels(self, values: Values, susceptibility: FloatArray) -> None:
        lam, k = self.reward["intentionality"], len(susceptibility)
        one, other = values["reactive"], values["intentional"]
        mean = (1 - lam) * table(one["mean"], k) * susceptibility + lam * table(other["mean"], k)
        std = self.reward["noise"] * ((1 - lam) * table(one["std"], k) + lam * table(other["std"], k))
        if self.reward["model"] is not None:
            mean, std = np.asarray(self.reward["model"], float), np.zeros((S, k))
        self.label_mean, self.label_std = mean.repeat(self.rungs, axis=1), std.repeat(self.rungs, axis=1)

    def lean(self, share: FloatArray) -> FloatArray:
        """Return what a context with these shares adds to the logits: kappa ln(blur + (1 - blur) share)."""
        blur = self.context["blur"]
        return np.asarray(self.context["kappa"] * np.log(blur + (1 - blur) * share))

    def shares(self) -> FloatArray:
        """Return the shares of what is remembered, even where that is nothing."""
        total = self.recent.sum()
        return self.recent / total if total > 0 else np.full(self.arms, 1 / self.arms)

    def take(self, taken: NDArray[np.bool_]) -> None:
        """Retrieve these items, (M,): `opened`, (A,), says which arms then have anything to show."""
        self.taken, self.opened = taken, np.ones(self.arms, bool)
        if len(taken):
            self.opened = np.isin(np.arange(self.arms) // self.rungs, self.shelf.category[taken])

    def factor(self, arm: int) -> float:
        """Return what scales the reaction to a post of an arm: priming, and the quality of the item picked for it."""
        even, found = 1 / self.arms, 1.0
        if self.context["priming"] != 0:
            found += self.context["priming"] * (self.shares()[arm] - even) / (1 - even)
        if len(self.taken):
            fitting = np.flatnonzero(self.taken & (self.shelf.category == arm // self.rungs))
            self.item = int(fitting[self.pick.below(len(fitting))])
            found *= self.shelf.quality[self.item]
        return float(found)

    def seen(self, reaction: float, state: int, arm: int) -> tuple[float, bool]:
        """Return the reward that the recommender sees, and whether it sees any: click, label, or their mixture."""
        source = self.reward["source"]
        deliberate = {"clicks": 0.0, "mixture": self.reward["weight"]}.get(source, 1.0)
        rated, noise = 1.0, 0.0
        if source in ("ratings", "mixture") and deliberate > 0:
            rated, noise = float(self.label.uniform() < self.reward["rate"]), self.label.normal()
        label = self.label_mean[state, arm] + self.label_std[state, arm] * noise
        click, judged = 1 - deliberate, deliberate * rated
        done = self.acting.objective(reaction, self.lam, state, arm // self.rungs, self.noise)
        if click + judged == 0:
            return 0.0, False
        return float((click * done + judged * label) / (click + judged)), True

    def remember(self, arm: int, reaction: float) -> None:
        """Take a reaction into the session memory and the history of items; what is not liked leaves no trace."""
        liked = max(reaction, 0.0)
        follows = self.context["kappa"] > 0 and self.context["source"] == "session"
        if follows or self.context["priming"] != 0:
            self.recent = self.recent * (1 - 1 / self.context["memory"])
            self.recent[arm] += liked / self.context["memory"]
        if len(self.past):
            self.past = self.past * (1 - 1 / self.part["memory"])
            self.past[self.item] += liked / self.part["memory"]

    def look_back(self) -> None:
        """Set the tilt from the session memory."""
        if self.context["kappa"] > 0 and self.context["source"] == "session":
            self.tilt = self.lean(self.shares())

    def fetch(self, t: int) -> None:
        """Retrieve items, if it is time after t posts."""
        how, count, items = self.part["retriever"], self.part["count"], len(self.past)
        if how == "none" or count == "all" or count >= items or t % self.part["refresh"]:
            return
        score = TIE_BREAK * np.array([self.search.uniform() for _ in range(items)])
        if how == "query":
            score += self.embedding @ self.query / np.sqrt(self.query @ self.query)
        elif how in ("history", "diverse"):
            wanted = self.past @ self.embedding
            if wanted @ wanted > NEAR_NOTHING:
                score += self.embedding @ wanted / np.sqrt(wanted @ wanted)
        self.take(self._best(score, int(count), self.part["diversity"] if how == "diverse" else 0.0))

    def _best(self, score: FloatArray, count: int, diversity: float) -> NDArray[np.bool_]:
        taken: list[int] = []
        for _ in range(count):
            nearest = self.alike[taken].max(axis=0).clip(min=0) if taken else np.zeros(len(score))
            worth = (1 - diversity) * score - diversity * nearest
            worth[taken] = -np.inf
            taken.append(int(worth.argmax()))
        return np.isin(np.arange(len(score)), taken)

    def keep(self) -> Memory:
        """Return what a session can go back to."""
        return Memory(self.recent, self.past)

    def restore(self, memory: Memory) -> None:
        """Go back to what was kept."""
        self.recent, self.past = memory.recent.copy(), memory.past.copy()
