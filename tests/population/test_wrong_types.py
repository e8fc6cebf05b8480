"""Values of a wrong type in every field of a scenario, a sweep and the facts: one line, in words of this project."""

import copy
import datetime
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from mirrorfield.errors import InputError
from mirrorfield.population.action import DEFAULT
from mirrorfield.population.base import Frozen, one_line
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.settings import changed
from mirrorfield.study.sweep import Sweep
from mirrorfield.validation.facts import Facts, facts

WRONG: list[Any] = [
    *(3, -5, 1.5, 10**400, float("nan"), "x", True, datetime.date(2026, 11, 26), None),
    *([], [1], ["x"], [None], [[[1]]], [{"a": 1}], {}, {"a": 1}),
]
PYDANTIC = re.compile(
    r"Input|input string|valid (?:dict|list|tuple|integer|number|string|boolean|date)|dictionary|instance|Tuple|should|"
    r"discriminator|constrained|[Uu]nable|after validation|pydantic|expected [A-Z]"
)
BETA = {"distribution": "beta", "a": 2.0, "b": 3.0}
PEOPLE: list[dict[str, Any]] = [
    {"intentionality": {"distribution": "point", "value": 0.5}, "susceptibility": {"distribution": "point"}},
    {"intentionality": {"distribution": "uniform"}, "susceptibility": {"distribution": "lognormal"}},
    {"intentionality": BETA, "susceptibility": {"distribution": "dirichlet"}},
    {"intentionality": {"distribution": "mixture", "components": [{"weight": 1.0, "of": BETA}]}},
    {"segments": [{"name": "a"}, {"name": "b"}]},
]
WHOLE: list[Frozen] = [
    Scenario(actions=DEFAULT, intervention={"at": 10, "policy": {"learning_rate": 0.2}}),
    *(Scenario(population=people) for people in PEOPLE),
    EmbeddingScenario(),
    Sweep(over={"policy.learning_rate": {"values": [0.1, 0.2]}}),
    Facts(fact=facts()[:1]),
]


def parts(model: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[BaseModel, tuple[str | int, ...]]]:
    """Yield every model inside a model, itself first, with its place."""
    if isinstance(model, BaseModel):
        yield model, place
        for name in type(model).model_fields:
            yield from parts(getattr(model, name), (*place, name))
    elif isinstance(model, dict | tuple):
        for key, inner in model.items() if isinstance(model, dict) else enumerate(model):
            yield from parts(inner, (*place, key))


def models(annotation: Any) -> set[type[BaseModel]]:
    """Return every model that a field with this annotation could hold, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}.union(*(models(field.annotation) for field in annotation.model_fields.values()))
    return set().union(*(models(part) for part in get_args(annotation)))


def told(whole: Frozen, place: tuple[str | int, ...], wrong: Any) -> str | None:
    """Return what is said of a wrong value at a place; None if it can be used there."""
    values = copy.deepcopy(whole.model_dump(mode="json", exclude_none=True))
    here: Any = values
    for part in place[:-1]:
        here = here[part]
    here[place[-1]] = wrong
    try:
        type(whole)(**values)
    except InputError as error:
        return str(error)
    except ValidationError as error:
        return one_line(error, type(whole))
    return None


def test_no_words_of_the_validator_reach_a_reader() -> None:
    done: set[tuple[type, str]] = set()
    lines = 0
    for whole in WHOLE:
        for part, place in parts(whole):
            for name in type(part).model_fields:
                if (type(part), name) in done:
                    continue
                done.add((type(part), name))
                said = [line for wrong in WRONG if (line := told(whole, (*place, name), wrong)) is not None]
                assert said or name in ("set", "over"), (place, name)
                for line in said:
                    assert not PYDANTIC.search(line.split(", got")[0]), line
                    assert "\n" not in line and re.search("expected|unknown key|not a preset|not read here", line), line
                lines += len(said)
    every = set().union(*(models(type(whole)) for whole in WHOLE))
    assert {model for model, _ in done} == every
    assert lines > 1500


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        ("policy", 3, "policy: expected the name of a rule, its parts or a Rule, got int"),
        ("record", 3, "record: expected a table such as [record], got 3"),
        ("actions.dwell", 3, "actions.dwell: expected a table such as [actions.dwell], got 3"),
        ("actions.kinds.0", "like", "actions.kinds.0: expected a table such as [[actions.kinds]], got 'like'"),
        ("actions.kinds", 3, "actions.kinds: expected a list of tables such as [[actions.kinds]], got 3"),
        ("categories", "a", "categories: expected a list of tables such as [[categories]], got 'a'"),
        ("population.segments", 3, "segments: expected a list of tables such as [[population.segments]], got 3"),
        ("policy.start", 3, "policy.start: expected a list, got 3"),
        ("users", "many", "users: expected an integer, got 'many'"),
        ("users", 1.5, "users: expected an integer, got 1.5"),
        ("name", 3, "name: expected text, got 3"),
        ("name", "", "name: expected text of length 1 or more, got ''"),
        ("policy.bootstrap", "maybe", "policy.bootstrap: expected true or false, got 'maybe'"),
        ("retrieval.count", "many", "retrieval.count: expected an integer or 'all', got 'many'"),
        ("reactive.mean", "high", "reactive.mean: expected a number or a list, got 'high'"),
        ("categories", [], "categories: expected a list of length 2 or more, got []"),
        ("population.intentionality", {"distribution": "normal"},
         "expected a table with 'distribution' one of 'point', 'uniform', 'beta', 'mixture', got"),
        ("population.intentionality", {"value": 1.0}, "expected a table with 'distribution', such as {distribution ="),
        ("population.weight", 1.0, 'unknown key "population.weight". Known: assign, assumed, file,'),
    ],
)  # fmt: skip
def test_a_wrong_type_is_told_as_a_file_has_it(setting: str, value: Any, line: str) -> None:
    with pytest.raises(InputError) as caught:
        changed(Scenario(), {setting: value})
    assert line in str(caught.value)


def test_actions_that_are_not_there_begin_as_the_default_ones() -> None:
    found = changed(Scenario(), {"actions.dwell.reactive": 3.0, "actions.kinds.1.intentional": 0.5})
    assert found.actions is not None and found.actions.dwell.reactive == 3.0
    assert found.actions.kinds[1] == DEFAULT.kinds[1].model_copy(update={"intentional": 0.5})
    assert found.actions.kinds[0] == DEFAULT.kinds[0] and found.actions.dwell.sigma == DEFAULT.dwell.sigma
    other = [{"name": name, "post": "x", "color": "#000000"} for name in ("one", "two")]
    plain = {"mean": 1.0, "std": 0.1, "up": 0.1, "down": 0.1}
    two = Scenario(categories=other, reactive=plain, intentional=plain)
    for scenario, settings in ((two, {}), (Scenario(), {"categories": 3})):
        with pytest.raises(InputError, match=r"--set: actions: expected .* TOML file, such as \[actions\.dwell\]"):
            changed(scenario, {**settings, "actions.dwell.reactive": 3.0})
