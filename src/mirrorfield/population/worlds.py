"""The two worlds: people one by one with a policy each, and people in a space of items with one policy for all."""

from pathlib import Path
from typing import Any, TypeVar

from mirrorfield.errors import InputError
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.scenario import Scenario, load_values, parse_toml

AnyScenario = Scenario | EmbeddingScenario
Some = TypeVar("Some", bound=AnyScenario)
EMBEDDING = "embedding"


def scenario_of(values: dict[str, Any], source: str = "scenario") -> AnyScenario:
    """Return the scenario made of nested plain values: of the embedding world if `world` says so.

    >>> scenario_of({"world": "embedding"}).dimension
    16
    """
    world = values.get("world")
    if world not in (None, EMBEDDING):
        raise InputError(f'{source}: world: expected "{EMBEDDING}", or nothing for people one by one, got {world!r}')
    return (Scenario if world is None else EmbeddingScenario).from_values(values, source)


def scenario_of_toml(text: str, source: str = "scenario") -> AnyScenario:
    """Return the scenario in a TOML text; what it leaves out has its default."""
    return scenario_of(parse_toml(text, source), source)


def load_scenario(preset_or_file: str | Path) -> AnyScenario:
    """Return a preset by name, "embedding" among them, or the scenario in a TOML file."""
    if str(preset_or_file) == EMBEDDING:
        return EmbeddingScenario()
    return scenario_of(load_values(preset_or_file), str(preset_or_file))


def one_by_one(scenario: AnyScenario, what: str) -> Scenario:
    """Return the scenario; raise InputError, naming who asked for it, for one of the embedding world."""
    if isinstance(scenario, EmbeddingScenario):
        raise InputError(
            f"{what}: expected people one by one, each with a policy of their own, got the embedding world, where one "
            "policy serves all; use run, compare, tip or sweep"
        )
    return scenario
