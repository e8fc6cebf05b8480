"""The scenario that runs fitted users: what a log cannot show is taken from another scenario, and said so."""

import colorsys
from itertools import cycle, islice

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.calibration.fit import Fit
from mirrorfield.errors import InputError
from mirrorfield.population.distributions import Assumed, Population
from mirrorfield.population.scenario import Category, Profile, Scenario

OKABE_ITO = ("#D55E00", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#8C6D00", "#555555")
ENGAGED = 1
ASSUMED: tuple[Assumed, ...] = ("arousal", "intentionality", "learning_rate")
"""What a log of reactions does not show."""


def palette(count: int) -> list[str]:
    """Return `count` distinct colours: eight that colour-blind readers tell apart, then darker and lighter ones.

    >>> len(set(palette(32)))
    32
    """
    return [_shade(color, i // len(OKABE_ITO)) for i, color in enumerate(islice(cycle(OKABE_ITO), count))]


def _shade(color: str, level: int) -> str:
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    light = (light, 0.55 * light, 0.4 + 0.6 * light, 0.75 * light)[level]
    return "#" + "".join(f"{round(255 * part):02X}" for part in colorsys.hls_to_rgb(hue, light, saturation))


def _rows(table: FloatArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(x), 6) for x in row) for row in table)


def _law(profile: Profile, k: int, categories: int) -> tuple[tuple[tuple[float, ...], ...], ...]:
    law = profile.transition_table(k).mean(axis=1)
    law = np.round(law / law.sum(axis=1, keepdims=True), 9)
    return tuple(tuple(tuple(map(float, row)) for _ in range(categories)) for row in law)


def fitted_scenario(fit: Fit, base: Scenario, name: str, folder: str) -> Scenario:
    """Return a scenario for fitted users, who are listed in `folder`.

    A fitted user's susceptibility is its mean reaction, so reactive.mean holds only how reactions grow with arousal:
    gain_s = (mean of base.reactive.mean over categories in state s) / (the same when engaged). The std is
    gain_s sigma_a; the next state's law is base's, averaged over its categories, so that no category is assumed to
    arouse more than another. Where the log identifies lambda, the susceptibility is what pulls the user, and the
    intentional profile has what people value on average in every state, sigma_a, and the law of base.intentional.
    Otherwise intentionality is 0, and the intentional profile, unused, equals the reactive one.

    Parameters: fit, with K categories; base; name; folder. Returns a Scenario with one user per fitted user.
    Raises InputError if the fit cannot make a valid scenario. Source: docs/fit.md.
    """
    by_state = base.reactive.table("mean", base.k).mean(axis=1)
    if by_state[ENGAGED] <= 0:
        raise InputError(
            f"{base.name}: expected reactive.mean above 0 on average when engaged, which the other states are "
            f"measured by, got {by_state[ENGAGED]:g}; name another --scenario"
        )
    gain = by_state / by_state[ENGAGED]
    categories = len(fit.category_names)
    profile = Profile(
        mean=_rows(np.repeat(gain[:, None], categories, axis=1)),
        std=_rows(gain[:, None] * fit.profiles.std),
        transition=_law(base.reactive, base.k, categories),
    )
    intentional, assumed = profile, ASSUMED
    if fit.intent is not None and fit.intent.identified:
        intentional = Profile(
            mean=tuple(round(float(x), 6) for x in np.clip(fit.intent.value, 0, 1)),
            std=tuple(round(float(x), 6) for x in fit.profiles.std),
            transition=_law(base.intentional, base.k, categories),
        )
        assumed = ("arousal", "learning_rate")
    doubt = "" if fit.verdict.holds else f" {fit.verdict.line}"
    return Scenario(
        name=name,
        description=f"{len(fit.user_names)} users fitted to a log; arousal taken from the scenario {base.name}.{doubt}",
        users=len(fit.user_names),
        steps=base.steps,
        seed=base.seed,
        policy=base.policy,
        record=base.record,
        population=Population(file=folder, assumed=assumed),
        reactive=profile,
        intentional=intentional,
        categories=tuple(
            Category(name=name, color=color)
            for name, color in zip(fit.category_names, palette(categories), strict=True)
        ),
    )
