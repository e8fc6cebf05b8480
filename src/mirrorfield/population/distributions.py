"""How users are drawn: the distributions that a scenario may name for susceptibility and intentionality."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mirrorfield.population.base import Frozen, Unit

MAX_SUSCEPTIBILITY = 1e4
MAX_SEGMENTS, MAX_COMPONENTS = 1000, 100
PositiveFloat = Annotated[float, Field(gt=0, le=1e4, allow_inf_nan=False)]
Susceptibility = Annotated[float, Field(ge=0, le=MAX_SUSCEPTIBILITY, allow_inf_nan=False)]
Concentration = Annotated[float, Field(ge=0.05, le=1e4, allow_inf_nan=False)]

Assumed = Literal["arousal", "intentionality", "learning_rate"]


class PointIntentionality(Frozen):
    """Every user has the same lambda."""

    distribution: Literal["point"] = "point"
    value: Unit


class UniformIntentionality(Frozen):
    """lambda ~ Uniform(low, high)."""

    distribution: Literal["uniform"] = "uniform"
    low: Unit = 0.0
    high: Unit = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> "UniformIntentionality":
        if self.low > self.high:
            raise ValueError(f"expected low <= high, got low = {self.low} and high = {self.high}")
        return self


class BetaIntentionality(Frozen):
    """lambda ~ Beta(a, b)."""

    distribution: Literal["beta"] = "beta"
    a: Concentration
    b: Concentration


SimpleIntentionality = Annotated[
    PointIntentionality | UniformIntentionality | BetaIntentionality, Field(discriminator="distribution")
]


class Component(Frozen):
    """One part of a mixture, with its weight; weights need not sum to 1."""

    weight: PositiveFloat = 1.0
    of: SimpleIntentionality


class MixtureIntentionality(Frozen):
    """lambda is drawn from one of several distributions."""

    distribution: Literal["mixture"] = "mixture"
    components: Annotated[tuple[Component, ...], Field(min_length=1, max_length=MAX_COMPONENTS)]


Intentionality = Annotated[
    PointIntentionality | UniformIntentionality | BetaIntentionality | MixtureIntentionality,
    Field(discriminator="distribution"),
]


class PointSusceptibility(Frozen):
    """Every user has the same w: one number, or one per category."""

    distribution: Literal["point"] = "point"
    value: Susceptibility | tuple[Susceptibility, ...] = 1.0


class LognormalSusceptibility(Frozen):
    """w_a = median exp(sigma n), n ~ Normal(0, 1), independently per category."""

    distribution: Literal["lognormal"] = "lognormal"
    sigma: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)] = 0.5
    median: PositiveFloat | tuple[PositiveFloat, ...] = 1.0


class DirichletSusceptibility(Frozen):
    """w = K times a Dirichlet variate, so that its mean over categories is 1."""

    distribution: Literal["dirichlet"] = "dirichlet"
    concentration: Concentration | tuple[Concentration, ...] = 1.0


AnySusceptibility = Annotated[
    PointSusceptibility | LognormalSusceptibility | DirichletSusceptibility, Field(discriminator="distribution")
]


class Segment(Frozen):
    """A part of the population with distributions of its own."""

    name: Annotated[str, Field(min_length=1)]
    weight: PositiveFloat = 1.0
    susceptibility: AnySusceptibility = LognormalSusceptibility()
    intentionality: Intentionality = UniformIntentionality()


class Population(Frozen):
    """The distribution of users; `segments`, if any, replace the two distributions beside it.

    With assign = "weight" a user falls into a segment at random, by weight; with "cycle" user u is in segment
    u modulo the number of segments. `assumed` names what of the people in `file` the log did not show.
    """

    susceptibility: AnySusceptibility = LognormalSusceptibility()
    intentionality: Intentionality = UniformIntentionality()
    segments: Annotated[tuple[Segment, ...], Field(max_length=MAX_SEGMENTS)] = ()
    assign: Literal["weight", "cycle"] = "weight"
    file: str | None = None
    assumed: tuple[Assumed, ...] | None = None
