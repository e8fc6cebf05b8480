"""The page of a run of the embedding world: the figures of every run, with the words that hold here."""

from collections.abc import Mapping
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from mirrorfield.report.canvas import Label, blank, draw_line, end_labels, label_inches, place, step_axis, to_svg
from mirrorfield.report.captions import Exhibit, exhibit_html, exhibits
from mirrorfield.report.leaf import leaf
from mirrorfield.report.sections import headline, intentionality_table, origin, share_table
from mirrorfield.report.style import INK, Mark, number, styled

_HONEST = (
    ("One policy for all.", "What one person teaches it, everyone is served by. A person's path depends on the others; "
     "two runs are a paired comparison of whole populations, not of single people."),
    ("The update is myopic.", "It credits an item with the reaction to it, not with the arousal or the interest that "
     "follow."),
    ("The recommender sees arousal and a memory of reactions.", "It does not see interest, susceptibility or lambda."),
    ("These people are simulated.", "Vectors, tables and laws come from the scenario below, not from data."),
)  # fmt: skip


def world_lines(dataset: xr.Dataset) -> Figure:
    """Return the effective items of the policy, mean arousal and how far interests have moved, by step.

    Parameters: dataset, with `effective_items`, `mean_arousal` and `interest_moved` (step).
    """
    steps = dataset["step"].values
    panels = (
        ("effective_items", "effective\nitems", "D", 0),
        ("mean_arousal", "mean\narousal", "o", 2),
        ("interest_moved", "interest\nmoved", "s", 2),
    )
    with styled():
        figure = blank(5.2)
        margin = label_inches(["10,000"])
        for row, (name, label, marker, digits) in enumerate(panels):
            axes = place(figure, 0.58 + 1.55 * (2 - row), 1.3, margin, left=0.95)
            values = dataset[name].values.astype(float)
            top = 1.0 if name == "mean_arousal" else max(float(values.max()) * 1.1, 0.1)
            axes.set_ylim(-0.02 * top, top * 1.02)
            axes.set_ylabel(label)
            step_axis(axes, steps, label=row == 2)
            draw_line(axes, steps, values, Mark(name, name, INK, marker, ()), every=6)
            end_labels(axes, [Label(number(values[-1], digits), float(steps[-1]), float(values[-1]), INK, marker)])
    return figure


def _world(dataset: xr.Dataset) -> Exhibit:
    effective = [number(float(dataset["effective_items"].values[record]), 0) for record in (0, -1)]
    arousal = number(float(dataset["mean_arousal"].values[-1]))
    moved = number(float(dataset["interest_moved"].values[-1]))
    return Exhibit(
        "world",
        world_lines,
        f"The policy spreads over {effective[0]} items at first and over {effective[1]} at the end",
        f"Three line charts. Effective items go from {effective[0]} to {effective[1]}. Mean arousal ends at {arousal}, "
        f"and interests are on average {moved} from where they began.",
        (
            "Above: exp(entropy of the policy over items), mean over the people measured. Middle: mean arousal of "
            "everyone, 0 to 1. Below: mean distance of everyone's interest from where it began, in the space of items, "
            "whose vectors have length 1.",
            "With no drift interests do not move.",
        ),
    )


def embedding_run_line(dataset: xr.Dataset) -> str:
    """Return, unescaped, the line that names the scenario, its people, steps and seed."""
    told = dataset.attrs
    measured = "" if told["users"] == told["population"] else f", {int(told['users']):,} of them measured"
    return (
        f"Scenario {told['name']} · {int(told['population']):,} people{measured} · {int(told['steps']):,} steps · "
        f"seed {told['seed']}"
    )


def embedding_page(dataset: xr.Dataset, summary: Mapping[str, Any], scenario_toml: str, command: str) -> str:
    """Return a run of the embedding world as one self-contained HTML page; the same input gives the same bytes.

    Parameters: dataset, summary and scenario as the run gives them; command, what made the run.
    """
    run = embedding_run_line(dataset)
    figures = "".join(
        exhibit_html(exhibit, to_svg(exhibit.draw(dataset), exhibit.key, exhibit.alt), run)
        for exhibit in [*exhibits(dataset), _world(dataset)]
    )
    honest = "".join(f"<li><b>{claim}</b> {text}</li>\n" for claim, text in _HONEST)
    body = (
        f'{headline(summary)}<section aria-labelledby="fed"><h2 id="fed">What people are fed</h2>\n'
        f"{share_table(dataset, summary)}</section>\n"
        '<section aria-labelledby="bands"><h2 id="bands">By intentionality</h2>\n'
        f"{intentionality_table(dataset, summary)}</section>\n"
        '<section aria-labelledby="seen"><h2 id="seen">What happened</h2>\n'
        f'<div class="figures">\n{figures}</div></section>\n'
        '<section aria-labelledby="honest"><h2 id="honest">What this does not show</h2>\n'
        f'<ul class="honest">{honest}</ul></section>\n{origin(dataset, scenario_toml, command)}'
    )
    return leaf(str(dataset.attrs["name"]), run, body, None, command)
