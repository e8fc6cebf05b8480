"""Turn the lane kernel, written once for any K, into code for one K that LLVM can vectorise.

LLVM vectorises a loop over users only when nothing inside it is itself a loop, and only when it can see that rows do
not overlap. `template/` holds templates; this module writes the copy of some of them for one K, one after the other:

* `name[row, j]` becomes a place in the block's scratch array;
* the body of an `inlined` function stands wherever it is called;
* rows that live within one step are held in local variables inside each loop over lanes;
* a loop over categories `k` around a loop over lanes is unrolled, GROUP categories to a loop over lanes.

The copy does the additions of the template in the template's order. It is a module like any other: it runs as plain
Python too, and Numba keeps its machine code on disk.
"""

import ast
import os
import sys
import tempfile
from copy import deepcopy
from functools import cache
from itertools import accumulate
from pathlib import Path
from types import ModuleType
from typing import Any

from mirrorfield.arrays import S
from mirrorfield.kernel.jit import cache_folder, tell

TEMPLATES = Path(__file__).with_name("template")
PACKAGE_OF_TEMPLATES = "mirrorfield.kernel.template"
GROUP = 8

SINGLE = ("baseline", "baseline_lost", "state", "intentionality", "segment")
PASSING_SINGLE = (
    "choice_uniform",
    "noise",
    "transition_uniform",
    "largest",
    "total",
    "target",
    "inverse_total",
    "cumulative",
    "category",
    "gain",
    "chosen_mean",
    "chosen_std",
    "chosen_fall",
    "chosen_rise",
    "to_calm",
    "to_engaged",
    "to_hooked",
)
LOOKING = {"present": 1, "agreed": 1, "dwell": S, "crest": S}
SESSION_CELLS = ("learned", "prior", "log_policy", "log_old", "log_reference", "ratio", "pull", "pushed")
SESSION_STATES = ("peak", "prior_total", "pushed_total", "spread", "bonus", "value", "moved_value")
SESSION_SINGLE = ("start", "beta", "mean_k1", "stood", "before", "away", "post_ratio", "post_pull", "post_weight")
EXTENDED_ARMS = ("level", "opened", "odds")
EXTENDED_PASSING = ("share", "fullest", "rest", "chosen_level", "chosen_weight", "chosen_odds", "heard")
EXTENDED_LASTING = ("floor", "start_floor", "felt", "felt_lost", "seen", "leaning", "swapped", "odds_total")
EXTENDED_SINGLE = (*EXTENDED_LASTING, *EXTENDED_PASSING)
LENS_CELLS = ("label_mean", "label_std")
LENS_ARMS = ("tilt", "recent", "start_recent")
LENS_PASSING = ("rated", "label_noise", "chosen_label_mean", "chosen_label_std", "chosen_recent", "chosen_arm", "ahead")
LENS_SINGLE = ("recent_total", "start_recent_total", "reacted", "quality", *LENS_PASSING)
PLAIN_NAMES = {"odds": "weight", "odds_total": "total", "leaning": "intentionality"}
PASSING = (*PASSING_SINGLE, *SESSION_STATES, *SESSION_SINGLE, *EXTENDED_PASSING, *LENS_PASSING, "weight")
GROUPED = (
    *("logits", "mean", "std", "fall", "rise", "shown", "susceptibility", "weight"),
    *SESSION_CELLS,
    *EXTENDED_ARMS,
    *LENS_CELLS,
    *LENS_ARMS,
)
SCALARS = ("learning_rate", "serving", "world")
LEARNERS = {
    "plain": ("plain",),
    "sessions": ("tables", "steps", "sessions"),
    "groups": ("tables", "steps", "sessions"),
}


def lanes_for(arms: int, learner: str = "plain") -> int:
    """Return how many users share a block, so that one block's scratch stays in the nearest caches.

    Sessions have more to do per block besides its users, so their blocks are wider.
    """
    return (64 if arms <= 8 else 32) * (1 if learner == "plain" else 2)


def pitch(arms: int) -> int:
    """Return the rows from one state's table to the next: odd, so that tables do not compete for a cache set."""
    return arms | 1


def tables_of(learner: str) -> int:
    """Return for how many states a session has tables: all, or the one that a group of single posts is seen in."""
    return 1 if learner == "groups" else S


def first_rows(arms: int, learner: str = "plain", rungs: int = 0, lens: bool = False) -> dict[str, int]:
    """Return the first row of each quantity in a block's scratch array, and under "end" the number of rows.

    All rows that there is one of for every arm come first: LLVM has to see that they and the others do not overlap.
    """
    cells, session, tables = S * pitch(arms), learner != "plain", tables_of(learner)
    counts = dict.fromkeys(("logits", "mean", "std", "fall", "rise"), cells)
    counts |= dict.fromkeys(("shown", "susceptibility", "weight"), arms)
    counts |= dict.fromkeys(SESSION_CELLS * session, tables * pitch(arms))
    counts |= dict.fromkeys(LENS_CELLS * lens, cells)
    counts |= dict.fromkeys((*EXTENDED_ARMS, "held") * (rungs > 0), arms)
    counts |= dict.fromkeys((*LENS_ARMS, "found") * lens, arms)
    counts |= dict.fromkeys((*SINGLE, *PASSING_SINGLE), 1)
    counts |= LOOKING
    counts |= dict.fromkeys(SESSION_STATES * session, tables) | dict.fromkeys(SESSION_SINGLE * session, 1)
    counts |= dict.fromkeys(EXTENDED_SINGLE * (rungs > 0), 1) | dict.fromkeys(LENS_SINGLE * lens, 1)
    rows = dict(zip([*counts, "end"], accumulate(counts.values(), initial=0), strict=True))
    return rows if learner == "groups" else rows | {"learned": rows["logits"]}


def _is_loop(node: ast.AST, variable: str) -> bool:
    return isinstance(node, ast.For) and isinstance(node.target, ast.Name) and node.target.id == variable


def _is_passing(variable: str) -> bool:
    name, _, row = variable.rpartition("_")
    return name in PASSING and row.isdecimal()


class _Specialiser(ast.NodeTransformer):
    def __init__(self, learner: str, arms: int, lanes: int, rungs: int, lens: bool) -> None:
        self.first_row = first_rows(arms, learner, rungs, lens)
        self.lanes, self.grouped = lanes, False
        self.renamed = {} if rungs else PLAIN_NAMES
        self.phases: list[ast.stmt] = []
        self.constants = {"K": arms, "LANES": lanes, "PITCH": pitch(arms), "ROWS": self.first_row["end"]}
        self.constants |= {"RUNGS": max(1, rungs), "CATEGORIES": arms // max(1, rungs)}
        self.constants |= {"EXTENDED": int(rungs > 0), "LENS": int(lens), "WORDS": 20 if lens else 8 if rungs else 4}
        self.tables = tables_of(learner)
        one = self.tables == 1
        self.constants |= {"TABLES": self.tables, "ONE_TABLE": int(one), "STRIDE": 0 if one else arms}
        self.constants |= {f"{name.upper()}_ROW": row for name, row in self.first_row.items()}

    def value(self, node: ast.expr) -> Any:
        expression = ast.fix_missing_locations(ast.Expression(self.visit(deepcopy(node))))
        return eval(compile(expression, "<row>", "eval"), {"range": range})

    def place(self, name: str, row: ast.expr, lane: ast.expr, context: ast.expr_context) -> ast.Subscript:
        array, first = "scratch", self.first_row[name]
        if self.grouped:
            array = "group" if name in GROUPED else "single"
        if array == "single":
            first -= self.first_row[SINGLE[0]]
        try:
            index: ast.expr = ast.Constant((first + self.value(row)) * self.lanes)
        except NameError:
            absolute = ast.BinOp(ast.Constant(first), ast.Add(), self.visit(row))
            index = ast.BinOp(absolute, ast.Mult(), ast.Constant(self.lanes))
        return ast.Subscript(ast.Name(array, ast.Load()), ast.BinOp(index, ast.Add(), lane), context)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if isinstance(node.ctx, ast.Load) and node.id in self.constants:
            return ast.Constant(self.constants[node.id])
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id in self.constants:
            node.value = ast.Constant(self.constants[target.id])
            return node
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if isinstance(node.test, ast.Name) and node.test.id in self.constants:
            chosen = self.visit(ast.Module(node.body if self.constants[node.test.id] else node.orelse, []))
            assert isinstance(chosen, ast.Module)
            return chosen.body
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if self.tables == 1 and isinstance(node.func, ast.Name) and node.func.id == "of_state":
            only: ast.AST = self.visit(node.args[2])
            return only
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        name = self.renamed.get(name, name)
        if not isinstance(node.slice, ast.Tuple) or name not in self.first_row:
            return self.generic_visit(node)
        row, lane = node.slice.elts
        try:
            number = self.value(row)
        except NameError:
            return self.place(name, row, lane, node.ctx)
        if name in PASSING:
            return ast.Name(f"{name}_{number}", node.ctx)
        return self.place(name, ast.Constant(number), lane, node.ctx)

    def spill(self, loop: ast.For) -> ast.For:
        """Load the passing rows that a lane loop reads before its body, and store those it writes after it."""
        read: set[str] = set()
        written: set[str] = set()
        for node in ast.walk(ast.Module(loop.body, [])):
            if isinstance(node, ast.Name) and _is_passing(node.id):
                (read if isinstance(node.ctx, ast.Load) else written).add(node.id)
        loads: list[ast.stmt] = []
        stores: list[ast.stmt] = []
        for variable in sorted(read | written):
            name, _, row = variable.rpartition("_")
            here = (name, ast.Constant(int(row)), loop.target)
            if variable in read:
                loads.append(ast.Assign([ast.Name(variable, ast.Store())], self.place(*here, ast.Load())))
            if variable in written:
                stores.append(ast.Assign([self.place(*here, ast.Store())], ast.Name(variable, ast.Load())))
        loop.body = [*loads, *loop.body, *stores]
        return loop

    def every_state(self, loop: ast.For) -> list[ast.stmt]:
        body: list[ast.stmt] = []
        for s in range(self.tables):
            self.constants["s"] = s
            body += [self.visit(deepcopy(statement)) for statement in loop.body]
            del self.constants["s"]
        return body

    def lane_loop(self, inner: ast.For, categories: range) -> ast.For:
        body: list[ast.stmt] = []
        for k in categories:
            self.constants["k"] = k
            body += self.visit(ast.Module(deepcopy(inner.body), [])).body
            del self.constants["k"]
        return self.spill(ast.For(inner.target, self.visit(deepcopy(inner.iter)), body, []))

    def call_phase(self, inner: ast.For, start: int | str, count: int, loop: str) -> list[ast.stmt]:
        """Add a function that does `count` categories, and return the statement that calls it."""
        name = f"{self.function}_{len(self.phases)}"
        self.grouped = True
        lane_loop = self.lane_loop(inner, range(count))
        self.grouped = False
        names = {node.id for node in ast.walk(lane_loop) if isinstance(node, ast.Name)}
        scalars = "".join(f", {scalar}" for scalar in SCALARS if scalar in names)
        (phase,) = ast.parse(f"@compiled\ndef {name}(group, single{scalars}):\n    pass").body
        assert isinstance(phase, ast.FunctionDef)
        phase.body = [lane_loop]
        self.phases.append(phase)
        single = f"scratch[{self.first_row[SINGLE[0]] * self.lanes}:]"
        return ast.parse(f"{loop}{name}(scratch[{start}:], {single}{scalars})").body

    def unroll(self, loop: ast.For) -> list[ast.stmt]:
        (inner,) = loop.body
        assert isinstance(inner, ast.For)
        arms = self.constants["K"]
        groups, rest = divmod(arms, GROUP)
        if arms <= GROUP:
            return [self.lane_loop(inner, range(arms))]
        step = GROUP * self.lanes
        calls = self.call_phase(inner, f"g * {step}", GROUP, f"for g in range({groups}): ")
        return calls + (self.call_phase(inner, groups * step, rest, "") if rest else [])

    def visit_FunctionDef(self, node: ast.FunctionDef) -> list[ast.stmt]:
        self.function = node.name
        node = self.generic_visit(node)  # type: ignore[assignment]
        phases, self.phases = self.phases, []
        return [*phases, node]

    def visit_For(self, node: ast.For) -> ast.AST | list[ast.stmt]:
        if isinstance(node.iter, ast.Name) and node.iter.id == "EVERY_STATE":
            return self.every_state(node)
        if _is_loop(node, "k"):
            return self.unroll(node)
        node = self.generic_visit(node)  # type: ignore[assignment]
        return self.spill(node) if _is_loop(node, "j") else node


class _Inliner(ast.NodeTransformer):
    """Replace a call that is a statement by the body of the function; its parameters become variables."""

    def __init__(self, functions: list[ast.FunctionDef]) -> None:
        self.functions = {function.name: function for function in functions}

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        node.body = _fuse(node.body)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        call = node.value
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in self.functions):
            return node
        function = self.functions[call.func.id]
        given = zip((parameter.arg for parameter in function.args.args), call.args, strict=True)
        named = [(name, value) for name, value in given if not (isinstance(value, ast.Name) and value.id == name)]
        starts = [ast.Assign([ast.Name(name, ast.Store())], value) for name, value in named]
        body = self.visit(ast.Module(deepcopy(function.body[1:]), [])).body
        return [*starts, *body]


def _fuse(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements with neighbouring loops over lanes made one: lanes do not see each other."""
    fused: list[ast.stmt] = []
    last: ast.For | None = None
    for node in body:
        if isinstance(node, ast.For) and _is_loop(node, "j"):
            if last:
                last.body += node.body
                continue
            last = node
        else:
            last = None
        fused.append(node)
    return fused


def _is_inlined(node: ast.FunctionDef) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == "inlined" for mark in node.decorator_list)


def _template(name: str) -> list[ast.stmt]:
    """Return the statements of a template, but for its imports from other templates."""
    tree = ast.parse((TEMPLATES / f"{name}.py").read_text(encoding="utf-8"))
    return [
        node
        for node in tree.body
        if not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE_OF_TEMPLATES))
    ]


def specialised_source(learner: str, arms: int, lanes: int, rungs: int = 0, lens: bool = False) -> str:
    """Return the source of the lane kernel for K arms, with one of LEARNERS as the way it learns.

    With `rungs` > 0 it is the extended one, in which an arm is a category at one of that many rungs of intensity; with
    `lens` also the one in which labels, context and retrieval stand between a person and what is learned of it.
    """
    left_out = (() if rungs else ("serving", "intervention")) + (() if lens else ("lens",))
    names = ("posts", "serving", "lens", *LEARNERS[learner], "profiles", "intervention", "lanes")
    nodes = [node for name in names if name not in left_out for node in _template(name)]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef) and _is_inlined(node)]
    tree = _Inliner(functions).visit(ast.Module([node for node in nodes if node not in functions], []))
    return ast.unparse(ast.fix_missing_locations(_Specialiser(learner, arms, lanes, rungs, lens).visit(tree))) + "\n"


def _write(file: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.replace(temporary, file)
    except OSError:
        os.unlink(temporary)
        raise


def kept_source(name: str, source: str) -> Path | None:
    """Write a source where Numba keeps the code compiled from it; return None where nothing can be kept."""
    folder = cache_folder()
    if folder is None:
        return None
    file, content = folder / f"{name}.py", source.encode()
    try:
        if not file.exists() or file.read_bytes() != content:
            _write(file, content)
    except OSError as error:
        tell(f"kernel cache: cannot write {file} ({error.strerror}); compiled code is not kept")
        return None
    return file


@cache
def lane_kernel(
    arms: int, lanes: int | None = None, learner: str = "plain", rungs: int = 0, lens: bool = False
) -> ModuleType:
    """Return the compiled lane kernel for K arms, with `run_users`; `rungs` and `lens` as in `specialised_source`."""
    lanes = lanes or lanes_for(arms, learner)
    name = f"{learner}_{arms}_{lanes}" + (f"_{rungs}" if rungs else "") + ("_lens" if lens else "")
    source = specialised_source(learner, arms, lanes, rungs, lens)
    module = ModuleType(f"mirrorfield_{name}")
    sys.modules[module.__name__] = module
    exec(compile(source, kept_source(name, source) or f"<{name}>", "exec"), module.__dict__)
    return module
