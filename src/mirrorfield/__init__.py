"""Simulate the loop between a learning recommender and the people it learns from.

>>> import mirrorfield as mf
>>> run = mf.simulate(mf.Scenario(users=100, steps=20))
>>> sorted(run.summary["states"])
['calm', 'engaged', 'hooked']
"""

from mirrorfield import contract, people, recommenders
from mirrorfield.api import Run, simulate
from mirrorfield.engine.checks import check_people, check_recommender
from mirrorfield.errors import ContractError, CorruptError, InputError, MirrorfieldError, StoppedError, StoreError
from mirrorfield.policy.presets import preset
from mirrorfield.policy.rule import Rule
from mirrorfield.population.change import Intensity, Intervention
from mirrorfield.population.distributions import Population, Segment
from mirrorfield.population.policy import Policy
from mirrorfield.population.scenario import Category, Profile, Record, Scenario
from mirrorfield.store.tables import load_table
from mirrorfield.study.neighbours import Neighbours, neighbours
from mirrorfield.study.rlhf import Asked, Rlhf, rlhf
from mirrorfield.study.sweep import Sweep, sweep
from mirrorfield.study.tipping import Tipping, tip
from mirrorfield.study.whatif import Comparison, compare
from mirrorfield.version import VERSION as __version__

__all__ = [
    "Asked",
    "Category",
    "Comparison",
    "ContractError",
    "CorruptError",
    "InputError",
    "Intensity",
    "Intervention",
    "MirrorfieldError",
    "Neighbours",
    "Policy",
    "Population",
    "Profile",
    "Record",
    "Rlhf",
    "Rule",
    "Run",
    "Scenario",
    "Segment",
    "StoppedError",
    "StoreError",
    "Sweep",
    "Tipping",
    "__version__",
    "check_people",
    "check_recommender",
    "compare",
    "contract",
    "load_table",
    "neighbours",
    "people",
    "preset",
    "recommenders",
    "rlhf",
    "simulate",
    "sweep",
    "tip",
]
