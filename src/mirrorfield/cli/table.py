"""The summary as tables for a terminal."""

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from mirrorfield.cli.plain import printable
from mirrorfield.population.assumed import assumption, marked
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.worlds import AnyScenario
from mirrorfield.report.headline import own, percent, rate_rows

BAR = 24
PIPED_WIDTH = 110


class PlainConsole(Console):
    """A console that takes text as it is: no markup, no emoji names, and escapes for what acts on a terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable, printable ones only."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def stdout() -> Console:
    """Return the console for results: plain text of a fixed width when it is not a terminal."""
    console = PlainConsole()
    return console if console.is_terminal else PlainConsole(width=PIPED_WIDTH, color_system=None)


def left_out(read: dict[str, Any]) -> str:
    """Return which rows of a table were left out, and why, from the report of its reading."""
    reasons = "; ".join(
        f"{reason}: {found['count']:,} (first: {', '.join(map(str, found['first']))})"
        for reason, found in read["bad"].items()
    )
    return f"Left out of {read['file']}, by {read['places']}: {reasons}"


def _bar(fraction: float, color: str) -> Text:
    if not stdout().encoding.startswith("utf"):
        return Text("#" * round(fraction * BAR), style=color)
    eighths = round(fraction * BAR * 8)
    blocks = "█" * (eighths // 8) + ("▏▎▍▌▋▊▉"[eighths % 8 - 1] if eighths % 8 else "")
    return Text(blocks, style=color)


def _shares(scenario: AnyScenario, summary: dict[str, Any]) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        title="What each person is mostly served, in the long run of their own states",
        title_justify="left",
    )
    widest = max(len(category.name) for category in scenario.categories)
    table.add_column("category", min_width=widest, no_wrap=True)
    table.add_column("users", justify="right", min_width=6, no_wrap=True)
    table.add_column("", min_width=BAR, no_wrap=True)
    table.add_column("sample post", overflow="fold")
    for category in scenario.categories:
        share = summary["shares"][category.name]
        table.add_row(category.name, percent(share), _bar(share, category.color), category.post)
    return table


def _figures(scenario: AnyScenario, summary: dict[str, Any]) -> Table:
    states = summary["states"]
    overlap = summary["overlap"]
    rows: tuple[tuple[str, str], ...] = (
        ("locked in (one category above 0.9 of the diet)", percent(summary["locked_in"])),
        *_momentary(summary),
        (f"effective categories, of {scenario.k}", f"{summary['effective_categories']:.2f}"),
        ("filter-bubble index (0 one diet for all, 1 disjoint)", f"{summary['filter_bubble']:.3f}"),
        ("mean pairwise overlap of diets", "– (one user)" if overlap is None else f"{overlap:.3f}"),
        *rate_rows(summary),
        (marked(summary, "arousal", "calm / engaged / hooked"), " / ".join(map(percent, states.values()))),
        ("mean reaction", f"{summary['mean_reaction']:.3f}"),
    )
    if isinstance(scenario, Scenario) and scenario.intensity.rungs > 1:
        rows += (("intensity of a diet / floor (0 to 1)", f"{summary['intensity']:.3f} / {summary['floor']:.3f}"),)
    table = Table(box=box.SIMPLE_HEAD, show_header=False, title="The population", title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def _momentary(summary: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    if "momentary" not in summary:
        return ()
    return (
        ("    in their present state", percent(summary["momentary"]["locked_in"])),
        ("another category leads in another of their states", percent(summary["two_faced"])),
    )


def _bands(scenario: AnyScenario, summary: dict[str, Any]) -> Table:
    shown = sorted(scenario.categories, key=lambda c: -summary["shares"][c.name])[:6]
    shown = [category for category in scenario.categories if category in shown]
    title = marked(summary, "intentionality", "By intentionality (lambda: 0 reactive, 1 intentional)")
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("lambda", no_wrap=True)
    table.add_column("users", justify="right")
    for category in shown:
        table.add_column(category.name, justify="right")
    table.add_column(marked(summary, "arousal", "hooked"), justify="right")
    table.add_column("locked in", justify="right")
    assumed = "intentionality" in summary.get("assumed", ())  # then everyone is in one band
    for band in (band for band in summary["by_intentionality"] if band["users"] or not assumed):
        shares = [percent(band["shares"][c.name] if band["shares"] else None) for c in shown]
        span = f"{band['low']:.1f}–{band['high']:.1f}"
        table.add_row(span, f"{band['users']:,}", *shares, percent(band["hooked"]), percent(band["locked_in"]))
    return table


def summary_view(scenario: AnyScenario, summary: dict[str, Any]) -> RenderableType:
    """Return the summary as a title and three tables."""
    title = Text(
        f"{scenario.name}: {summary['users']:,} users x {summary['steps']:,} interactions, seed {summary['seed']}"
        f"{own(summary, ', ')}",
        style="bold",
    )
    told = [Text(assumed, style="italic")] if (assumed := assumption(scenario)) else []
    return Group(title, *told, _shares(scenario, summary), _figures(scenario, summary), _bands(scenario, summary))
