"""One careless line costs a factor of six: LLVM must vectorise every loop over lanes of every mechanism."""

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from mirrorfield.kernel import extended, jit, plain  # noqa: F401, they define what is looked at

PROBE = """
import os, sys
import llvmlite.binding as llvm
from numba.core.caching import NullCache
import mirrorfield as mf
from mirrorfield.kernel import jit
from mirrorfield.kernel.updates import learner
from mirrorfield.population.run import plan_run, run_block
from mirrorfield.recommenders import Reinforce, boltzmann_q, exp3, tracked_means

habit = {"rungs": 2, "slope": 0.2, "eta": 0.1}
meddled = {"swap": 0.2, "quota": 0.7, "friction": 0.1, "exploration": 0.1, "nudge": -0.2, "at": 1}
for part in ({}, {"intensity": habit, "intervention": meddled}):
    run_block(plan_run(mf.Scenario(users=8, steps=2, **part)), 0, 8)
four = (Reinforce(), boltzmann_q, exp3, tracked_means)
rules = [(rule.form(by_state), rule.name, by_state) for rule in four for by_state in (True, False)]
for form, *_ in rules:
    learner(form.function, len(form.memory), len(form.numbers), form.by_state)
learner.cache_clear()
for kind in ("", "-missed", "-analysis"):
    llvm.set_option("", f"-pass-remarks{kind}=loop-vectorize")
for function in list(jit.LANEWISE):
    for signature, *_ in function._cache._cache_file._load_index():  # as kept on disk: a cached caller has no callees
        os.write(2, f"\\n# {function.py_func.__name__}\\n".encode())
        again = jit.lanewise(function.py_func)
        again._cache = NullCache()
        again.compile(signature)
for form, *name in rules:
    os.write(2, f"\\n# rule {name}\\n".encode())
    learner(form.function, len(form.memory), len(form.numbers), form.by_state)
"""


@pytest.fixture(scope="module", name="remarks")
def remarks_of_llvm() -> dict[str, list[str]]:
    """Return what LLVM says about the loops of every function over lanes, each compiled by itself."""
    done = subprocess.run([sys.executable, "-c", PROBE], env=os.environ, capture_output=True, text=True, check=True)
    said: dict[str, list[str]] = {}
    for part in done.stderr.split("\n# ")[1:]:
        name, *lines = part.splitlines()
        said.setdefault(name, []).extend(lines)
    return said


def loops_that_compute(function: Callable[..., Any]) -> int:
    """Return how many loops over lanes a function has, but for those that only copy or fill: they become calls."""
    tree = ast.parse(inspect.getsource(function))
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For) and ast.unparse(node.target) in ("j", "m")]
    simple = ast.Name | ast.Subscript
    return sum(
        any(not (isinstance(line, ast.Assign) and isinstance(line.value, simple)) for line in loop.body)
        for loop in loops
    )


@pytest.mark.slow
def test_every_loop_over_lanes_is_vectorised(remarks: dict[str, list[str]]) -> None:
    functions = {each.py_func.__name__: each.py_func for each in jit.LANEWISE}
    assert len(remarks) > 70 and not {name for name in remarks if not name.startswith("rule")} - set(functions)
    found = {name: sum("vectorized loop" in line for line in lines) for name, lines in remarks.items()}
    wanted = {name: loops_that_compute(functions[name]) if name in functions else 1 for name in found}
    assert sum(name.startswith("rule") for name in found) == 8
    assert {name: (found[name], wanted[name]) for name in found if found[name] < wanted[name]} == {}
