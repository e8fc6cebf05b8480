"""The command line without its start: each call is a process of its own, forked from one that has loaded everything."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LOADED = """
import json, os, signal, sys, tempfile, time
import mirrorfield.report.page
from mirrorfield.cli.main import main

def run(*words):
    sys.argv = ["mirrorfield", *words]
    main()

if len(sys.argv) > 1:
    mirrorfield.report.page.write_report = lambda *_: "<html></html>"
with tempfile.TemporaryDirectory() as place:
    try:
        run("run", "--users", "2", "--steps", "2", "--threads", "1", "--quiet", "--out", place + "/x")
    except SystemExit as ended:
        assert not ended.code
for line in sys.stdin:
    words, cwd, out, err, seconds = json.loads(line)
    began = time.monotonic()
    if not (pid := os.fork()):
        os.chdir(cwd)
        for number, file in ((1, out), (2, err)):
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        run(*words)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), time.monotonic() - began, flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """How a process ended, what it said, and how long it took."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float


class Forks:
    """Calls of the command line, each in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], place: Path) -> None:
        self.process, self.place = process, place

    def __call__(self, *words: str, cwd: Path, seconds: float | None = None) -> Ended:
        """Return how a call ended, which is killed after so many seconds if that is said."""
        out, err = self.place / "out", self.place / "err"
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps([words, str(cwd), str(out), str(err), seconds]), file=self.process.stdin, flush=True)
        code, took = self.process.stdout.readline().split()
        said = (out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))
        return Ended(int(code), *said, float(took))


@contextmanager
def forks(page: bool = True) -> Iterator[Forks]:
    """Yield calls of the command line, which write the report's page or a stub."""
    command = [sys.executable, "-c", LOADED, *([] if page else ["stub"])]
    with (
        tempfile.TemporaryDirectory() as place,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        yield Forks(process, Path(place))


@cache
def _shared() -> Forks:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(forks())


def mirrorfield(*words: str, cwd: Path) -> Ended | subprocess.CompletedProcess[str]:
    """Return how a call of the command line in a folder ended, and what it said."""
    if hasattr(os, "fork"):
        return _shared()(*words, cwd=cwd)
    return fresh(*words, cwd=cwd)


def fresh(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Return the same of a process that starts from nothing, as a stranger's does."""
    command = [sys.executable, "-m", "mirrorfield", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
