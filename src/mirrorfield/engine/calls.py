"""Calls of objects that others wrote: what goes wrong in them is one line that names the method."""

import traceback
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.contract import Luck, name_of
from mirrorfield.errors import ContractError, MirrorfieldError
from mirrorfield.kernel import persons

WRONG = {
    persons.NOT_FINITE: "has a number that is not finite",
    persons.NEGATIVE: "has a probability below 0",
    persons.NOT_ONE: "does not sum to 1",
    persons.CLOSED: "gives an arm that may not be shown (seen.allowed) a probability above 0",
}


def call(thing: Any, method: str, *arguments: Any) -> Any:
    """Call a method; raise ContractError with the last line of its traceback and where it stands, if it raises."""
    return _told(f"{name_of(thing)}.{method}", getattr(thing, method), arguments)


def call_function(function: Any, *arguments: Any) -> Any:
    """Call a function or a class as `call` does a method."""
    return _told(getattr(function, "__name__", name_of(function)), function, arguments)


def _told(name: str, function: Any, arguments: tuple[Any, ...]) -> Any:
    try:
        return function(*arguments)
    except MirrorfieldError as error:
        raise ContractError(f"{name}: {error}") from None
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        last = traceback.format_exception_only(error)[-1].strip()
        raise ContractError(f"{name}: {last} ({Path(place.filename).name}, line {place.lineno})") from None


def numbers(thing: Any, method: str, values: Any, shape: tuple[int, ...]) -> FloatArray:
    """Return what a method gave as float64 of a shape; raise ContractError for anything that is not."""
    try:
        found = np.ascontiguousarray(values, float)
    except (TypeError, ValueError):
        raise ContractError(f"{name_of(thing)}.{method}: expected numbers, got {type(values).__name__}") from None
    if found.shape != shape:
        raise ContractError(f"{name_of(thing)}.{method}: expected an array of shape {shape}, got {found.shape}")
    return found


def distribution(thing: Any, values: Any, allowed: NDArray[np.bool_], first: int) -> FloatArray:
    """Return what `serve` gave as float64 (n, K), rows that sum to 1; raise ContractError for another."""
    policy = numbers(thing, "serve", values, allowed.shape)
    row, wrong = persons.first_wrong(policy, allowed)
    if row >= 0:
        shown = ", ".join(f"{p:.4g}" for p in policy[row][:8])
        raise ContractError(f"{name_of(thing)}.serve: the row of person {first + row} {WRONG[int(wrong)]}: [{shown}]")
    return policy


def finite(thing: Any, method: str, values: Any, shape: tuple[int, ...], first: int) -> FloatArray:
    """Return what a method gave as float64 of a shape; raise ContractError naming the first person without a number."""
    found = numbers(thing, method, values, shape)
    if not np.isfinite(found.sum()):
        flawed = np.flatnonzero(~np.isfinite(found))
        if len(flawed):
            raise ContractError(f"{name_of(thing)}.{method}: person {first + int(flawed[0])} has {found[flawed[0]]}")
    return found


def react(people: Any, memory: Any, shown: IntArray, luck: Luck, first: int) -> tuple[FloatArray, Any]:
    """Return people's reactions to the arms shown, float64 (n,), and what they have become; raise as `finite` does."""
    both = call(people, "react", memory, shown, luck)
    if not (isinstance(both, tuple) and len(both) == 2):
        raise ContractError(f"{name_of(people)}.react: expected (reactions, memory), got {type(both).__name__}")
    return finite(people, "react", both[0], (len(shown),), first), both[1]
