"""A run as an xarray dataset: every variable with its dimensions, unit and long name."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mirrorfield.arrays import STATES
from mirrorfield.kernel import BINS
from mirrorfield.maths64 import log
from mirrorfield.metrics.series import Series, population_series
from mirrorfield.population.assumed import assumption
from mirrorfield.population.run import Part, Plan
from mirrorfield.population.tables import intensities, reaction_range

Described = tuple[tuple[str, ...], Any, dict[str, str]]


def _described(dims: tuple[str, ...], values: Any, units: str, long_name: str) -> Described:
    return dims, values, {"units": units, "long_name": long_name}


def _names(values: Iterable[str]) -> NDArray[np.object_]:
    return np.array(list(values), dtype=object)


def _coordinates(plan: Plan) -> dict[str, Described]:
    categories, bands = plan.scenario.categories, plan.scenario.record.bands
    edges = np.arange(bands + 1) / bands
    entropy = np.linspace(0, float(log(len(categories))), BINS + 1)
    reaction = np.linspace(*reaction_range(plan.scenario), BINS + 1)
    coordinates = {
        "step": _described(("step",), plan.steps, "1", "interactions per user so far"),
        "category": _described(("category",), _names(c.name for c in categories), "", "content category"),
        "category_color": _described(("category",), _names(c.color for c in categories), "", "colour in pictures"),
        "category_post": _described(("category",), _names(c.post for c in categories), "", "sample post"),
        "state": _described(("state",), _names(STATES), "", "arousal"),
        "to_state": _described(("to_state",), _names(STATES), "", "arousal at the later step"),
        "band_low": _described(("band",), edges[:-1], "1", "lower end of the band of intentionality"),
        "band_high": _described(("band",), edges[1:], "1", "upper end of the band of intentionality"),
        "user": _described(("user",), plan.sample, "", "id of a sampled user"),
        "other_category": _described(("other_category",), _names(c.name for c in categories), "", "content category"),
        "entropy_low": _described(("entropy_bin",), entropy[:-1], "nat", "lower end of the bin of entropy"),
        "entropy_high": _described(("entropy_bin",), entropy[1:], "nat", "upper end of the bin of entropy"),
        "reaction_low": _described(
            ("reaction_bin",), reaction[:-1], "reaction", "lower end of the bin of mean reaction"
        ),
        "reaction_high": _described(
            ("reaction_bin",), reaction[1:], "reaction", "upper end of the bin of mean reaction"
        ),
    }
    rungs = plan.scenario.intensity.rungs
    if rungs > 1:
        coordinates["rung"] = _described(("rung",), intensities(plan.scenario)[:rungs], "1", "intensity")
    return coordinates


def _population_variables(part: Part, series: Series) -> dict[str, Described]:
    totals = part.totals
    step, by_band = ("step",), ("step", "band", "category")
    return {
        "share": _described(("step", "category"), series.share, "1", "share of users by category of their diet"),
        "locked_in": _described(step, series.locked_in, "1", "share of users with max of the diet > 0.9"),
        "two_faced": _described(
            step, series.two_faced, "1", "share of users whose leading category differs between states they live in"
        ),
        "effective_categories": _described(
            step, series.effective_categories, "categories", "mean over users of exp(entropy of the diet)"
        ),
        "filter_bubble": _described(step, series.filter_bubble, "1", "filter-bubble index I(user; category) / ln K"),
        "filter_bubble_within": _described(
            step,
            series.filter_bubble_within,
            "1",
            "filter-bubble index inside the groups of users that share a category",
        ),
        "filter_bubble_between": _described(
            step, series.filter_bubble_between, "1", "filter-bubble index between the groups of users by category"
        ),
        "mean_diet": _described(("step", "category"), series.mean_feed, "1", "mean diet, over users"),
        "second_moment": _described(
            ("step", "category", "other_category"), series.second_moment, "1", "mean over users of p_a p_b"
        ),
        "overlap": _described(step, series.overlap, "1", "mean dot product of two users' diets, all distinct pairs"),
        "state_share": _described(("step", "state"), series.state_share, "1", "share of users by arousal"),
        "mean_reaction": _described(
            step, series.mean_reaction, "reaction", "mean reaction over users and all steps so far"
        ),
        "state_flow": _described(
            ("step", "state", "to_state"),
            totals.state_flow,
            "users",
            "users by arousal at the recorded step before (calm at the start) and at this one",
        ),
        "entropy_users": _described(
            ("step", "entropy_bin"), totals.entropy_bins, "users", "users by entropy of their diet"
        ),
        "reaction_users": _described(
            ("step", "reaction_bin"), totals.reaction_bins, "users", "users by mean reaction so far; end bins are open"
        ),
        "lock_in_users": _described(
            ("step", "category"),
            totals.lock_in,
            "users",
            "users first seen locked in (max of the diet > 0.9) at the recorded step, by category of their diet then",
        ),
        "band_users": _described(("band",), totals.band_users, "users", "users in the band of intentionality"),
        "band_category": _described(by_band, totals.band_category, "users", "users by band and category"),
        "band_locked": _described(by_band, totals.band_locked, "users", "locked-in users by band and category"),
        "band_state": _described(("step", "band", "state"), totals.band_state, "users", "users by band and arousal"),
    }


def _intensity_variables(part: Part, series: Series) -> dict[str, Described]:
    if not len(part.totals.floor):
        return {}
    sample = part.sample
    by_category, by_user = ("step", "category"), ("step", "user")
    return {
        "intensity": _described(
            by_category, series.intensity, "1", "mean intensity of the diets of the users of a category, 0 to 1"
        ),
        "floor": _described(by_category, series.floor, "1", "mean floor of the users of a category, 0 to 1"),
        "sample_intensity": _described(by_user, sample.intensity, "1", "mean intensity of the user's diet, 0 to 1"),
        "sample_floor": _described(by_user, sample.floor, "1", "the user's floor, 0 to 1"),
    }


def _by_arm(part: Part, rungs: int) -> dict[str, Described]:
    """Return what there is one of for every arm; rungs of intensity, if any, have a dimension of their own."""
    logits, exposures = part.sample.logits.transpose(2, 0, 1), part.sample.exposures.T
    arm: tuple[str, ...] = ("category",)
    if rungs > 1:
        arm = ("category", "rung")
        logits = logits.reshape(*logits.shape[:2], logits.shape[2] // rungs, rungs)
        exposures = exposures.reshape(len(exposures), exposures.shape[1] // rungs, rungs)
    return {
        "logits": _described(("user", "state", *arm), logits, "nat", "learned policy, before softmax"),
        "exposures": _described(("user", *arm), exposures, "posts", "posts shown"),
    }


def _sample_variables(part: Part, rungs: int) -> dict[str, Described]:
    sample = part.sample
    user, by_category = ("user",), ("user", "category")
    return _by_arm(part, rungs) | {
        "intentionality": _described(user, sample.intentionality, "1", "lambda: 0 reactive, 1 intentional"),
        "susceptibility": _described(by_category, sample.susceptibility.T, "1", "w: how hard a category hits the user"),
        "segment": _described(user, sample.segment, "", "index of the population segment"),
        "baseline": _described(user, sample.mean_reaction[-1], "reaction", "running mean of the user's reactions"),
        "final_state": _described(user, sample.state[-1], "", "index of the user's arousal after the last step"),
        "diet": _described(
            ("step", "user", "category"),
            sample.diet.transpose(0, 2, 1),
            "1",
            "what the user is served in the long run of their states: sum_s d(s) pi(. given s)",
        ),
        "feed": _described(
            ("step", "user", "category"),
            sample.feed.transpose(0, 2, 1),
            "1",
            "what the user would be served next: pi(. given their state)",
        ),
        "sample_two_faced": _described(
            ("step", "user"), sample.two_faced, "", "1 if the leading category differs between states they live in"
        ),
        "served": _described(
            ("user", "state", "category"),
            sample.served.transpose(2, 0, 1),
            "1",
            "what the user is served in each state",
        ),
        "time_in_state": _described(
            ("user", "state"), sample.time_in_state.T, "1", "share of time in each state, in the long run"
        ),
        "sample_state": _described(("step", "user"), sample.state, "", "index of the user's arousal"),
    }


def to_dataset(plan: Plan, part: Part, version: str) -> xr.Dataset:
    """Return a run as a dataset.

    Parameters: plan; part, over all its users; version of the package. Returns a dataset with dimensions step (C),
    category (K), state (S), to_state (S), band (B) and user (the sample); its attributes hold name, version, seed,
    users, steps and the scenario as TOML.
    """
    scenario = plan.scenario
    attributes = {
        "name": scenario.name,
        "version": version,
        "seed": scenario.seed,
        "users": scenario.users,
        "steps": scenario.steps,
        "scenario": scenario.to_toml(),
    }
    if assumed := assumption(scenario):
        attributes["assumed"] = assumed
    series = population_series(part.totals)
    variables = _population_variables(part, series) | _sample_variables(part, scenario.intensity.rungs)
    variables |= _intensity_variables(part, series)
    arrays = {name: (dims, np.ascontiguousarray(values), meta) for name, (dims, values, meta) in variables.items()}
    return xr.Dataset(arrays, _coordinates(plan), attributes)
