"""The four phenomena on the page: what a change does to the same few thousand people, from `compare`."""

from functools import cache
from typing import Any, Literal

from mirrorfield.population.scenario import Scenario
from mirrorfield.study.whatif import compare

Phenomenon = Literal["echo-chamber", "filter-bubble", "polarization", "radicalization"]
Change = Literal["open-loop", "leash", "exploration", "quota", "intensity-cap"]

USERS, STEPS = 4000, 1000
METRICS: dict[str, tuple[str, ...]] = {
    "echo-chamber": ("drift", "mean_reaction", "hooked"),
    "filter-bubble": ("filter_bubble", "effective_categories", "locked_in"),
    "polarization": ("share:threat", "share:tribal", "share:validation", "share:depth"),
    "radicalization": ("intensity", "floor", "mean_reaction"),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "leash": {"policy": {"beta": 0.05, "leash": "k3-in-loss"}},
    "exploration": {"intervention": {"exploration": 0.1}},
    "quota": {"intervention": {"quota": 0.6}},
    "intensity-cap": {"intervention": {"intensity_cap": 0.5}},
}
WORDS: dict[str, str] = {
    "open-loop": "--against popular",
    "leash": '--change "policy.beta=0.05 policy.leash=k3-in-loss"',
    "exploration": "--change intervention.exploration=0.1",
    "quota": "--change intervention.quota=0.6",
    "intensity-cap": "--change intervention.intensity_cap=0.5",
}


@cache
def effects(phenomenon: Phenomenon, change: Change) -> dict[str, Any]:
    """Return the paired effects of a change on the metrics of a phenomenon, and the command that prints them."""
    preset = "radicalization" if phenomenon == "radicalization" else "default"
    values = Scenario.load(preset).model_dump(exclude_unset=True) | {"users": USERS, "steps": STEPS}
    values |= {"record": {"users": USERS, "steps": 8}}
    base, metrics = Scenario(**values), METRICS[phenomenon]
    if change == "open-loop":
        found = compare(base, {}, metrics, against=["popular"])
    else:
        found = compare(base, {change: Scenario(**(values | SETTINGS[change]))}, metrics)
    size = f"--users {USERS} --pairs {USERS} --steps {STEPS}"
    chosen = " ".join(f"--metric {metric}" for metric in metrics)
    return {
        "pairs": found.pairs,
        "steps": STEPS,
        "command": f"mirrorfield compare {preset} {size} {WORDS[change]} {chosen}",
        "effects": [
            {name: getattr(effect, name) for name in ("metric", "base", "changed", "difference", "low", "high")}
            for effect in found.arms[0].effects
        ],
    }
