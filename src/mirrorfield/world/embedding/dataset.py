"""A run of the embedding world as an xarray dataset, with the names of every other run where the thing is the same."""

from typing import Any

import numpy as np
import xarray as xr

from mirrorfield.arrays import STATES
from mirrorfield.version import VERSION
from mirrorfield.world.embedding.figures import by_band, series
from mirrorfield.world.embedding.loop import World
from mirrorfield.world.embedding.record import Record, band_of

Described = tuple[tuple[str, ...], Any, dict[str, str]]

SERIES = {
    "share": ("1", "share of the people measured by category of their feed"),
    "locked_in": ("1", "share of the people measured with max of the feed > 0.9"),
    "effective_categories": ("categories", "mean over people of exp(entropy of the feed)"),
    "filter_bubble": ("1", "filter-bubble index I(user; category) / ln K"),
    "filter_bubble_within": ("1", "filter-bubble index inside the groups of people that share a category"),
    "filter_bubble_between": ("1", "filter-bubble index between the groups of people by category"),
    "overlap": ("1", "mean dot product of two people's feeds, all distinct pairs"),
    "mean_feed": ("1", "mean feed, over people measured"),
    "effective_items": ("items", "mean over people of exp(entropy of the policy over items)"),
    "state_share": ("1", "share of the people measured by third of arousal"),
    "mean_arousal": ("1", "mean arousal of everyone, 0 to 1"),
    "mean_reaction": ("reaction", "mean reaction over everyone and all posts so far"),
    "interest_moved": ("1", "mean distance of everyone's interest from where it began"),
}
DIMENSIONS = {"share": ("category",), "mean_feed": ("category",), "state_share": ("state",)}


def _described(dims: tuple[str, ...], values: Any, units: str, long_name: str) -> Described:
    return dims, values, {"units": units, "long_name": long_name}


def _people(world: World, record: Record) -> dict[str, Described]:
    crowd, people = world.crowd, record.people
    by_user, by_space = ("step", "user"), ("user", "coordinate")
    return {
        "feed": _described(
            ("step", "user", "category"), record.feed, "1", "what the person would be served next, exact softmax"
        ),
        "sample_state": _described(by_user, band_of(record.arousal), "", "index of the person's third of arousal"),
        "sample_arousal": _described(by_user, record.arousal, "1", "the person's arousal, 0 to 1"),
        "sample_mean_reaction": _described(by_user, record.mean_reaction, "reaction", "mean reaction so far"),
        "sample_effective_items": _described(
            by_user, record.effective_items, "items", "exp(entropy of the policy over items)"
        ),
        "intentionality": _described(("user",), crowd.intentionality[people], "1", "lambda: 0 reactive, 1 intentional"),
        "susceptibility": _described(
            ("user", "category"), crowd.susceptibility[people], "1", "w: how hard a category hits the person"
        ),
        "interest": _described(by_space, crowd.interest[people], "reaction", "true interest after the last step"),
        "history": _described(by_space, crowd.history[people], "reaction", "what the recommender remembers"),
        "tower": _described(("feature", "coordinate"), world.tower, "1/reaction", "the shared user tower W"),
    }


def _bands(world: World, record: Record) -> dict[str, Described]:
    scenario = world.scenario
    lam = world.crowd.intentionality[record.people]
    counted = by_band(record, lam, scenario.record.bands, scenario.first_user)
    by_category = ("step", "band", "category")
    return {
        "band_users": _described(("band",), counted["users"], "users", "people measured in the band of intentionality"),
        "band_category": _described(by_category, counted["category"], "users", "people by band and category"),
        "band_locked": _described(by_category, counted["locked"], "users", "locked-in people by band and category"),
        "band_state": _described(("step", "band", "state"), counted["state"], "users", "people by band and arousal"),
    }


def _coordinates(world: World, record: Record) -> dict[str, Described]:
    scenario = world.scenario
    edges = np.arange(scenario.record.bands + 1) / scenario.record.bands
    names, colors, posts = (
        np.array([getattr(category, part) for category in scenario.categories], dtype=object)
        for part in ("name", "color", "post")
    )
    return {
        "step": _described(("step",), record.steps, "1", "pages per person so far"),
        "category": _described(("category",), names, "", "content category"),
        "category_color": _described(("category",), colors, "", "colour in pictures"),
        "category_post": _described(("category",), posts, "", "sample post"),
        "state": _described(("state",), np.array(STATES, dtype=object), "", "third of arousal"),
        "band_low": _described(("band",), edges[:-1], "1", "lower end of the band of intentionality"),
        "band_high": _described(("band",), edges[1:], "1", "upper end of the band of intentionality"),
        "user": _described(("user",), record.people + scenario.first_user, "", "id of a person measured"),
    }


def to_dataset(world: World, record: Record) -> xr.Dataset:
    """Return a finished run as a dataset.

    Parameters: world, after its last step; record. Returns a dataset with dimensions step, category, state, band, user
    (the people measured), feature and coordinate; its attributes hold name, version, seed, users (measured),
    population (all), steps and the scenario as TOML.
    """
    scenario = world.scenario
    attributes = {
        "name": scenario.name,
        "version": VERSION,
        "seed": scenario.seed,
        "users": len(record.people),
        "population": scenario.users,
        "steps": scenario.steps,
        "scenario": scenario.to_toml(),
    }
    variables = {
        name: _described(("step", *DIMENSIONS.get(name, ())), values, *SERIES[name])
        for name, values in series(record, scenario.first_user).items()
    }
    variables |= _people(world, record) | _bands(world, record)
    arrays = {name: (dims, np.ascontiguousarray(values), meta) for name, (dims, values, meta) in variables.items()}
    return xr.Dataset(arrays, _coordinates(world, record), attributes)
