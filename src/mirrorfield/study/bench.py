"""What a scorecard runs: the model and its null models on the same people with the same luck, each run once."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mirrorfield.api import execute, prepare
from mirrorfield.arrays import FloatArray
from mirrorfield.kernel import Trace
from mirrorfield.model.profile import blend
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.settings import changed
from mirrorfield.population.tables import profile_tables
from mirrorfield.study.whatif import open_loops

RECORDED = 16
MODEL = "model"
NULLS = {
    "random": "a feed in which every kind of post is equally likely, whatever people do",
    "popular": "one feed for everybody: each kind as often as the model showed it on average",
    "alike": "the model's recommender, for people who do not tell kinds of posts apart",
    "unrestrained": "the model, for people who never act deliberately (lambda = 0)",
    "fresh": "the same recommender without a past: it meets people only after their switch",
    "perfect": "a reward model that is the truth",
}


class Bench:
    """A scenario, and every run of it and of changed ones that a measurement has asked for."""

    def __init__(
        self, base: Scenario, threads: int | None = None, progress: Callable[[int], None] | None = None
    ) -> None:
        record = base.record.model_copy(update={"users": base.users, "steps": RECORDED})
        self.base, self.threads, self.progress = base.model_copy(update={"record": record}), threads, progress
        self._traces: dict[str, Trace] = {}

    def changed(self, settings: Mapping[str, Any]) -> "Bench":
        """Return a bench whose base has other settings."""
        return Bench(changed(self.base, settings), self.threads, self.progress)

    def scenario(self, server: str, settings: Mapping[str, Any] | None = None) -> Scenario:
        """Return the base as a null model would have it, or as it is for "model", with settings on top."""
        scenario = self.base
        if server == "random":
            scenario = open_loops(scenario, None, ["random"])["open loop: random"]
        elif server == "popular":
            scenario = open_loops(scenario, self.run(MODEL).exposures, ["popular"])["open loop: popular"]
        elif server == "alike":
            scenario = changed(scenario, _alike(scenario))
        elif server == "unrestrained":
            scenario = changed(scenario, {"population.intentionality": {"distribution": "point", "value": 0.0}})
        return changed(scenario, settings) if settings else scenario

    def run(self, server: str, settings: Mapping[str, Any] | None = None) -> Trace:
        """Return the trace of everybody, from an earlier run if there was one."""
        key = f"{server} {sorted((settings or {}).items())}"
        if key not in self._traces:
            plan = prepare(self.scenario(server, settings), None, self.threads, None)
            self._traces[key] = execute(plan, self.threads, progress=self.progress).part.sample
        return self._traces[key]

    def mean(self, server: str, trace: Trace) -> FloatArray:
        """Return mu_u[s, a], the mean reaction of everybody, (n, S, K); docs/model.md, eq. 1."""
        tables, (lam, w) = profile_tables(self.scenario(server)), _person(trace)
        reactive, intentional = tables.reactive.mean.astype(float), tables.intentional.mean.astype(float)
        return np.asarray(blend(lam[:, None, None], w[:, None, :] * reactive, intentional))

    def transition(self, server: str, trace: Trace) -> FloatArray:
        """Return P_u[s, a, s'], the law of everybody's next state, (n, S, K, S); docs/model.md, eq. 1."""
        tables, (lam, _) = profile_tables(self.scenario(server)), _person(trace)
        ends = tables.reactive.transition.astype(float), tables.intentional.transition.astype(float)
        return np.asarray(blend(lam[:, None, None, None], *ends))


def _person(trace: Trace) -> tuple[FloatArray, FloatArray]:
    return trace.intentionality.astype(float), trace.susceptibility.T.astype(float)


def _alike(scenario: Scenario) -> dict[str, Any]:
    """Return settings in which every kind of post has, in each state, the mean effect of all of them."""
    found: dict[str, Any] = {"population.susceptibility": {"distribution": "point", "value": 1.0}}
    for place in ("reactive", "intentional"):
        profile = getattr(scenario, place)
        for name in ("mean", "std", "up", "down"):
            table = profile.table(name, scenario.k)
            found[f"{place}.{name}"] = np.broadcast_to(table.mean(axis=1, keepdims=True), table.shape).tolist()
    return found
