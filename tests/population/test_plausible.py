"""Parts of a job with wrong numbers and a right checksum: refused, or as harmless as a true part."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mirrorfield as mf
from mirrorfield.errors import InputError
from mirrorfield.kernel import Totals, Trace
from mirrorfield.population.plausible import check_part
from mirrorfield.population.run import Gathering, Part, Plan, plan_run, run_block
from mirrorfield.recommenders import Thompson

SCENARIO = mf.Scenario(users=300, steps=40, policy={"learning_rate": 2.0}, record={"users": 60, "steps": 4})
FIELDS = [
    (kind, name)
    for kind, fields in (("totals", Totals._fields), ("momentary", Totals._fields), ("sample", Trace._fields))
    for name in fields
]
EMPTY = ("intensity", "next_intensity", "floor", "served_intensity")  # where posts have no intensity
FILLED = [field for field in FIELDS if field[1] not in EMPTY]


@cache
def plan() -> Plan:
    return plan_run(SCENARIO)


@cache
def part() -> Part:
    return run_block(plan(), 0, SCENARIO.users)


def changed(kind: str, name: str, array: Any) -> Part:
    return replace(part(), **{kind: getattr(part(), kind)._replace(**{name: array})})


def array_of(kind: str, name: str) -> Any:
    return getattr(getattr(part(), kind), name)


def test_true_parts_are_plausible() -> None:
    check_part(plan(), part())
    check_part(plan(), run_block(plan(), 100, 1))
    own = mf.simulate(mf.Scenario(users=50, steps=20), recommender=Thompson())
    check_part(own.plan, own.part)


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_another_shape_or_type_is_named(kind: str, name: str) -> None:
    true = array_of(kind, name)
    for array in (true[..., None], np.concatenate([true, true[:1]]), true.astype(np.float64), true.astype(">i8")):
        if array.shape != true.shape or array.dtype != true.dtype:
            with pytest.raises(InputError, match=rf"^{kind}\.{name}: expected {true.dtype} of shape "):
                check_part(plan(), changed(kind, name, array))


@pytest.mark.parametrize(("kind", "name"), FILLED)
def test_numbers_beyond_a_bound_are_named(kind: str, name: str) -> None:
    true = array_of(kind, name)
    wild = (np.inf, -np.inf, np.nan) if true.dtype.kind == "f" else (np.iinfo(true.dtype).max, np.iinfo(true.dtype).min)
    for number in wild:
        array = true.copy()
        array.flat[0] = number
        with pytest.raises(InputError, match=rf"^{kind}\.{name}: expected "):
            check_part(plan(), changed(kind, name, array))


@pytest.mark.parametrize("kind", ["totals", "momentary"])
@pytest.mark.parametrize(
    "name", ["band_users", "band_category", "band_state", "state_flow", "entropy_bins", "reaction_bins"]
)
def test_one_person_more_is_noticed_wherever_everyone_is_counted(kind: str, name: str) -> None:
    for place in range(array_of(kind, name).size):
        array = array_of(kind, name).copy()
        array.flat[place] += 1
        with pytest.raises(InputError, match=rf"^{kind}\."):
            check_part(plan(), changed(kind, name, array))


def test_more_locked_in_people_than_people_are_noticed() -> None:
    for name in ("band_locked", "lock_in"):
        array = array_of("totals", name).copy()
        array.flat[0] += SCENARIO.users // 2
        with pytest.raises(InputError, match="locked-in"):
            check_part(plan(), changed("totals", name, array))


def test_feeds_that_do_not_add_up_are_noticed() -> None:
    for name in ("category_feed", "feed_product", "category_entropy", "effective"):
        with pytest.raises(InputError, match=r"^totals\."):
            check_part(plan(), changed("totals", name, array_of("totals", name) * 2 + 1))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_number_is_refused_or_harmless(choose: st.DataObject) -> None:
    """An accepted part is merged and summed up without an overflow, and every figure is a finite number."""
    kind, name = choose.draw(st.sampled_from(FILLED))
    array = array_of(kind, name).copy()
    place = choose.draw(st.integers(0, array.size - 1))
    if array.dtype.kind == "f":
        array.flat[place] = choose.draw(st.floats(width=32))
    else:
        low, high = np.iinfo(array.dtype).min, np.iinfo(array.dtype).max
        array.flat[place] = choose.draw(st.integers(low, high) | st.integers(-2, 2).map(
            lambda more: min(max(int(array.flat[place]) + more, low), high)))  # fmt: skip
    forged = changed(kind, name, array)
    try:
        check_part(plan(), forged)
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 200
        return
    with np.errstate(all="raise"):
        gathering = Gathering(plan())
        gathering.add(forged)
        json.dumps(mf.PopulationRun(SCENARIO, plan(), gathering.whole()).summary, allow_nan=False)
