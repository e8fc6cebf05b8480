"""`mirrorfield embedding`: people and items as vectors, and one policy for all."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from mirrorfield.cli.asked import Seed, Settings, Steps, Threads, Users, progress_bar, typed_command
from mirrorfield.cli.stopping import Stop, stop_on_signals
from mirrorfield.cli.table import stdout, summary_view
from mirrorfield.errors import CorruptError, InputError, StoppedError
from mirrorfield.population.scenario import read_toml
from mirrorfield.population.settings import apply_setting, parse_setting
from mirrorfield.reading import parse_json

if TYPE_CHECKING:
    from mirrorfield.world.embedding import EmbeddingRun, EmbeddingScenario


class _Stop(Stop):
    def hint(self) -> str:
        """Return how to go on."""
        from mirrorfield.world.embedding.checkpoint import checkpoint_path

        if checkpoint_path(self.folder).exists():
            return f"continue with the same command, --out {self.folder} and --resume"
        return "nothing was saved"


def _scenario(file: Path | None, settings: list[str], **top: int | None) -> "EmbeddingScenario":
    from mirrorfield.world.embedding import EmbeddingScenario

    values: dict[str, object] = {}
    if file is not None:
        if not file.is_file():
            raise InputError(f'"{file}" is not a TOML file; without one, the default scenario runs')
        values = read_toml(file)
    base = EmbeddingScenario.from_values(values, str(file or "scenario"))
    values = base.model_dump(mode="json", exclude_none=True)
    items = top.pop("items", None)
    for setting in [*([f"items.count={items}"] if items is not None else []), *settings]:
        apply_setting(values, *parse_setting(setting))
    return EmbeddingScenario.from_values(values | {name: value for name, value in top.items() if value is not None})


def _simulate(
    scenario: "EmbeddingScenario", place: Path, threads: int | None, resume: bool, overwrite: bool, silent: bool
) -> "EmbeddingRun":
    from mirrorfield.execution.threads import available_threads
    from mirrorfield.world.embedding import simulate

    began, total = time.perf_counter(), scenario.steps
    with stop_on_signals(place, _Stop) as stop, progress_bar("simulating", None if silent else total) as (bar, task):

        def tell(done: int) -> None:
            rate = scenario.users * done / (time.perf_counter() - began) / 1e6
            bar.update(task, completed=done, description=f"{done:,} / {total:,} steps, {rate:.2f} M user-steps/s")

        try:
            run = simulate(
                scenario,
                threads=available_threads() if threads is None else threads,
                progress=None if silent else tell,
                out=place,
                resume=resume,
                overwrite=overwrite,
                stopped=stop,
            )
        except StoppedError as error:
            stopped = StoppedError(f"{error}; {stop.hint()}")
            stopped.exit_code = stop.exit_code
            raise stopped from None
    if not silent:
        line = f"{scenario.users:,} people x {total:,} steps in {time.perf_counter() - began:.1f} s"
        Console(stderr=True).print(line, style="dim", highlight=False)
    return run


def embedding(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.toml]", help="A scenario; docs/embedding.md.")] = None,
    users: Users = None,
    items: Annotated[int | None, typer.Option(help="Number of items.")] = None,
    steps: Steps = None,
    seed: Seed = None,
    settings: Settings = None,
    out: Annotated[Path | None, typer.Option(help="Result folder; default runs/NAME-NNN.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run to --out if it was stopped.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing result folder.")] = False,
    threads: Threads = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON and nothing else.")] = False,
) -> None:
    """Simulate people and items as vectors under one shared two-tower policy, and write a result folder."""
    from mirrorfield.report.embedding import embedding_page
    from mirrorfield.store.folder import next_place, summary_text
    from mirrorfield.store.lock import locked

    if resume and out is None:
        raise InputError("--resume: expected --out, the folder of the run that was stopped")
    scenario = _scenario(file, settings or [], users=users, items=items, steps=steps, seed=seed)
    place = out or next_place(scenario.name)
    with locked(place):
        run = _simulate(scenario, place, threads, resume, overwrite, quiet or json_)
        page = embedding_page(run.dataset, run.summary, scenario.to_toml(), typed_command())
        run.save(place, page, overwrite)
    if json_:
        sys.stdout.write(summary_text(run.summary))
    elif not quiet:
        stdout().print(summary_view(scenario.tables(), run.summary))
        stdout().print(f"Pictures: {place / 'report.html'}", highlight=False, soft_wrap=True)


def show_embedding(folder: Path, json_: bool) -> bool:
    """Print the summary of a folder that `mirrorfield embedding` wrote; return whether it is one."""
    from mirrorfield.store.folder import SUMMARY, read_result_file, summary_text, warn_unsealed
    from mirrorfield.world.embedding import EmbeddingScenario
    from mirrorfield.world.embedding.run import SCENARIO, is_embedding

    if not is_embedding(folder):
        return False
    warn_unsealed(folder)
    try:
        summary = parse_json(read_result_file(folder, SUMMARY), folder / SUMMARY)
        scenario = EmbeddingScenario.from_toml(read_result_file(folder, SCENARIO), str(folder / SCENARIO))
        view = summary_view(scenario.tables(), summary)
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptError(f"{folder}: corrupt result: {error}") from None
    sys.stdout.write(summary_text(summary)) if json_ else stdout().print(view)
    return True
