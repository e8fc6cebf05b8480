"""Rows of the scratch array: two quantities of one name would share a place, and change each other unseen."""

from mirrorfield.kernel import specialise


def test_every_row_has_a_name_of_its_own() -> None:
    lists = ("LOOKING", "SINGLE", "PASSING_SINGLE", "SESSION_CELLS", "SESSION_STATES", "SESSION_SINGLE",
             "EXTENDED_ARMS", "EXTENDED_SINGLE", "LENS_CELLS", "LENS_ARMS", "LENS_SINGLE")  # fmt: skip
    names = [name for part in lists for name in getattr(specialise, part)]
    assert len(names) == len(set(names))
