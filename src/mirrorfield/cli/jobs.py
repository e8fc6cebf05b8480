"""What `mirrorfield run` and `mirrorfield resume` share: a job run to its end, with progress, and its summary."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrorfield.cli.progress import log_lines, progress_line
from mirrorfield.cli.stopping import stop_on_signals
from mirrorfield.cli.table import stdout, summary_view
from mirrorfield.errors import StoppedError
from mirrorfield.population.scenario import Scenario

if TYPE_CHECKING:
    from mirrorfield.population.run import Plan
    from mirrorfield.store.job import Job


@dataclass(frozen=True)
class Shown:
    """How a command runs and what it prints: threads, Dask address, --quiet and --json."""

    threads: int | None
    dask: str | None
    quiet: bool
    json: bool

    @property
    def silent(self) -> bool:
        """Whether nothing but errors and warnings goes to standard error."""
        return self.quiet or self.json


def run_job(folder: Path, opening: "AbstractContextManager[Job]", shown: Shown) -> None:
    """Run the job in a folder to its end and print its summary; a signal stops it, and the error says how to go on."""
    from mirrorfield.api import execute

    with log_lines(shown.silent), _stopping(folder) as stop, opening as job:
        scenario, done = job.plan.scenario, job.gathering.users
        with progress_line(scenario.users, scenario.steps, shown.silent, done) as progress:
            result = execute(job.plan, shown.threads, progress=progress, dask=shown.dask, job=job, stopped=stop)
    print_result(folder, scenario, result.summary, shown)


@contextmanager
def _stopping(folder: Path) -> Iterator[Any]:
    with stop_on_signals(folder) as stop:
        try:
            yield stop
        except StoppedError as error:
            stopped = StoppedError(f"{error}; {stop.hint()}")
            stopped.exit_code = stop.exit_code
            raise stopped from None


def print_result(folder: Path, scenario: Scenario, summary: dict[str, Any], shown: Shown) -> None:
    """Print the summary as tables, as JSON or not at all."""
    from mirrorfield.store.folder import summary_text

    if shown.json:
        sys.stdout.write(summary_text(summary))
    elif not shown.quiet:
        console = stdout()
        console.print(summary_view(scenario, summary))
        console.print(f"Pictures: {folder / 'report.html'}", highlight=False, soft_wrap=True)


def go_on(folder: Path, shown: Shown, block: int | None = None, keep_all: bool | None = None) -> None:
    """Continue the run in a folder to its end, or say that it is finished.

    Parameters: folder; shown; block and keep_all, as they were asked for: InputError if the run has others.
    """
    from mirrorfield.api import reopen
    from mirrorfield.store.folder import is_result
    from mirrorfield.store.job import check_kept, continued
    from mirrorfield.store.lock import locked

    if not is_result(folder):
        continued(folder)
        with locked(folder):
            if not is_result(folder):
                run_job(folder, reopen(folder, shown.threads, block, keep_all), shown)
                return
    check_kept(folder, keep_all)
    _print_finished(folder, shown)


def print_if_finished(folder: Path, shown: Shown, plan: "Plan") -> bool:
    """Tell whether the run of a plan in a folder is finished, and if it is, say so or print its summary as JSON."""
    from mirrorfield.store.job import check_finished

    if not check_finished(folder, plan):
        return False
    _print_finished(folder, shown)
    return True


def _print_finished(folder: Path, shown: Shown) -> None:
    from mirrorfield.store.folder import read_result
    from mirrorfield.store.job import tidy_finished

    tidy_finished(folder)
    scenario, summary = read_result(folder)
    if shown.json:
        print_result(folder, scenario, summary, shown)
    elif not shown.quiet:
        line = f"{folder} is finished; see it with `mirrorfield show {folder}`"
        stdout().print(line, highlight=False, soft_wrap=True)
