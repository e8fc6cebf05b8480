"""Blocks cover every user once."""

import pytest

from mirrorfield.execution.blocks import blocks_of


@pytest.mark.parametrize(("users", "block"), [(10, 4), (8, 4), (3, 5), (1, 1)])
def test_blocks_cover_every_user_once(users: int, block: int) -> None:
    assert [u for first, count in blocks_of(users, block) for u in range(first, first + count)] == list(range(users))
