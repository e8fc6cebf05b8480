"""The kernel follows the theory's float64 replay, person by person: every rule, part of a rule and mechanism."""

import numpy as np
import pytest

from mirrorfield.validation import cases, metrics, outcomes, people, shared
from mirrorfield.validation.claim import TOLERANCE
from mirrorfield.validation.replay import deviation, numbers, told, traced
from mirrorfield.validation.suite import CHECKS

GROUPS = ("loop", "presets", "parts", "intensity", "interventions", "lens")
CASES = {f"{group}: {name}": case[0] for group in GROUPS for name, case in getattr(cases, group)().items()}


@pytest.mark.parametrize("name", CASES)
def test_a_trajectory_follows_the_replay(name: str) -> None:
    steps, trace = traced(CASES[name])
    assert deviation(trace._asdict(), numbers(told(CASES[name], steps))) < TOLERANCE


@pytest.mark.parametrize("check", ["population", "intensities"])
def test_figures_are_those_of_the_users_one_by_one(check: str) -> None:
    assert [claim.text for claim in getattr(metrics, check)(310) if not claim.holds] == []


def test_measures_are_those_of_their_definitions() -> None:
    assert [claim.text for claim in outcomes.claims(100) if not claim.holds] == []


def test_the_embedding_world_follows_the_replay() -> None:
    assert [claim.text for claim in shared.follows(6) if not claim.holds] == []


def test_streams_are_the_theorys_word_for_word() -> None:
    claim = next(people.streams_of(1000))
    assert claim.holds and claim.measured == 0


def test_every_exact_claim_finds_a_change_of_what_it_watches() -> None:
    """A probe that moved nothing would leave the power of its claim unknown."""
    ((check, _, few),) = CHECKS["intensity"]
    powers = np.array([claim.power for claim in check(few)])
    assert np.isfinite(powers).all() and (powers > 0).all() and (powers < 1e-2).all()
