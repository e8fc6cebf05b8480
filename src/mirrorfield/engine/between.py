"""What stands between a person and what is learned of them: labels, the context of a session, retrieval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.engine.luck import UNIT, Stream, box_muller
from mirrorfield.kernel import Lens
from mirrorfield.model.profile import blend
from mirrorfield.model.retrieval import LUCK, Retriever, retrieval_score
from mirrorfield.population.lens_tables import make_lens
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.tables import profile_tables
from mirrorfield.streams import LABEL, PICK, RETRIEVAL

TINY = 1e-20


@dataclass
class Between:
    """What n users have: label profiles, (n, S, K I); session memory, (n, K I); history and retrieved items, (n, M)."""

    lens: Lens
    rungs: int
    label_mean: FloatArray
    label_std: FloatArray
    recent: FloatArray
    tilt: FloatArray
    past: FloatArray
    taken: NDArray[np.bool_]
    picked: IntArray
    label_luck: Stream
    item_luck: Stream
    retrieval_luck: Stream

    @property
    def opened(self) -> NDArray[np.bool_]:
        """Whether an arm has anything to show, (n, K I)."""
        n, arms = self.recent.shape
        if not self.lens.retrieved:
            return np.ones((n, arms), bool)
        kinds = np.arange(arms) // self.rungs
        return np.stack([self.taken[:, self.lens.kind == a].any(axis=1) for a in kinds], axis=1)

    def meet(self, choice: IntArray) -> FloatArray:
        """Pick an item for every user, and return the factor on its reaction: quality and priming, (n,)."""
        everyone, total = np.arange(len(choice)), self.recent.sum(axis=1)
        even = 1 / self.recent.shape[1]
        share = np.where(total > 0, self.recent[everyone, choice] / np.where(total > 0, total, 1), even)
        factor = 1 + self.lens.priming * (share - even) / (1 - even)
        if not self.lens.retrieved:
            return np.asarray(factor)
        fitting = self.taken & (self.lens.kind == (choice // self.rungs)[:, None])
        place = np.floor(self.item_luck.uniforms(1)[0].astype(np.float32) * fitting.sum(axis=1).astype(np.float32))
        self.picked = np.asarray((fitting.cumsum(axis=1) > place[:, None]).argmax(axis=1))
        return np.asarray(factor * self.lens.quality[self.picked])

    def reward(self, observed: FloatArray, state: IntArray, choice: IntArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return what the recommender sees of every post, (n,), and whether it sees anything, (n,)."""
        everyone = np.arange(len(choice))
        rated: NDArray[np.bool_] = np.ones(len(choice), bool)
        noise: FloatArray = np.zeros(len(choice))
        if self.lens.labelled:
            drawn, radius, angle = self.label_luck.uniforms(3)
            rated, noise = drawn < self.lens.rate, box_muller(radius + UNIT, angle)
        label = self.label_mean[everyone, state, choice] + self.label_std[everyone, state, choice] * noise
        click, judged = float(self.lens.involuntary), float(self.lens.deliberate) * rated
        total = click + judged
        return (click * observed + judged * label) / np.where(total > 0, total, 1), np.asarray(total > 0)

    def remember(self, choice: IntArray, observed: FloatArray) -> None:
        """Take a post and its reaction into the session memory and the history of items."""
        everyone, felt = np.arange(len(choice)), observed.clip(min=0)
        recent = self.recent - float(self.lens.forget) * self.recent
        recent[everyone, choice] += float(self.lens.forget) * felt
        self.recent = recent if self.lens.remembers else self.recent
        if self.lens.retrieved:
            self.past = self.past - float(self.lens.fade) * self.past
            self.past[everyone, self.picked] += float(self.lens.fade) * felt

    def look_back(self) -> None:
        """Tilt the policy by the session memory."""
        if not self.lens.looks_back:
            return
        total = self.recent.sum(axis=1, keepdims=True)
        share = np.where(total > 0, self.recent / np.where(total > 0, total, 1), 1 / self.recent.shape[1])
        blur = float(self.lens.blur)
        self.tilt = float(self.lens.kappa) * np.log(blur + (1 - blur) * share)

    def fetch(self, t: int) -> None:
        """Retrieve items for every user, if it is time after t posts."""
        lens, items = self.lens, self.past.shape[1]
        if not lens.retrieved or t % lens.refresh or lens.retrieved >= items:
            return
        luck = self.retrieval_luck.uniforms(items).T
        score = luck
        if lens.retriever == Retriever.QUERY:
            score = retrieval_score(lens.relevance, luck.astype(np.float32)).astype(float)
        elif lens.retriever in (Retriever.HISTORY, Retriever.DIVERSE):
            similarity = self.past @ lens.gram.astype(float)
            square = (similarity * self.past).sum(axis=1, keepdims=True)
            cosine = np.where(square > TINY, similarity / np.sqrt(np.maximum(square, TINY)), 0.0)
            score = cosine + float(LUCK) * luck
        self.taken = take_best(score, lens)


def take_best(score: FloatArray, lens: Lens) -> NDArray[np.bool_]:
    """Return which items are retrieved, (n, M): the best scores; if diverse, by maximal marginal relevance."""
    taken, nearest = np.zeros(score.shape, bool), np.zeros(score.shape)
    diversity = float(lens.diversity) if lens.retriever == Retriever.DIVERSE else 0.0
    for _ in range(lens.retrieved):
        best = np.where(taken, -np.inf, (1 - diversity) * score - diversity * nearest).argmax(axis=1)
        taken[np.arange(len(score)), best] = True
        nearest = np.maximum(nearest, lens.gram[best])
    return taken


def start_between(scenario: Scenario, ids: IntArray, susceptibility: FloatArray) -> Between:
    """Return what stands between the users with these ids and what is learned of them, before the first post."""
    lens, profiles = make_lens(scenario), profile_tables(scenario)
    n, rungs, items = len(ids), scenario.intensity.rungs, len(make_lens(scenario).kind)
    reactive, intentional, lam = profiles.reactive, profiles.intentional, float(lens.intentionality)
    mean = blend(lam, susceptibility[:, None, :] * reactive.mean, intentional.mean.astype(float))
    std = blend(lam, reactive.std.astype(float), intentional.std.astype(float)) * float(lens.noise)
    if len(lens.model):
        mean, std = lens.model[ids % len(lens.model)].astype(float), np.zeros_like(std)
    between = Between(
        lens=lens,
        rungs=rungs,
        label_mean=mean.repeat(rungs, 2),
        label_std=np.broadcast_to(std, mean.shape).repeat(rungs, 2),
        recent=np.zeros((n, scenario.arms)),
        tilt=np.tile(lens.prompt.astype(float), (n, 1)),
        past=np.zeros((n, items)),
        taken=np.ones((n, items), bool),
        picked=np.zeros(n, int),
        label_luck=Stream(scenario.seed, ids, LABEL),
        item_luck=Stream(scenario.seed, ids, PICK),
        retrieval_luck=Stream(scenario.seed, ids, RETRIEVAL),
    )
    between.fetch(0)
    return between
