"""Change one value of a scenario by its path: `policy.learning_rate=0.2`."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from mirrorfield.errors import InputError, nearest
from mirrorfield.population.action import DEFAULT, DEFAULT_CATEGORIES
from mirrorfield.population.base import brief
from mirrorfield.population.worlds import Some
from mirrorfield.reading import reason_of

INTENTIONALITY = "population.intentionality"


def parse_setting(text: str) -> tuple[list[str], Any]:
    """Return the path and value of a `section.key=value` setting; the value is read as TOML, else as text.

    >>> parse_setting("policy.learning_rate=0.2")
    (['policy', 'learning_rate'], 0.2)
    """
    path, equals, value = text.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise InputError(f'--set: expected section.key=value, got "{brief(text)}"')
    try:
        return keys, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return keys, value.strip()
    except (ValueError, RecursionError) as error:
        raise InputError(f"--set: {brief(path.strip())}: not a value: {reason_of(error)}") from None


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Return `section.key=value` settings as {path: value}.

    >>> parse_settings(["policy.learning_rate=0.2", "seed=3"])
    {'policy.learning_rate': 0.2, 'seed': 3}
    """
    return {".".join(keys): value for keys, value in map(parse_setting, texts)}


def apply_setting(values: dict[str, Any], keys: list[str], value: Any) -> None:
    """Set one value inside nested dictionaries and lists; raise InputError naming a part that is not there.

    A policy of the intervention that is not there yet begins as the policy before it, and actions as the default ones.
    """
    here: Any = values
    if keys[0] == "actions" and len(keys) > 1 and "categories" in values:
        values.setdefault("actions", _default_actions(values["categories"]))
    if keys[:2] == ["intervention", "policy"] and len(keys) > 2 and "intervention" in values:
        values["intervention"].setdefault("policy", dict(values["policy"]))
    for depth, key in enumerate(keys[:-1]):
        here = _inside(here, key, ".".join(keys[: depth + 1]))
    last = keys[-1]
    if isinstance(here, list):
        here[_index(here, last, ".".join(keys))] = value
    elif isinstance(here, dict):
        here[last] = value
    else:
        raise InputError(f"--set: {brief('.'.join(keys[:-1]))} is a single value, so it has no {brief(last)}")


def _default_actions(categories: Any) -> dict[str, Any]:
    """Return the default actions; raise InputError if the categories, not yet validated, are not those they are for."""
    listed = categories if isinstance(categories, list) else []
    if tuple(part.get("name") for part in listed if isinstance(part, dict)) != DEFAULT_CATEGORIES:
        raise InputError(
            "--set: actions: expected a scenario with actions of its own, for the default ones are for "
            f"{', '.join(DEFAULT_CATEGORIES)}; write them in a TOML file, such as [actions.dwell] with reactive = 3.0 "
            "and intentional = 2.0, and [[actions.kinds]] with name, reactive and intentional"
        )
    return DEFAULT.model_dump(mode="json", exclude_none=True)


def _inside(here: Any, key: str, place: str) -> Any:
    if isinstance(here, list):
        return here[_index(here, key, place)]
    if not isinstance(here, dict) or key not in here:
        known = list(here) if isinstance(here, dict) else []
        hint = nearest(key, known) or (f" Known: {', '.join(known)}." if known else "")
        raise InputError(f'--set: unknown key "{brief(place)}".{hint}')
    return here[key]


def _index(items: list[Any], key: str, place: str) -> int:
    if not key.isdecimal() or len(key) > len(str(len(items))) or int(key) >= len(items):
        raise InputError(f"--set: {brief(place)}: expected a position from 0 to {len(items) - 1}")
    return int(key)


def changed(scenario: Some, settings: Mapping[str, Any]) -> Some:
    """Return the scenario with values at dotted paths; raise InputError naming one that is not there or is refused.

    >>> from mirrorfield.population.scenario import Scenario
    >>> changed(Scenario(), {"intervention.quota": 0.6}).intervention.quota
    0.6
    """
    values = scenario.model_dump(mode="json", exclude_none=True)
    for path, value in settings.items():
        apply_setting(values, path.split("."), value)
    kind: Any = type(scenario)
    found: Some = kind.from_values(values)
    return found


def with_number(scenario: Some, path: str, value: float) -> Some:
    """Return the scenario with a number at a path; at population.intentionality it is everyone's lambda.

    Raises InputError naming a part of the path that is not there, or a number that the scenario refuses.

    >>> from mirrorfield.population.scenario import Scenario
    >>> with_number(Scenario(), "policy.learning_rate", 0.2).policy.learning_rate
    0.2
    """
    return changed(scenario, {path: {"distribution": "point", "value": value} if path == INTENTIONALITY else value})
