"""Nearly valid: bytes and nested values with parts replaced, cut, repeated or flipped."""

import copy
import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w
from hypothesis import strategies as st

sys.set_int_max_str_digits(0)
DECIMALS = str(16**5000)
sys.set_int_max_str_digits(4300)
LONG, DEEP, HUGE = "x" * 5000, "[" * 3000, "0x" + "f" * 5000
VALUES: list[Any] = [
    True,
    False,
    None,
    -1,
    0,
    1,
    2**31,
    2**63,
    10**20,
    16**5000,
    -0.5,
    0.3,
    1e20,
    1e308,
    -1e308,
    5e-324,
    math.inf,
    math.nan,
    "",
    "a",
    "\0",
    "a\nb",
    "[/b]",
    LONG,
    "1979-05-27",
    [],
    [1],
    [True],
    [[1, 2], [3]],
    [[[[[[1]]]]]],
    {},
    {"a": 1},
    {"distribution": "beta"},
    "posts",
    "../../x",
    "\u202e",
    "é" * 61,
    [0.1] * 40,
    [[0.5] * 4] * 3,
]
TOKENS = [
    b"",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n\n",
    b'"',
    b"'",
    b",",
    b"=",
    b"[[",
    b"nan",
    b"inf",
    b"1e999",
    b"-0",
    b"9" * 5000,
    HUGE.encode(),
    DEEP.encode(),
    b"{" * 2000,
    b"x.x." * 2000 + b"x=1\n",
    b"'" * 3,
    b"\\ud800",
    b"0001-01-01T00:00:00+14:00",
    b"9999-12-31T23:59:59-14:00",
    b"(",
    b"1, 2, 3)",
    b"9" * 18,
    b"|O",
    b"<U9999",
    b"\x7f" * 8,
]


class Reader(NamedTuple):
    """How often a reader gets its turn, the inputs it gets, and what it does with them in an empty folder."""

    share: int
    inputs: st.SearchStrategy[Any]
    read: Callable[[Path, Any], None]


class Canary:
    """An object that, when unpickled, makes the file that an environment variable names."""

    def __reduce__(self) -> Any:
        return os.system, ('touch "$MIRRORFIELD_CANARY"',)


cuts = st.tuples(st.integers(0, 5), st.integers(0, 2**32), st.sampled_from(TOKENS) | st.binary(max_size=6))


def mutate(data: bytes, plan: list[tuple[int, int, bytes]]) -> bytes:
    """Return bytes cut off, flipped, overwritten, inserted into, repeated or taken out, as a plan says."""
    for kind, number, token in plan:
        at = number % (len(data) + 1)
        until = min(len(data), at + 1 + number % 13)
        data = (
            data[:at],
            data[:at] + bytes(x ^ (1 << number % 8) for x in data[at : at + 1]) + data[at + 1 :],
            data[:at] + token + data[at + len(token) :],
            data[:at] + token + data[at:],
            data[:until] + data[at:],
            data[:at] + data[until:],
        )[kind]
    return data


def mutated(valid: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Return valid bytes with up to 3 changes, or, one time in ten, bytes from nowhere."""
    plans = st.lists(cuts, max_size=3)
    return st.integers(0, 9).flatmap(lambda n: st.binary(max_size=200) if n == 0 else st.builds(mutate, valid, plans))


def places(values: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to all parts of nested values."""
    pairs = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    return [*([here] if here else []), *(found for key, inner in pairs for found in places(inner, (*here, key)))]


def replaced(values: Any, changes: list[tuple[int, Any, str]]) -> Any:
    """Return nested values with parts replaced, each at its path or under a new key beside it."""
    values = copy.deepcopy(values)
    for number, value, key in changes:
        spots = places(values)
        if not spots:
            break
        *path, last = spots[number % len(spots)]
        here = values
        for step in path:
            here = here[step]
        here[key if key and isinstance(here, dict) else last] = copy.deepcopy(value)
    return values


def remade(values: Any, most: int = 3) -> st.SearchStrategy[Any]:
    """Return nested values with up to `most` parts replaced by hostile ones."""
    keys = st.sampled_from(["", "", "", "stepz", LONG, "\0"])
    change = st.tuples(st.integers(0, 2**20), st.sampled_from(VALUES), keys)
    return st.builds(replaced, st.just(values), st.lists(change, max_size=most))


def without_none(values: Any) -> Any:
    """Return values as TOML can say them."""
    if isinstance(values, dict):
        return {key: without_none(value) for key, value in values.items() if value is not None}
    return [without_none(v) for v in values if v is not None] if isinstance(values, list) else values


def toml(values: Any) -> bytes:
    """Return nested values as TOML, integers too long for decimals in hexadecimal."""
    sys.set_int_max_str_digits(0)
    text = tomli_w.dumps(without_none(values))
    sys.set_int_max_str_digits(4300)
    return text.replace(DECIMALS, HUGE).encode("utf-8", "surrogatepass")


def as_json(values: Any) -> bytes:
    """Return nested values as JSON, NaN included."""
    sys.set_int_max_str_digits(0)
    text = json.dumps(values)
    sys.set_int_max_str_digits(4300)
    return text.encode()


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write files by their paths below a folder."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
