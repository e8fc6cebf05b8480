"""Where a population tips: the setting at which a share crosses a level. The Python door: `mirrorfield.tip`."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mirrorfield.api import execute, execute_together, prepare
from mirrorfield.arrays import FloatArray
from mirrorfield.contract import Observe
from mirrorfield.engine.own import with_own
from mirrorfield.errors import InputError, check_known
from mirrorfield.execution.bar import Progress, watched
from mirrorfield.metrics.logistic import Logistic, fit_logistic
from mirrorfield.metrics.outcomes import category_of
from mirrorfield.metrics.summary import population_figures
from mirrorfield.population.change import Intervention
from mirrorfield.population.distributions import PointIntentionality
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.run import Plan
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.settings import INTENTIONALITY, with_number
from mirrorfield.population.worlds import AnyScenario
from mirrorfield.result import Run

if TYPE_CHECKING:
    from mirrorfield.report.plots import TippingPlots

GRID = 9
FINEST = 2.0**-20
"""The narrowest last bracket as a share of the range: a setting is held in float32, and tells 24 bits apart at best."""


@dataclass(frozen=True)
class Hysteresis:
    """The metric with a warm policy, learned at the lower end (up) or the upper one (down) before everyone is moved."""

    place: FloatArray
    up: FloatArray
    down: FloatArray
    tips_up: float
    tips_down: float


@dataclass(frozen=True, repr=False)
class Tipping:
    """Where a metric crosses a level: places tried, the last bracket, a logistic fit, hysteresis."""

    scenario: AnyScenario
    metric: str
    over: str
    level: float
    place: FloatArray
    value: FloatArray
    bracket: tuple[float, float]
    fit: Logistic | None
    hysteresis: Hysteresis | None

    def __repr__(self) -> str:
        from mirrorfield.report.card import text_card
        from mirrorfield.report.headline import tipping_figures

        return text_card(self._title, tipping_figures(self))

    def _repr_html_(self) -> str:
        from mirrorfield.report.card import html_card
        from mirrorfield.report.headline import tipping_figures

        return html_card(
            self._title,
            tipping_figures(self),
            f"{len(self.place)} places tried, on the same people with the same luck.",
        )

    @property
    def _title(self) -> str:
        return f"Tipping of {self.metric} over {self.over}, {self.scenario.name}"

    @property
    def plot(self) -> "TippingPlots":
        """The picture of the answer as a matplotlib figure: `tipping.plot.tipping()`."""
        from mirrorfield.report.plots import TippingPlots

        return TippingPlots(self)


def tip(
    scenario: AnyScenario | None = None,
    metric: str = "share:depth",
    over: str = INTENTIONALITY,
    low: float = 0.0,
    high: float = 1.0,
    *,
    level: float = 0.5,
    tolerance: float = 0.002,
    warm: bool = True,
    recommender: Any = None,
    people: Any = None,
    observe: Observe = "history",
    threads: int | None = None,
    progress: Progress = None,
) -> Tipping:
    """Find where a figure of the population crosses a level, by bisection on the same users with the same luck.

    With a share, a logistic curve is fitted to the sampled users at all places, with an interval that knows that they
    are the same users everywhere. Over population.intentionality, hysteresis is looked for: everyone's lambda is
    moved from one end to a place after the scenario's posts, and as many posts follow (not in the embedding world,
    which has no interventions).

    Parameters: scenario, default `Scenario()`; metric, a figure of the summary; over, a setting that takes a number;
    low and high, between which to look; level; tolerance, width of the last bracket; warm, whether to look for
    hysteresis; recommender, people, observe, threads and progress as in `simulate`. Returns a Tipping. Raises
    InputError for an unknown metric or setting, and if the metric is on one side of the level at both ends. Source:
    docs/tipping.md.

    >>> small = Scenario(users=200, steps=100)
    >>> found = tip(small, tolerance=0.1, warm=False)
    >>> found.bracket[1] - found.bracket[0] <= 0.1
    True
    """
    scenario = scenario or Scenario()
    given = recommender is not None or people is not None or observe != "history"
    if given and isinstance(scenario, EmbeddingScenario):
        raise InputError("tip: expected no recommender, people or observe of your own in the embedding world")
    if not low < high:
        raise InputError(f"tip: expected low below high, got {low:g} and {high:g}")
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(f"tip: expected finite numbers for low and high, got {low:g} and {high:g}")
    if not tolerance >= (high - low) * FINEST:
        raise InputError(f"tip: expected a tolerance of {(high - low) * FINEST:g} or more, got {tolerance:g}")
    tried: dict[float, Run] = {}
    with watched(progress, None, f"looking for where {metric} tips") as told:

        def run(world: AnyScenario) -> Run:
            if isinstance(world, EmbeddingScenario):
                return execute_together(world, threads, told)
            plan = prepare(world, None, threads, None)
            plan = _moved(plan) if over == INTENTIONALITY else plan
            return execute(with_own(plan, recommender, people, observe), threads, progress=told)

        def at(place: float) -> float:
            if place not in tried:
                tried[place] = run(with_number(scenario, over, place))
            return _figure(tried[place], metric)

        for place in np.linspace(low, high, GRID):
            at(float(place))
        bracket = _bisect(at, _crossing(tried, metric, over, level), level, tolerance)
        places = sorted(tried)
        hysteresis = None
        if warm and over == INTENTIONALITY and isinstance(scenario, Scenario):
            hysteresis = _hysteresis(scenario, metric, (low, high), level, run)
    return Tipping(
        scenario,
        metric,
        over,
        level,
        np.array(places),
        np.array([at(place) for place in places]),
        bracket,
        _fit(tried, metric, scenario) if metric.startswith("share:") else None,
        hysteresis,
    )


def _moved(plan: Plan) -> Plan:
    """Return a plan whose listed users, if it has any, all have the scenario's lambda in place of their own."""
    listed, intent = plan.population.listed_intentionality, plan.scenario.population.intentionality
    if not len(listed) or not isinstance(intent, PointIntentionality):
        return plan
    everyone = np.full_like(listed, intent.value)
    return replace(plan, population=plan.population._replace(listed_intentionality=everyone))


def _figure(run: Run, metric: str) -> float:
    figures = population_figures(run.summary)
    check_known(metric, figures, "tip: unknown metric")
    return figures[metric]


def _crossing(tried: dict[float, Run], metric: str, over: str, level: float) -> tuple[float, float]:
    places = sorted(tried)
    side = [_figure(tried[place], metric) > level for place in places]
    for i in range(len(places) - 1):
        if side[i] != side[i + 1]:
            return places[i], places[i + 1]
    ends = [f"{_figure(tried[place], metric):.3f} at {place:g}" for place in (places[0], places[-1])]
    raise InputError(
        f"tip: expected {metric} to cross {level:g} between {places[0]:g} and {places[-1]:g} of {over}, got "
        f"{' and '.join(ends)}; use other ends or another level"
    )


def _bisect(
    at: Callable[[float], float], bracket: tuple[float, float], level: float, tolerance: float
) -> tuple[float, float]:
    low, high = bracket
    rising = at(high) > level
    while high - low > tolerance:
        middle = (low + high) / 2
        low, high = (low, middle) if (at(middle) > level) == rising else (middle, high)
    return low, high


def _fit(tried: dict[float, Run], metric: str, scenario: AnyScenario) -> Logistic | None:
    places = sorted(tried)
    wanted = [category.name for category in scenario.categories].index(metric.removeprefix("share:"))
    served = [tried[place].served for place in places]
    hit = np.array([category_of(diet, ids) == wanted for ids, diet in served])
    return fit_logistic(np.array(places), hit)


def _hysteresis(
    scenario: Scenario,
    metric: str,
    ends: tuple[float, float],
    level: float,
    run: Callable[[Scenario], Run],
) -> Hysteresis:
    if scenario.intervention != Intervention():
        raise InputError(
            "tip: hysteresis moves users by an intervention, and the scenario already has one; use warm=False"
        )
    place = np.linspace(*ends, GRID)
    posts = scenario.policy.to_rule().posts
    at = max(1, scenario.steps // posts) * posts
    values = []
    for start in ends:
        cold = with_number(scenario.model_copy(update={"steps": 2 * at}), INTENTIONALITY, start)
        moved = [cold.model_copy(update={"intervention": Intervention(at=at, nudge=float(x) - start)}) for x in place]
        values.append(np.array([_figure(run(m), metric) for m in moved]))
    up, down = values
    return Hysteresis(place, up, down, _interpolate(place, up, level), _interpolate(place, down, level))


def _interpolate(place: FloatArray, value: FloatArray, level: float) -> float:
    crossed = np.flatnonzero(np.diff(value > level))
    if not len(crossed):
        return float("nan")
    i = crossed[0]
    return float(place[i] + (level - value[i]) / (value[i + 1] - value[i]) * (place[i + 1] - place[i]))
