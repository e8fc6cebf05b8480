"""The scenario of the embedding world: everything that decides a run, validated, frozen, and written as TOML."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from mirrorfield.errors import InputError
from mirrorfield.population.base import Frozen, Unit
from mirrorfield.population.distributions import Population
from mirrorfield.population.scenario import CATEGORIES, INTENTIONAL, REACTIVE, Category, Profile, Record, Written
from mirrorfield.population.scenario import Scenario as TableScenario

Positive = Annotated[float, Field(ge=1e-3, le=1000, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class Items(Frozen):
    """How many items there are, and how far they lie around the centre of their category."""

    count: Annotated[int, Field(ge=2, le=100_000)] = 1000
    spread: Spread = 0.5


class Interest(Frozen):
    """How far people's interests differ, and how far each post draws them to itself: x' = x + drift (v - x)."""

    spread: Spread = 0.5
    drift: Unit = 0.0


class Arousal(Frozen):
    """How far a post moves arousal, and how much of that is chance; step 1/2 and noise 1 are the three states."""

    step: Annotated[float, Field(gt=0, le=1)] = 0.1
    noise: Unit = 0.5


class TwoTower(Frozen):
    """The shared policy: its learning, what it remembers of people, and how items are nominated and corrected for.

    `candidates` = 0 scores every item; `exploration` is the share of candidates nominated evenly from all items.
    """

    learning_rate: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = 10.0
    temperature: Positive = 1.0
    memory: Unit = 0.05
    candidates: Annotated[int, Field(ge=0, le=4096)] = 64
    exploration: Annotated[float, Field(ge=0.001, le=1)] = 0.1
    correction: bool = True
    cap: Annotated[float, Field(ge=1, le=1e6)] = 10.0
    slate: Annotated[int, Field(ge=1, le=32)] = 1

    @model_validator(mode="after")
    def _enough_candidates(self) -> "TwoTower":
        if self.candidates == 1:
            raise ValueError("candidates: expected 0 (score every item) or 2 and more, got 1")
        return self


class EmbeddingScenario(Written):
    """Everything that decides a run of the embedding world. `EmbeddingScenario()` is the default.

    Raises InputError, with one clear line, for anything that cannot be simulated.

    >>> EmbeddingScenario(users=10).items.count
    1000
    """

    world: Literal["embedding"] = "embedding"
    name: Annotated[str, Field(min_length=1, max_length=80)] = "embedding"
    description: str = "People and items in one space, one policy for all."
    users: Annotated[int, Field(ge=1, le=10_000_000)] = 5_000
    steps: Annotated[int, Field(ge=1, le=1_000_000)] = 700
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    first_user: Annotated[int, Field(ge=0, lt=2**53)] = 0
    dimension: Annotated[int, Field(ge=2, le=256)] = 16
    items: Items = Items()
    interest: Interest = Interest()
    arousal: Arousal = Arousal()
    policy: TwoTower = TwoTower()
    record: Record = Record(users=10_000)
    population: Population = Population()
    reactive: Profile = REACTIVE
    intentional: Profile = INTENTIONAL
    categories: Annotated[tuple[Category, ...], Field(min_length=2, max_length=32)] = CATEGORIES

    @model_validator(mode="after")
    def _consistent(self) -> "EmbeddingScenario":
        for place in ("reactive", "intentional"):
            if getattr(self, place).transition is not None:
                raise ValueError(f"{place}.transition: expected up and down, from which arousal moves by degrees")
        if np.ndim(self.intentional.mean) > 1:
            raise ValueError("intentional.mean: expected one number or one per category, got one row per state")
        if self.population.file is not None:
            raise ValueError("population.file: listed users are not read here; draw them from distributions")
        if self.dimension < self.k:
            raise ValueError(f"dimension: expected at least one per category ({self.k}), got {self.dimension}")
        if self.items.count < self.k:
            raise ValueError(f"items.count: expected at least one per category ({self.k}), got {self.items.count}")
        try:
            self.tables()
        except InputError as error:
            raise ValueError(str(error).removeprefix("scenario: ")) from None
        return self

    @property
    def k(self) -> int:
        """The number of categories, K."""
        return len(self.categories)

    def tables(self) -> TableScenario:
        """Return the scenario of the base model with the same people, profiles and categories; it checks them too."""
        return TableScenario(
            name=self.name,
            users=self.users,
            steps=self.steps,
            seed=self.seed,
            record=self.record,
            population=self.population,
            reactive=self.reactive,
            intentional=self.intentional,
            categories=self.categories,
        )
