"""Any change to any bit of a part file is noticed."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mirrorfield as mf
from mirrorfield.population.run import Part, plan_run, run_block
from mirrorfield.store.parts import BadPart, decode_part, encode_part

JOB, BLOCK = "0" * 64, (64, 100)


@cache
def part() -> Part:
    return run_block(plan_run(mf.Scenario(users=300, steps=10, record={"steps": 4})), *BLOCK)


@cache
def data() -> bytes:
    return encode_part(part(), JOB, {"feed/c/0": "abc"})


def test_a_part_comes_back_as_it_was_written() -> None:
    again, chunks = decode_part(data(), JOB, BLOCK)
    for one, other in zip((*part().totals, *part().sample), (*again.totals, *again.sample), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert chunks == {"feed/c/0": "abc"}
    assert (again.first_user, again.users) == BLOCK


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_flipped_bit_anywhere_is_noticed(choose: st.DataObject) -> None:
    bit = choose.draw(st.integers(0, 8 * len(data()) - 1))
    damaged = bytearray(data())
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadPart):
        decode_part(bytes(damaged), JOB, BLOCK)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_truncated_or_longer_file_is_noticed(choose: st.DataObject) -> None:
    length = choose.draw(st.integers(0, len(data()) - 1))
    with pytest.raises(BadPart):
        decode_part(data()[:length], JOB, BLOCK)
    with pytest.raises(BadPart):
        decode_part(data() + choose.draw(st.binary(min_size=1, max_size=9)), JOB, BLOCK)


@pytest.mark.parametrize(("job", "block"), [("1" * 64, BLOCK), (JOB, (0, 100)), (JOB, (64, 99))])
def test_a_part_of_another_run_or_block_is_refused(job: str, block: tuple[int, int]) -> None:
    with pytest.raises(BadPart, match="another run"):
        decode_part(data(), job, block)
