"""From the columns of a log to one reaction: a column, an expression over columns, or actions with weights."""

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.errors import InputError

MAX_LENGTH = 1000
Array = NDArray[np.float64]
Problem = tuple[NDArray[np.bool_], str]


def _defined(function: Callable[[Array], Array], least: float) -> Callable[[Array], Array]:
    return lambda x: np.where(x >= least, function(x), np.nan)


FUNCTIONS: dict[str, tuple[int, Callable[..., Array]]] = {
    "log1p": (1, _defined(np.log1p, 0.0)),
    "log": (1, _defined(np.log, math.ulp(0.0))),
    "sqrt": (1, _defined(np.sqrt, 0.0)),
    "exp": (1, np.exp),
    "abs": (1, np.abs),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}
BINARY: dict[type, Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
UNARY: dict[type, Callable[..., Any]] = {ast.USub: np.negative, ast.UAdd: np.positive}
COMPARED: dict[type, Callable[..., Any]] = {
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal,
    ast.Eq: np.equal, ast.NotEq: np.not_equal,
}  # fmt: skip
ALLOWED = (
    f"+ - * /, comparisons (1 if true, else 0), numbers, columns and {', '.join(FUNCTIONS)}; quote no column name, and "
    "rename a column that is no word"
)


@dataclass(frozen=True)
class Objective:
    """One reaction from the numbers in some columns; `of` takes them, each (E,), and returns reactions and problems.

    A problem is a mask (E,) of events and the reason why they cannot be used.
    """

    text: str
    columns: tuple[str, ...]
    of: Callable[[Sequence[Array]], tuple[Array, list[Problem]]]


def objective_of(reaction: str, header: Sequence[str]) -> Objective:
    """Return the objective that a text stands for: the column of that name, or else an expression over columns.

    An expression is parsed, never run as Python: sums, products, comparisons and a few functions of named columns.
    log1p and sqrt are defined from 0 on, log above 0; where the value is no finite number, the event cannot be used.

    Parameters: reaction; header, the names of the columns. Raises InputError for anything beyond that.

    >>> seen = objective_of("like + 0.5*log1p(dwell)", ("like", "dwell"))
    >>> seen.of([np.array([1.0, 0.0]), np.array([0.0, -3.0])])[0].tolist()
    [1.0, nan]
    """
    if reaction in header or not header:
        return Objective(reaction, (reaction,), lambda columns: (columns[0], []))
    tree = _parsed(reaction)
    names = tuple(dict.fromkeys(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id not in FUNCTIONS))
    if isinstance(tree, ast.Name):  # a lone word is a column, and the reader says that it is not there
        return Objective(reaction, (reaction,), lambda columns: (columns[0], []))
    if not names:
        raise InputError(
            f'The reaction "{reaction[:80]}" names no column: expected an expression such as "like + dwell".'
        )
    with np.errstate(all="ignore"):
        _value(tree, {name: np.zeros(1) for name in names}, reaction)

    def of(columns: Sequence[Array]) -> tuple[Array, list[Problem]]:
        with np.errstate(all="ignore"):
            found = np.asarray(_value(tree, dict(zip(names, columns, strict=True)), reaction), np.float64)
        return np.broadcast_to(found, columns[0].shape), []

    return Objective(reaction, names, of)


def _parsed(text: str) -> ast.expr:
    if len(text) > MAX_LENGTH:
        raise InputError(
            f"The reaction has {len(text):,} characters: expected an expression of at most {MAX_LENGTH:,}."
        )
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(
            f'The reaction "{" ".join(text.split())[:80]}" is neither a column nor an expression: expected {ALLOWED}.'
        ) from None


def _value(node: ast.AST, columns: Mapping[str, Array], text: str) -> Any:
    """Return what an expression is worth, node by node; raise InputError for a node that is not on the list."""
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number) if abs(number) <= 1e100:
            return float(number)
        case ast.Name(id=name) if name in columns:
            return columns[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return BINARY[type(op)](_value(left, columns, text), _value(right, columns, text))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
            return UNARY[type(op)](_value(operand, columns, text))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARED:
            return np.float64(1.0) * COMPARED[type(op)](_value(left, columns, text), _value(right, columns, text))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            count, function = FUNCTIONS[name]
            if len(args) == count:
                return function(*(np.asarray(_value(arg, columns, text), np.float64) for arg in args))
    shown = " ".join((ast.get_source_segment(text.strip(), node) or text).split())[:60]
    raise InputError(f'The reaction has "{shown}", which is not allowed: expected {ALLOWED}.')


def weighted_actions(actions: Mapping[str, str], weights: Mapping[str, float] | None) -> Objective:
    """Return the objective G = sum_i w_i x_i over actions, whose values x_i (counts, 0 or 1, seconds) are 0 or more.

    Parameters: actions, {name: column}; weights, {name: w}, 1 for an action that is not named; None for all 1.
    Raises InputError for no action, a weight of an action that is not there, and weights that are not finite or all 0.

    >>> reaction = weighted_actions({"like": "fav", "dwell": "seconds"}, {"dwell": 0.5})
    >>> reaction.of([np.array([1.0]), np.array([4.0])])[0].tolist()
    [3.0]
    """
    if not actions:
        raise InputError('actions: expected at least one, such as {"like": "column of likes"}, got none.')
    unknown = sorted(set(weights or {}) - set(actions))
    if unknown:
        raise InputError(f'weights: unknown action "{unknown[0]}"; the actions are {", ".join(actions)}.')
    weight = {name: float((weights or {}).get(name, 1.0)) for name in actions}
    wrong = [name for name, value in weight.items() if not math.isfinite(value)]
    if wrong:
        raise InputError(f"weights: expected finite numbers, got {weight[wrong[0]]:g} for {wrong[0]}.")
    if not any(weight.values()):
        raise InputError("weights: expected at least one that is not 0: with none, every reaction is 0.")

    def of(columns: Sequence[Array]) -> tuple[Array, list[Problem]]:
        total = np.zeros(len(columns[0]))
        problems = []
        for name, column in zip(actions, columns, strict=True):
            total += weight[name] * column
            problems += [(np.isnan(column), f"{name} is not a number"), (column < 0, f"{name} is negative")]
        return total, problems

    text = " + ".join(f"{value:g} {name}" for name, value in weight.items())
    return Objective(text, tuple(actions.values()), of)
