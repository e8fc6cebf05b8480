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
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CLAIMS = (
    "import sys; from mirrorfield.validation.suite import verify;"
    "wrong = next((claim.text for claim in verify(True, (sys.argv[1],)) if not claim.holds), None);"
    "print(wrong or ''); sys.exit(3 if wrong else 0)"
)
PATIENCE = 900.0
HOLDS, CLAIM_FAILS = 0, 3


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

    def run(self, *command: str) -> tuple[int, str]:
        """Run Python in the copy; return its exit code (124 for a timeout), and the failed test or its last line."""
        env = os.environ | {
            "PYTHONPATH": str(self.root / "src"), "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_DISABLE_JIT": "1",
            "MIRRORFIELD_CACHE_DIR": str(self.root / "cache"), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        }  # fmt: skip
        try:
            done = subprocess.run([sys.executable, *command], cwd=self.root, env=env, capture_output=True, text=True,
                                  timeout=PATIENCE)  # fmt: skip
        except subprocess.TimeoutExpired:
            return 124, "did not end"
        lines = (done.stdout.strip() or done.stderr.strip()).splitlines() or [""]
        return done.returncode, next((line for line in lines if line.startswith("FAILED")), lines[-1])

    def claims(self, group: str) -> tuple[int, str]:
        """Check a group of claims, up to the first that fails."""
        return self.run("-c", CLAIMS, group)

    def tests(self, nodes: str) -> tuple[int, str]:
        """Run tests, up to the first that fails; `nodes` are separated by " | "."""
        return self.run("-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *nodes.split(" | "))

    def judge(self, mutant: Mutant, quick: bool) -> dict[str, Any]:
        """Return who notices a mutant: the failing claim, the failing test, or None."""
        path = self.root / mutant.file
        right = path.read_text(encoding="utf-8")
        path.write_text(right.replace(mutant.old, mutant.new), encoding="utf-8")
        try:
            found: dict[str, Any] = {"verify": self._noticed(self.claims(mutant.claims)) if mutant.claims else ""}
            if not quick:
                found["tests"] = self._noticed(self.tests(mutant.test)) if mutant.test else ""
        finally:
            path.write_text(right, encoding="utf-8")
        return found

    @staticmethod
    def _noticed(ended: tuple[int, str]) -> str | None:
        code, said = ended
        return None if code == HOLDS else said or f"exit code {code}"


def sources() -> str:
    """Return a hash of everything that can change a verdict."""
    digest = hashlib.sha256()
    for file in sorted(
        [*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "src").rglob("*.toml")]
    ):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def clean(tree: Tree, mutants: list[Mutant], group: str) -> None:
    """Exit unless the claims of a group, or all tests if it is "", hold where nothing is wrong."""
    nodes = " | ".join(sorted({node for mutant in mutants for node in mutant.test.split(" | ")} - {""}))
    code, said = tree.claims(group) if group else tree.tests(nodes)
    if code != HOLDS:
        sys.exit(f"{group or 'tests'}: expected all to hold in the tree as it is, got: {said}")


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
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(asked.jobs) as pool:
        trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(asked.jobs):
            trees.put(Tree(Path(folder) / str(number)))

        def in_a_tree(work: Callable[..., Any], *given: Any) -> Any:
            tree = trees.get()
            try:
                return work(tree, *given)
            finally:
                trees.put(tree)

        groups = sorted({mutant.claims for mutant in mutants} - ({""} if asked.quick else set()))
        groups = [group for group in groups if f"clean {group}" not in known]
        sound = {group: pool.submit(in_a_tree, clean, mutants, group) for group in groups}

        def judged(mutant: Mutant) -> dict[str, Any]:
            if repr(mutant) not in known:
                known[repr(mutant)] = in_a_tree(Tree.judge, mutant, asked.quick)
                keep(asked, state, repr(mutant), known[repr(mutant)])
            return known[repr(mutant)]

        verdicts, killed = pool.map(judged, mutants), 0
        for group, future in sound.items():
            future.result()
            keep(asked, state, f"clean {group}", {})
        for mutant, found in zip(mutants, verdicts, strict=True):
            alive = [who for who, said in found.items() if said is None]
            killed += not alive
            by = (
                f"SURVIVES {' and '.join(alive)}" if alive else " and ".join(who for who, said in found.items() if said)
            )
            print(f"{by:22} {mutant.part:14} {mutant.what}", flush=True)
    print(f"killed {killed} of {len(mutants)}")
    sys.exit(killed < len(mutants))


def keep(asked: argparse.Namespace, state: str, mutant: str, found: dict[str, Any]) -> None:
    """Note a verdict, so that the next call need not find it again."""
    if not asked.quick and not (asked.words and mutant.startswith("clean")):
        with asked.log.open("a") as log:
            log.write(json.dumps({"sources": state, "mutant": mutant, "found": found}) + "\n")


if __name__ == "__main__":
    main()
