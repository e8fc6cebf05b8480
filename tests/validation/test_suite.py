"""The suite holds, and can fail."""

import numpy as np
import pytest

from mirrorfield.cli.main import app
from mirrorfield.errors import InputError, MirrorfieldError
from mirrorfield.report.verification import agreement_chart, markdown, page, score_chart
from mirrorfield.validation import small_steps, suite
from mirrorfield.validation.claim import at_most, below, equal


def test_claims_hold_within_their_errors_only() -> None:
    assert equal("g", "t", 1.0, 1.39, 0.1).holds and not equal("g", "t", 1.0, 1.41, 0.1).holds
    assert equal("g", "t", 1.0, 1.55, 0.1, bias=0.2).holds and not equal("g", "t", 1.0, 1.65, 0.1, bias=0.2).holds
    assert below("g", "t", 1.0, 0.5, 0.1).holds and not below("g", "t", 1.0, 0.7, 0.1).holds
    assert at_most("g", "t", 1.0, 1.3, 0.1).holds and not at_most("g", "t", 1.0, 1.5, 0.1).holds


def test_the_table_names_what_fails_and_the_chart_shows_it() -> None:
    claims = [
        equal("g", "one <two>", 1.0, 1.0, 0.1),
        below("g", "less", 1.0, 0.5, 0.1),
        equal("g", "two", 1.0, 9.0, 0.1),
    ]
    text = markdown(claims)
    assert "| 1 | g | one <two> | 1 | 1 | 0.1 | within 4 s.e. | holds |" in text
    assert "| 3 | g | two | 1 | 9 | 0.1 | within 4 s.e. | FAILS |" in text
    html = page(claims, "mirrorfield verify")
    assert "2 of 3 claims hold" in html and "one &lt;two&gt;" in html and "<svg" in html
    (axes,) = score_chart(claims).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1", "3"]
    assert [line.get_marker() for line in axes.lines[:2]] == ["o", "X"]
    share = equal("shares", "half", 0.5, 0.51, 0.01)
    (axes,) = agreement_chart([*claims, share]).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["shares"]
    assert axes.containers[0].lines[0].get_xydata().tolist() == [[0.5, 0.51]]


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
    assert "FAILS" in (tmp_path / "v.md").read_text(encoding="utf-8")
    with pytest.raises(InputError, match=r"--out: expected a file that ends in .md or .html, got .*v.txt"):
        app(["verify", "--quick", "--out", str(tmp_path / "v.txt")], standalone_mode=False)


@pytest.mark.slow
def test_every_claim_of_the_quick_suite_holds() -> None:
    claims = list(suite.verify(quick=True))
    assert [claim.text for claim in claims if not claim.holds] == []
    assert len(claims) > 30 and np.isfinite([claim.measured for claim in claims]).all()
