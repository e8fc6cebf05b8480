"""One careless line costs a factor of six: LLVM must vectorise every loop over lanes."""

import os
import subprocess
import sys

import pytest

PROBE = """
import llvmlite.binding as llvm
for kind in ("", "-missed", "-analysis"):
    llvm.set_option("", f"-pass-remarks{{kind}}=loop-vectorize")
import numpy as np
from mirrorfield.kernel.ready import ready
from mirrorfield.kernel.trace import empty_trace
from mirrorfield.policy.presets import preset
code, rule, memory, *_ = ready(preset("{rule}"), {categories})
scratch = np.zeros(code.ROWS * code.LANES, np.float32)
code.{function}
"""


def remarks(rule: str, categories: int, function: str, folder) -> list[str]:
    """Return what LLVM says about the loops of a function of the lane kernel."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(rule=rule, categories=categories, function=function)],
        env=os.environ | {"MIRRORFIELD_CACHE_DIR": str(folder)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stderr.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("categories", [2, 4, 8, 19])
def test_every_lane_loop_is_vectorised(categories: int, tmp_path) -> None:
    function = "advance(scratch, np.ones(4 * code.LANES, np.uint32), memory, 0, 1, rule, (), ())"
    said = remarks("reinforce", categories, function, tmp_path)
    refused = [line for line in said if "not vectorized" in line and "already been vectorized" not in line]
    assert not refused
    assert sum("vectorized loop" in line for line in said) >= 8


@pytest.mark.slow
def test_the_loops_that_record_are_vectorised(tmp_path) -> None:
    said = remarks("reinforce", 4, "record(scratch, empty_trace(1, 4, code.LANES), 0, 0, ())", tmp_path)
    assert sum("vectorized loop" in line for line in said) >= 10


@pytest.mark.slow
def test_the_loops_that_learn_from_a_session_are_vectorised(tmp_path) -> None:
    said = remarks("ppo", 4, "learn(scratch, memory, rule, 0)", tmp_path)
    assert sum("vectorized loop" in line for line in said) >= 40
