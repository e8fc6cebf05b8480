"""The four phenomena on the page: what a change does to the same few thousand people, from `compare`."""

import asyncio
from typing import Any, Literal

from pydantic import BaseModel

from mirrorfield.errors import InputError, MirrorfieldError
from mirrorfield.population.scenario import Scenario
from mirrorfield.server.shop import Share, Shop, whole
from mirrorfield.study.whatif import compare

Phenomenon = Literal["echo-chamber", "filter-bubble", "polarization", "radicalization"]
Change = Literal["open-loop", "leash", "exploration", "quota", "intensity-cap"]

USERS, STEPS = 4000, 1000
METRICS: dict[str, tuple[str, ...]] = {
    "echo-chamber": ("mean_reaction", "drift", "hooked"),
    "filter-bubble": ("filter_bubble", "effective_categories", "locked_in"),
    "polarization": ("share:threat", "share:tribal", "share:validation", "share:depth"),
    "radicalization": ("hooked", "intensity", "floor"),
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


class BusyError(MirrorfieldError):
    """Too many questions wait."""


class Difference(BaseModel):
    """A metric without and with a change, and the mean paired difference with its 95% interval."""

    metric: str
    base: float
    changed: float
    difference: float
    low: float
    high: float


class WhatIf(BaseModel):
    """What a change does to `pairs` people over `steps` posts, and the command that prints it."""

    pairs: int
    steps: int
    command: str
    effects: list[Difference]


class Desk:
    """Answers what-ifs one at a time and keeps the answers, of which there are few; at most `waiting` may wait."""

    def __init__(self, waiting: int) -> None:
        self.waiting, self._queue, self._one = waiting, 0, asyncio.Lock()
        self._shop, self._share = Shop(1), Share()
        self._answers: dict[tuple[Phenomenon, Change], WhatIf] = {}

    async def answer(self, phenomenon: Phenomenon, change: Change) -> WhatIf:
        """Return an answer; raise BusyError while too many others wait, InputError for a change that has no effect."""
        key = (phenomenon, change)
        if key not in self._answers and self._queue > self.waiting:
            raise BusyError(f"{self.waiting} questions wait already; ask again in a minute")
        self._queue += 1
        try:
            async with self._one:
                if key not in self._answers:
                    self._answers[key] = await self._shop.do(self._share, whole(effects, phenomenon, change))
                return self._answers[key]
        finally:
            self._queue -= 1


def effects(phenomenon: Phenomenon, change: Change) -> WhatIf:
    """Return the paired effects of a change on the metrics of a phenomenon, and the command that prints them."""
    if change == "intensity-cap" and phenomenon != "radicalization":
        raise InputError("intensity-cap: expected radicalization, because the posts of other panels have one intensity")
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
    return WhatIf(
        pairs=found.pairs,
        steps=STEPS,
        command=f"mirrorfield compare {preset} {size} {WORDS[change]} {chosen}",
        effects=[
            Difference(**{name: getattr(effect, name) for name in Difference.model_fields})
            for effect in found.arms[0].effects
        ],
    )
