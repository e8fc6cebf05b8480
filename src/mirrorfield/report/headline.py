"""The headline figures of a run, a comparison, a tipping point and neighbours: what they are of, and their values."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mirrorfield.arrays import STATES
from mirrorfield.population.assumed import marked
from mirrorfield.report.card import Figures

if TYPE_CHECKING:
    from mirrorfield.metrics.mirrors import Share
    from mirrorfield.metrics.paired import Effect
    from mirrorfield.population.worlds import AnyScenario
    from mirrorfield.study.audit import Audit
    from mirrorfield.study.neighbours import Neighbours
    from mirrorfield.study.person import Person
    from mirrorfield.study.tipping import Tipping
    from mirrorfield.study.whatif import Comparison

MOST_ROWS = 24


def people(count: int) -> str:
    """Return a number of people in words that agree with it."""
    return "1 person" if count == 1 else f"{count:,} people"


def size(scenario: "AnyScenario") -> str:
    """Return what was run in a few words."""
    posts = "1 post" if scenario.steps == 1 else f"{scenario.steps:,} posts"
    return f"{scenario.name}: {people(scenario.users)} x {posts}, seed {scenario.seed}"


def own(told: Mapping[str, Any], between: str) -> str:
    """Return whose recommender and people they are, after a separator each; nothing for those of the scenario.

    >>> own({"recommender": "Thompson"}, ", ")
    ', recommender Thompson'
    """
    return "".join(f"{between}{what} {told[what]}" for what in ("recommender", "people") if what in told)


def percent(fraction: float | None) -> str:
    """Return a fraction as a percentage with one decimal, or a dash where there is none."""
    return "–" if fraction is None else f"{100 * fraction:.1f}%"


def rate_rows(summary: Mapping[str, Any]) -> Figures:
    """Return how many are locked in at each learning rate, as one row, if the rate was assumed; no row otherwise.

    >>> told = [{"learning_rate": rate, "users": 9, "locked_in": rate / 4} for rate in (0.1, 1.0, 3.0)]
    >>> rate_rows({"by_learning_rate": told})
    [('locked in at learning rate 0.1 / 1 / 3 (9 people)', '2.5% / 25.0% / 75.0%')]
    """
    told = summary.get("by_learning_rate")
    if not told:
        return []
    rates = " / ".join(f"{row['learning_rate']:g}" for row in told)
    name = f"locked in at learning rate {rates} ({people(told[0]['users'])})"
    return [(name, " / ".join(percent(row["locked_in"]) for row in told))]


def run_figures(scenario: "AnyScenario", summary: Mapping[str, Any]) -> Figures:
    """Return the headline figures of a run, of everyone after the last post."""
    served = sorted(summary["shares"].items(), key=lambda item: -item[1])[:4]
    return [
        ("locked in", percent(summary["locked_in"])),
        *((name, percent(summary[key])) for name, key in (("two-faced", "two_faced"),) if key in summary),
        (f"effective categories (of {scenario.k})", f"{summary['effective_categories']:.2f}"),
        ("filter bubble", f"{summary['filter_bubble']:.3f}"),
        *rate_rows(summary),
        (marked(summary, "arousal", "calm / engaged / hooked"), " / ".join(map(percent, summary["states"].values()))),
        ("mean reaction", f"{summary['mean_reaction']:.3f}"),
        *((f"mostly served {name}", percent(share)) for name, share in served),
    ]


def comparison_figures(found: "Comparison") -> Figures:
    """Return each arm's differences from the base with their 95% intervals, those that are surely not 0 first."""
    rows = []
    for arm in found.arms:
        sure = sorted(arm.effects, key=lambda effect: effect.low <= 0 <= effect.high)
        rows += [
            (f"{arm.name}: {e.metric}", f"{e.base:.4f} {e.difference:+.4f} [{e.low:+.4f}, {e.high:+.4f}]") for e in sure
        ]
    return rows[:MOST_ROWS]


def audit_figures(found: "Audit") -> Figures:
    """Return each arm's differences from the base with intervals, their range over the assumptions, and the sign."""
    rows = []
    for place, arm in enumerate(found.comparison.arms):
        for metric in found.metrics:
            span = found.span(place, metric)
            told = f"{interval(span.fitted)}, from {span.low:+.4f} to {span.high:+.4f}, {span.sign}"
            rows.append((f"{arm.name}: {metric}", told))
    return rows[:MOST_ROWS]


def interval(effect: "Effect") -> str:
    """Return a paired difference with its 95% interval."""
    return f"{effect.difference:+.4f} [{effect.low:+.4f}, {effect.high:+.4f}]"


def tipping_figures(found: "Tipping") -> Figures:
    """Return the bracket in which a metric crosses its level, the logistic fit and where warm policies tip."""
    low, high = found.bracket
    rows = [(f"crosses {found.level:g} between", f"{low:.4f} and {high:.4f}")]
    if found.fit:
        fit = found.fit
        rows.append(("logistic midpoint", f"{fit.midpoint:.4f} [{fit.midpoint_low:.4f}, {fit.midpoint_high:.4f}]"))
    if found.hysteresis:
        for name, place in (("up", found.hysteresis.tips_up), ("down", found.hysteresis.tips_down)):
            rows.append((f"warm policy, on the way {name}", "never tips" if place != place else f"tips at {place:.3f}"))
    return rows


def neighbours_figures(found: "Neighbours") -> Figures:
    """Return what profile and luck decide, and the share of pairs that have parted at each distance."""

    def told(share: "Share") -> str:
        return f"{percent(share.value)} [{percent(share.low)}, {percent(share.high)}]"

    return [
        ("decided by profile alone", f"{percent(found.profile[0])} (s.e. {percent(found.profile[1])})"),
        ("decided by luck alone", f"{percent(found.luck[0])} (s.e. {percent(found.luck[1])})"),
        *((f"parted at distance {pair.distance:g}, other luck", told(pair.other_luck)) for pair in found.distances),
        ("parted, strangers", told(found.strangers)),
    ]


def person_figures(found: "Person") -> Figures:
    """Return who one person is, what they were shown, and what they are served in each state."""
    names, rungs = found.names, found.scenario.intensity.rungs
    told = {"assumed": found.scenario.population.assumed or ()}
    shown = found.exposures.reshape(len(names), rungs).sum(axis=1)
    rows = [
        (marked(told, "intentionality", "lambda"), f"{found.intentionality:.3f}"),
        ("susceptibility", ", ".join(f"{n} {w:.2f}" for n, w in zip(names, found.susceptibility, strict=True))),
        ("posts shown", ", ".join(f"{n} {count:,}" for n, count in zip(names, shown, strict=True))),
    ]
    counts = " / ".join(f"{count:,}" for count in found.posts_in_state.values())
    rows.append((marked(told, "arousal", "posts in which calm / engaged / hooked"), counts))
    rows.append(("locked in at step", "never" if found.locked_in_at is None else f"{found.locked_in_at:,}"))
    for state, time, served in zip(STATES, found.time_in_state, found.served, strict=True):
        most = int(served.argmax())
        rows.append(
            (f"{state} {percent(float(time))} of the time, fed", f"{names[most]} {percent(float(served[most]))}")
        )
    return [*rows, ("two-faced", "yes" if found.two_faced else "no")]
