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
import os
from collections import Counter
import llvmlite.binding as llvm
from numba.core.caching import NullCache
import mirrorfield as mf
from mirrorfield.kernel import jit
from mirrorfield.kernel.updates import learner
from mirrorfield.population.run import plan_run, run_block
from mirrorfield.recommenders import Reinforce, boltzmann_q, exp3, tracked_means

told = Counter()

def head(name):
    told[name] += 1
    os.write(2, f"\\n# {name}\\n".encode())

def named(library, optimise=jit._optimise):
    head(library.name)
    optimise(library)
    head("")

for kind in ("", "-missed", "-analysis"):
    llvm.set_option("", f"-pass-remarks{kind}=loop-vectorize")
jit._optimise = named
habit = {"rungs": 2, "slope": 0.2, "eta": 0.1}
meddled = {"swap": 0.2, "quota": 0.7, "friction": 0.1, "exploration": 0.1, "nudge": -0.2, "at": 1}
for part in ({}, {"intensity": habit, "intervention": meddled}):
    run_block(plan_run(mf.Scenario(users=8, steps=2, **part)), 0, 8)
for function in list(jit.LANEWISE):
    signatures = function._cache._cache_file._load_index()  # as kept on disk: a cached caller has no callees
    for signature, *_ in signatures if told[function.py_func.__qualname__] < len(signatures) else ():
        again = jit.lanewise(function.py_func)
        again._cache = NullCache()
        again.compile(signature)
jit._optimise = named.__defaults__[0]
for rule in (Reinforce(), boltzmann_q, exp3, tracked_means):
    for by_state in (True, False):
        form = rule.form(by_state)
        head(f"rule {rule.name} {by_state}")
        learner(form.function, len(form.memory), len(form.numbers), by_state)
"""


@pytest.fixture(scope="module", name="remarks")
def remarks_of_llvm() -> list[tuple[str, int]]:
    """Return how many loops LLVM vectorised in every function over lanes, each time that one was compiled.

    What is not in the cache of compiled code is put there on the way; what is there is compiled again.
    """
    done = subprocess.run([sys.executable, "-c", PROBE], env=os.environ, capture_output=True, text=True, check=True)
    lanewise = {each.py_func.__qualname__ for each in jit.LANEWISE}
    parts = (part.partition("\n") for part in done.stderr.split("\n# ")[1:])
    found = [(name, said.count("vectorized loop")) for name, _, said in parts]
    return [(name, count) for name, count in found if name in lanewise or name.startswith("rule ")]


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
@pytest.mark.warm
def test_every_loop_over_lanes_is_vectorised(remarks: list[tuple[str, int]]) -> None:
    functions = {each.py_func.__qualname__: each.py_func for each in jit.LANEWISE}
    wanted = {name: loops_that_compute(functions[name]) if name in functions else 1 for name, _ in remarks}
    assert len(wanted) > 70 and sum(name.startswith("rule") for name in wanted) == 8
    assert [(name, found, wanted[name]) for name, found in remarks if found < wanted[name]] == []
