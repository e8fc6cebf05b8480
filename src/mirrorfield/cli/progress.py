"""The progress line of a long run, on standard error."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class UserSteps(ProgressColumn):
    """User-steps per second since the first finished block."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def render(self, task: Task) -> Text:
        """Return the rate as text."""
        speed = task.finished_speed or task.speed
        return Text("compiling" if speed is None else f"{speed * self.steps / 1e6:.0f} M user-steps/s")


@contextmanager
def progress_line(users: int, steps: int, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """Show users done, user-steps per second and time left; yield the function to call with users done."""
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
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("simulating", total=users)
        yield lambda done: progress.advance(task, done)
    seconds = time.perf_counter() - began
    console.print(f"{users:,} users x {steps:,} interactions in {seconds:.1f} s", style="dim", highlight=False)
