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
from mirrorfield.kernel.specialise import lane_kernel
module = lane_kernel({categories})
scratch = np.zeros(module.ROWS * module.LANES, np.float32)
module.interact(scratch, np.ones(4 * module.LANES, np.uint32), 0, 1, np.float32(0.1))
"""


@pytest.mark.slow
@pytest.mark.parametrize("categories", [2, 4, 8, 19])
def test_every_lane_loop_is_vectorised(categories: int, tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(categories=categories)],
        env=os.environ | {"MIRRORFIELD_CACHE_DIR": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    remarks = done.stderr.splitlines()
    refused = [line for line in remarks if "not vectorized" in line and "already been vectorized" not in line]
    assert not refused
    assert sum("vectorized loop" in line for line in remarks) >= 8
