"""Put wrong formulas into a copy of the tree, one at a time, and see whether `verify` and the tests notice.

    python scripts/mutants.py                 all of mutants.toml: the claims that should notice, then the tests
    python scripts/mutants.py --quick         a few, by the claims only
    python scripts/mutants.py WORD ...        those whose line has one of these words

Everything runs as plain Python, so nothing is compiled. What is known is kept in a log, so a second call goes on where
the first one ended; a changed source begins anew. A mutant whose old text is not found exactly once is an error: a
formula that moves takes its mutant along. The exit code is 1 if one survives.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 900.0
PLAIN = {"NUMBA_DISABLE_JIT": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def claims_of(group: str) -> str:
    """Return the first claim of a group that fails, or ""."""
    from mirrorfield.validation.suite import verify

    return next((claim.text for claim in verify(True, (group,)) if not claim.holds), "")


def tests_of(nodes: str) -> str:
    """Return "" if tests pass, up to the first that fails; `nodes` are separated by " | "."""
    import pytest

    class Failing:
        name = ""

        def pytest_runtest_logreport(self, report: Any) -> None:
            self.name = self.name or (report.nodeid if report.failed else "")

    failing, options = Failing(), ["-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
    code = pytest.main([*options, *nodes.split(" | ")], plugins=[failing])
    return "" if code == 0 else failing.name or f"pytest ended with {int(code)}"


@dataclass(frozen=True)
class Mutant:
    """A wrong formula: where, what it replaces, what is wrong, and what should notice it; "" if nothing has to."""

    file: str
    old: str
    new: str
    what: str
    part: str
    claims: str
    test: str
    quick: bool = False


def load() -> list[Mutant]:
    """Return the mutants of mutants.toml; exit with the list of those that do not fit the tree."""
    mutants = [Mutant(**line) for line in tomllib.loads((ROOT / "scripts/mutants.toml").read_text())["mutants"]]
    wrong = []
    for mutant in mutants:
        times = (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old)
        if times != 1:
            wrong.append(f'{mutant.file}: expected the old text of "{mutant.what}" once, found it {times} times')
    if wrong:
        sys.exit("\n".join(wrong))
    return mutants


class Tree:
    """A copy of the sources and tests, in which one file at a time is wrong."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        for part in ("src", "tests", "scripts"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "static"))
        shutil.copy(ROOT / "pyproject.toml", folder)

    def ask(self, work: Callable[[str], str], given: str) -> str:
        """Do some work in a process of its own, with this tree's package; return what it found wrong, or ""."""
        said = self.root / "said"
        said.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            os._exit(self._alone(work, given, said))
        deadline = time.monotonic() + PATIENCE
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return "did not end"
            time.sleep(0.1)
        return said.read_text(encoding="utf-8") if said.exists() else "the process died"

    def _alone(self, work: Callable[[str], str], given: str, said: Path) -> int:
        quiet = os.open(self.root / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(quiet, 1), os.dup2(quiet, 2)
        os.chdir(self.root)
        sys.path.insert(0, str(self.root / "src"))
        os.environ["MIRRORFIELD_CACHE_DIR"] = str(self.root / "cache")
        try:
            found = work(given)
        except BaseException as error:
            found = f"{type(error).__name__}: {error}"
        said.write_text(found, encoding="utf-8")
        return 0

    def judge(self, mutant: Mutant, quick: bool) -> dict[str, Any]:
        """Return what notices a mutant: a claim and a test, "" where nothing does, None where nothing is asked."""
        path = self.root / mutant.file
        right = path.read_text(encoding="utf-8")
        path.write_text(right.replace(mutant.old, mutant.new), encoding="utf-8")
        try:
            found: dict[str, Any] = {"verify": self.ask(claims_of, mutant.claims) if mutant.claims else None}
            if not quick:
                found["tests"] = self.ask(tests_of, mutant.test)
        finally:
            path.write_text(right, encoding="utf-8")
        return found


def sources() -> str:
    """Return a hash of everything that can change a verdict."""
    digest = hashlib.sha256()
    for file in sorted(
        [*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "src").rglob("*.toml")]
    ):
        digest.update(file.read_bytes())
    return digest.hexdigest()


HERE: list[Tree] = []


def settle(folder: str) -> None:
    """Give a worker a tree of its own, and load what no mutant changes."""
    import pydantic  # noqa: F401
    import pytest  # noqa: F401
    import scipy.stats  # noqa: F401
    import xarray  # noqa: F401

    HERE.append(Tree(Path(tempfile.mkdtemp(dir=folder))))


def judged(mutant: Mutant, quick: bool) -> dict[str, Any]:
    """Return what notices a mutant in this worker's tree."""
    return HERE[0].judge(mutant, quick)


def clean(group: str, nodes: str) -> str:
    """Return what is wrong with a group of claims, or with the tests if it is "", where nothing should be."""
    return HERE[0].ask(claims_of, group) if group else HERE[0].ask(tests_of, nodes)


def main() -> None:
    """Judge the mutants, several at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--log", type=Path, default=Path(tempfile.gettempdir()) / "mirrorfield-mutants.jsonl")
    asked, state = parser.parse_args(), sources()
    mutants = [m for m in load() if (m.quick or not asked.quick)
               and (not asked.words or any(word in repr(m) for word in asked.words))]  # fmt: skip
    lines = asked.log.read_text().splitlines() if asked.log.exists() and not asked.quick else []
    known = {row["mutant"]: row["found"] for row in map(json.loads, lines) if row["sources"] == state}
    os.environ.update(PLAIN)
    sys.dont_write_bytecode = True
    nodes = " | ".join(sorted({node for mutant in mutants for node in mutant.test.split(" | ")}))
    groups = sorted({mutant.claims or "" for mutant in mutants} | {""})
    groups = [group for group in groups if f"clean {group}{nodes}" not in known and (group or not asked.quick)]
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(asked.jobs, get_context("fork"), settle, (folder,)) as pool,
    ):
        verdicts = {m: pool.submit(judged, m, asked.quick) for m in mutants if repr(m) not in known}
        sound = {group: pool.submit(clean, group, nodes) for group in groups}
        killed = 0
        for mutant in mutants:
            found = known[repr(mutant)] if mutant not in verdicts else verdicts[mutant].result()
            keep(asked, state, repr(mutant), found)
            alive = [who for who, said in found.items() if said == ""]
            killed += not alive
            by = f"SURVIVES {' and '.join(alive)}" if alive else " and ".join(w for w, said in found.items() if said)
            print(f"{by:22} {mutant.part:14} {mutant.what}", flush=True)
        for group, future in sound.items():
            if wrong := future.result():
                sys.exit(f"{group or 'tests'}: expected all to hold in the tree as it is, got: {wrong}")
            keep(asked, state, f"clean {group}{nodes}", "")
    print(f"killed {killed} of {len(mutants)}")
    sys.exit(killed < len(mutants))


def keep(asked: argparse.Namespace, state: str, mutant: str, found: Any) -> None:
    """Note a verdict, so that the next call need not find it again."""
    if not asked.quick:
        with asked.log.open("a") as log:
            log.write(json.dumps({"sources": state, "mutant": mutant, "found": found}) + "\n")


if __name__ == "__main__":
    main()
