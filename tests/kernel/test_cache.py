"""The two traps of Numba's disk cache: neither may come back."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mirrorfield
from mirrorfield.kernel.jit import REACHING, source_hash

PACKAGE = Path(mirrorfield.__file__).parent


@pytest.mark.parametrize("part", REACHING)
def test_an_edit_in_any_reaching_file_changes_the_cache(part: str, tmp_path) -> None:
    copy = tmp_path / "mirrorfield"
    shutil.copytree(PACKAGE, copy)
    before = source_hash(copy)
    file = copy / part if part.endswith(".py") else sorted((copy / part).glob("*.py"))[-1]
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert source_hash(copy) != before


@pytest.mark.slow
def test_an_edited_formula_in_another_file_is_never_answered_from_the_cache(tmp_path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "mirrorfield")
    code = (
        "from mirrorfield.population.run import *; from mirrorfield.population.scenario import Scenario;"
        "print(run_block(plan_run(Scenario(users=64, steps=5)), 0, 64).sample.mean_reaction[-1].sum())"
    )

    def reaction_sum() -> float:
        environment = os.environ | {"PYTHONPATH": str(tmp_path), "MIRRORFIELD_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return float(done.stdout)

    before = reaction_sum()
    formula = tmp_path / "mirrorfield/model/profile.py"
    text = formula.read_text(encoding="utf-8")
    assert "return mean + std * normal" in text
    formula.write_text(text.replace("return mean + std * normal", "return mean + mean"), encoding="utf-8")
    assert reaction_sum() > 1.5 * before


@pytest.mark.slow
def test_a_kernel_chosen_in_one_process_is_not_answered_for_another_in_the_next(tmp_path) -> None:
    """The lane kernel is made for one K and lane count; the cache must not give one for the other."""
    code = (
        "import sys, numpy as np; from mirrorfield.kernel.specialise import lane_kernel;"
        "module = lane_kernel(int(sys.argv[1]), 16); s = np.ones(module.ROWS * module.LANES, np.float32);"
        "module.advance(s, np.arange(1, 65, dtype=np.uint32), (), 0, 3, np.float32(0.1), (), ());"
        "print(len(s), repr(s.sum()))"
    )

    def answer(categories: int, cache: str) -> str:
        environment = os.environ | {"MIRRORFIELD_CACHE_DIR": str(tmp_path / cache)}
        done = subprocess.run(
            [sys.executable, "-c", code, str(categories)], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    shared = [answer(k, "shared") for k in (3, 5, 3)]
    assert shared == [answer(3, "three"), answer(5, "five"), shared[0]]


def test_different_shapes_are_different_modules() -> None:
    from mirrorfield.kernel import lane_kernel

    assert lane_kernel(4).run_users is not lane_kernel(5).run_users
    assert lane_kernel(4) is lane_kernel(4)
