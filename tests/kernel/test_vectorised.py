"""One careless line costs a factor of six: LLVM must vectorise every loop over lanes of every mechanism."""

import os
import subprocess
import sys

import pytest

PROBE = """
import os, sys
import llvmlite.binding as llvm
from numba.core.caching import NullCache
import mirrorfield as mf
from mirrorfield.kernel import jit
from mirrorfield.population.run import plan_run, run_block

habit = {"rungs": 2, "slope": 0.2, "eta": 0.1}
meddled = {"swap": 0.2, "quota": 0.7, "friction": 0.1, "exploration": 0.1, "nudge": -0.2, "at": 1}
for part in ({}, {"intensity": habit, "intervention": meddled}):
    run_block(plan_run(mf.Scenario(users=8, steps=2, **part)), 0, 8)
for kind in ("", "-missed", "-analysis"):
    llvm.set_option("", f"-pass-remarks{kind}=loop-vectorize")
for function in jit.LANEWISE:
    for signature in function.signatures:
        os.write(2, f"\\n# {function.py_func.__name__}\\n".encode())
        again = jit.lanewise(function.py_func)
        again._cache = NullCache()
        again.compile(signature)
"""
# A gather through a list of indices that another loop wrote, or one draw a person: scalar by nature.
SCALAR: set[str] = set()


@pytest.fixture(scope="module", name="remarks")
def remarks_of_llvm() -> dict[str, list[str]]:
    """Return what LLVM says about the loops of every function over lanes, each compiled by itself."""
    done = subprocess.run([sys.executable, "-c", PROBE], env=os.environ, capture_output=True, text=True, check=True)
    said: dict[str, list[str]] = {}
    for part in done.stderr.split("\n# ")[1:]:
        name, *lines = part.splitlines()
        said.setdefault(name, []).extend(lines)
    return said


@pytest.mark.slow
def test_every_loop_over_lanes_is_vectorised(remarks: dict[str, list[str]]) -> None:
    refused = {
        name: [line for line in lines if "not vectorized" in line and "already been vectorized" not in line]
        for name, lines in remarks.items()
    }
    assert {name: lines for name, lines in refused.items() if lines and name not in SCALAR} == {}


@pytest.mark.slow
def test_every_function_over_lanes_has_such_a_loop(remarks: dict[str, list[str]]) -> None:
    assert len(remarks) > 60
    assert {name for name, lines in remarks.items() if not any("vectorized loop" in line for line in lines)} == SCALAR
