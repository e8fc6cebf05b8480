"""The suite holds, and can fail."""

import numpy as np
import pytest

from mirrorfield.cli.main import app
from mirrorfield.errors import MirrorfieldError
from mirrorfield.validation import small_steps, suite
from mirrorfield.validation.claim import at_most, below, equal, markdown


def test_claims_hold_within_their_errors_only() -> None:
    assert equal("g", "t", 1.0, 1.39, 0.1).holds and not equal("g", "t", 1.0, 1.41, 0.1).holds
    assert equal("g", "t", 1.0, 1.55, 0.1, bias=0.2).holds and not equal("g", "t", 1.0, 1.65, 0.1, bias=0.2).holds
    assert below("g", "t", 1.0, 0.5, 0.1).holds and not below("g", "t", 1.0, 0.7, 0.1).holds
    assert at_most("g", "t", 1.0, 1.3, 0.1).holds and not at_most("g", "t", 1.0, 1.5, 0.1).holds


def test_the_table_names_what_fails() -> None:
    text = markdown([equal("g", "one", 1.0, 1.0, 0.1), equal("g", "two", 1.0, 9.0, 0.1)])
    assert "| g | one | 1 | 1 | 0.1 | within 4 s.e. | holds |" in text and "| **fails** |" in text


def test_a_wrong_theory_is_found_out(monkeypatch) -> None:
    """The natural gradient, which lacks the factor pi, is not what the kernel does."""
    monkeypatch.setattr(small_steps, "expected_update", lambda logits, mean: mean - mean.mean())
    (claim,) = small_steps.mean_update(2000)
    assert not claim.holds and claim.measured > 10


def test_a_claim_that_fails_is_an_error(monkeypatch, tmp_path) -> None:
    failing = equal("g", "two is three", 3.0, 2.0, 0.0)
    monkeypatch.setattr(suite, "QUICK", ((lambda _: iter([failing]), 1),))
    with pytest.raises(MirrorfieldError, match="1 of 1 claims fail"):
        app(["verify", "--quick", "--out", str(tmp_path / "v.md")], standalone_mode=False)
    assert "**fails**" in (tmp_path / "v.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_claim_of_the_quick_suite_holds() -> None:
    claims = list(suite.verify(quick=True))
    assert [claim.text for claim in claims if not claim.holds] == []
    assert len(claims) > 30 and np.isfinite([claim.measured for claim in claims]).all()
