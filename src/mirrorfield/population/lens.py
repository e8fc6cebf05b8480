"""Parts of a scenario that stand between a person and what is learned of it: labels, context and retrieval."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from mirrorfield.arrays import FloatArray, S
from mirrorfield.population.base import Frozen, Unit
from mirrorfield.population.change import Intervention

Positive = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Posts = Annotated[float, Field(ge=1, le=1e6, allow_inf_nan=False)]
MAX_REWARD = 1000.0


class Reward(Frozen):
    """Who provides the reward: the reaction (clicks), a deliberate rating, a learned reward model, or a mixture.

    A rating is drawn from the user's profile blended at `intentionality`, who it is when it rates, with the spread
    times `noise`; a share `rate` of posts is rated, and a post without any label is not learned from. `weight` is that
    of the rating in a mixture. `cost` is what a rating costs its author, in reactions: it is reported, and changes
    nothing that is learned. `model` has S rows of K rewards; `model_file` names an array (n, S, K), one table a user.
    """

    source: Literal["clicks", "ratings", "reward_model", "mixture"] = "clicks"
    intentionality: Unit = 1.0
    noise: Positive = 1.0
    rate: Annotated[float, Field(ge=1e-6, le=1, allow_inf_nan=False)] = 1.0
    weight: Unit = 0.5
    cost: Positive = 0.0
    model: tuple[tuple[float, ...], ...] | None = None
    model_file: str | None = None

    @model_validator(mode="after")
    def _one_model(self) -> "Reward":
        given = [name for name in ("model", "model_file") if getattr(self, name) is not None]
        if self.source == "reward_model" and len(given) != 1:
            came = " and ".join(given) or "neither"
            raise ValueError(f'expected model or model_file with source = "reward_model", got {came}')
        if self.source != "reward_model" and given:
            raise ValueError(f'{given[0]}: expected source = "reward_model" beside it, got "{self.source}"')
        return self

    def table(self) -> FloatArray:
        """Return `model` as a float64 array, (S, K)."""
        return np.array(self.model, float)

    def check(self, categories: int) -> None:
        """Raise ValueError unless a model in the scenario fits K categories."""
        if self.model is None:
            return
        lengths = sorted({len(row) for row in self.model})
        if len(self.model) != S or lengths != [categories]:
            came = f"{len(self.model)} rows of {' and '.join(map(str, lengths)) or 'no'} numbers"
            raise ValueError(f"reward.model: expected {S} rows (one per state) of {categories} numbers, got {came}")
        if not (abs(self.table()) <= MAX_REWARD).all():
            raise ValueError(f"reward.model: expected numbers within {MAX_REWARD:g} of zero")

    @property
    def weights(self) -> tuple[float, float]:
        """The weight of the reaction, and of the label where a post has one."""
        deliberate = {"clicks": 0.0, "mixture": self.weight}.get(self.source, 1.0)
        return 1.0 - deliberate, deliberate

    @property
    def acts(self) -> bool:
        """Whether anything but the reaction is learned from."""
        return self.weights[1] > 0

    @property
    def label_cost(self) -> float:
        """What labels cost their author for each post, in reactions."""
        return self.cost * self.rate if self.source in ("ratings", "mixture") else 0.0


class Context(Frozen):
    """What the policy is told beside what it has learned, and what the user still has in mind.

    The policy is tilted towards w_c with exponent `kappa`: towards what was shown and reacted to lately ("session"),
    with an exponential memory of `memory` posts, or towards the user's own deliberate wish ("query"). `blur` keeps w_c
    above zero. `priming` scales reactions to more of what was shown lately.
    """

    source: Literal["session", "query"] = "session"
    kappa: Positive = 0.0
    memory: Posts = 20.0
    blur: Annotated[float, Field(ge=1e-6, le=1, allow_inf_nan=False)] = 0.05
    priming: Annotated[float, Field(ge=-1, le=100, allow_inf_nan=False)] = 0.0

    @property
    def acts(self) -> bool:
        """Whether it changes anything."""
        return self.kappa > 0 or self.priming != 0


class Retrieval(Frozen):
    """Which items of a corpus can be seen at all; the policy chooses among the categories of those.

    `count` items are retrieved every `refresh` posts: those nearest to what was shown and reacted to lately
    ("history"), nearest to the user's own deliberate wish ("query"), any ("random"), or near and unlike one another
    ("diverse", with `diversity` d of maximal marginal relevance). "none" and count = "all" retrieve the whole corpus.
    """

    corpus: str | None = None
    retriever: Literal["none", "history", "query", "random", "diverse"] = "none"
    count: Annotated[int, Field(ge=1, le=1_000_000)] | Literal["all"] = 8
    refresh: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    memory: Posts = 20.0
    diversity: Unit = 0.5

    @model_validator(mode="after")
    def _has_corpus(self) -> "Retrieval":
        if self.corpus is None and self.retriever != "none":
            raise ValueError('corpus: expected a corpus to retrieve from, got none; "posts" comes with the package')
        return self

    def check(self, change: Intervention, posts: int, leashed: bool) -> None:
        """Raise ValueError for what cannot stand beside retrieval."""
        if self.corpus is None or self.retriever == "none" or self.count == "all":
            return
        if change.quota < 1 or change.swap > 0:
            raise ValueError("retrieval: quota and swap need every category to be there; use one or the other")
        if leashed:
            raise ValueError("retrieval: expected no leash, whose reference knows nothing of it; leave out policy.beta")
        if self.refresh % posts:
            raise ValueError(
                f"retrieval.refresh: expected a multiple of the session's {posts} posts, got {self.refresh}; "
                f"use {-(-self.refresh // posts) * posts}"
            )
