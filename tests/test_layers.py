"""The layers import downwards only, and Numba is imported in one place."""

import ast
import subprocess
import sys
from pathlib import Path

import mirrorfield
from mirrorfield.version import DECIDING, VERSION

PACKAGE = Path(mirrorfield.__file__).parent
LAYER = {
    "arrays": 0, "errors": 0, "maths": 0, "maths64": 0, "reading": 0, "seal": 0, "streams": 0, "version": 0,
    "contract": 1, "model": 1, "policy": 2, "theory": 3, "kernel": 4, "population": 5, "metrics": 6, "store": 6,
    "people": 6, "recommenders": 6, "engine": 7, "calibration": 7, "world": 7,
    "gym": 8, "execution": 8, "validation": 8,
    "api": 9, "result": 9, "study": 9, "report": 9, "server": 9, "cli": 9,
    "__init__": 10, "__main__": 10,
}  # fmt: skip


def imports() -> list[tuple[str, str]]:
    found = []
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(file.relative_to(PACKAGE).as_posix(), name) for name in names]
    return found


def test_no_layer_imports_from_a_higher_one() -> None:
    for file, name in imports():
        if name.startswith("mirrorfield."):
            here, there = file.split("/")[0].removesuffix(".py"), name.split(".")[1]
            assert there not in LAYER or LAYER[there] <= LAYER[here], f"{file} imports {name}"


DECIDES_NOTHING = {"errors", "reading", "seal", "version"}


def test_sources_that_can_change_a_result_are_in_its_digest() -> None:
    """A run that was begun is continued, and a worker let in, by equal sources only: of both engines and all below."""
    below, found = {"engine", "population"}, set()
    while below - found:
        found |= below
        below = {
            name.split(".")[1]
            for file, name in imports()
            if name.startswith("mirrorfield.") and file.split("/")[0].removesuffix(".py") in found
        }
    assert found - DECIDES_NOTHING <= {part.removesuffix(".py") for part in DECIDING}


def test_every_part_has_a_layer() -> None:
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert parts == set(LAYER)


def test_the_package_runs_from_inside_its_own_folder() -> None:
    """There, its files stand before the standard library: none may have a name of that."""
    assert not {path.stem for path in PACKAGE.iterdir()} & sys.stdlib_module_names
    command = [sys.executable, "-m", "mirrorfield", "--version"]
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False)
    assert (done.stdout.splitlines()[0], done.stderr) == (f"mirrorfield {VERSION}", "")


def test_numba_is_imported_in_one_file() -> None:
    assert {file for file, name in imports() if name.split(".")[0] == "numba"} == {"kernel/jit.py"}


PUBLISHED = (
    *("metrics/concentration.py", "metrics/series.py", "metrics/summary.py", "store/dataset.py", "store/users.py"),
    *("population/run.py", "population/tables.py", "population/lens_tables.py", "kernel/memory.py"),
)
OF_THE_PROCESSOR = {
    *("log", "log2", "log10", "log1p", "exp", "exp2", "expm1", "pow", "power", "sin", "cos", "tanh"),
    *("geomspace", "logspace", "dot", "vdot", "inner", "matmul", "einsum", "tensordot"),
}
WHOLE_PRODUCTS = {"population/lens_tables.py"}  # of whole numbers, which are exact in any order


def test_what_is_published_as_bytes_is_computed_without_functions_that_differ_between_processors() -> None:
    for file in PUBLISHED:
        for node in ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8"))):
            product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
            assert not product or file in WHOLE_PRODUCTS, f"{file}:{node.lineno} multiplies matrices"
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np", "math"):
                assert node.attr not in OF_THE_PROCESSOR, f"{file}:{node.lineno} uses {ast.unparse(node)}"


def test_numpy_random_is_not_used_below_the_doors() -> None:
    for file in PACKAGE.rglob("*.py"):
        if file.relative_to(PACKAGE).parts[0] in {"model", "policy", "kernel", "population", "execution"}:
            assert "np.random" not in file.read_text(encoding="utf-8"), file
