"""The two traps of Numba's disk cache: neither may come back."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mirrorfield
from mirrorfield.kernel import extended, jit, plain
from mirrorfield.kernel.jit import KEPT_FOLDERS, REACHING, remove_old, source_hash

PACKAGE = Path(mirrorfield.__file__).parent


@pytest.mark.parametrize("part", REACHING)
def test_an_edit_in_any_reaching_file_changes_the_cache(part: str, tmp_path) -> None:
    copy = tmp_path / "mirrorfield"
    shutil.copytree(PACKAGE, copy)
    before = source_hash(copy)
    file = copy / part if part.endswith(".py") else sorted((copy / part).glob("*.py"))[-1]
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert source_hash(copy) != before


SMALL = """
from mirrorfield.kernel.jit import entry
from mirrorfield.kernel.link import LINKED
from mirrorfield.model.profile import reaction


@entry
def felt(mean, std, normal):
    return reaction(mean, std, normal)
"""


@pytest.mark.slow
def test_an_edited_formula_in_another_file_is_never_answered_from_the_cache(tmp_path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "mirrorfield")
    (tmp_path / "mirrorfield/kernel/small.py").write_text(SMALL, encoding="utf-8")  # the kernel takes a minute
    code = "from mirrorfield.kernel.small import felt; print(felt(1.0, 0.5, 0.5))"

    def felt() -> float:
        environment = os.environ | {"PYTHONPATH": str(tmp_path), "MIRRORFIELD_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return float(done.stdout)

    assert felt() == felt() == 1.25
    assert list((tmp_path / "cache").rglob("small.felt-*.nbc"))
    formula = tmp_path / "mirrorfield/model/profile.py"
    text = formula.read_text(encoding="utf-8")
    assert "return mean + std * normal" in text
    formula.write_text(text.replace("return mean + std * normal", "return mean + mean"), encoding="utf-8")
    assert felt() == 2.0


def test_one_compilation_serves_every_number_of_categories(kernel_trace, scenario_with) -> None:
    for rule in ({}, {"rule": "grpo"}):
        kernel_trace(scenario_with(3, users=8, steps=2, policy=rule), 0, 8)
    compiled = {function: len(function.signatures) for function in (plain.run_users, extended.run_users)}
    for categories in (2, 4, 16):
        for changes in ({}, {"policy": {"rule": "ppo"}}, {"intensity": {"rungs": 2}}, {"context": {"kappa": 0.5}}):
            kernel_trace(scenario_with(categories, users=8, steps=2, **changes), 0, 8)
    assert compiled == {plain.run_users: 1, extended.run_users: 1}
    assert all(len(function.signatures) == 1 for function in compiled)


def test_folders_of_compiled_code_that_are_used_no_more_are_removed(tmp_path) -> None:
    for age in range(KEPT_FOLDERS + 3):
        folder = tmp_path / f"kernel-{age}"
        folder.mkdir(mode=0o700)
        (folder / "code.nbc").touch()
        os.utime(folder, (age, age))
    (tmp_path / "kernel-open").mkdir()
    (tmp_path / "kernel-open").chmod(0o777)
    (tmp_path / "other").mkdir()
    remove_old(tmp_path)
    kept = {f"kernel-{age}" for age in range(3, KEPT_FOLDERS + 3)}
    assert {folder.name for folder in tmp_path.iterdir()} == kept | {"kernel-open", "other"}


PLAIN = """
import mirrorfield as mf
from mirrorfield.kernel import plain
from mirrorfield.recommenders import exp3
scenario = mf.Scenario(users=4, steps=6, record={"steps": 2})
print(hasattr(plain.run_users, "signatures"))
print(mf.simulate(scenario).summary, mf.simulate(scenario, recommender=exp3).summary["recommender"])
"""


def test_mirrorfield_jit_0_runs_as_plain_python_to_the_same_figures() -> None:
    def printed(**environment: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", PLAIN], env=os.environ | environment, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()

    compiled, interpreted = printed(), printed(MIRRORFIELD_JIT="0")
    assert (compiled[0], interpreted[0]) == ("True", "False")
    assert compiled[1] == interpreted[1]


def test_code_for_compiled_code_alone_is_not_called_from_python() -> None:
    """It has no entry for Python: without this error the process would jump to address 0."""
    for function in (jit.compiled(lambda x: x), jit.lanewise(lambda x: x)):
        with pytest.raises(TypeError, match="is for compiled code alone; compile an `entry` that calls it"):
            function(1.0)
    jit.LANEWISE.pop()
