"""The measures that pages and studies report, on feeds of a small run, against the theory's own way to each."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mirrorfield.metrics import clusters, concentration, diversity, escalation, mirrors, outcomes, polarization
from mirrorfield.metrics.moments import Moments
from mirrorfield.metrics.paired import moves, paired_effect
from mirrorfield.metrics.similarity import mean_cosine
from mirrorfield.population.run import plan_run, run_block
from mirrorfield.theory import measures
from mirrorfield.theory.figures import entropy, leader, tally
from mirrorfield.validation.claim import Claim, near
from mirrorfield.validation.metrics import two_faced
from mirrorfield.validation.worlds import uneven

EXACT = 1e-9
LOCKED = 0.9


def _near(name: str, found: Any, expected: Any) -> Claim:
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    same = found.shape == expected.shape and np.array_equal(np.isnan(found), np.isnan(expected))
    away = float(np.nanmax(np.abs(found - expected), initial=0.0)) if same else float("inf")
    return near("outcomes", f"{name}, largest difference", away, EXACT)


def claims(users: int) -> Iterator[Claim]:
    """Yield every measure in `metrics` of people, feeds and crowds."""
    scenario = uneven(users=users, steps=40, policy={"learning_rate": 2.0}, record={"steps": 6})
    plan = plan_run(scenario)
    trace = run_block(plan, 0, users).sample
    feed = trace.diet.transpose(0, 2, 1).astype(float)
    feed = feed / feed.sum(axis=2, keepdims=True)
    yield from of_people(plan.steps, trace, feed)
    yield from of_feeds(feed[-1], feed[2])
    yield from over_time(plan.steps, trace, feed)
    yield from of_crowds(feed[-1], feed[2], trace.intentionality.astype(float))


def of_people(steps: Any, trace: Any, feed: Any) -> Iterator[Claim]:
    """Yield what a comparison of two runs reads of every user."""
    users, names = np.arange(feed.shape[1]), ["a", "b", "c", "d"]
    found = outcomes.user_outcomes(trace, steps, users, names)
    locked = feed.max(axis=2) > LOCKED
    leaders = np.array([leader(p, user) for p, user in zip(feed[-1], users, strict=True)])
    expected = {
        "locked_in": locked[-1],
        "time_to_lock_in": [next((t for t, hit in zip(steps, one, strict=True) if hit), steps[-1]) for one in locked.T],
        "effective_categories": [np.exp(entropy(p)) for p in feed[-1]],
        "filter_bubble": measures.from_mean(feed[-1]),
        "drift": 1 - np.minimum(feed[-1], feed[0]).sum(axis=1),
        "two_faced": two_faced(trace),
        "mean_reaction": trace.mean_reaction[-1],
        **{state: trace.state[-1] == s for s, state in enumerate(("calm", "engaged", "hooked"))},
        **{f"share:{name}": leaders == a for a, name in enumerate(names)},
    }
    for name, values in expected.items():
        yield near("outcomes", f"{name} of every user, largest difference",
                   float(np.abs(found[name] - np.asarray(values, float)).max()), 1e-6)  # fmt: skip


def of_feeds(feed: Any, other: Any) -> Iterator[Claim]:
    """Yield what is measured of one feed, or of two."""
    for order in (0.5, 2.0):
        yield _near(f"Hill number of order {order:g}", diversity.hill(feed, order), measures.hill(feed, order))
    yield _near("Herfindahl index", diversity.herfindahl(feed), [p @ p for p in feed])
    yield _near("Gini coefficient", diversity.gini(feed), [measures.gini(p) for p in feed])
    yield _near("coverage", diversity.coverage(feed, 0.1), [sum(x > 0.1 for x in p) / 4 for p in feed])
    yield _near("miscalibration", diversity.miscalibration(feed, other), measures.miscalibration(feed, other))
    yield _near("what two feeds have in common", mirrors.common(feed, other), 1 - np.abs(feed - other).sum(axis=1) / 2)
    yield _near("effective categories", concentration.effective_categories(feed), [np.exp(entropy(p)) for p in feed])
    served, time = np.stack([feed, other, feed[::-1]]), np.array([0.5, 0.3, 0.2])[:, None] * np.ones(len(feed))
    mean = np.arange(12.0).reshape(3, 4)
    worth = [sum(time[s, u] * served[s, u] @ mean[s] for s in range(3)) for u in range(len(feed))]
    yield _near("deliberate value", outcomes.deliberate_value(served.transpose(0, 2, 1), time, mean), worth)


def over_time(steps: Any, trace: Any, feed: Any) -> Iterator[Claim]:
    """Yield what is measured of a course: survival, rates of moves, slopes, shifts."""
    locked, users = feed.max(axis=2) > LOCKED, feed.shape[1]
    first = [next((c for c, hit in enumerate(one) if hit), None) for one in locked.T]
    events = np.array([first.count(c) for c in range(len(steps))])
    yield _near("first times", escalation.first_times(locked), events)
    found = escalation.kaplan_meier(steps, events, users)
    share, spread = measures.product_limit(events.tolist(), users)
    yield _near("Kaplan-Meier share", found.share, share)
    inner = (share > 0) & (share < 1)
    bound = -1.959964 * np.sqrt(spread[inner]) / np.log(share[inner])
    yield _near("Kaplan-Meier interval, lower end", found.low[inner], np.exp(np.log(share[inner]) * np.exp(bound)))
    flow = tally(zip(trace.state[1], trace.state[-1], strict=True), 3, 3)
    given = escalation.state_rates(flow)
    for name, expected in measures.rates(flow).items():
        yield _near(f"rate of moves, {name}", getattr(given, name), expected)
    yield _near("mean shares that stay", given.staying, [flow[s, s] / flow[s].sum() for s in range(3)])
    time = np.log(steps)
    yield _near("slope of every user", escalation.slope(time, feed[..., 0]), np.polyfit(time, feed[..., 0], 1)[0])
    apart = np.mean([np.linalg.norm(one - other, axis=1) for one, other in zip(feed, feed[::-1], strict=True)], axis=0)
    yield _near("induced shift", escalation.induced_shift(feed, feed[::-1]), apart)


def of_crowds(feed: Any, other: Any, lam: Any) -> Iterator[Claim]:
    """Yield what is measured of a crowd: positions, partitions, pairs of runs."""
    one, two = feed.argmax(axis=1), other.argmax(axis=1)
    place = np.round(lam, 1)
    groups, count = np.unique(place, return_counts=True)
    for name, expected in measures.polarization(place, 1.3).items():
        function = getattr(polarization, name if name != "bimodality" else "bimodality_coefficient")
        found = function(count) if name == "reynal_querol" else function(groups, count)
        yield _near(name.replace("_", " "), found, expected)
    yield _near("adjusted Rand index", clusters.adjusted_rand(one, two), measures.pair_agreement(one, two))
    described = clusters.describe(one, feed, lam, feed, lam)
    means = [feed[one == a].mean(axis=0) for a in np.unique(one)]
    yield _near("share of every cluster", [c.share for c in described], [(one == a).mean() for a in np.unique(one)])
    yield _near("divergence of clusters", [c.apart for c in described],
                [[measures.divergence(p, q) for q in means] for p in means])  # fmt: skip
    yield _near("what two runs of a user share", mirrors.decided(one, two, 4)[0], measures.decided(one, two, 4))
    yield _near("Wilson interval", np.ravel(mirrors.wilson(np.array(37), np.array(120))), measures.wilson(37, 120))
    yield _near("moves between categories", moves(one, two, 4), tally(zip(one, two, strict=True), 4, 4))
    halves, whole = np.array_split(lam, [len(lam) // 3]), Moments.of(lam)
    merged = Moments.of(halves[0]).merge(Moments.of(halves[1]))
    yield _near("moments of a merge", [merged.users, merged.mean, merged.squares],
                [len(lam), np.mean(lam), len(lam) * np.var(lam)])  # fmt: skip
    yield _near("moments of a whole", [whole.mean, whole.squares], [merged.mean, merged.squares])
    effect = paired_effect("x", feed[:, 0], other[:, 0])
    for name, value in measures.paired(feed[:, 0], other[:, 0]).items():
        yield _near(f"paired effect, {name.replace('_', ' ')}", getattr(effect, name), value)
    vectors = feed / np.linalg.norm(feed, axis=1, keepdims=True)
    found = mean_cosine(vectors[:40], one[:40] % 2, 2)
    yield _near("mean cosine of items", found, measures.cosines(vectors[:40], one[:40] % 2, 2))
