"""Ctrl-C and SIGTERM during a run: the first lets the running blocks finish, the second ends at once.

A launcher such as `uv run` may pass on a signal that the terminal has sent to the whole process group already, so what
comes within a second of the first signal is its echo.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from mirrorfield.cli.plain import printable

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = b"\x1b[?25h"
ECHO = 1.0


class Stop:
    """Whether a signal has asked the run to stop. Calling it tells, and that somebody listens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.signal, self.came = 0, 0.0
        self.listening = False

    def __call__(self) -> bool:
        self.listening = True
        return self.signal != 0

    @property
    def exit_code(self) -> int:
        """The exit code that tells which signal it was, as shells write it."""
        return 128 + self.signal

    def hint(self) -> str:
        """Return how to go on."""
        from mirrorfield.world.embedding.checkpoint import checkpoint_path

        begun = (self.folder / "job.json").exists() or checkpoint_path(self.folder).exists()
        return f"continue with `mirrorfield resume {self.folder}`" if begun else "nothing was begun"

    def handle(self, number: int, _: FrameType | None) -> None:
        """Take a signal. Every finished block is on the disk, so ending at once loses only what is running."""
        if self.signal and time.monotonic() - self.came < ECHO:
            return
        if self.listening and not self.signal:
            self.signal, self.came = number, time.monotonic()
            _tell(f"mirrorfield: finishing the running blocks; once more to end at once ({self.hint()})\n")
        else:
            _tell(f"mirrorfield: interrupted; {self.hint()}\n")
            os._exit(128 + number)


def _tell(line: str) -> None:
    terminal = sys.stderr.isatty()
    os.write(2, (b"\r" + SHOW_CURSOR if terminal else b"") + printable(line).encode())


@contextmanager
def stop_on_signals(folder: Path, kind: type[Stop] = Stop) -> Iterator[Stop]:
    """Yield the `Stop` of a run in a folder; signals are as before afterwards."""
    stop = kind(folder)
    before = {number: signal.signal(number, stop.handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
