"""Published facts that the model is held against: data, read from facts.toml and checked as they are read."""

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from mirrorfield.errors import InputError
from mirrorfield.population.base import Frozen, one_line
from mirrorfield.population.scenario import parse_toml

Text = Annotated[str, Field(min_length=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Kind = Literal["size", "sign", "zero"]


class Source(Frozen):
    """Where a fact was published: authors, year, title, address, and the place in it."""

    authors: Text
    year: Annotated[int, Field(ge=1900, le=2100)]
    title: Text
    address: Annotated[str, Field(pattern=r"^(https://|10\.)\S+$")]
    place: Text


class Fact(Frozen):
    """One published fact, in our own words, and which measurement of the model stands beside it.

    value, low, high: the number with its 95% interval, in `unit`, over `population`. A fact of kind "sign" has no
    number that the model could have, and `value` is 1 or -1; one of kind "zero" says that nothing changes, and `margin`
    is what we still call nothing. checked: the number was read in the source (or, for data, computed from them);
    otherwise `unchecked` says why not. measure: the name of a measurement; where there is none, `reason` says why.
    role: "input" if tables of the model were made to show facts of this sort. nearest: settings with which the model
    comes nearer; tried: what else was tried. concerns: the metrics of a comparison that a contradicted fact puts in
    doubt, "share" for every share:NAME; recorded: the model's number on the published scorecard and why it contradicts.
    """

    id: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    statement: Text
    kind: Kind
    value: Finite
    low: Finite | None = None
    high: Finite | None = None
    margin: Annotated[Finite, Field(gt=0)] | None = None
    unit: Text
    population: Text
    source: Source
    checked: bool
    unchecked: str = ""
    role: Literal["test", "input"] = "test"
    measure: str | None = None
    reason: str = ""
    counterpart: str = ""
    nulls: tuple[str, ...] = ()
    nearest: Annotated[dict[str, Any], Field(default_factory=dict)]
    tried: str = ""
    concerns: tuple[str, ...] = ()
    recorded: str = ""
    change: Text

    @model_validator(mode="after")
    def _whole(self) -> "Fact":
        if (self.low is None) != (self.high is None):
            raise ValueError("expected both low and high, or neither")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ValueError(f"expected low <= value <= high, got {self.low:g}, {self.value:g}, {self.high:g}")
        if self.kind == "sign" and self.value not in (-1, 1):
            raise ValueError(f"expected value 1 or -1 for a sign, got {self.value:g}")
        if self.kind == "zero" and (self.value != 0 or self.margin is None):
            raise ValueError('expected value 0 and a margin for kind "zero"')
        if self.kind == "size" and self.value == 0:
            raise ValueError('expected a value other than 0 for kind "size"; use kind = "zero" and a margin')
        if self.checked == bool(self.unchecked):
            raise ValueError("expected `unchecked`, the reason, where checked = false and only there")
        if (self.measure is None) != bool(self.reason):
            raise ValueError("expected either a measure, or the reason why there is none")
        if bool(self.concerns) != bool(self.recorded):
            raise ValueError("expected both concerns and recorded, or neither")
        if self.measure is not None and not (self.nulls and self.counterpart):
            raise ValueError("expected a counterpart and one null model or more beside a measure")
        return self


class Facts(Frozen):
    """All facts, with distinct ids."""

    fact: tuple[Fact, ...]

    @model_validator(mode="after")
    def _distinct(self) -> "Facts":
        ids = [one.id for one in self.fact]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"expected distinct ids, got {twice[0]} twice")
        return self


def read_facts(text: str, source: str) -> tuple[Fact, ...]:
    """Return the facts in a TOML text, [[fact]] after [[fact]]; raise InputError naming the place of a mistake."""
    try:
        return Facts(**parse_toml(text, source)).fact
    except ValidationError as error:
        raise InputError(f"{source}: {one_line(error, Facts)}") from None


@cache
def facts() -> tuple[Fact, ...]:
    """Return the facts that come with the package."""
    file = resources.files("mirrorfield.validation") / "facts.toml"
    return read_facts(file.read_text(encoding="utf-8"), file.name)


def doubts(metrics: Iterable[str]) -> tuple[Fact, ...]:
    """Return the facts that the published scorecard found contradicted and that concern these metrics.

    >>> [fact.id for fact in doubts(["locked_in"])]
    ['forgetting']
    """
    asked = {metric.split(":")[0] for metric in metrics}
    return tuple(fact for fact in facts() if asked & set(fact.concerns))
