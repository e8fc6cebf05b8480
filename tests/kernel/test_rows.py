"""Rows of a block: two quantities in one place would change each other unseen."""

import numpy as np
import pytest

from mirrorfield.kernel.beyond import WORDS, layout_beyond
from mirrorfield.kernel.rows import layout


@pytest.mark.parametrize(("arms", "categories", "items"), [(2, 2, 0), (4, 4, 0), (6, 2, 0), (19, 19, 0), (4, 4, 10)])
def test_every_row_has_a_place_of_its_own_and_no_place_is_without_one(arms: int, categories: int, items: int) -> None:
    at = layout(arms, categories)
    also = layout_beyond(arms, categories, items, at)
    rows, words = np.zeros(also.end, int), np.zeros(WORDS, int)
    for table in (at, also):
        for name, place in table._asdict().items():
            if name != "end":
                (words if name in ("luck", "meddling", "labelling", "picking", "retrieving", "acting") else rows)[
                    place
                ] += 1
    assert (rows == 1).all() and (words == 1).all()
