"""The command line: its commands, each of which loads what it needs once it is called."""

import platform
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from mirrorfield.cli.ending import check_words, end_as_told

COMMANDS = {
    "run": ("run:run", "Simulate a population and write a run folder."),
    "resume": ("run:resume", "Continue a run that was interrupted."),
    "show": ("run:show", "Print the summary of a run folder again."),
    "presets": ("run:list_presets", "List the scenarios that come with the package."),
    "compare": ("compare:compare", "Compare changes on the same users with the same luck."),
    "tip": ("study:tip", "Find where a population tips, and whether it tips back."),
    "neighbours": ("study:neighbours", "Separate what profiles decide from what early luck decides."),
    "person": ("person:person", "Show what happened to one person, by their id."),
    "sweep": ("study:sweep", "Run a scenario at many settings."),
    "fit": ("fit:fit", "Fit a population to a log of interactions."),
    "arousal": ("arousal:arousal", "Fit states of arousal to sessions."),
    "audit": ("audit:audit", "Fit a log, and say what a change does to its people."),
    "embed": ("embed:embed", "Embed the texts of items into a corpus."),
    "rlhf": ("rlhf:rlhf", "Align the recommender by people's labels, and compare."),
    "verify": ("verify:verify", "Check the theory's claims against the kernel."),
    "scorecard": ("scorecard:scorecard", "Hold the model against published facts."),
    "cite": ("run:cite", "Print BibTeX for exactly what a scenario uses."),
    "serve": ("serve:serve", "Serve the page in a browser."),
    "page": ("serve:page", "Write the page as one file."),
}
PLAIN: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}


def loaded(name: str) -> Any:
    """Return a command that can be called; its module is imported here."""
    module, function = COMMANDS[name][0].split(":")
    alone = typer.Typer(**PLAIN)
    alone.command(name)(getattr(import_module(f"mirrorfield.cli.{module}"), function))
    return typer.main.get_command(alone)


class Commands(TyperGroup):
    """The commands by name and by one line of help, of which only the one that is called is imported."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (_, line) in COMMANDS.items():
            self.add_command(TyperCommand(name, help=line, callback=None))

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order in which the help has them."""
        return list(COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the called command's name, the command itself and its words; fail for one that there is not."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else loaded(name), rest


app = typer.Typer(
    help="Simulate the loop between a learning recommender and the people it learns from.", cls=Commands, **PLAIN
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and the processor.")] = False,
) -> None:
    """Simulate the loop between a learning recommender and the people it learns from."""
    if version:
        from importlib.metadata import version as installed

        from mirrorfield.kernel.jit import target
        from mirrorfield.version import VERSION

        python, parts = platform.python_version(), ("numpy", "numba")
        typer.echo(f"mirrorfield {VERSION}")
        typer.echo(f"Python {python}, {', '.join(f'{name} {installed(name)}' for name in parts)}; {target()}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _command() -> int | None:
    check_words(sys.argv[1:])
    code: int | None = app(standalone_mode=False)
    return code


def main() -> None:
    """Run the command line: exit code 2 and one line for what cannot be used, 128 + signal for an interrupt."""
    end_as_told(_command)
