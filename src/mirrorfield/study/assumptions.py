"""What a log does not tell of its people, each part in other ways than the fit assumed."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.calibration.intentionality import Others
from mirrorfield.calibration.scenario import ENGAGED
from mirrorfield.population.scenario import Profile, Scenario
from mirrorfield.population.settings import changed
from mirrorfield.study.rates import RATES

if TYPE_CHECKING:
    import xarray as xr

LAMBDAS = (0.25, 0.5)
MEASURED, FIRST, LAST = "film-arousal", 0, -1
ALIKE = "best estimates make people more alike than they are."


@dataclass(frozen=True)
class Assumption:
    """Another way to make the people that the log cannot tell from the fitted ones: a scenario and its listed people.

    part: what of the people it is about; means: the name in full, in one sentence.
    """

    part: str
    name: str
    means: str
    scenario: Scenario
    people: "xr.Dataset"


def assumptions(
    base: Scenario, people: "xr.Dataset", source: Scenario, others: Mapping[str, Others] = MappingProxyType({})
) -> list[Assumption]:
    """Return every other assumption, one at a time: about what `base.population.assumed` lists, and what is uncertain.

    Parameters: base, the scenario of fitted people; people, their profiles by user and category, as `fit` gives them;
    source, the scenario that arousal was taken from; others, "lower", "upper" and "drawn" of these people, where the
    log identifies lambda. Source: docs/audit.md.
    """
    assumed, found = base.population.assumed or (), []
    if "learning_rate" in assumed:
        for rate in (rate for rate in RATES if rate != base.policy.learning_rate):
            scenario = changed(base, {"policy.learning_rate": rate})
            means = f"The recommender learns at the rate {rate:g} in place of {base.policy.learning_rate:g}."
            found.append(Assumption("learning_rate", f"learning rate {rate:g}", means, scenario, people))
    if "intentionality" in assumed:
        found += [deliberate(base, people, source, share) for share in LAMBDAS]
    found += [_at(base, people, others[side], side) for side in ("lower", "upper") if side in others]
    if "arousal" in assumed:
        found += [_unmoved(base, people), _measured(base, people)]
    if "intentionality" in assumed:
        found.append(_drawn(base, people))
    if "drawn" in others:
        found.append(_drawn_with_lambda(base, people, others["drawn"]))
    return found


def _table(law: FloatArray) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Return laws of the next state, (S, K, S), as a profile has them."""
    rows = law / law.sum(axis=-1, keepdims=True)
    return tuple(tuple(tuple(map(float, row)) for row in state) for state in rows)


def deliberate(base: Scenario, people: "xr.Dataset", source: Scenario, share: float) -> Assumption:
    """Return people of whose reactions a share is deliberate, and who react when engaged as the log has them.

    Formula: lambda = x, intentional mean mu_a in every state, the mean over people of m_ua, and
    w_ua = max(0, m_ua - x mu_a) / (1 - x), so that (1 - x) w_ua + x mu_a = m_ua wherever m_ua is at least x mu_a.
    """
    mean = people["susceptibility"].values.astype(float)
    common = mean.mean(axis=0)
    law = source.intentional.transition_table(source.k).mean(axis=1, keepdims=True)
    profile = Profile(
        mean=tuple(map(float, common)),
        std=tuple(map(float, base.reactive.table("std", base.k)[ENGAGED])),
        transition=_table(np.repeat(law, base.k, axis=1)),
    )
    pull = np.maximum(mean - share * common, 0) / (1 - share)
    listed = people.assign(
        susceptibility=(people["susceptibility"].dims, pull.astype(np.float32)),
        intentionality=(people["intentionality"].dims, np.full(len(mean), share, np.float32)),
    )
    means = (
        f"Lambda is {share:g} in place of 0: this share of every reaction is deliberate, the same for all people, and "
        "does not grow with arousal; reactions of engaged people are as in the log."
    )
    scenario = base.model_copy(update={"intentional": profile})
    return Assumption("intentionality", f"lambda {share:g}", means, scenario, listed)


def _at(base: Scenario, people: "xr.Dataset", end: Others, side: str) -> Assumption:
    """Return the people at one end of the interval of the mean lambda, with the values that go with it."""
    means = (
        f"The mean lambda is {end.mean:.3f}, the {side} end of its 95% interval; everybody's lambda, pulls and values "
        "are the most likely ones then."
    )
    return Assumption("intentionality", f"mean lambda {end.mean:.3f}", means, *_others(base, people, end))


def _drawn_with_lambda(base: Scenario, people: "xr.Dataset", drawn: Others) -> Assumption:
    means = f"Every lambda and pull is drawn within its uncertainty; {ALIKE}"
    return Assumption("profiles", "people drawn", means, *_others(base, people, drawn))


def _others(base: Scenario, people: "xr.Dataset", others: Others) -> tuple[Scenario, "xr.Dataset"]:
    """Return other people that the log leaves open, and the scenario with what they value."""
    listed = people.assign(
        susceptibility=(people["susceptibility"].dims, np.clip(others.pull, 0, 1).astype(np.float32)),
        intentionality=(people["intentionality"].dims, others.lam.astype(np.float32)),
    )
    value = tuple(round(float(x), 6) for x in np.clip(others.value, 0, 1))
    return base.model_copy(update={"intentional": base.intentional.model_copy(update={"mean": value})}), listed


def _unmoved(base: Scenario, people: "xr.Dataset") -> Assumption:
    engaged = {"mean": base.reactive.table("mean", base.k), "std": base.reactive.table("std", base.k)}
    update = {name: tuple(map(float, table[ENGAGED])) for name, table in engaged.items()}
    means = "Arousal has no effect: calm, engaged and hooked people react as engaged ones do."
    return Assumption("arousal", "arousal without effect", means, _with(base, update), people)


def _measured(base: Scenario, people: "xr.Dataset") -> Assumption:
    """Return people whom the categories with the largest mean reactions, K // 2 of them, arouse as two films did."""
    film = Scenario.load(MEASURED)
    laws = film.reactive.transition_table(film.k)[:, [FIRST, LAST]]
    order = np.argsort(-people["susceptibility"].values.mean(axis=0), kind="stable")
    calming = np.isin(np.arange(base.k), order[base.k // 2 :]).astype(int)
    update = {"transition": _table(laws[:, calming]), "up": None, "down": None}
    names = ", ".join(base.categories[a].name for a in sorted(order[: base.k // 2]))
    means = (
        f"The half of the categories with the largest mean reactions ({names}) moves arousal as a documentary "
        "of a camp and a horror film did, the other half as a nature film and a comedy did (film-arousal)."
    )
    return Assumption("arousal", "appeal arouses", means, _with(base, update), people)


def _with(base: Scenario, update: Mapping[str, object]) -> Scenario:
    """Return the scenario with other parts of the reactive profile, and of the intentional one where it is the same."""
    profile = base.reactive.model_copy(update=update)
    both = {"reactive": profile} | ({"intentional": profile} if base.intentional == base.reactive else {})
    return base.model_copy(update=both)


def _drawn(base: Scenario, people: "xr.Dataset") -> Assumption:
    """Return people drawn from what the log leaves open about them.

    Formula: w_ua = m_ua + z sqrt((1 - shrinkage_ua) (tau_user^2 + tau_cell^2)), z standard normal, within 0 and 1.
    """
    left = (1 - people["shrinkage"].values.astype(float)) * (
        people.attrs["tau_user"] ** 2 + people.attrs["tau_cell"] ** 2
    )
    mean = people["susceptibility"].values.astype(float)
    z = np.random.default_rng(base.seed).standard_normal(mean.shape)
    drawn = np.clip(mean + z * np.sqrt(np.maximum(left, 0)), 0, 1).astype(np.float32)
    means = f"Every mean reaction is drawn within its uncertainty; {ALIKE}"
    listed = people.assign(susceptibility=(people["susceptibility"].dims, drawn))
    return Assumption("profiles", "profiles drawn", means, base, listed)
