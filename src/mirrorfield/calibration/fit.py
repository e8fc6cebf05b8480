"""From an interaction log to reaction profiles, and an account of how they were obtained."""

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mirrorfield.calibration.heldout import heldout_check
from mirrorfield.calibration.intentionality import Intent, intentionality
from mirrorfield.calibration.log import EventLog, InteractionLog, LogColumns, read_events
from mirrorfield.calibration.scaling import Scaling, scaling_of
from mirrorfield.calibration.shrinkage import MOST_USERS, Profiles, shrink
from mirrorfield.calibration.verdict import Verdict, verdict_of
from mirrorfield.errors import InputError

AROUSAL = (
    "A log of reactions does not show the user's arousal state, so the tables by state are taken from the scenario"
)
NO_LAMBDA = "nor does it show intentionality, which is set to 0: reactions are taken as they came."
MATRICES = 4
"""Matrices of K x K float64 that are held at the largest step for each user whose likelihood is computed."""
PROFILES, INTENT = 5, 4
"""Rows of K float64 that are held for each user, and that come with lambda."""
SHRINKAGE = "1 - posterior variance / prior variance of the mean: 0 own events taught nothing, toward 1 they decide"


@dataclass(frozen=True)
class Fit:
    """Reaction profiles with the log's report, the held-out check, the names of rows and columns, and the scaling.

    reactions_outside: how many reactions of the log lie outside [low, high] of the scaling. intent: what deliberate
    signals say of lambda; None for a log without.
    """

    profiles: Profiles
    log_report: dict[str, Any]
    heldout: dict[str, Any]
    category_names: tuple[str, ...]
    user_names: tuple[str, ...]
    scaling: Scaling
    reactions_outside: int
    intent: Intent | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether the log says anything about its people that a simulation of them could use."""
        return verdict_of(self.profiles.likelihood_ratio, self.heldout)

    @property
    def knows_lambda(self) -> bool:
        """Whether the log identifies lambda, so that every person has their own."""
        return self.intent is not None and self.intent.identified

    @property
    def not_observed(self) -> str:
        """What the log does not show, and what stands in its place."""
        return f"{AROUSAL}." if self.knows_lambda else f"{AROUSAL}; {NO_LAMBDA}"

    def summary(self) -> dict[str, Any]:
        """Return what was read, estimated and checked, as plain data that json.dumps accepts."""
        told = {} if self.intent is None else {"intentionality": self.intent.summary()}
        return {
            "verdict": self.verdict._asdict(),
            "log": self.log_report,
            "scaling": self._scaling(),
            "variance_components": self._components(),
            "heldout": self.heldout,
            "not_observed": self.not_observed,
        } | told

    def _scaling(self) -> dict[str, Any]:
        return {
            "low": self.scaling.low,
            "high": self.scaling.high,
            "formula": scaling_formula(self.scaling),
            "reactions_outside": self.reactions_outside,
            "means_clipped": self.profiles.clipped,
        }

    def _components(self) -> dict[str, Any]:
        p = self.profiles
        rows = zip(self.category_names, p.mu, p.std, p.events.sum(axis=0), p.thin, strict=True)
        categories: dict[str, dict[str, Any]] = {
            name: {"mean": float(mu), "std": float(std), "events": float(n), "std_is_overall": bool(thin)}
            for name, mu, std, n, thin in rows
        }
        for name, told in zip(self.category_names, p.shown or (), strict=bool(p.shown)):
            categories[name] |= told
        cells = {
            "observed": int((p.events > 0).sum()),
            "total": p.events.size,
            "median_shrinkage": float(np.median(p.shrinkage[p.events > 0])),
        }
        return {
            "tau_user": p.tau_user,
            "tau_cell": p.tau_cell,
            "sigma": p.sigma,
            "cells": cells,
            "categories": categories,
        }


def scaling_formula(scaling: Scaling) -> str:
    """Return the scaling in words.

    >>> scaling_formula(Scaling(0.5, 5.0))
    'reaction in the unit of the model = (reaction in the log - 0.5) / (5 - 0.5)'
    """
    low, high = f"{scaling.low:g}", f"{scaling.high:g}"
    below = f"({low})" if scaling.low < 0 else low
    return f"reaction in the unit of the model = (reaction in the log - {below}) / ({high} - {below})"


def fit(
    log: Any,
    columns: LogColumns,
    *,
    items: Any = None,
    skip_bad_rows: bool = False,
    max_categories: int | None = None,
    low: float | None = None,
    high: float | None = None,
    seed: int = 0,
) -> Fit:
    """Read a log, estimate every user's reaction profile, and check it on held-out events.

    Parameters: log, columns, items, skip_bad_rows, max_categories as for read_events; low and high, the reactions that
    become 0 and 1 (default: the smallest and largest in the log), in the log's unit; seed of the bootstrap. Returns a
    Fit. Memory does not grow with the events. Raises InputError for what in the log or the arguments cannot be used.
    """
    found = read_events(log, columns, items=items, skip_bad_rows=skip_bad_rows, max_categories=max_categories)
    with closing(found.events):
        return fit_log(found, scaling_of(found, low, high), seed)


def fit_log(log: InteractionLog | EventLog, scaling: Scaling, seed: int = 0) -> Fit:
    """Estimate and check the profiles of a log already read, with the given scaling; raises InputError as fit does."""
    if len(log.user_names) < 2:
        raise InputError(
            f'The log has one person ("{log.user_names[0][:40]}"): expected at least 2, for a fit measures differences.'
        )
    _check_fits(log)
    profiles = shrink(log, scaling)
    heldout = heldout_check(log if isinstance(log, InteractionLog) else log.sample(MOST_USERS), seed, scaling)
    outside = log.outside(scaling.low, scaling.high)
    intent = intentionality(log, scaling) if log.report.get("deliberate") else None
    return Fit(profiles, log.report, heldout, log.category_names, log.user_names, scaling, outside, intent)


def _check_fits(log: InteractionLog | EventLog) -> None:
    """Raise InputError unless the profiles of all users fit in memory, and the matrices of some."""
    import psutil

    people, k = len(log.user_names), len(log.category_names)
    at_once = people if isinstance(log, InteractionLog) else min(people, MOST_USERS)
    rows = PROFILES + (INTENT if log.report.get("deliberate") else 0)
    needed, free = 8 * k * (rows * people + MATRICES * k * at_once), psutil.virtual_memory().available
    if needed > free:
        raise InputError(
            f"{people:,} users in {k} categories need about {needed / 2**30:.1f} GiB of memory and {free / 2**30:.1f} "
            "GiB is free; merge categories with --max-categories, or fit some of the users"
        )


def population_dataset(fit: Fit) -> xr.Dataset:
    """Return the profiles as a dataset with dimensions user and category.

    Variables: susceptibility (user, category) float32, the mean reaction in the model's unit; events and shrinkage
    (user, category) float32; intentionality (user,) and std (category,) float32. Coordinates: the names, as text. Where
    the log identifies lambda, susceptibility is what pulls the user, mean_reaction has the mean reaction, and
    intentionality_low and intentionality_high the 95% interval of lambda.
    """
    p, both = fit.profiles, ("user", "category")
    found = xr.Dataset(
        {
            "susceptibility": _variable(both, p.mean, "mean reaction to the category, posterior mean"),
            "events": _variable(both, p.events, "events observed, each shared equally by its labels"),
            "shrinkage": _variable(both, p.shrinkage, SHRINKAGE),
            "intentionality": _variable(("user",), np.zeros(len(p.mean)), "lambda: not observed, set to 0"),
            "std": _variable(("category",), p.std, "standard deviation of a reaction around its user's mean"),
        },
        coords={
            "user": _names("user", fit.user_names, "user as named in the log"),
            "category": _names("category", fit.category_names, "content category"),
        },
        attrs={
            "scaling": scaling_formula(fit.scaling),
            "scaling_low": fit.scaling.low,
            "scaling_high": fit.scaling.high,
            "tau_user": p.tau_user,
            "tau_cell": p.tau_cell,
            "sigma": p.sigma,
            "not_observed": fit.not_observed,
        },
    )
    intent = fit.intent
    if intent is None or intent.lam is None or intent.low is None or intent.high is None or intent.pull is None:
        return found
    return found.assign(
        {
            "susceptibility": _variable(both, np.clip(intent.pull, 0, 1), "pull of the category, posterior mean"),
            "mean_reaction": found["susceptibility"].variable,
            "intentionality": _variable(("user",), intent.lam, "lambda, posterior mean"),
            "intentionality_low": _variable(("user",), intent.low, "lambda, 2.5% quantile of the posterior"),
            "intentionality_high": _variable(("user",), intent.high, "lambda, 97.5% quantile of the posterior"),
        }
    )


def _variable(
    dims: tuple[str, ...], values: NDArray[np.float64], long_name: str
) -> tuple[tuple[str, ...], NDArray[np.float32], dict[str, str]]:
    return dims, values.astype(np.float32), {"units": "1", "long_name": long_name}


def _names(dim: str, names: tuple[str, ...], long_name: str) -> tuple[str, NDArray[np.object_], dict[str, str]]:
    return dim, np.array(names, dtype=object), {"units": "1", "long_name": long_name}
