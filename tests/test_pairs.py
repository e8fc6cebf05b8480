"""Effects over everyone: exact sums, the same for any blocks and threads, and what stays with the sample."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import mirrorfield as mf
from mirrorfield.api import prepare
from mirrorfield.metrics.exact import exact_products
from mirrorfield.metrics.paired import PairedSums, paired_effect
from mirrorfield.recommenders import BPR, Random, Reinforce
from mirrorfield.study.pairs import OF_A_CROWD, pair_everyone

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(arrays(float, st.tuples(st.just(2), st.integers(1, 12)), elements=FLOATS))
def test_sums_of_products_are_exact_for_any_floats(columns: np.ndarray) -> None:
    found = exact_products(columns)
    for i, j in np.ndindex(2, 2):
        assert found[i][j] == sum(Fraction(x) * Fraction(y) for x, y in zip(columns[i], columns[j], strict=True))


@given(arrays(float, st.tuples(st.just(2), st.integers(2, 40)), elements=FLOATS), st.integers(1, 39))
def test_sums_do_not_depend_on_where_people_are_parted(columns: np.ndarray, at: int) -> None:
    pieces = [PairedSums.of(*part) for part in (columns[:, :at], columns[:, at:]) if part.size]
    assert sum(pieces[1:], pieces[0]) == PairedSums.of(*columns)


def test_a_full_block_of_the_largest_limbs_is_exact() -> None:
    """2**16 people, the most that are summed at once, whose limbs are all as large as limbs can be."""
    x = np.full(2**16, 2.0**53 - 1)
    assert exact_products(x[None])[0][0] == 2**16 * (2**53 - 1) ** 2


def worlds(users: int = 700, sample: int = 100) -> tuple[mf.Scenario, mf.Scenario]:
    base = mf.Scenario(users=users, steps=40, record={"users": sample, "steps": 5}, intervention={"swap": 0.1, "at": 4})
    return base, base.model_copy(update={"policy": base.policy.model_copy(update={"learning_rate": 0.4})})


def test_blocks_and_threads_change_nothing() -> None:
    plans = [prepare(world, None, None, None, keep_all=True) for world in worlds()]
    whole = pair_everyone(plans[0], plans[1:], threads=1, block=700)
    for block, threads in ((2, 2), (256, 2), (300, 1), (698, 2)):
        parts = pair_everyone(plans[0], plans[1:], threads, block=block)
        assert parts.sums == whole.sums and parts.users == 700
        assert (parts.moves[0] == whole.moves[0]).all() and parts.moves[0].sum() == 700
        assert all((one == other).all() for one, other in zip(parts.crowds, whole.crowds, strict=True))
        for one, other in zip(parts.samples, whole.samples, strict=True):
            assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_effects_over_everyone_are_those_of_a_sample_of_everyone() -> None:
    (base, arm), (wide, wider) = worlds(), worlds(sample=700)
    few, all_of = (mf.compare(one, {"arm": other}).arms[0] for one, other in ((base, arm), (wide, wider)))
    for one, other in zip(few.effects, all_of.effects, strict=True):
        assert other.people == one.people == 700
        if one.metric != OF_A_CROWD:
            assert one == other
            continue
        assert (one.base, one.changed, one.difference) == (other.base, other.changed, other.difference)
        assert (one.base, one.changed) == tuple(mf.simulate(world).summary[OF_A_CROWD] for world in (base, arm))
        wide_one, wide_other = one.high - one.low, other.high - other.low
        assert wide_one == pytest.approx(wide_other, rel=0.3)  # a spread of 100 has a standard error of 7% or so
    traces = [mf.simulate(world).part.sample for world in (wide, wider)]
    reaction, locked = (
        [f(t) for t in traces] for f in (lambda t: t.mean_reaction[-1], lambda t: t.diet[-1].max(0) > 0.9)
    )
    by_name = {effect.metric: effect for effect in few.effects}
    for name, (x, y) in (("mean_reaction", reaction), ("locked_in", locked)):
        assert by_name[name] == paired_effect(name, x.astype(float), y.astype(float))
    apart = reaction[1].astype(float) - reaction[0]
    assert by_name["mean_reaction"].difference == pytest.approx(apart.mean(), rel=1e-12)
    ends = apart.mean() + apart.std(ddof=1) / np.sqrt(700) * 1.963363 * np.array([-1, 1])
    assert [by_name["mean_reaction"].low, by_name["mean_reaction"].high] == pytest.approx(ends, rel=1e-5)


def test_a_difference_that_is_known_exactly() -> None:
    """Feeds that never learn: even ones, and ones that 5 logits at the start lock in on the first kind."""
    base = mf.Scenario(users=3001, steps=10, policy={"learning_rate": 0.0}, record={"users": 10, "steps": 2})
    (arm,) = mf.compare(base, {"one kind": {"policy.start": ((5.0, 0.0, 0.0, 0.0),)}}).arms
    by_name = {effect.metric: effect for effect in arm.effects}
    for name, x, y in (("locked_in", 0, 1), ("time_to_lock_in", 10, 1), ("drift", 0, 0), ("two_faced", 0, 0)):
        effect = by_name[name]
        assert (effect.base, effect.changed, effect.difference) == (x, y, y - x) and effect.people == 3001
        assert effect.low == effect.high == y - x
    assert [by_name[f"share:{c.name}"].changed for c in base.categories] == [1, 0, 0, 0]
    # Ties of even feeds go by id: 3001 = 4 x 750 + 1.
    assert [by_name[f"share:{c.name}"].base for c in base.categories] == [751 / 3001, *3 * [750 / 3001]]
    assert arm.moves[:, 0].tolist() == [751, 750, 750, 750] and arm.moves.sum() == 3001


def test_what_needs_everyone_at_once_stays_with_the_sample() -> None:
    base, _ = worlds()
    base = base.model_copy(update={"intervention": mf.Intervention()})
    found = mf.compare(
        base, {"random": Random(), "bpr": BPR()}, {"step": lambda seen: np.full(len(seen.state), seen.step)}
    )
    random, bpr = ({effect.metric: effect.people for effect in arm.effects} for arm in found.arms)
    assert random["hooked"] == random[OF_A_CROWD] == 700 and random["step"] == 100
    assert set(bpr.values()) == {100} and found.pairs == 700
    assert [arm.moves.sum() for arm in found.arms] == [700, 100]
    (under,) = mf.compare(base, {"random": Random()}, recommender=BPR()).arms
    assert {effect.people for effect in under.effects} == {100}


def test_observe_is_for_the_recommenders_of_ones_own() -> None:
    """The built-in base sees what it always sees; an arm that sees arousal and learns as the base does is the base."""
    base = mf.Scenario(users=300, steps=30, record={"steps": 3})
    (arm,) = mf.compare(base, {"again": Reinforce(0.1)}, observe="state").arms
    assert all(effect.difference == 0 for effect in arm.effects)
    (arm,) = mf.compare(base, {"blind": Reinforce(0.1)}).arms
    assert any(effect.difference != 0 for effect in arm.effects)
    with pytest.raises(mf.InputError, match=r'^observe: expected a recommender of your own beside observe="state"'):
        mf.compare(base, {"more": {"policy.learning_rate": 0.2}}, observe="state")


def test_plans_that_keep_a_sample_alone_are_refused() -> None:
    plan = prepare(worlds()[0], None, None, None, keep_all=True)
    with pytest.raises(ValueError, match="expected keep_all"):
        pair_everyone(replace(plan, keep_all=False), [plan], threads=1)
