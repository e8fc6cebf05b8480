"""The parts of the page that are text and tables."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import xarray as xr

from mirrorfield.population.assumed import marked
from mirrorfield.report.headline import own, rate_rows
from mirrorfield.report.style import fed, marks, number, percent, users

_INTENSITY = {"intensity": "intensity of the average {}, 0 to 1", "floor": "average floor, 0 to 1"}
_FACES = {"two_faced": "of users led by another category in another state"}
_WIDE_TABLE = 6
"""Up to this many categories the table by intentionality has a column for each."""


def run_line(dataset: xr.Dataset) -> str:
    """Return, unescaped, the line that names the scenario, its number of users and steps and its seed."""
    told = dataset.attrs
    steps = int(told["steps"])
    return (
        f"Scenario {told['name']} · {users(int(told['users']))} · "
        f"{steps:,} {'step' if steps == 1 else 'steps'} · seed {told['seed']}{own(told, ' · ')}"
        + (f" · {told['assumed']}" if "assumed" in told else "")
    )


def headline(summary: Mapping[str, Any]) -> str:
    """Return the row of headline numbers as a description list."""
    word = "diet" if "momentary" in summary else "feed"
    entries = (
        (number(summary["users"], 0), "users"),
        (number(summary["steps"], 0), "steps (posts shown to each)"),
        (percent(summary["locked_in"]), "of users locked in"),
        *((percent(summary[name]), words) for name, words in _FACES.items() if name in summary),
        (number(summary["effective_categories"]), f"effective categories in the average {word}"),
        (number(summary["filter_bubble"]), "filter-bubble index, 0 to 1"),
        (number(summary["overlap"]), f"overlap of two users' {word}s, 0 to 1"),
        (percent(summary["states"]["hooked"]), marked(summary, "arousal", "of users hooked")),
        (number(summary["mean_reaction"]), "mean reaction over the run"),
        *((number(summary[name]), words.format(word)) for name, words in _INTENSITY.items() if summary.get(name)),
    )
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for value, name in entries)
    rates = "".join(f'<p class="note">{escape(name)}: {value}</p>\n' for name, value in rate_rows(summary))
    return f'<dl class="numbers">{cells}</dl>\n{rates}'


def _bar(fraction: float, color: str) -> str:
    filled = f"{100 * fraction:.2f}"
    return (
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="100" height="8" fill="#eef1f4"/><rect width="{filled}" height="8" fill="{color}"/></svg>'
    )


def share_table(dataset: xr.Dataset, summary: Mapping[str, Any]) -> str:
    """Return the table of categories with their share of users, drawn and written, and a sample post."""
    posts = [str(post) for post in dataset["category_post"].values]
    rows = []
    for index, mark in enumerate(marks(dataset)):
        share = float(summary["shares"][mark.name])
        rows.append(
            f'<tr><th scope="row">{index + 1}. {escape(mark.name)}</th><td class="count">{percent(share, 1)}</td>'
            f'<td class="drawn">{_bar(share, mark.color)}</td><td class="post">{escape(posts[index])}</td></tr>\n'
        )
    return (
        f'<p class="note">Share of users whose {fed(dataset)} gives the category its greatest probability, '
        'at the last step.</p>\n<table class="shares" aria-labelledby="fed">\n<thead><tr><th scope="col">Category</th>'
        '<th scope="col" class="count">Users</th><th scope="col">Share</th>'
        '<th scope="col">A post of this kind</th></tr></thead>\n<tbody>\n' + "".join(rows) + "</tbody></table>\n"
    )


def _shares_cells(shares: Mapping[str, float], names: Sequence[str], held: int) -> str:
    if len(names) <= _WIDE_TABLE:
        return "".join(f'<td class="count">{percent(shares[name]) if held else "–"}</td>' for name in names)
    top = sorted(names, key=lambda name: -shares[name])[:3] if held else []
    told = ", ".join(f"{escape(name)} {percent(shares[name])}" for name in top)
    return f"<td>{told or '–'}</td>"


def intentionality_table(dataset: xr.Dataset, summary: Mapping[str, Any]) -> str:
    """Return the table of shares, hooked and locked in by range of intentionality; empty ranges show dashes."""
    names = [mark.name for mark in marks(dataset)]
    columns = names if len(names) <= _WIDE_TABLE else ["Three largest categories"]
    kind = ' class="count"' if len(names) <= _WIDE_TABLE else ""
    head = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for name in columns)
    rows = []
    for group in summary["by_intentionality"]:
        held = int(group["users"])
        hooked, locked = ((percent(group[key]) if held else "–") for key in ("hooked", "locked_in"))
        rows.append(
            f'<tr><th scope="row">{group["low"]:.2f}–{group["high"]:.2f}</th><td class="count">{held:,}</td>'
            f'{_shares_cells(group["shares"], names, held)}<td class="count">{hooked}</td>'
            f'<td class="count">{locked}</td></tr>\n'
        )
    return (
        '<p class="note">λ is intentionality: 0 reacts by reflex, 1 by intention. Percent of the users in each range, '
        'at the last step.</p>\n<div class="scroll" role="region" aria-labelledby="bands" tabindex="0">'
        f'<table aria-labelledby="bands">\n<thead><tr><th scope="col">{marked(summary, "intentionality", "λ")}</th>'
        f'<th scope="col" class="count">Users</th>{head}'
        f'<th scope="col" class="count">{marked(summary, "arousal", "Hooked")}</th>'
        '<th scope="col" class="count">Locked in</th></tr></thead>\n'
        f"<tbody>\n{''.join(rows)}</tbody></table></div>\n"
    )


def origin(dataset: xr.Dataset, scenario_toml: str, command: str) -> str:
    """Return the section that lets a reader make the result again: scenario, command, version and seed."""
    version, seed = escape(str(dataset.attrs["version"])), escape(str(dataset.attrs["seed"]))
    return (
        '<section aria-labelledby="origin"><h2 id="origin">How to make this page again</h2>\n'
        f"<p>mirrorfield {version}, seed {seed}. The same command and scenario give the same numbers.</p>\n"
        f"<pre><code>{escape(command)}</code></pre>\n"
        f"<details open><summary>The scenario</summary><pre><code>{escape(scenario_toml)}</code></pre></details>\n"
        "</section>\n"
    )
