"""Simulate the loop between a learning recommender and the people it learns from.

>>> import mirrorfield as mf
>>> run = mf.simulate(mf.Scenario(users=100, steps=20))
>>> sorted(run.summary["states"])
['calm', 'engaged', 'hooked']
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mirrorfield import contract, people, recommenders
    from mirrorfield.api import load, simulate
    from mirrorfield.engine.checks import check_people, check_recommender
    from mirrorfield.errors import ContractError, CorruptError, InputError, MirrorfieldError, StoppedError, StoreError
    from mirrorfield.policy.presets import preset
    from mirrorfield.policy.rule import Rule
    from mirrorfield.population.change import Intensity, Intervention
    from mirrorfield.population.distributions import Population, Segment
    from mirrorfield.population.embedding import EmbeddingScenario
    from mirrorfield.population.policy import Policy
    from mirrorfield.population.scenario import Category, Profile, Record, Scenario
    from mirrorfield.result import EmbeddingRun, PopulationRun, Run
    from mirrorfield.store.tables import load_table
    from mirrorfield.study.arousal import Arousal, arousal
    from mirrorfield.study.audit import Audit, audit
    from mirrorfield.study.fitted import Fitted, fit
    from mirrorfield.study.neighbours import Neighbours, neighbours
    from mirrorfield.study.person import Person, person
    from mirrorfield.study.rlhf import Asked, Rlhf, rlhf
    from mirrorfield.study.scorecard import Scorecard, scorecard
    from mirrorfield.study.sweep import Sweep, sweep
    from mirrorfield.study.tipping import Tipping, tip
    from mirrorfield.study.whatif import Comparison, compare
    from mirrorfield.version import VERSION as __version__

_PLACES = {
    "api": ("load", "simulate"),
    "engine.checks": ("check_people", "check_recommender"),
    "errors": ("ContractError", "CorruptError", "InputError", "MirrorfieldError", "StoppedError", "StoreError"),
    "policy.presets": ("preset",),
    "policy.rule": ("Rule",),
    "population.change": ("Intensity", "Intervention"),
    "population.distributions": ("Population", "Segment"),
    "population.embedding": ("EmbeddingScenario",),
    "population.policy": ("Policy",),
    "population.scenario": ("Category", "Profile", "Record", "Scenario"),
    "result": ("EmbeddingRun", "PopulationRun", "Run"),
    "store.tables": ("load_table",),
    "study.arousal": ("Arousal", "arousal"),
    "study.audit": ("Audit", "audit"),
    "study.fitted": ("Fitted", "fit"),
    "study.neighbours": ("Neighbours", "neighbours"),
    "study.person": ("Person", "person"),
    "study.rlhf": ("Asked", "Rlhf", "rlhf"),
    "study.scorecard": ("Scorecard", "scorecard"),
    "study.sweep": ("Sweep", "sweep"),
    "study.tipping": ("Tipping", "tip"),
    "study.whatif": ("Comparison", "compare"),
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}
_MODULES = ("contract", "people", "recommenders")

__all__ = [
    "Arousal",
    "Asked",
    "Audit",
    "Category",
    "Comparison",
    "ContractError",
    "CorruptError",
    "EmbeddingRun",
    "EmbeddingScenario",
    "Fitted",
    "InputError",
    "Intensity",
    "Intervention",
    "MirrorfieldError",
    "Neighbours",
    "Person",
    "Policy",
    "Population",
    "PopulationRun",
    "Profile",
    "Record",
    "Rlhf",
    "Rule",
    "Run",
    "Scenario",
    "Scorecard",
    "Segment",
    "StoppedError",
    "StoreError",
    "Sweep",
    "Tipping",
    "__version__",
    "arousal",
    "audit",
    "check_people",
    "check_recommender",
    "compare",
    "contract",
    "fit",
    "load",
    "load_table",
    "neighbours",
    "people",
    "person",
    "preset",
    "recommenders",
    "rlhf",
    "scorecard",
    "simulate",
    "sweep",
    "tip",
]


def __getattr__(name: str) -> Any:
    """Return a public name, and import what it needs when it is first asked for."""
    if name in _MODULES:
        return import_module(f"mirrorfield.{name}")
    if name == "__version__":
        found = import_module("mirrorfield.version").VERSION
    elif name in _PLACE_OF:
        found = getattr(import_module(f"mirrorfield.{_PLACE_OF[name]}"), name)
    else:
        raise AttributeError(f"module 'mirrorfield' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
