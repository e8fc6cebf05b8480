"""The recommender's part of a scenario: a named rule, its learning rate, and what differs from the name."""

from dataclasses import fields, replace
from enum import IntEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from mirrorfield.errors import InputError
from mirrorfield.policy.chain import choose
from mirrorfield.policy.options import Aggregate, Baseline, Leash, Normalise, Returns, word_of
from mirrorfield.policy.presets import preset
from mirrorfield.policy.rule import Rule
from mirrorfield.population.base import Frozen

MAX_POSTS, MAX_EPOCHS = 4096, 1000
CHOICES: dict[str, type[IntEnum]] = {
    "aggregate": Aggregate,
    "returns": Returns,
    "baseline": Baseline,
    "normalise": Normalise,
    "leash": Leash,
}


class Policy(Frozen):
    """What the recommender does: a preset of docs/rules.md, alpha = learning_rate, and any part that differs from it.

    A part that is left out is the preset's. Choices are written as words: "leave-one-out", "k3-in-loss". A Rule, or the
    name of a preset, is accepted in its place.
    """

    rule: str = "reinforce"
    learning_rate: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.1
    start: tuple[tuple[float, ...], ...] | None = None
    horizon: Annotated[int, Field(le=MAX_POSTS)] | None = None
    group: Annotated[int, Field(le=MAX_POSTS)] | None = None
    epochs: Annotated[int, Field(le=MAX_EPOCHS)] | None = None
    minibatches: Annotated[int, Field(le=MAX_POSTS)] | None = None
    aggregate: str | None = None
    returns: str | None = None
    discount: float | None = None
    trace_decay: float | None = None
    bootstrap: bool | None = None
    baseline: str | None = None
    exponential_weight: float | None = None
    value_rate: float | None = None
    normalise: str | None = None
    ddof: Annotated[int, Field(ge=0, le=1)] | None = None
    eps: float | None = None
    eps_inside_root: bool | None = None
    clip_low: float | None = None
    clip_high: float | None = None
    dual_clip: float | None = None
    leash: str | None = None
    beta: float | None = None
    reference: tuple[tuple[float, ...], ...] | None = None
    kl_target: float | None = None
    kl_horizon: float | None = None
    entropy: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_rule(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"rule": given}
        if isinstance(given, Rule):
            return _parts(given)
        if not isinstance(given, dict | Policy):
            raise ValueError(
                f"expected the name of a rule, its parts or a Rule, got {type(given).__name__}; a recommender of your "
                "own goes beside the scenario: simulate(scenario, recommender=...)"
            )
        return given

    @model_validator(mode="after")
    def _sound(self) -> "Policy":
        try:
            rule = self.to_rule()
        except InputError as error:
            raise ValueError(str(error).removeprefix("rule: ")) from None
        if rule.posts > MAX_POSTS:
            raise ValueError(f"expected a session of at most {MAX_POSTS:,} posts, got {rule.posts:,} (group x horizon)")
        return self

    def to_rule(self) -> Rule:
        """Return the Rule that this stands for; raise InputError if it is unsound or a name is unknown."""
        changes: dict[str, Any] = {name: value for name, value in self if value is not None}
        start = preset(changes.pop("rule"), changes["learning_rate"])
        for name in CHOICES.keys() & changes.keys():
            changes[name] = choose(CHOICES[name], changes[name].replace("*", "-times-"), name)
        return replace(start, **changes)


def _parts(rule: Rule) -> dict[str, Any]:
    """Return what differs between a Rule and plain REINFORCE, as it is written in a scenario."""
    plain = Rule(rule.learning_rate)
    found = {f.name: getattr(rule, f.name) for f in fields(rule)}
    return {
        name: word_of(value) if isinstance(value, IntEnum) else value
        for name, value in found.items()
        if name == "learning_rate" or value != getattr(plain, name)
    }
