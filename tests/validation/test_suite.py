"""The suite holds, and can fail."""

import json
from pathlib import Path

import numpy as np
import pytest

from mirrorfield import theory
from mirrorfield.cli.main import app
from mirrorfield.engine.rerun import rerun
from mirrorfield.errors import InputError, MirrorfieldError
from mirrorfield.population.run import plan_run
from mirrorfield.report.verification import agreement_chart, markdown, page, score_chart
from mirrorfield.validation import small_steps, suite
from mirrorfield.validation.claim import at_most, below, equal, near
from mirrorfield.validation.lock_in import alike
from mirrorfield.validation.replay import deviation, leverage, nudged, numbers, told
from mirrorfield.validation.worlds import uneven


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
    assert "| 1 | g | one <two> | 1 | 1 | 0.1 | within 4 s.e. | 0.53 (difference) | holds |" in text
    assert "| 3 | g | two | 1 | 9 | 0.1 | within 4 s.e. | 0.53 (difference) | FAILS |" in text
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


def test_a_claim_that_fails_is_an_error(monkeypatch, tmp_path, capsys) -> None:
    failing = equal("g", "two is three", 3.0, 2.0, 0.0)
    monkeypatch.setattr(suite, "CHECKS", {"one": ((lambda _: iter([failing]), 1, 1),)})
    with pytest.raises(MirrorfieldError, match="1 of 1 claims fail"):
        app(["verify", "--quick", "--out", str(tmp_path / "v.md")], standalone_mode=False)
    assert "FAILS" in (tmp_path / "v.md").read_text(encoding="utf-8")
    with pytest.raises(InputError, match=r"--out: expected a file that ends in .md or .html, got .*v.txt"):
        app(["verify", "--quick", "--out", str(tmp_path / "v.txt")], standalone_mode=False)
    with pytest.raises(InputError, match='--only: "two" is not a group of claims'):
        app(["verify", "--only", "two"], standalone_mode=False)
    capsys.readouterr()
    with pytest.raises(MirrorfieldError, match="1 of 1"):
        app(["verify", "--only", "one", "--json"], standalone_mode=False)
    (row,) = json.loads(capsys.readouterr().out)["claims"]
    assert row["holds"] is False and row["power_of"] == "difference" and row["power"] == 0


@pytest.mark.parametrize("scenario", [uneven(2, steps=8), uneven(2, steps=8, policy={"rule": "rloo"})])
def test_the_replay_knows_only_what_the_equations_say(scenario) -> None:
    """The oracle draws the engine's people and shows the posts that it shows, from luck and equations of its own."""
    steps = np.arange(1, 9)
    told_now = told(scenario, steps)
    run = rerun(plan_run(scenario), np.arange(4), tuple(steps.tolist()))
    assert np.array_equal(told_now.exposures.ravel(), run.loop.exposures)
    np.testing.assert_allclose(told_now.logits, run.loop.state.logits, atol=1e-6)
    np.testing.assert_allclose(told_now.feed, run.feeds, atol=1e-6)


def test_a_deviation_names_other_posts_and_small_errors() -> None:
    scenario = uneven(2, steps=8)
    one = numbers(told(scenario, np.array([8])))
    other = numbers(told(nudged(scenario, "policy.learning_rate", 1e-3), np.array([8])))
    assert 1e-5 < deviation(other, one) < 1e-2
    assert deviation(one | {"exposures": one["exposures"] + 1}, one) == np.inf
    assert leverage(scenario, "policy.learning_rate", told(scenario, np.array([8])), np.array([8])) > 0


def test_power_is_what_a_claim_finds_in_nine_of_ten_times() -> None:
    """Draw measurements that are off by the stated power: the claim fails in about 90% of them."""
    power, rng = equal("g", "t", 0.0, 0.0, 1.0).power, np.random.default_rng(1)
    failing = [not equal("g", "t", 0.0, power + error, 1.0).holds for error in rng.standard_normal(2000)]
    assert abs(np.mean(failing) - 0.9) < 0.03
    assert near("g", "t", 3e-5).power == 2e-5 and not near("g", "t", 3e-5).holds and near("g", "t", 1e-5).holds


def test_two_groups_are_compared_with_the_error_of_both_together() -> None:
    many, none, one, several = np.arange(50_000) < 211, np.zeros(1250), np.arange(1250) < 1, np.arange(1250) < 20
    assert alike("as expected: 5.3 in 1,250", many, one).holds and alike("0 where 5.3 are", many, none).holds
    assert not alike("20 where 5.3 are expected", many, several).holds
    nobody, five = np.zeros(50_000), np.arange(1250) < 5
    assert alike("1 where nobody is", nobody, one).holds and not alike("5 where nobody is", nobody, five).holds
    n, m, p = 50_000, 1250, 212 / 51_250
    assert alike("", many, one).error == pytest.approx(np.sqrt(p * (1 - p) * (1 / n + 1 / m)))


def test_theory_takes_nothing_from_what_it_checks() -> None:
    for file in Path(theory.__file__).parent.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        for part in ("maths", "streams", "model", "policy", "kernel", "population"):
            assert f"mirrorfield.{part}" not in text, file


@pytest.mark.slow(40)
def test_every_claim_of_the_quick_suite_holds() -> None:
    claims = list(suite.verify(quick=True))
    assert [claim.text for claim in claims if not claim.holds] == []
    assert len(claims) > 250 and np.isfinite([claim.measured for claim in claims]).all()
