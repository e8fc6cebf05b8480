"""What people do with a post, and the objective that a platform makes of it."""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from mirrorfield.arrays import FloatArray
from mirrorfield.errors import nearest
from mirrorfield.population.base import Frozen, Table, broadcast_table

REACTION, DWELL, SCROLL = "reaction", "dwell", "scroll"
RESERVED = (REACTION, DWELL, SCROLL, "person", "step", "shown", "reward", "propensity")
MAX_ACTIONS, MAX_SECONDS, MAX_WEIGHT = 16, 86_400.0, 1e6
Weight = Annotated[float, Field(ge=-MAX_WEIGHT, le=MAX_WEIGHT, allow_inf_nan=False)]


class Action(Frozen):
    """Something that a person does with a post or not: its probability at both ends of lambda.

    `reactive` and `intentional` are one number, one per category, or one row per state. Susceptibility multiplies the
    reactive end's odds unless `susceptible` is false.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
    reactive: Table
    intentional: Table
    susceptible: bool = True


class Dwell(Frozen):
    """How long a person dwells on a post: a lognormal law, by its median in seconds at both ends of lambda.

    `sigma` is the standard deviation of the logarithm. A dwell below `short` seconds is a scroll past.
    """

    reactive: Table
    intentional: Table
    sigma: Annotated[float, Field(ge=0.01, le=3, allow_inf_nan=False)] = 0.8
    short: Annotated[float, Field(ge=0.01, le=MAX_SECONDS, allow_inf_nan=False)] = 2.0


class Actions(Frozen):
    """All that people do: how long they dwell, and every other action."""

    dwell: Dwell
    kinds: Annotated[tuple[Action, ...], Field(min_length=1, max_length=MAX_ACTIONS)]

    @property
    def names(self) -> list[str]:
        """The names that an objective may weigh."""
        return [REACTION, DWELL, SCROLL, *(action.name for action in self.kinds)]

    def check(self, categories: int) -> None:
        """Raise ValueError for tables that do not fit K categories, or are no probabilities or seconds."""
        names = [action.name for action in self.kinds]
        for name in names:
            if name in RESERVED or names.count(name) > 1:
                raise ValueError(
                    f'actions.kinds: expected every action once, and none called {", ".join(RESERVED)}; got "{name}"'
                )
        for end in ("reactive", "intentional"):
            seconds = table(self.dwell, end, categories, "actions.dwell")
            if not ((seconds >= 0) & (seconds <= MAX_SECONDS)).all():
                wrong = seconds[~((seconds >= 0) & (seconds <= MAX_SECONDS))][0]
                raise ValueError(f"actions.dwell.{end}: expected seconds from 0 to {MAX_SECONDS:g}, got {wrong:g}")
            for action in self.kinds:
                p = table(action, end, categories, f"actions.{action.name}")
                if not ((p >= 0) & (p <= 1)).all():
                    wrong = p[~((p >= 0) & (p <= 1))][0]
                    raise ValueError(f"actions.{action.name}.{end}: expected probabilities, got {wrong:g}")


def table(part: Action | Dwell, end: str, categories: int, place: str) -> FloatArray:
    """Return the numbers of one end of lambda, (S, K); raise ValueError that names the place if they do not fit."""
    try:
        return broadcast_table(getattr(part, end), end, categories)
    except ValueError as error:
        raise ValueError(f"{place}.{error}") from None


_GAIN = (0.6, 1.0, 1.5)


def _by_state(*typical: float) -> tuple[tuple[float, ...], ...]:
    """Return a table whose categories have these numbers in the engaged state, times a state's gain."""
    return tuple(tuple(round(gain * x, 7) for x in typical) for gain in _GAIN)


DEFAULT = Actions(
    dwell=Dwell(reactive=_by_state(4.0, 4.4, 3.2, 1.2), intentional=(2.0, 2.0, 3.0, 20.0)),
    kinds=(
        Action(name="click", reactive=_by_state(0.12, 0.12, 0.08, 0.03), intentional=(0.02, 0.02, 0.03, 0.2)),
        Action(name="like", reactive=_by_state(0.04, 0.06, 0.08, 0.015), intentional=(0.01, 0.01, 0.02, 0.08)),
        Action(name="reply", reactive=_by_state(0.02, 0.03, 0.008, 0.002), intentional=(0.002, 0.002, 0.004, 0.012)),
        Action(name="share", reactive=_by_state(0.02, 0.025, 0.006, 0.003), intentional=(0.002, 0.002, 0.003, 0.02)),
        Action(name="follow", reactive=_by_state(0.002, 0.004, 0.004, 0.001), intentional=(5e-4, 5e-4, 1e-3, 0.006)),
        Action(name="hide", reactive=(4e-4, 2e-4, 1e-4, 4e-4), intentional=(2e-3, 2e-3, 1e-3, 1e-4), susceptible=False),
        Action(
            name="report", reactive=(4e-5, 3e-5, 1e-5, 1e-5), intentional=(8e-5, 8e-5, 2e-5, 1e-5), susceptible=False
        ),
    ),
)
DEFAULT_CATEGORIES = ("threat", "tribal", "validation", "depth")

# What is published of platforms' objectives, where an action has a counterpart here; docs/objective.md has the places.
# The scale gives the first posts of the default crowd the spread of the felt reaction, 0.59: one learning rate for all.
PRESETS: dict[str, tuple[Mapping[str, float], float]] = {
    "reaction": ({REACTION: 1.0}, 1.0),
    "like": ({"like": 1.0}, 0.33),
    "dwell": ({DWELL: 1.0}, 18.0),
    "x-2026": (
        {SCROLL: -0.02, DWELL: 0.004, "click": 0.4, "like": 0.5, "reply": 5.0, "share": 1.0, "follow": 4.0,
         "hide": -43.2, "report": -234.0},
        3.3,
    ),
    "twitter-2023": ({"like": 0.5, "reply": 27.0, "share": 1.0, "hide": -74.0, "report": -369.0}, 7.0),
}  # fmt: skip


class Objective(Frozen):
    """What a platform makes of what a person does with a post: G = sum of weights times actions, divided by scale.

    `weights` change those of the preset, by name: an action, "dwell" (per second), "scroll" (a dwell that was short) or
    "reaction" (the felt reaction of the profiles). `learns_from` their predictions, G is its expected value given who
    the person is, their state and the post, in place of what they did.
    """

    preset: str = REACTION
    weights: dict[str, Weight] = Field(default_factory=dict)
    scale: Annotated[float, Field(ge=1e-6, le=1e6, allow_inf_nan=False)] | None = None
    learns_from: Literal["actions", "predictions"] = "actions"

    @model_validator(mode="after")
    def _known(self) -> "Objective":
        if self.preset not in PRESETS:
            raise ValueError(
                f'preset: expected one of {", ".join(PRESETS)}, got "{self.preset}".{nearest(self.preset, PRESETS)}'
            )
        return self

    def __hash__(self) -> int:
        """Return a hash by value, as other parts of a scenario have."""
        return hash((self.preset, tuple(sorted(self.weights.items())), self.scale, self.learns_from))

    @property
    def divisor(self) -> float:
        """What the weighted sum is divided by."""
        return self.scale or PRESETS[self.preset][1]

    @property
    def resolved(self) -> dict[str, float]:
        """Every weight that is not 0, by name, divided by the scale."""
        weights, _ = PRESETS[self.preset]
        return {name: weight / self.divisor for name, weight in {**weights, **self.weights}.items() if weight != 0}

    @property
    def acts(self) -> bool:
        """Whether it is anything but the felt reaction."""
        return self.resolved != {REACTION: 1.0}

    def check(self, actions: Actions | None, categories: tuple[str, ...]) -> None:
        """Raise ValueError for weights that are all 0 or of nothing that people do."""
        if not self.acts:
            return
        if actions is None and categories != DEFAULT_CATEGORIES:
            raise ValueError(
                f"objective: expected [actions] for these categories; the default actions are for "
                f"{', '.join(DEFAULT_CATEGORIES)}"
            )
        known = (actions or DEFAULT).names
        for name in {**PRESETS[self.preset][0], **self.weights}:
            if name not in known:
                raise ValueError(
                    f'objective.weights: expected one of {", ".join(known)}, got "{name}".{nearest(name, known)}'
                )
        if not self.resolved:
            raise ValueError("objective.weights: expected a weight that is not 0; nothing would be learned from")


def stacked(actions: Actions, end: str, categories: int) -> FloatArray:
    """Return the probabilities of all actions at one end of lambda, float64 (A, S K)."""
    return np.stack([table(action, end, categories, action.name).ravel() for action in actions.kinds])
