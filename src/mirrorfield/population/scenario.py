"""The scenario: everything that decides a run, validated, frozen, and written as TOML."""

import os
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import tomli_w
from pydantic import Field, ValidationError, model_validator

from mirrorfield.arrays import STATES, FloatArray, S
from mirrorfield.errors import InputError, nearest
from mirrorfield.policy.learner import learner_of
from mirrorfield.policy.rule import Rule
from mirrorfield.population.action import Actions, Objective
from mirrorfield.population.base import MAX_STEPS, Frozen, Table, broadcast_table, one_line
from mirrorfield.population.bounds import check_reactions
from mirrorfield.population.change import Intensity, Intervention
from mirrorfield.population.distributions import Population
from mirrorfield.population.lens import Context, Retrieval, Reward
from mirrorfield.population.policy import Policy
from mirrorfield.reading import check_depth, read_text, reason_of
from mirrorfield.seal import check_text

MAX_USERS = 8_000_000_000
MAX_REACTION = 1000.0
MAX_ARMS = 32
MAX_NAME = 60
MAX_TOML = 2**20


class Category(Frozen):
    """A content category: its name, a sample post, and the colour it has in every picture."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    post: str = ""
    color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]


class Profile(Frozen):
    """A reaction profile: the mean and std of the reaction, and the next state's law, by state and category.

    Each of `mean`, `std`, `up` and `down` is one number, one per category, or one row per state. The next state is
    given by `up` and `down` (the probabilities of moving one state up or down; at the ends the user stays instead)
    or by a full table `transition`, of S x K rows that sum to 1.
    """

    mean: Table
    std: Table
    up: Table | None = None
    down: Table | None = None
    transition: tuple[tuple[tuple[float, ...], ...], ...] | None = None

    @model_validator(mode="after")
    def _one_transition(self) -> "Profile":
        given = [name for name in ("up", "down", "transition") if getattr(self, name) is not None]
        if given not in (["up", "down"], ["transition"]):
            came = " and ".join(given) or "none of them"
            raise ValueError(f"expected either up and down, or transition, to say how arousal moves; got {came}")
        return self

    def table(self, name: Literal["mean", "std", "up", "down"], categories: int) -> FloatArray:
        """Return `mean`, `std`, `up` or `down` as a float64 array of shape (S, K)."""
        return broadcast_table(getattr(self, name), name, categories)

    def transition_table(self, categories: int) -> FloatArray:
        """Return P[s, a, s'] as a float64 array of shape (S, K, S); rows sum to 1."""
        if self.transition is None:
            return _from_moves(self.table("up", categories), self.table("down", categories))
        try:
            table = np.asarray(self.transition, float).reshape(S, categories, S)
        except ValueError:
            raise ValueError(f"transition: expected {S} x {categories} x {S} numbers") from None
        sums = table.sum(axis=2)
        if not np.isfinite(table).all() or (table < 0).any() or (abs(sums - 1) > 1e-6).any():
            s, a = np.argwhere(~(abs(sums - 1) <= 1e-6) | (table < 0).any(axis=2))[0]
            row = ", ".join(f"{p:g}" for p in table[s, a])
            raise ValueError(
                f"transition: expected rows of probabilities that sum to 1, got [{row}] (sum {sums[s, a]:g}) "
                f"for state {STATES[s]}, category {a}"
            )
        return np.ascontiguousarray(table)


def _from_moves(up: FloatArray, down: FloatArray) -> FloatArray:
    if (up < 0).any() or (down < 0).any() or (up + down > 1 + 1e-9).any():
        raise ValueError("up, down: expected probabilities with up + down <= 1")
    table = np.zeros((*up.shape, S))
    for s in range(S):
        table[s, :, min(s + 1, S - 1)] += up[s]
        table[s, :, max(s - 1, 0)] += down[s]
        table[s, :, s] += 1 - up[s] - down[s]
    return table


class Record(Frozen):
    """What a run keeps: about this many log-spaced steps, this many users in full, this many bands of lambda."""

    steps: Annotated[int, Field(ge=1, le=200)] = 32
    users: Annotated[int, Field(ge=1)] = 20_000
    bands: Literal[5, 10, 20, 50, 100] = 20


_POTENCY, _GAIN, _AROUSAL = (1.0, 1.1, 0.8, 0.3), (0.6, 1.0, 1.5), (0.8, 0.9, 0.5, 0.05)

CATEGORIES = (
    Category(name="threat", post="Everything is collapsing. They are coming for what's left.", color="#D55E00"),
    Category(
        name="tribal",
        post="She DESTROYED the entire panel with one savage comeback. Watch.",
        color="#CC79A7",
    ),
    Category(name="validation", post="You see what others can't. You're one of the smart ones.", color="#E69F00"),
    Category(
        name="depth",
        post="How mass timber construction changes the structural load calculus for mid-rise buildings.",
        color="#0072B2",
    ),
)
REACTIVE = Profile(
    mean=tuple(tuple(round(g * p, 6) for p in _POTENCY) for g in _GAIN),
    std=tuple(tuple(round(0.6 * g * p, 6) for p in _POTENCY) for g in _GAIN),
    up=tuple(round(0.5 * arousal, 6) for arousal in _AROUSAL),
    down=tuple(round(0.4 * (1 - arousal), 6) for arousal in _AROUSAL),
)
INTENTIONAL = Profile(mean=(0.1, 0.1, 0.2, 1.0), std=0.15, up=0.03, down=0.4)


class Written(Frozen):
    """What scenarios of both worlds are: made of plain values, refused in one line, and written as TOML."""

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InputError(f"scenario: {one_line(error, type(self))}") from None

    def to_toml(self) -> str:
        """Return the scenario as TOML that `from_toml` reads back to an equal scenario."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))

    @classmethod
    def from_toml(cls, text: str, source: str = "scenario") -> Self:
        """Return the scenario in a TOML text; what it leaves out has its default."""
        return cls.from_values(parse_toml(text, source), source)

    @classmethod
    def from_values(cls, values: dict[str, Any], source: str = "scenario") -> Self:
        """Return the scenario made of nested plain values."""
        try:
            return cls(**values)
        except InputError as error:
            raise InputError(f"{source}: {str(error).removeprefix('scenario: ')}") from None


class Scenario(Written):
    """Everything that decides a run. `Scenario()` is the default; `Scenario.load` reads a preset or a TOML file.

    Raises InputError, with one clear line, for anything that cannot be simulated.

    >>> Scenario(users=10).policy.learning_rate
    0.1
    """

    name: Annotated[str, Field(min_length=1, max_length=80)] = "default"
    description: str = "A crowd from reactive to intentional, one recommender."
    users: Annotated[int, Field(ge=1, le=MAX_USERS)] = 100_000
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)] = 1500
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    policy: Policy = Policy()
    intensity: Intensity = Intensity()
    intervention: Intervention = Intervention()
    actions: Actions | None = None
    objective: Objective = Objective()
    reward: Reward = Reward()
    context: Context = Context()
    retrieval: Retrieval = Retrieval()
    record: Record = Record()
    population: Population = Population()
    reactive: Profile = REACTIVE
    intentional: Profile = INTENTIONAL
    categories: Annotated[tuple[Category, ...], Field(min_length=2, max_length=32)] = CATEGORIES

    @model_validator(mode="after")
    def _consistent(self) -> "Scenario":
        names = [category.name for category in self.categories]
        if len(set(names)) < len(names):
            raise ValueError(f"categories: expected distinct names, got {', '.join(names)}")
        for place in ("reactive", "intentional"):
            profile: Profile = getattr(self, place)
            try:
                mean, std = profile.table("mean", self.k), profile.table("std", self.k)
                profile.transition_table(self.k)
            except ValueError as error:
                raise ValueError(f"{place}.{error}") from None
            if (abs(mean) > MAX_REACTION).any():
                worst = mean.flat[abs(mean).argmax()]
                raise ValueError(f"{place}.mean: expected numbers within {MAX_REACTION:g} of zero, got {worst:g}")
            wrong = std[(std < 0) | (std > MAX_REACTION)]
            if wrong.size:
                raise ValueError(f"{place}.std: expected numbers from 0 to {MAX_REACTION:g}, got {wrong[0]:g}")
        if self.arms > MAX_ARMS:
            raise ValueError(
                f"intensity.rungs: expected at most {MAX_ARMS} categories times rungs, got {self.k} x "
                f"{self.intensity.rungs}; use {MAX_ARMS // self.k} rungs or fewer"
            )
        for rule in self.rules:
            rule.start_logits(self.arms), rule.reference_logits(self.arms)
        self._check_intervention()
        self._check_lens()
        self._check_lengths()
        check_reactions(self)
        return self

    def _check_intervention(self) -> None:
        change, (before, after) = self.intervention, self.rules
        posts = before.posts
        if change.at % posts:
            raise ValueError(
                f"intervention.at: expected a multiple of the session's {posts} posts, got {change.at}; "
                f"use {change.at // posts * posts}"
            )
        if change.meddles and learner_of(before, after) != "plain":
            raise ValueError(
                "intervention: exploration, quota, friction and swap need rules that learn from every post at once; "
                'use policy.rule = "reinforce" without further parts'
            )

    def _check_lens(self) -> None:
        before, after = self.rules
        self.reward.check(self.k)
        if self.actions is not None:
            self.actions.check(self.k)
        self.objective.check(self.actions, tuple(category.name for category in self.categories))
        self._check_objective()
        if self.reward.rate < 1 and learner_of(before, after) != "plain":
            raise ValueError(
                f"reward.rate: expected 1 with a rule that learns from whole sessions, got {self.reward.rate:g}; rate "
                'every post, fit a reward model to the ratings, or use policy.rule = "reinforce"'
            )
        if self.context.kappa > 0 and (before.beta > 0 or after.beta > 0):
            raise ValueError(
                "context.kappa: expected 0 with a leash, whose reference has no context; leave out policy.beta"
            )
        self.retrieval.check(self.intervention, before.posts, before.beta > 0 or after.beta > 0)

    def _check_objective(self) -> None:
        beside = {
            "intensity": self.intensity != Intensity(),
            "context.priming": self.context.priming != 0,
            "retrieval.corpus": self.retrieval.corpus is not None,
        }
        for place, asked in beside.items():
            if asked and self.objective.acts:
                raise ValueError(
                    f"objective: expected no {place} beside it, which changes the felt reaction and has no law for "
                    "actions; use one or the other"
                )

    def _check_lengths(self) -> None:
        parts = [("population", self.population)] if not self.population.segments else []
        parts += [(f"population.segments.{i}", part) for i, part in enumerate(self.population.segments)]  # type: ignore[misc]
        for place, part in parts:
            for name, value in part.susceptibility:
                if isinstance(value, tuple) and len(value) != self.k:
                    raise ValueError(
                        f"{place}.susceptibility.{name}: expected one number or {self.k} (one per category), "
                        f"got {len(value)}"
                    )

    @property
    def arms(self) -> int:
        """The number of things a policy chooses from: K categories times I rungs of intensity."""
        return self.k * self.intensity.rungs

    @property
    def arm_names(self) -> tuple[str, ...]:
        """The names of the arms: NAME of a category, or NAME/RUNG where there are rungs of intensity."""
        names, rungs = [category.name for category in self.categories], self.intensity.rungs
        return tuple(f"{name}/{rung}" if rungs > 1 else name for name in names for rung in range(rungs))

    @property
    def rules(self) -> tuple[Rule, Rule]:
        """The rule before the intervention, and the one after it."""
        return self.policy.to_rule(), (self.intervention.policy or self.policy).to_rule()

    @property
    def extended(self) -> bool:
        """Whether anything is beyond the plain loop: rungs of intensity, an intervention or a lens."""
        return self.intensity.acts or self.intervention.acts or self.lensed

    @property
    def lensed(self) -> bool:
        """Whether an objective, labels, context or retrieval stand between a person and what is learned of it."""
        return self.objective.acts or self.reward.acts or self.context.acts or self.retrieval.corpus is not None

    @property
    def k(self) -> int:
        """The number of categories, K."""
        return len(self.categories)

    @classmethod
    def load(cls, preset_or_file: str | Path) -> "Scenario":
        """Return a preset by name, or the scenario in a TOML file."""
        return cls.from_values(load_values(preset_or_file), str(preset_or_file))


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Return the values in a TOML text, or raise InputError naming the place of the mistake, or a broken seal."""
    check_text(text, source)
    try:
        values = tomllib.loads(text)
        check_depth(values)
        return values
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source}: not valid TOML: {reason_of(error)}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Return the values in a TOML file of at most 1 MiB, or raise InputError naming the file."""
    return parse_toml(read_text(path, MAX_TOML), str(path))


def presets() -> dict[str, dict[str, Any]]:
    """Return the presets that come with the package, as {name: values that differ from the default}."""
    folder = resources.files("mirrorfield.population") / "presets"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name.removesuffix(".toml"): parse_toml(f.read_text(encoding="utf-8"), f.name) for f in files}


def load_values(preset_or_file: str | Path) -> dict[str, Any]:
    """Return the values in a preset or in a TOML file, not yet validated."""
    known = presets()
    if str(preset_or_file) in known:
        return known[str(preset_or_file)]
    path = Path(preset_or_file)
    if path.is_file():
        return beside(read_toml(path), path.parent)
    hint = nearest(str(preset_or_file), known)
    raise InputError(f'"{preset_or_file}" is neither a preset nor a TOML file.{hint} Presets: {", ".join(known)}.')


def beside(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the values of a TOML file in a folder, with a relative `population.file` found from that folder.

    >>> beside({"population": {"file": "people"}}, Path("study"))["population"]["file"].replace(os.sep, "/")
    'study/people'
    """
    population = values.get("population")
    if not isinstance(population, dict) or not isinstance(population.get("file"), str):
        return values
    return values | {"population": population | {"file": os.path.normpath(folder / population["file"])}}
