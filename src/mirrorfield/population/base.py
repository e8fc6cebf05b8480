"""What every part of a scenario has in common: frozen, strict about names, one clear line for a mistake."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mirrorfield.arrays import FloatArray, S
from mirrorfield.errors import nearest

MAX_STEPS = 10_000_000
MAX_DEPTH = 4
SHOWN = 80
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Table = float | tuple[float, ...] | tuple[tuple[float, ...], ...]


class Frozen(BaseModel):
    """An immutable, validated part of a scenario."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, values: Any) -> Any:
        """Refuse true and false where they would count as 1 and 0, and lists in lists in lists."""
        for name, field in cls.model_fields.items() if isinstance(values, dict) else ():
            depth = _depth(values.get(name))
            if depth > MAX_DEPTH:
                raise ValueError(f"{name}: expected at most {MAX_DEPTH} lists inside one another")
            if bool not in (field.annotation, *get_args(field.annotation)) and _holds_truth(values.get(name)):
                raise ValueError(f"{name}: expected a number or text, got true or false")
        return values


def _depth(value: Any) -> int:
    """Return how many lists are inside one another, at most one more than may be."""
    depth, here = 0, [value]
    while depth <= MAX_DEPTH and any(isinstance(part, list | tuple) for part in here):
        here = [inner for part in here if isinstance(part, list | tuple) for inner in part]
        depth += 1
    return depth


def _holds_truth(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, list | tuple) and any(map(_holds_truth, value)))


def broadcast_table(values: Table, name: str, categories: int) -> FloatArray:
    """Return one number, one per category or one row per state as float64 (S, K); raise ValueError naming it."""
    try:
        table = np.broadcast_to(np.asarray(values, float), (S, categories))
    except ValueError:
        expected = f"one number, {categories} (one per category) or {S} rows of {categories}"
        raise ValueError(f"{name}: expected {expected}, got {_shape(values)}") from None
    if not np.isfinite(table).all():
        raise ValueError(f"{name}: expected finite numbers, got {float(table[~np.isfinite(table)][0])}")
    return np.array(table, order="C")


def _shape(values: Any) -> str:
    return " x ".join(str(n) for n in np.shape(values)) if np.shape(values) else "one number"


def shown(value: Any) -> str:
    """Return a value as a person may read it in a message, at most 80 characters of it.

    >>> shown("a"), shown([1] * 1000)[-3:]
    ("'a'", '...')
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} too long to show"
    return brief(text)


def brief(text: str) -> str:
    """Return the first 80 characters of a text.

    >>> len(brief("a" * 1000))
    80
    """
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


_WORDS = {
    "string_type": "text",
    "int_type": "an integer",
    "int_parsing": "an integer",
    "int_parsing_size": "a shorter integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "too_short": "a list of length {min_length} or more",
    "too_long": "a list of length {max_length} or less",
    "string_too_short": "text of length {min_length} or more",
    "string_too_long": "text of length {max_length} or less",
    "string_pattern_mismatch": "text of the form {pattern}",
    "union_tag_invalid": "a table with {discriminator} one of {expected_tags}",
    "union_tag_not_found": 'a table with {discriminator}, such as {{distribution = "point", value = 0.5}}',
}
"""What was expected, by pydantic's type of error, in words that a person who writes TOML knows."""
_LISTS, _TABLES = ("tuple_type", "list_type"), ("dict_type", "model_type", "model_attributes_type")
_TAGS = {"point", "uniform", "beta", "mixture", "lognormal", "dirichlet", "float", "int"}
_ALTERNATIVES = ("tuple[", "literal[", "constrained-")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _holders(model: type[BaseModel], location: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """Return the models that could hold the last part of a location."""
    here: list[type[BaseModel]] = [model]
    for part in location[:-1]:
        inner = [m for h in here if part in h.model_fields for m in _models(h.model_fields[str(part)].annotation)]
        here = inner or here
    return here


def _parts(location: tuple[int | str, ...]) -> list[int | str]:
    """Return a location without the names of alternatives, which are pydantic's and not the file's."""
    return [part for part in location if part not in _TAGS and not str(part).startswith(_ALTERNATIVES)]


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(brief(str(part)) for part in _parts(location))


def _expected(problem: Any, model: type[BaseModel]) -> str:
    """Return what was expected at one place, in words of this project."""
    kind, location = problem["type"], problem["loc"]
    if kind in _WORDS:
        return _WORDS[kind].format(**problem.get("ctx", {}))
    path = ".".join(brief(part) for part in _parts(location) if isinstance(part, str))
    if kind in _TABLES:
        return f"a table such as [[{path}]]" if isinstance(location[-1], int) else f"a table such as [{path}]"
    if kind in _LISTS:
        fields = [h.model_fields.get(str(_parts(location)[-1])) for h in _holders(model, tuple(_parts(location)))]
        of_tables = any(any(_models(field.annotation)) for field in fields if field)
        return f"a list of tables such as [[{path}]]" if of_tables else "a list"
    return str(problem["msg"]).removeprefix("Input should be ")


def _complaint(problems: Sequence[Any], model: type[BaseModel]) -> str:
    """Return what was expected and what came at the first place; where there are alternatives, every one of them."""
    first = problems[0]
    if first["type"] == "value_error":
        return str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "missing":
        return "expected a value, got none"
    here = [problem for problem in problems if _place(problem["loc"]) == _place(first["loc"])]
    words = dict.fromkeys(_expected(problem, model) for problem in here if problem["type"] != "value_error")
    return f"expected {' or '.join(words)}, got {shown(first['input'])}"


def one_line(error: ValidationError, model: type[BaseModel]) -> str:
    """Return a validation error as one line: where, what was expected, what came, what to do."""
    problems = error.errors(include_url=False)
    first = problems[0]
    place = _place(first["loc"])
    if first["type"] == "extra_forbidden":
        choices = sorted({name for m in _holders(model, first["loc"]) for name in m.model_fields})
        hint = nearest(str(first["loc"][-1]), choices) or f" Known: {', '.join(choices)}."
        line = f'unknown key "{place}".{hint}'
    else:
        message = _complaint(problems, model)
        line = f"{place}: {message}" if place else message
    others = len({_place(problem["loc"]) for problem in problems}) - 1
    return line + (f" (and {others} more)" if others else "")
