"""The embedding world in float64, person by person with their exact luck: docs/embedding.md, eqs. 1 to 15, anew."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.theory.luck import Luck
from mirrorfield.theory.people import Values, draw_person, table

LARGEST_LOG, LAWS = 80.0, ("mean", "std", "up", "down")


def between_rows(rows: FloatArray, h: float) -> Any:
    """Return a table, (3, ...), read at an arousal from 0 to 1, between its rows: eq. 3."""
    return np.tensordot(kernel(h), rows, axes=1)


def kernel(h: float) -> FloatArray:
    """Return how much of calm, engaged and hooked there is in an arousal."""
    return np.array([max(0.0, 1 - abs(2 * h - s)) for s in range(3)])


@dataclass
class Page:
    """The candidates of a page: items, their probabilities in the policy, and those over the chance to be here."""

    item: IntArray
    score: FloatArray
    weight: FloatArray


class Resident:
    """A person of the embedding world."""

    def __init__(self, values: Values, user: int) -> None:
        k, d, seed = len(values["categories"]), values["dimension"], values["seed"]
        self.lam, self.w, _ = draw_person(values, user)
        own = Luck(seed, user, "interest")
        self.interest = values["interest"]["spread"] / np.sqrt(d) * np.array([own.normal() for _ in range(d)])
        self.interest[:k] += table(values["intentional"]["mean"], k)[0]
        self.history, self.arousal, self.baseline, self.seen = np.zeros(d), 0.0, 0.0, 0
        self.luck, self.nominating = Luck(seed, user, "interaction"), Luck(seed, user, "candidates")

    @property
    def features(self) -> FloatArray:
        """What is observed of the person: eq. 8."""
        return np.concatenate([kernel(self.arousal), self.history])


class SharedWorld:
    """Items, people and the one policy of an embedding scenario, given as its plain values."""

    def __init__(self, values: Values) -> None:
        self.values, self.policy = values, values["policy"]
        self.k, self.d, items = len(values["categories"]), values["dimension"], values["items"]
        self.kind = np.arange(items["count"]) % self.k
        self.vectors = np.array([self._vector(i) for i in range(items["count"])])
        positive = self.vectors[:, : self.k].clip(min=0) ** 2
        total = positive.sum(axis=1, keepdims=True)
        self.mixture = np.where(total > 0, positive / np.where(total > 0, total, 1), np.eye(self.k)[self.kind])
        first = values["first_user"]
        self.people = [Resident(values, user) for user in range(first, first + values["users"])]
        self.tower = np.zeros((3 + self.d, self.d))
        ends = values["reactive"], values["intentional"]
        self.laws = [{name: table(end[name], self.k) for name in LAWS} for end in ends]

    def _vector(self, item: int) -> FloatArray:
        own = Luck(self.values["seed"], item, "item")
        spread = self.values["items"]["spread"] / np.sqrt(self.d)
        found = np.array([spread * own.normal() for _ in range(self.d)])
        found[item % self.k] += 1
        return np.asarray(found / np.sqrt(found @ found))

    def page(self, person: Resident, y: FloatArray) -> Page:
        """Return the candidates of a page: eqs. 9 to 12."""
        count = self.policy["candidates"]
        if count == 0:
            odds = np.exp(self.vectors @ y - (self.vectors @ y).max())
            return Page(np.arange(len(odds)), odds / odds.sum(), odds)
        groups = [self.vectors[self.kind == c] for c in range(self.k)]
        sizes = np.array([len(group) for group in groups])
        mass = np.exp([
            np.log(len(g)) + (g @ y).mean() + (((g - g.mean(axis=0)) ** 2).mean(axis=0) @ y**2) / 2 for g in groups
        ])  # fmt: skip
        explored = self.policy["exploration"]
        chance = (1 - explored) * mass / mass.sum() + explored * sizes / len(self.vectors)
        edges, item = np.cumsum(chance)[:-1], np.empty(count, int)
        for i in range(count):
            u = person.nominating.uniform()
            c = int((u >= edges).sum())
            item[i] = c + self.k * person.nominating.below(int(sizes[c]))
        score = np.exp(np.minimum(self.vectors[item] @ y - np.log(mass.sum()), LARGEST_LOG))
        return Page(item, score, score * sizes[self.kind[item]] / chance[self.kind[item]])

    def react(self, person: Resident, item: int) -> float:
        """Show one item, move the person on, and return the reaction: eqs. 3 to 7."""
        lam, v, part = person.lam, self.vectors[item], self.values["arousal"]
        ends = [{name: between_rows(law[name], person.arousal) for name in LAWS} for law in self.laws]
        law = {name: self.mixture[item] @ ((1 - lam) * ends[0][name] + lam * ends[1][name]) for name in LAWS[1:]}
        mean = (1 - lam) * self.mixture[item] @ (person.w * ends[0]["mean"]) + lam * person.interest @ v
        reaction = float(mean + law["std"] * person.luck.normal())
        u, up, down = person.luck.uniform(), law["up"], law["down"]
        jump = -1 if u < down else (1 if u >= 1 - up else 0)
        step = part["step"] * ((1 - part["noise"]) * (up - down) + part["noise"] * jump)
        person.arousal = float(min(1.0, max(0.0, person.arousal + step)))
        eta, rho = self.values["interest"]["drift"], self.policy["memory"]
        person.interest = (1 - eta) * person.interest + eta * v
        person.history = (1 - rho) * person.history + rho * reaction * v
        person.seen += 1
        person.baseline += (reaction - person.baseline) / person.seen
        return reaction

    def pull(self, page: Page, chosen: int, gain: float) -> FloatArray:
        """Return what a chosen candidate teaches, in item space: eqs. 13 to 15."""
        rule, vectors, size = self.policy, self.vectors[page.item], self.policy["slate"]
        pi = min(1.0, float(page.score[chosen]))
        factor = gain * size * (1 - pi) ** (size - 1) / size / rule["temperature"]
        if rule["candidates"] == 0 or not rule["correction"]:
            return np.asarray(factor * (vectors[chosen] - page.weight @ vectors / page.weight.sum()))
        others = np.delete(np.arange(len(page.item)), chosen)
        zeta = page.weight[others].mean()
        mean = (page.weight[others][:, None] * vectors[others]).mean(axis=0)
        return np.asarray(factor * min(page.weight.mean(), rule["cap"]) * (zeta * vectors[chosen] - mean))

    def show(self, person: Resident) -> tuple[list[int], FloatArray]:
        """Show one page; return its items, and what it teaches the tower."""
        phi, before = person.features, person.baseline
        page = self.page(person, phi @ self.tower / self.policy["temperature"])
        shown: list[int] = []
        felt: list[float] = []
        pull = np.zeros(self.d)
        for _ in range(self.policy["slate"]):
            threshold = person.luck.uniform() * page.weight.sum()
            chosen = int((np.cumsum(page.weight)[:-1] <= threshold).sum())
            item = int(page.item[chosen])
            if item in shown:
                felt.append(felt[shown.index(item)])
                for _ in range(3):
                    person.luck.word()
            else:
                felt.append(self.react(person, item))
            shown.append(item)
            pull += self.pull(page, chosen, felt[-1] - before)
        return shown, np.outer(phi, pull)

    def step(self) -> IntArray:
        """Show everyone a page, then move the tower by the mean of what all taught: eq. 15; return what was shown."""
        pages = [self.show(person) for person in self.people]
        self.tower = self.tower + self.policy["learning_rate"] * np.mean([taught for _, taught in pages], axis=0)
        return np.array([shown for shown, _ in pages])

    def feed(self, person: Resident) -> tuple[FloatArray, float]:
        """Return what a person would be served next by category, exact softmax, and the effective items."""
        y = person.features @ self.tower / self.policy["temperature"]
        pi = np.exp(self.vectors @ y - (self.vectors @ y).max())
        pi /= pi.sum()
        return np.asarray(np.bincount(self.kind, pi, self.k), float), float(
            np.exp(-(pi * np.log(np.maximum(pi, 1e-300))).sum())
        )
