"""A progress bar for whoever asks for `progress=True`, on a terminal or in a notebook."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from mirrorfield.errors import InputError

Progress = Callable[[int], None] | bool | None


@contextmanager
def watched(progress: Progress, total: int | None, text: str = "simulating") -> Iterator[Callable[[int], None] | None]:
    """Yield the function to call with users that finished: that of a bar if `progress` is True, or what was given.

    Parameters: progress; total, all users, None if nobody knows; text beside the bar. The bar is on standard error, and
    only where a person looks: on a terminal, or in a notebook. Raises InputError for a `progress` that is neither a
    function nor True, False or None.
    """
    if progress is None or progress is False:
        yield None
        return
    if progress is not True:
        if not callable(progress):
            raise InputError(f"progress: expected True or a function of a number, got {progress!r}")
        yield progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if console.is_jupyter and find_spec("ipywidgets") is None:
        console = Console(stderr=True, force_jupyter=False, force_terminal=True, width=80)
    shown = console.is_jupyter or console.is_terminal
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Bar(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(text, total=total)
        yield lambda done: bar.advance(task, done)
    sys.stderr.flush()
