"""A rule of somebody's own in the lanes: its function is compiled into one loop over lanes, called by its address.

So the loops over posts are compiled once, whatever the rule, and a rule costs its own loop alone.
"""

import dis
import re
import types as python_types
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array, IntArray, S
from mirrorfield.errors import InputError
from mirrorfield.kernel import elementwise
from mirrorfield.kernel.beyond import Also
from mirrorfield.kernel.jit import (
    KNOWN_FUNCTIONS,
    CompileError,
    apart,
    array_at,
    at_address,
    compiled,
    fixed,
    lanewise,
    shared,
)
from mirrorfield.kernel.rows import HOOKED, At, Places, of_state, set_row
from mirrorfield.kernel.steps import invert
from mirrorfield.kernel.tables import put_back, select_table
from mirrorfield.maths import F32, HALF, ONE, ZERO
from mirrorfield.streams import U32

PLACES = 18
LIBRARY = re.compile(
    r'declare [^\n]*@"?(?:llvm\.)?((?:exp|exp2|expm1|log|log2|log10|log1p|pow|sin|cos|tan|sinh|cosh|tanh)f?)[."(]'
)


class Form(NamedTuple):
    """A rule of somebody's own: its function, what each arm's numbers start from, its parameters, what it sees."""

    function: Callable[..., Any]
    memory: tuple[float, ...]
    numbers: tuple[float, ...]
    by_state: bool  # a table of logits and of memory for every state, or one for all
    start: Any = None  # logits, (S, K), or None for 0


class Update(NamedTuple):
    """Where the compiled loop of a rule is, and its rows; address 0 for the REINFORCE that is built in."""

    address: int
    numbers: F32Array  # parameters
    places: IntArray  # (2, PLACES), what the loop is told: where the policy is served as it is, and where it is not
    seen: int  # row of the state whose table is used: everyone's, or zeros
    reward: int
    memory: slice  # rows of each number for every cell or, with two numbers, for every arm
    each: int  # how many of them there are of one number
    start: F32Array  # (2,), what they start from
    end: int  # how many rows there are in all


def built_in(at: At, end: int) -> Update:
    """Return the update of plain REINFORCE, in a block of so many rows."""
    none, nowhere = np.zeros(1, np.float32), np.zeros((2, PLACES), np.int64)
    return Update(0, none, nowhere, at.state, 0, slice(0, 0), 1, none, end)


def update_of(form: Form, at: At, lanes: int, also: Also | None = None) -> Update:
    """Return what runs a rule, with its rows after those of a block; `also`, those beyond the plain loop if it has any.

    Raises InputError as `learner` does.
    """
    arms = at.shown.stop - at.shown.start
    room = Places(also.end if also else at.end)
    propensity, nobody = room.one(), room.one()
    reward = also.reward if also else room.one()
    served = (also.odds.start, also.odds_total) if also else (0, 0)
    picks = form.by_state and bool(form.memory)
    memory = room.some(len(form.memory) * arms * S if picks else 2 * arms)
    picked = room.some(3 * arms if picks else 0)
    if picks:
        first = [picked.start, picked.start + arms, picked.start + 2 * arms]
    else:
        first = [at.logits.start, memory.start, memory.start + arms]
    seen = at.state if form.by_state else nobody
    rows = [at.logits.start, at.shown.start, at.weight.start, at.total, seen, at.arm, at.gain, reward, propensity]
    code = learner(form.function, len(form.memory), len(form.numbers), form.by_state)
    told = [room.end, lanes, arms, memory.start, *first, *rows]
    return Update(
        address=code.address,
        numbers=np.array(form.numbers or (0,), np.float32),
        places=np.array([[*told, at.weight.start, at.total], [*told, *served]], np.int64),
        seen=seen,
        reward=reward,
        memory=memory,
        each=arms * (S if picks else 1),
        start=np.array([*form.memory, 0, 0][:2], np.float32),
        end=room.end,
    )


def _read_by(function: Callable[..., Any]) -> set[str]:
    """Return the names of what a function reads of its arguments; newer interpreters read two at once."""
    loads = (each.argval for each in dis.get_instructions(function) if "LOAD_FAST" in each.opname)
    return {name for names in loads for name in ((names,) if isinstance(names, str) else names)}


@lanewise
def find_propensity(odds: Any, total: Any, arm: Any, row: Any) -> None:
    """Set a row to the probability with which the post shown was served."""
    for j in range(len(row)):
        row[j] = odds[U32(arm[j]), j] / total[j]


@cache
def learner(function: Callable[..., Any], memory: int, numbers: int, by_state: bool) -> Any:
    """Return the compiled loop of a rule with so many numbers for each arm and so many parameters.

    Raises InputError, in one line, for a function that cannot be compiled or that calls a mathematical library, whose
    last bits differ from one machine to the next.
    """
    loop = _loop(_in_lanes(function), memory, numbers, by_state, "propensity" in _read_by(function))
    try:
        code = at_address(loop)
    except CompileError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        told = next((line for line in lines if not line.startswith(("Failed", "During"))), "no reason is known")
        raise InputError(f"{function.__name__}: cannot be compiled: {told}") from None
    called = LIBRARY.search(code.inspect_llvm())
    if called:
        raise InputError(
            f"{function.__name__}: expected NumPy's {', '.join(sorted(elementwise.KNOWN))} and arithmetic, "
            f"got {called[1]}, which is not the same to the bit on every machine"
        )
    return code


def _in_lanes(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose numbers are float32, whose NumPy is the package's own, and whose helpers are like it."""

    def single(value: Any) -> Any:
        if value is np:
            return elementwise
        if isinstance(value, python_types.FunctionType) and value not in KNOWN_FUNCTIONS:
            return _in_lanes(value)
        return F32(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

    code = function.__code__
    names = {name: single(function.__globals__[name]) for name in code.co_names if name in function.__globals__}
    for name in code.co_names:
        if elementwise in names.values() and hasattr(np, name) and name not in names and name not in elementwise.KNOWN:
            known = ", ".join(sorted(elementwise.KNOWN))
            raise InputError(f"{function.__name__}: expected one of NumPy's {known}, got {name}")
    single_code = code.replace(co_consts=tuple(single(value) for value in code.co_consts))
    cells = tuple(python_types.CellType(single(cell.cell_contents)) for cell in function.__closure__ or ())
    made = python_types.FunctionType(single_code, function.__globals__ | names, function.__name__, None, cells)
    shared(made)
    return made


def _loop(update: Any, memory: int, numbers: int, by_state: bool, wanted: bool) -> Any:
    """Return the loop of a rule, over rows and places by their addresses; `wanted`, whether it reads the propensity."""
    width = max(1, numbers)
    if memory == 0:

        def step(x: Any, p: Any, c: Any, a: Any, r: Any, b: Any, one: Any, two: Any, given: Any) -> Any:
            return update(x, p, c, a, r, b, *given), one, two
    elif memory == 1:

        def step(x: Any, p: Any, c: Any, a: Any, r: Any, b: Any, one: Any, two: Any, given: Any) -> Any:
            logit, one = update(x, p, c, a, r, b, one, *given)
            return logit, one, two
    else:

        def step(x: Any, p: Any, c: Any, a: Any, r: Any, b: Any, one: Any, two: Any, given: Any) -> Any:
            return update(x, p, c, a, r, b, one, two, *given)

    shared(step)

    def learn(
        logits: Any, ones: Any, twos: Any, shown: Any, weight: Any, total: Any, arm: Any, gain: Any, reward: Any,
        propensity: Any, parameters: Any,
    ) -> None:  # fmt: skip
        given = fixed(parameters, width)[:numbers]
        for k in range(len(shown)):
            logit, one, two, count, row, here = logits[k], ones[k], twos[k], shown[k], weight[k], F32(k)
            for j in range(len(arm)):
                chosen = ONE if arm[j] == here else ZERO
                count[j] = count[j] + chosen
                x, p, q = step(
                    logit[j], row[j] * total[j], chosen, gain[j], reward[j], propensity[j], one[j], two[j], given
                )
                logit[j], one[j], two[j] = x, p, q

    def learn_by_state(
        logits: Any, shown: Any, weight: Any, total: Any, state: Any, arm: Any, gain: Any, reward: Any,
        propensity: Any, parameters: Any,
    ) -> None:  # fmt: skip
        given = fixed(parameters, width)[:numbers]
        arms = len(shown)
        for k in range(arms):
            calm, engaged, hooked = logits[k], logits[arms + k], logits[2 * arms + k]
            count, row, here = shown[k], weight[k], F32(k)
            for j in range(len(arm)):
                s, a, b, c = state[j], calm[j], engaged[j], hooked[j]
                chosen = ONE if arm[j] == here else ZERO
                count[j] = count[j] + chosen
                x, _, _ = step(
                    of_state(s, a, b, c),
                    row[j] * total[j],
                    chosen,
                    gain[j],
                    reward[j],
                    propensity[j],
                    ZERO,
                    ZERO,
                    given,
                )
                engaged[j] = b if s < HALF else (b if s > HOOKED else x)  # first: LLVM vectorises it in this order
                calm[j] = x if s < HALF else a
                hooked[j] = x if s > HOOKED else c

    alone, of_everyone, picks = apart(learn), apart(learn_by_state), by_state and memory > 0

    def learn_rows(first_row: Any, first_place: Any, first_number: Any) -> None:
        (
            height, lanes, arms, memory_row, logits, ones, twos, tables, shown, weight, total, state, arm, gain, reward,
            propensity, odds, odds_total,
        ) = fixed(array_at(first_place, PLACES), PLACES)  # fmt: skip
        rows, parameters, cells = array_at(first_row, (height, lanes)), array_at(first_number, width), S * arms
        if wanted:
            find_propensity(rows[odds : odds + arms], rows[odds_total], rows[arm], rows[propensity])
        invert(rows[total])
        if by_state and not picks:
            of_everyone(
                rows[tables : tables + cells], rows[shown : shown + arms], rows[weight : weight + arms], rows[total],
                rows[state], rows[arm], rows[gain], rows[reward], rows[propensity], parameters,
            )  # fmt: skip
            return
        if picks:
            select_table(rows[tables : tables + cells], rows[state], rows[logits : logits + arms])
            for i in range(memory):
                first, place = memory_row + i * cells, ones + i * arms
                select_table(rows[first : first + cells], rows[state], rows[place : place + arms])
        alone(
            rows[logits : logits + arms], rows[ones : ones + arms], rows[twos : twos + arms],
            rows[shown : shown + arms], rows[weight : weight + arms], rows[total], rows[arm], rows[gain], rows[reward],
            rows[propensity], parameters,
        )  # fmt: skip
        if picks:
            put_back(rows[logits : logits + arms], rows[state], rows[tables : tables + cells])
            for i in range(memory):
                first, place = memory_row + i * cells, ones + i * arms
                put_back(rows[place : place + arms], rows[state], rows[first : first + cells])

    return learn_rows


@compiled
def start_memory(rows: Any, update: Any) -> None:
    """Set everyone's numbers for every arm to what they start from."""
    memory = rows[update.memory]
    for i in range(len(memory)):
        set_row(update.start[i // update.each], memory[i])
