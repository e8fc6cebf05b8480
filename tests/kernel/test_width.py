"""How wide the vectors are that LLVM uses, and that it is told rightly."""

import os
import subprocess
import sys

import pytest

from mirrorfield.kernel.jit import features_for, vector_bits

BEFORE = "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+avx,+avx2,+fma"
WIDE = BEFORE + ",+avx512f,+avx512vl,+avx512bw,+avx512dq"
PROBE = """
import numba
from mirrorfield.kernel import jit

@numba.njit
def square(a, b):
    for j in range(len(a)):
        b[j] = a[j] * a[j] + b[j]

row = numba.float32[::1]
square.compile((row, row))
print(*square.inspect_asm().values())
"""


@pytest.mark.parametrize(
    ("processor", "features", "bits"),
    [
        ("sapphirerapids", WIDE, 512),
        ("icelake-server", WIDE, 512),
        ("cascadelake", WIDE, 256),
        ("znver5", WIDE, 512),
        ("haswell", BEFORE, 256),
    ],
)
def test_llvm_uses_vectors_as_wide_as_is_told(processor: str, features: str, bits: int) -> None:
    asked = features_for(processor, features)
    env = os.environ | {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": asked}
    done = subprocess.run([sys.executable, "-c", PROBE], env=env, capture_output=True, text=True, check=True)
    assert vector_bits(processor, asked) == bits
    assert ("%zmm" in done.stdout) == (bits == 512) and "%ymm" in done.stdout
