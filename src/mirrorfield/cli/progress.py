"""The progress line of a long run and what the package has to say meanwhile, on standard error."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from mirrorfield.cli.plain import printable


class UserSteps(ProgressColumn):
    """User-steps per second since the first finished block."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def render(self, task: Task) -> Text:
        """Return the rate as text."""
        speed = task.finished_speed or task.speed
        return Text("compiling" if speed is None else f"{speed * self.steps / 1e6:.0f} M user-steps/s")


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"mirrorfield: {printable(record.getMessage())}\n")


@contextmanager
def log_lines(quiet: bool) -> Iterator[None]:
    """Print what the package logs, one line each; if quiet, warnings only."""
    logger, handler = logging.getLogger("mirrorfield"), _Lines()
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


@contextmanager
def progress_line(users: int, steps: int, quiet: bool, done: int = 0) -> Iterator[Callable[[int], None] | None]:
    """Show users done, user-steps per second and time left; yield the function to call with users that finished.

    Parameters: users in the run; steps; quiet, show nothing; done, users that an earlier process finished.
    """
    if quiet:
        yield None
        return
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} / {task.total:,.0f} users"),
        UserSteps(steps),
        TimeRemainingColumn(),
    )
    began = time.perf_counter()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("simulating", total=users, completed=done)
        yield lambda done: progress.advance(task, done)
    seconds = time.perf_counter() - began
    line = f"{users - done:,} users x {steps:,} interactions in {seconds:.1f} s"
    console.print(line + (f"; {done:,} were done before" if done else ""), style="dim", highlight=False)
