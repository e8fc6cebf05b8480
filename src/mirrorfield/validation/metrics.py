"""Every published figure of a small run, against the theory's own text over its users one by one."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from mirrorfield.kernel import Trace
from mirrorfield.metrics.summary import summarise
from mirrorfield.population.run import Gathering, Part, Plan, plan_run, run_block
from mirrorfield.population.scenario import Scenario
from mirrorfield.store.dataset import to_dataset
from mirrorfield.theory.figures import Crowd, by_leader, counts, figures, histogram
from mirrorfield.validation.claim import Claim, near
from mirrorfield.validation.worlds import uneven

BLOCKS = (0, 256, 301)  # a block wider than one fold, a short one, and the rest; gathered out of order
GROUP = "metrics"


def gathered(scenario: Scenario) -> tuple[Plan, Part]:
    """Return a run in blocks that were finished out of order; every user is in the sample."""
    plan, edges = plan_run(scenario), (*BLOCKS, scenario.users)
    gathering = Gathering(plan)
    for first, end in reversed(list(pairwise(edges))):
        gathering.add(run_block(plan, first, end - first))
    return plan, gathering.whole()


def crowd_of(plan: Plan, part: Part, served: str = "diet") -> Crowd:
    """Return a run's users as the theory reads them; what they are served is their diet, or their feed."""
    sample = part.sample
    return Crowd(
        served=getattr(sample, served).transpose(0, 2, 1).astype(float),
        state=sample.state.astype(int),
        mean_reaction=sample.mean_reaction.astype(float),
        intentionality=sample.intentionality.astype(float),
        ids=plan.sample.tolist(),
    )


def _away(one: Any, other: Any) -> float:
    one, other = np.asarray(one, float), np.asarray(other, float)
    if one.shape != other.shape or not np.array_equal(np.isnan(one), np.isnan(other)):
        return float("inf")
    return float(np.nanmax(np.abs(one - other), initial=0.0))


def _claims(found: Any, expected: dict[str, list[Any]], what: str) -> Iterator[Claim]:
    for name, values in expected.items():
        away = max(_away(found[name][c], value) for c, value in enumerate(values))
        yield near(GROUP, f"{name}, {what}, largest difference at any step", away)


def population(users: int) -> Iterator[Claim]:
    """Yield every figure and count of a run's dataset, and its summary."""
    scenario = uneven(users=users, steps=24, policy={"learning_rate": 4.0}, record={"steps": 5, "bands": 20})
    plan, part = gathered(scenario)
    crowd, data = crowd_of(plan, part), to_dataset(plan, part, "")
    variables: dict[str, Any] = {str(name): data[name].values for name in data.data_vars}
    recorded, what = range(len(plan.steps)), f"{users} users in 3 blocks"
    rows = [figures(crowd, c) for c in recorded]
    yield from _claims(variables, {name: [row[name] for row in rows] for name in rows[0]}, what)
    tables = [counts(crowd, c, 20) for c in recorded]
    variables["band_users"] = [variables["band_users"]] * len(tables)
    yield from _claims(variables, {name: [row[name] for row in tables] for name in tables[0]}, what)
    yield from _claims(variables, {"reaction_users": [_reactions(scenario, crowd, c) for c in recorded]}, what)
    yield near(GROUP, f"sums of p_a p_b in whole units of 2^-48, {what}, largest difference", _products(part))
    yield from summary(plan, part, crowd)


def _products(part: Part) -> float:
    """Return the largest difference of a sum of products of two shares, kept in two words, from that of whole numbers.

    Formula: sum_u n_ua n_ub with n = floor(2^24 p + 1/2), for a <= b; with fewer than 2^15 people it fits in 63 bits.
    """
    shares = part.sample.diet.astype(np.float32)
    units = np.floor(shares * np.float32(2**24) + np.float32(0.5)).astype(np.int64)
    expected = np.triu(np.einsum("cau,cbu->cab", units, units))
    kept = part.totals.feed_product
    return float(np.abs((kept[..., 0] << 24) + kept[..., 1] - expected).max())


def _reactions(scenario: Scenario, crowd: Crowd, c: int) -> Any:
    values = scenario.model_dump()
    means = [np.asarray(values[end]["mean"]) for end in ("reactive", "intentional")]
    spread = max(np.max(values[end]["std"]) for end in ("reactive", "intentional"))
    low, high = min(m.min() for m in means) - spread, 2 * max(m.max() for m in means) + spread
    return histogram(crowd.mean_reaction[c], low, high)


def summary(plan: Plan, part: Part, crowd: Crowd) -> Iterator[Claim]:
    """Yield the figures that a person reads at the end of a run, and those of each fifth of intentionality."""
    names, last = tuple(category.name for category in plan.scenario.categories), len(plan.steps) - 1
    found = summarise(part.totals, part.momentary, names, plan.scenario.steps, plan.scenario.seed)
    expected, now = figures(crowd, last), figures(crowd_of(plan, part, "feed"), last)
    single = [name for name, value in expected.items() if np.ndim(value) == 0]
    away = [_away(found[name], expected[name]) for name in single]
    away += [_away(list(found["shares"].values()), expected["share"])]
    away += [_away(list(found["states"].values()), expected["state_share"])]
    yield near(GROUP, "summary at the last step, largest difference of any figure", max(away))
    momentary = found["momentary"]
    away = [_away(momentary[name], now[name]) for name in single if name in momentary]
    away += [_away(list(momentary["shares"].values()), now["share"])]
    yield near(GROUP, "momentary figures at the last step, largest difference of any", max(away))
    yield near(GROUP, "two-faced users at the last step", _away(found["two_faced"], two_faced(part.sample).mean()))
    fifth, category, locked = crowd.bands(5), crowd.leaders(last), crowd.locked(last)
    away = []
    for band, row in enumerate(found["by_intentionality"]):
        inside = fifth == band
        shares = [(category[inside] == d).mean() for d in range(len(names))]
        away += [_away(row["users"], inside.sum()), _away(list(row["shares"].values()), shares)]
        away += [_away(row["locked_in"], locked[inside].mean())]
        away += [_away(row["hooked"], (crowd.state[last][inside] == 2).mean())]
    yield near(GROUP, "summary by intentionality, largest difference of any figure", max(away))


def two_faced(sample: Trace) -> Any:
    """Return who is led by no one category in all the states that they spend more than a twentieth of their time in."""
    found = []
    for served, time in zip(sample.served.transpose(2, 0, 1), sample.time_in_state.T, strict=True):
        leading = [
            set(np.flatnonzero(law == law.max())) for law, share in zip(served, time, strict=True) if share > 0.05
        ]
        found.append(not set.intersection(*leading))
    return np.array(found)


def intensities(users: int) -> Iterator[Claim]:
    """Yield the mean intensity and floor of a run with adaptive people, by category of the user and over all."""
    habit = {"rungs": 3, "slope": 0.3, "width": 0.4, "eta": 0.2, "decay": 0.05}
    scenario = uneven(2, users=users, steps=12, intensity=habit, policy={"learning_rate": 2.0}, record={"steps": 3})
    plan, part = gathered(scenario)
    crowd, data = crowd_of(plan, part), to_dataset(plan, part, "")
    found = summarise(part.totals, part.momentary, ("a", "b"), 12, 3)
    for name in ("intensity", "floor"):
        own = getattr(part.sample, name).astype(float)
        away = [_away(data[name].values[c], by_leader(crowd, c, own[c])) for c in range(len(plan.steps))]
        yield near(GROUP, f"{name} by category, and over all users", max(*away, _away(found[name], own[-1].mean())))
