"""What is said with each figure: a title that states what is seen, the text read aloud, the caption below."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from mirrorfield.arrays import STATES
from mirrorfield.population.assumed import MARK
from mirrorfield.report.figures import diversity_lines, intensity_lines, share_lines, tipping_curve
from mirrorfield.report.geometry import narrowing_steps
from mirrorfield.report.scenes import MOST_DOTS, NAMED_CORNERS, arousal_flows, flow_steps, policy_map
from mirrorfield.report.style import fed, highlights, marks, number, percent, users


@dataclass(frozen=True)
class Exhibit:
    """A figure and its words, none of them escaped: `key` is its id on the page, `caption` one text a paragraph."""

    key: str
    draw: Callable[[xr.Dataset], Figure]
    title: str
    alt: str
    caption: tuple[str, ...]
    names: tuple[str, ...] = ()


def _listed(dataset: xr.Dataset, record: int) -> str:
    shares = dataset["share"].values[record]
    order = np.argsort(-shares, kind="stable")[:8]
    every = marks(dataset)
    return ", ".join(f"{every[k].name} {percent(float(shares[k]))}" for k in order)


def _ends(dataset: xr.Dataset) -> tuple[str, str, str]:
    steps = dataset["step"].values
    return f"{int(steps[0]):,}", f"{int(steps[-1]):,}", users(int(dataset.attrs["users"]))


def _shares(dataset: xr.Dataset) -> Exhibit:
    word = fed(dataset)
    first, last, everybody = _ends(dataset)
    final = dataset["share"].values[-1]
    leader = marks(dataset)[int(final.argmax())].name
    rest = dataset.sizes["category"] - len(highlights(dataset))
    grey = f" Thin grey lines: the {rest} smaller categories, which the table above lists." if rest else ""
    return Exhibit(
        "shares",
        share_lines,
        f"After {last} steps {leader} leads, with {percent(float(final.max()))} of users",
        f"Line chart of category shares. Step {first}: {_listed(dataset, 0)}. Step {last}: {_listed(dataset, -1)}.",
        (
            f"Share of users, in percent, whose {word} gives each category its greatest probability, after each "
            f"recorded step. N = {everybody}, all of them counted.{grey}",
            f"It is not the share of posts shown: a user counts once, however evenly their {word} is spread.",
        ),
    )


def _diversity(dataset: xr.Dataset) -> Exhibit:
    word = fed(dataset)
    first, last, everybody = _ends(dataset)
    effective = [number(float(dataset["effective_categories"].values[record])) for record in (0, -1)]
    final = {name: number(float(dataset[name].values[-1])) for name in ("filter_bubble", "overlap", "locked_in")}
    return Exhibit(
        "diversity",
        diversity_lines,
        f"The average {word} ends at {effective[1]} effective categories of {dataset.sizes['category']}",
        f"Two line charts. Effective categories go from {effective[0]} at step {first} to {effective[1]} at step "
        f"{last}. At the end the filter-bubble index is {final['filter_bubble']}, the pairwise overlap "
        f"{final['overlap']} and the share locked in {final['locked_in']}.",
        (
            f"Above: effective categories in a {word}, averaged over N = {everybody} (1 = one category only). "
            "Below, without unit: bubble = how much knowing the user tells about the category; overlap = probability "
            f"that posts from the {word}s of two different users share a category; locked in = fraction of users "
            f"with a category above 0.9 of their {word}.",
            "None of the three measures opinion or harm; they describe what is served.",
        ),
    )


def _intensity(dataset: xr.Dataset) -> Exhibit:
    word = fed(dataset)
    first, last, everybody = _ends(dataset)
    weight = dataset["share"].values
    intensity = np.nansum(dataset["intensity"].values * weight, axis=1)
    floor = float(np.nansum(dataset["floor"].values[-1] * weight[-1]))
    moved = (
        "climbs" if intensity[-1] > intensity[0] + 0.02 else "falls" if intensity[-1] < intensity[0] - 0.02 else "stays"
    )
    ends = [number(float(intensity[record])) for record in (0, -1)]
    return Exhibit(
        "intensity",
        intensity_lines,
        f"The intensity of what is served {moved}: {ends[0]} at step {first}, {ends[1]} at step {last}",
        f"Two line charts by category. The mean intensity of a {word} goes from {ends[0]} to {ends[1]}; the mean "
        f"floor ends at {number(floor)}.",
        (
            f"Above: mean intensity of what users are served (0 mildest, 1 most intense), by the category that leads "
            f"their {word}. Below: mean floor, the intensity they have got used to. N = {everybody}, all of them "
            "counted.",
            "A post below a user's floor moves them less. If eta is 0 the floor stays at 0: a stationary user.",
        ),
    )


def _tipping_title(dataset: xr.Dataset) -> str:
    held = np.flatnonzero(dataset["band_users"].values > 0)
    if not held.size:
        return "No users in any band of intentionality"
    counts = dataset["band_category"].values[-1][held]
    leads, every = counts.argmax(axis=1), marks(dataset)
    low, high = int(leads[0]), int(leads[-1])
    if low == high:
        where = "in the only band with users" if len(held) == 1 else "at both ends of intentionality"
        return f"The leading category {where}: {every[high].name}"
    others = np.flatnonzero(counts[:, high] * 2 <= dataset["band_users"].values[held])
    if others.size == 0 or others[-1] + 1 >= len(held):
        return f"{every[low].name} leads at low intentionality, {every[high].name} at high"
    tip = float(dataset["band_low"].values[held[others[-1] + 1]])
    return f"From λ ≈ {tip:.2f} up, most users are fed {every[high].name}; at the low end {every[low].name} leads"


def _tipping(dataset: xr.Dataset) -> Exhibit:
    _, last, everybody = _ends(dataset)
    held = np.flatnonzero(dataset["band_users"].values > 0)
    title, few = _tipping_title(dataset), len(highlights(dataset)) < dataset.sizes["category"]
    return Exhibit(
        "tipping",
        tipping_curve,
        title,
        f"Line chart of category shares against intentionality at step {last}, over {len(held)} bands that hold "
        f"users. {title}. Below it, the share locked in by band.",
        (
            f"Users are grouped by intentionality λ into {dataset.sizes['band']} bands; each point is the percentage "
            f"of a band's users at step {last}. N = {everybody} over all bands; pale bars are 95% Wilson intervals "
            "for a share seen in that many users, and a band without users is a gap."
            + (" Only the largest categories are drawn." if few else ""),
            "Lock-in under a user who does not change is a state at this step, not a state for ever: a longer run "
            "may still leave it.",
        ),
    )


def _map(dataset: xr.Dataset) -> Exhibit:
    word = fed(dataset)
    count, last = dataset.sizes["category"], _ends(dataset)[1]
    sampled = dataset.sizes["user"]
    dots = users(min(MOST_DOTS, sampled))
    steps = ", ".join(f"{int(dataset['step'].values[record]):,}" for record in narrowing_steps(dataset))
    feeds = dataset[word].isel(step=-1).values
    cornered = percent(float((feeds.max(axis=-1) > 0.9).mean()))
    shape = {
        2: "The horizontal place is the probability of the right-hand category; the height means nothing.",
        3: "A dot's place gives its three probabilities exactly.",
    }.get(
        count,
        f"Seen from a polygon the place is not one-to-one: different {word}s of four or more can coincide.",
    )
    return Exhibit(
        "map",
        policy_map,
        f"By step {last}, {cornered} of sampled users have reached a corner",
        f"Small maps of {dots} in policy space at steps {steps}. Each dot is a user, each corner a category. "
        f"At the end {cornered} of sampled users have a category above 0.9.",
        (
            f"Each dot is a user ({dots} drawn, of {sampled:,} sampled), at the average of the corners weighted by "
            f"their {word} (probabilities, no unit); steps shown: {steps}. Colour and shape: the user's category at "
            "the last step. "
            + ("Percentages: share of all users." if count <= NAMED_CORNERS else "Numbers: the list above."),
            f"{shape} Many users can hide under one dot. In a corner means: one category above 0.9.",
        ),
        () if count <= NAMED_CORNERS else tuple(mark.name for mark in marks(dataset)),
    )


def _flows(dataset: xr.Dataset) -> Exhibit:
    _, last, everybody = _ends(dataset)
    shares = dataset["state_share"].values
    mark = MARK if "assumed" in dataset.attrs else ""
    told = [
        f"step {int(dataset['step'].values[i]):,}: "
        + ", ".join(f"{s} {percent(float(shares[i, k]))}" for k, s in enumerate(STATES))
        for i in flow_steps(dataset)
    ]
    return Exhibit(
        "flows",
        arousal_flows,
        f"{percent(float(shares[-1, -1]))} of users are hooked{mark} at step {last}",
        f"Flow chart of arousal. {'; '.join(told)}.",
        (
            f"Bars: the sample, {users(dataset.sizes['user'])}, by arousal state. Ribbons: how many moved from one "
            f"state to another between two columns. Percentages: all N = {everybody}.",
            "A ribbon joins two moments and hides what happened between them; users also move back and forth. The "
            "update credits only the immediate reaction: no post is chosen for the state it leads to.",
        ),
    )


def exhibits(dataset: xr.Dataset) -> list[Exhibit]:
    """Return the page's five figures with their words, in reading order, and one of intensity where there is any."""
    builds = [_shares, _diversity, _tipping, _map, _flows]
    if dataset.sizes.get("rung", 1) > 1:
        builds.insert(2, _intensity)
    return [build(dataset) for build in builds]


def exhibit_html(exhibit: Exhibit, svg: str, run: str) -> str:
    """Return the figure element of one exhibit.

    Parameters: exhibit; svg, its picture as HTML; run, the scenario line, not yet escaped.
    """
    key = "".join(f"<li><b>{k}</b> {escape(name)}</li>" for k, name in enumerate(exhibit.names, 1))
    caption = "".join(f"<p>{escape(text)}</p>" for text in exhibit.caption)
    return (
        f'<figure id="{exhibit.key}" aria-labelledby="{exhibit.key}-title">\n'
        f'<h3 id="{exhibit.key}-title">{escape(exhibit.title)}</h3>\n{svg}\n<figcaption>'
        + (f'<ol class="key">{key}</ol>' if key else "")
        + f'{caption}<p class="run">{escape(run)}</p></figcaption>\n</figure>\n'
    )
