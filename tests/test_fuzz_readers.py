"""The short form of `scripts/fuzz_readers.py`: the same 300 inputs every time, over all readers."""

import sys
from pathlib import Path

import pytest

SCRIPTS = str(Path(__file__).parents[1] / "scripts")
EACH = 22


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.syspath_prepend(SCRIPTS)
    import fuzz_readers

    yield fuzz_readers.feed
    for name in [name for name in sys.modules if name.split(".")[0] in ("fuzz_readers", "hostile")]:
        del sys.modules[name]


def test_every_reader_accepts_or_refuses_what_it_is_fed(feed) -> None:  # type: ignore[no-untyped-def]
    from fuzz_readers import READERS

    faults = {}
    for name in READERS:
        counted = feed(name, EACH)
        assert counted.total() >= EACH
        assert counted["accepted"] and counted["refused"], name  # what is refused at its first key tries no other
        faults |= {f"{name}: {what}": n for what, n in counted.items() if what not in ("accepted", "refused")}
    assert len(READERS) * EACH > 300 and not faults
