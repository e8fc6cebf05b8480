"""Facts are checked as they are read, and the rule gives the right verdict on facts whose truth is known."""

from dataclasses import dataclass
from math import inf

import pytest

from mirrorfield.errors import InputError
from mirrorfield.study.bench import NULLS
from mirrorfield.study.counterparts import MEASURES
from mirrorfield.validation.facing import Measured, judge
from mirrorfield.validation.facts import Fact, facts, read_facts

WHOLE = """
[[fact]]
id = "made"
statement = "Made up."
kind = "size"
value = 2.0
low = 1.0
high = 3.0
unit = "posts"
population = "nobody"
checked = true
measure = "narrowing"
counterpart = "the same"
nulls = ["random"]
change = "anything"
[fact.source]
authors = "A"
year = 2020
title = "T"
address = "https://doi.org/10.1/x"
place = "table 1"
"""


@dataclass
class Case:
    changes: dict[str, object]
    found: tuple[float, float, float]
    verdict: str
    why: str


def made(**changes: object) -> Fact:
    """Return a fact of size 2 [1, 3], changed."""
    return read_facts(WHOLE, "made.toml")[0].model_copy(update=changes)


POINT: dict[str, object] = {"low": None, "high": None}
UP: dict[str, object] = {"kind": "sign", "value": 1.0, **POINT}
DOWN: dict[str, object] = {"kind": "sign", "value": -1.0, **POINT}
STILL: dict[str, object] = {"kind": "zero", "value": 0.0, "margin": 0.1, **POINT}
CASES = [
    Case({}, (3.5, 2.9, 4.1), "agrees", "the intervals overlap"),
    Case({}, (0.5, 0.1, 1.0), "agrees", "the intervals overlap"),
    Case({}, (5.9, 5.8, 6.0), "agrees", "2.95 times"),
    Case({}, (0.7, 0.6, 0.8), "agrees", "0.35 times"),
    Case({}, (6.1, 6.0, 6.2), "contradicts", "3.05 times"),
    Case({}, (0.6, 0.5, 0.65), "contradicts", "0.3 times"),
    Case({}, (-2.0, -2.1, -1.9), "contradicts", "the other sign"),
    Case({}, (0.0, 0.0, 0.0), "contradicts", "no effect"),
    Case({}, (inf, inf, inf), "contradicts", "inf times"),
    Case({"value": -2.0, "low": -3.0, "high": -1.0}, (-5.0, -5.1, -4.9), "agrees", "2.5 times"),
    Case(POINT, (2.4, 2.3, 2.5), "agrees", "1.2 times"),
    Case(POINT, (9.0, 1.9, 20.0), "agrees", "the intervals overlap"),
    Case(UP, (0.2, 0.1, 0.3), "agrees", "the same sign"),
    Case(UP, (-0.2, -0.3, -0.1), "contradicts", "the other sign"),
    Case(UP, (0.0, 0.0, 0.0), "contradicts", "no effect"),
    Case(UP, (0.1, -0.1, 0.3), "cannot be compared", "too few people"),
    Case(DOWN, (-0.2, -0.3, -0.1), "agrees", "the same sign"),
    Case(DOWN, (0.2, 0.1, 0.3), "contradicts", "the other sign"),
    Case(STILL, (0.0, 0.0, 0.0), "agrees", "within 0.1"),
    Case(STILL, (0.2, 0.1, 0.3), "agrees", "within 0.1"),
    Case(STILL, (0.2, 0.15, 0.3), "contradicts", "beyond 0.1"),
    Case(STILL, (-0.2, -0.3, -0.15), "contradicts", "beyond 0.1"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.verdict}: {case.why}, {case.found[0]:g}")
def test_the_rule_on_made_facts(case: Case) -> None:
    verdict = judge(made(**case.changes), Measured(*case.found))
    assert verdict.word == case.verdict and case.why in verdict.why


def test_the_facts_of_the_package() -> None:
    known = facts()
    assert len(known) >= 10 and sum(fact.measure is not None for fact in known) >= 10
    for fact in known:
        assert fact.measure is None or fact.measure in MEASURES, fact.id
        assert set(fact.nulls) <= set(NULLS), fact.id
        assert fact.source.address.startswith("https://"), fact.id
    assert {fact.measure for fact in known} - {None} == set(MEASURES)
    assert {fact.role for fact in known} == {"test", "input"}
    assert sum(fact.role == "input" for fact in known) <= len(known) / 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('[fact.source]\nauthors = "A"', '[source]\nauthors = "A"', "fact.0.source: expected a value, got none"),
        ('authors = "A"\n', "", "fact.0.source.authors: expected a value, got none"),
        ('place = "table 1"', 'place = ""', "fact.0.source.place"),
        ('"https://doi.org/10.1/x"', '"somewhere"', "fact.0.source.address"),
        ("high = 3.0\n", "", "expected both low and high"),
        ("high = 3.0", "high = 1.5", "expected low <= value <= high, got 1, 2, 1.5"),
        ("value = 2.0", "value = nan", "fact.0.value: expected a finite number"),
        ('kind = "size"', 'kind = "sign"', "expected value 1 or -1 for a sign, got 2"),
        ('kind = "size"', 'kind = "zero"', 'expected value 0 and a margin for kind "zero"'),
        ("value = 2.0\nlow = 1.0", "value = 0\nlow = 0", 'use kind = "zero"'),
        ("checked = true", "checked = false", "expected `unchecked`, the reason"),
        ('measure = "narrowing"\n', "", "expected either a measure, or the reason"),
        ('nulls = ["random"]\n', "", "one null model or more"),
        ('id = "made"', 'id = "Made up"', "fact.0.id"),
        ('unit = "posts"', 'unit = "posts"\nunits = 2', 'unknown key "fact.0.units". Did you mean "unit"?'),
        (WHOLE, WHOLE + WHOLE, "expected distinct ids, got made twice"),
    ],
)
def test_a_mistake_in_a_fact_is_named_in_one_line(old: str, new: str, told: str) -> None:
    assert old in WHOLE
    with pytest.raises(InputError) as caught:
        read_facts(WHOLE.replace(old, new), "made.toml")
    assert told in str(caught.value) and str(caught.value).startswith("made.toml: ") and "\n" not in str(caught.value)
