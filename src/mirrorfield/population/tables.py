"""A scenario in plain numbers: what the kernel and the reference read."""

from itertools import accumulate

import numpy as np

from mirrorfield.arrays import F32Array
from mirrorfield.kernel import BINS, Mechanisms, Scales, Serving
from mirrorfield.maths64 import log
from mirrorfield.model.draw import (
    BETA,
    DIRICHLET,
    LOGNORMAL,
    POINT,
    UNIFORM,
    PopulationTables,
    ProfileTables,
    ReactionTable,
)
from mirrorfield.population.change import Intervention
from mirrorfield.population.distributions import (
    AnySusceptibility,
    BetaIntentionality,
    Component,
    DirichletSusceptibility,
    Intentionality,
    LognormalSusceptibility,
    MixtureIntentionality,
    PointIntentionality,
    Segment,
    SimpleIntentionality,
)
from mirrorfield.population.listed import Listed, listed_users
from mirrorfield.population.scenario import Profile, Scenario


def _reaction_table(profile: Profile, categories: int) -> ReactionTable:
    return ReactionTable(
        mean=profile.table("mean", categories).astype(np.float32),
        std=profile.table("std", categories).astype(np.float32),
        transition=profile.transition_table(categories).astype(np.float32),
    )


def profile_tables(scenario: Scenario) -> ProfileTables:
    """Return the reactive and intentional profiles as float32 arrays."""
    return ProfileTables(
        _reaction_table(scenario.reactive, scenario.k), _reaction_table(scenario.intentional, scenario.k)
    )


def reaction_range(scenario: Scenario) -> tuple[float, float]:
    """Return the mean reactions that the histogram spans, in the scenario's unit; its end bins take what is beyond.

    From a standard deviation below the least mean of either profile to one above twice the largest.
    """
    profiles = (scenario.reactive, scenario.intentional)
    mean = [profile.table("mean", scenario.k) for profile in profiles]
    spread = max(float(profile.table("std", scenario.k).max()) for profile in profiles)
    low, high = min(float(m.min()) for m in mean) - spread, 2 * max(float(m.max()) for m in mean) + spread
    high *= max(1.0, 1 + scenario.intensity.slope)
    return low, max(high, low + 1e-3)


def histogram_scales(scenario: Scenario) -> Scales:
    """Return where the bins of the histograms lie, as the fold takes them."""
    low, high = reaction_range(scenario)
    return Scales(np.float32(BINS / log(scenario.k)), np.float32(low), np.float32(BINS / (high - low)))


def intensities(scenario: Scenario) -> F32Array:
    """Return the intensity of every arm, float32 (K I,); arm a I + r is category a at rung r."""
    rungs = scenario.intensity.rungs
    return np.tile((np.arange(rungs) / max(1, rungs - 1)).astype(np.float32), scenario.k)


def _serving(change: Intervention, origin: int) -> Serving:
    return Serving(
        origin=np.int64(origin),
        keep=np.float32(1) - np.float32(change.exploration),
        exploration=np.float32(change.exploration),
        quota=np.float32(change.quota),
        cap=np.float32(change.intensity_cap),
        friction=np.float32(change.friction),
        swap=np.float32(change.swap),
        meddled=change.friction > 0 or change.swap > 0,
        alters=change.exploration > 0 or change.quota < 1 or change.swap > 0,
    )


def mechanisms_of(scenario: Scenario) -> Mechanisms | None:
    """Return what is beyond the plain loop in plain numbers, or None where nothing is."""
    if not scenario.extended:
        return None
    part, change, level = scenario.intensity, scenario.intervention, intensities(scenario)
    before, after = scenario.rules
    return Mechanisms(
        extended=True,
        graded=bool(level.max() > 0),
        lensed=scenario.lensed,
        closes=scenario.lensed or bool(level.max() > np.float32(change.intensity_cap)),
        level=level,
        slope=np.float32(part.slope),
        inverse_width=np.float32(1 / part.width),
        eta=np.float32(part.eta),
        decay=np.float32(part.decay),
        at=np.int64(change.at),
        switched=before != after,
        nudge=np.float32(change.nudge),
        nudge_share=np.float32(change.nudge_share),
    )


def servings_of(scenario: Scenario) -> tuple[Serving, Serving]:
    """Return how posts are served before and after a scenario's intervention."""
    change = scenario.intervention
    before, after = scenario.rules
    return _serving(Intervention(), 0), _serving(change, change.at if before != after else 0)


def _cdf(weights: list[float]) -> F32Array:
    return np.array([w / sum(weights) for w in accumulate(weights)], np.float32)


def _susceptibility(spec: AnySusceptibility, categories: int) -> tuple[int, F32Array, F32Array]:
    if isinstance(spec, LognormalSusceptibility):
        kind, a, b = LOGNORMAL, spec.median, spec.sigma
    elif isinstance(spec, DirichletSusceptibility):
        kind, a, b = DIRICHLET, spec.concentration, 0.0
    else:
        kind, a, b = POINT, spec.value, 0.0
    return kind, np.full(categories, a, np.float32), np.full(categories, b, np.float32)


def _intentionality(spec: SimpleIntentionality) -> tuple[int, float, float]:
    if isinstance(spec, BetaIntentionality):
        return BETA, spec.a, spec.b
    if isinstance(spec, PointIntentionality):
        return POINT, spec.value, 0.0
    return UNIFORM, spec.low, spec.high


def _components(spec: Intentionality) -> tuple[Component, ...]:
    return spec.components if isinstance(spec, MixtureIntentionality) else (Component(of=spec),)


def population_tables(
    scenario: Scenario, susceptibility: F32Array | None = None, intentionality: F32Array | None = None
) -> PopulationTables:
    """Return the distribution of users as arrays; listed users, if given, take the place of drawn ones.

    Raises InputError for listed users that `listed_users` refuses, and for one of the two tables without the other.
    """
    listed = Listed(np.empty((0, scenario.k), np.float32), np.zeros(0, np.float32))
    if susceptibility is not None or intentionality is not None:
        listed = listed_users(susceptibility, intentionality, scenario.k)
    population = scenario.population
    drawn = Segment(name="all", susceptibility=population.susceptibility, intentionality=population.intentionality)
    segments = population.segments or (drawn,)
    mixtures = [_components(segment.intentionality) for segment in segments]
    shape = (len(segments), max(len(mixture) for mixture in mixtures))
    cdf, kind = np.ones(shape, np.float32), np.zeros(shape, np.int32)
    a, b = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for q, mixture in enumerate(mixtures):
        cdf[q, : len(mixture)] = _cdf([component.weight for component in mixture])
        for m, component in enumerate(mixture):
            kind[q, m], a[q, m], b[q, m] = _intentionality(component.of)
    kinds, first, second = zip(*(_susceptibility(s.susceptibility, scenario.k) for s in segments), strict=True)
    return PopulationTables(
        cycle=population.assign == "cycle",
        segment_cdf=_cdf([segment.weight for segment in segments]),
        susceptibility_kind=np.array(kinds, np.int32),
        susceptibility_a=np.stack(first),
        susceptibility_b=np.stack(second),
        intentionality_cdf=cdf,
        intentionality_kind=kind,
        intentionality_a=a,
        intentionality_b=b,
        listed_susceptibility=listed.susceptibility,
        listed_intentionality=listed.intentionality,
    )
