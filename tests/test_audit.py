"""`mirrorfield.audit`: made logs whose truth is known, the verdict that stops it, its page and its JSON."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mirrorfield as mf
from mirrorfield.arrays import FloatArray
from mirrorfield.calibration.scenario import fitted_scenario
from mirrorfield.metrics.paired import Effect
from mirrorfield.population.settings import changed
from mirrorfield.store.population import read_population, write_population
from mirrorfield.study.assumptions import assumptions, deliberate
from mirrorfield.study.audit import SHOWN, NotBorneOutError, Span
from mirrorfield.study.fitted import Fitted

PEOPLE, EACH, KINDS = 120, 30, ("news", "sport", "pets")
COLUMNS: dict[str, Any] = {"user": "who", "category": "what", "reaction": "score", "low": 0.0, "high": 1.0}
CHANGES = {"even": {"intervention.exploration": 0.5}}
SHORT: dict[str, Any] = {"steps": 200, "policy.learning_rate": 1.0}
CHANGED = ("effective_categories", "filter_bubble", "mean_reaction")


def made(seed: int, spread: float = 0.12) -> tuple[pd.DataFrame, FloatArray]:
    """Return a log of engaged people, and the mean reactions (n, K) that it was drawn from."""
    rng = np.random.default_rng(seed)
    own, cell = rng.standard_normal((PEOPLE, 1)), rng.standard_normal((PEOPLE, 3))
    taste = np.clip(np.array([0.55, 0.45, 0.5]) + spread * (own + cell), 0.02, 0.98)
    who, what = np.repeat(np.arange(PEOPLE), EACH), rng.integers(3, size=PEOPLE * EACH)
    score = taste[who, what] + 0.15 * rng.standard_normal(len(who))
    return pd.DataFrame({"who": who, "what": np.array(KINDS)[what], "score": score}), taste


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return mf.fit(made(5)[0], **COLUMNS)


@pytest.fixture(scope="module")
def found(fitted: Fitted) -> mf.Audit:
    return mf.audit(fitted, CHANGES, settings=SHORT)


def truth(fitted: Fitted, taste: FloatArray, rate: float, share: float, folder: Path) -> dict[str, float]:
    """Return the effect on the true people, 20 times each with other luck, at a learning rate and a lambda."""
    true = fitted.dataset.copy()
    order = [KINDS.index(str(name)) for name in true["category"].values]
    true["susceptibility"] = true["susceptibility"].dims, taste[:, order].astype(np.float32)
    settings = {"steps": 200, "seed": 77, "policy.learning_rate": rate}
    base = changed(fitted_scenario(fitted.found, fitted.base, "true", str(folder)), settings)
    if share > 0:
        one = deliberate(base, true, fitted.base, share)
        base, true = one.scenario, one.people
    write_population(folder, base, {}, true)
    effects = mf.compare(base.model_copy(update={"users": 20 * PEOPLE}), CHANGES).arms[0].effects
    return {effect.metric: effect.difference for effect in effects}


@pytest.mark.parametrize(("rate", "share"), [(1.0, 0.0), (2.0, 0.0), (1.0, 0.4)])
def test_the_effect_on_the_true_people_is_within_what_the_audit_says(
    found: mf.Audit, fitted: Fitted, rate: float, share: float, tmp_path: Path
) -> None:
    """The range with its intervals holds it; where the truth is not what the fit assumed, the first interval fails."""
    true = truth(fitted, made(5)[1], rate, share, tmp_path / "true")
    outside = 0
    for metric in CHANGED:
        first, *others = found.effects(0, metric).values()
        assert min(e.low for e in (first, *others)) <= true[metric] <= max(e.high for e in (first, *others)), metric
        outside += not first.low <= true[metric] <= first.high
    assert outside > 0 or (rate, share) == (1.0, 0.0)


@pytest.mark.slow
def test_the_range_holds_the_effect_of_true_people_log_after_log(tmp_path: Path) -> None:
    """Over 6 logs of other people: the true effect is within."""
    inside = 0
    for seed in range(6):
        log, taste = made(seed)
        people = mf.fit(log, **COLUMNS)
        every = (
            mf.audit(people, CHANGES, settings=SHORT, metrics=["mean_reaction"]).effects(0, "mean_reaction").values()
        )
        true = truth(people, taste, 1.0, 0.0, tmp_path / str(seed))["mean_reaction"]
        inside += min(e.low for e in every) <= true <= max(e.high for e in every)
    assert inside == 6


def test_assumptions_leave_what_the_log_shows_as_it_is(fitted: Fitted) -> None:
    """An engaged person reacts as fitted under every lambda, and every other part stays the base's."""
    base = fitted_scenario(fitted.found, fitted.base, "x", "people")
    every = {one.name: one for one in assumptions(base, fitted.dataset, fitted.base)}
    assert list(every) == [
        *("learning rate 1", "learning rate 3", "lambda 0.25", "lambda 0.5", "arousal without effect"),
        *("appeal arouses", "profiles drawn"),
    ]
    mean = fitted.dataset["susceptibility"].values.astype(float)
    for share in (0.25, 0.5):
        one = every[f"lambda {share:g}"]
        common = np.array(one.scenario.intentional.mean)
        np.testing.assert_allclose(common, mean.mean(axis=0), rtol=1e-5)
        engaged = (1 - share) * one.people["susceptibility"].values + share * common
        assert (mean > share * common).mean() > 0.9
        np.testing.assert_allclose(engaged, np.maximum(mean, share * common), atol=1e-6)
        assert (one.people["intentionality"].values == np.float32(share)).all()
        assert one.scenario.reactive == base.reactive
    flat = every["arousal without effect"].scenario.reactive
    assert np.ptp(flat.table("mean", 3), axis=0).max() == 0 == np.ptp(flat.table("std", 3), axis=0).max()
    np.testing.assert_array_equal(flat.table("std", 3)[1], base.reactive.table("std", 3)[1])
    laws = every["appeal arouses"].scenario.reactive.transition_table(3)
    film = mf.Scenario.load("film-arousal").reactive.transition_table(4)
    most = int(mean.mean(axis=0).argmax())
    np.testing.assert_allclose(laws[:, most], film[:, 0])
    np.testing.assert_allclose(laws[:, (most + 1) % 3], film[:, 3])
    drawn = every["profiles drawn"].people["susceptibility"].values.astype(float) - mean
    left = (1 - fitted.dataset["shrinkage"].values) * (
        fitted.found.profiles.tau_user**2 + fitted.found.profiles.tau_cell**2
    )
    assert (drawn**2).mean() == pytest.approx(left.mean(), rel=0.25)  # 360 numbers: s.e. of 7%; the ends are clipped


def test_only_what_was_assumed_is_varied(fitted: Fitted) -> None:
    base = fitted_scenario(fitted.found, fitted.base, "x", "people")
    for assumed, parts in ((("arousal",), {"arousal"}), (("learning_rate",), {"learning_rate"}), (None, set())):
        some = base.model_copy(update={"population": base.population.model_copy(update={"assumed": assumed})})
        assert {one.part for one in assumptions(some, fitted.dataset, fitted.base)} == parts


def rated(seed: int) -> tuple[pd.DataFrame, FloatArray, FloatArray, FloatArray]:
    """Return a log with stars of 150 people whose lambda is Beta(2, 3); their pulls, lambdas, and mean values."""
    rng = np.random.default_rng(seed)
    shape, kinds = (150, 3), np.array(KINDS)
    lam = rng.beta(2.0, 3.0, 150)
    pull = np.array([0.6, 0.7, 0.4]) + 0.15 * rng.standard_normal(shape)
    value = np.array([0.3, 0.25, 0.8]) + 0.18 * rng.standard_normal(shape)
    mean = (1 - lam[:, None]) * pull + lam[:, None] * value
    who, what, number = (index.ravel() for index in np.indices((*shape, 14)))
    score = mean[who, what] + 0.12 * rng.standard_normal(len(who))
    stars = np.where(number < 5, value[who, what] + 0.12 * rng.standard_normal(len(who)), np.nan)
    log = pd.DataFrame({"who": who, "what": kinds[what], "score": score, "stars": stars})
    return log, pull, lam, np.array([0.3, 0.25, 0.8])


def test_where_the_log_identifies_lambda_the_change_is_run_at_both_ends_of_its_interval(tmp_path: Path) -> None:
    """And the effect on the true people, 20 times each, is within their intervals and that of people drawn."""
    log, pull, lam, value = rated(11)
    people = mf.fit(log, **COLUMNS, deliberate="stars")
    intent = people.found.intent
    assert intent is not None and intent.identified and intent.mean is not None
    found = mf.audit(people, CHANGES, settings=SHORT)
    ends = [f"mean lambda {end:.3f}" for end in intent.mean[1:]]
    assert [one.name for one, _ in found.varied] == [
        *("learning rate 0.1", "learning rate 3", *ends, "arousal without effect", "appeal arouses", "people drawn")
    ]
    lower, upper = (one for one, _ in found.varied if one.part == "intentionality")
    assert "the lower end of its 95% interval" in lower.means and "the upper end" in upper.means
    means = [float(one.people["intentionality"].mean()) for one in (lower, upper)]
    assert means == [pytest.approx(end, abs=0.03) for end in intent.mean[1:]]
    assert means[0] < float(people.dataset["intentionality"].mean()) < means[1]
    drawn = found.varied[-1][0]
    assert drawn.people["intentionality"].values.std() > people.dataset["intentionality"].values.std()
    for one, end in zip((lower, upper, drawn), intent.others.values(), strict=True):
        np.testing.assert_allclose(one.scenario.intentional.mean, np.clip(end.value, 0, 1), atol=1e-6)
        np.testing.assert_allclose(one.people["susceptibility"], np.clip(end.pull, 0, 1), atol=1e-6)
        assert one.scenario.reactive == found.comparison.base.reactive
    page, told = found.report(), found.plain()
    for name in ends:
        assert name in page and name in {row["name"] for row in told["assumptions"]}
    assert found.span(0, "mean_reaction").sign.endswith("all 8")
    true = people.dataset.copy()
    order = [KINDS.index(str(name)) for name in true["category"].values]
    true["susceptibility"] = true["susceptibility"].dims, np.clip(pull[:, order], 0, 1).astype(np.float32)
    true["intentionality"] = true["intentionality"].dims, lam.astype(np.float32)
    base = found.comparison.base
    values = base.intentional.model_copy(update={"mean": tuple(value[order])})
    listed = base.population.model_copy(update={"file": str(tmp_path / "true")})
    base = base.model_copy(update={"intentional": values, "population": listed, "users": 20 * 150, "seed": 77})
    write_population(tmp_path / "true", base, {}, true)
    for effect in mf.compare(base, CHANGES, CHANGED).arms[0].effects:
        some = [found.effects(0, effect.metric)[name] for name in ("as fitted", *ends, "people drawn")]
        assert min(e.low for e in some) <= effect.difference <= max(e.high for e in some), effect.metric


def test_as_fitted_is_what_compare_says_of_the_saved_people(found: mf.Audit, tmp_path: Path) -> None:
    folder = found.save(tmp_path / "audit")
    saved = mf.Scenario.load(folder / "people" / "scenario.toml")
    again = mf.compare(saved, CHANGES)
    assert again.arms[0].effects == found.comparison.arms[0].effects
    assert len(read_population(folder / "people").susceptibility) == PEOPLE
    told = json.loads((folder / "audit.json").read_text())
    assert set(told) == {"verdict", "fit", "comparison", "ranges", "assumptions", "doubts"}
    assert told["verdict"]["holds"] and len(told["assumptions"]) == 7 and len(told["ranges"]) == len(SHOWN)
    assert [fact["id"] for fact in told["doubts"]] == ["forgetting", "negativity"]
    with pytest.raises(mf.InputError, match="exists already"):
        found.save(folder)
    assert found.save(folder, overwrite=True) == folder


def test_the_page_has_every_number_and_needs_nothing_else(found: mf.Audit) -> None:
    page = found.report("mirrorfield audit <log>")
    assert "mirrorfield audit &lt;log&gt;" in page and "The log bears out its people." in page
    assert not re.findall(r"<(?:script|link|img)|(?:src|href)=\"http", page)
    for metric in SHOWN:
        for name, effect in found.effects(0, metric).items():
            assert name in page and f"{effect.difference:+.4f} [{effect.low:+.4f}, {effect.high:+.4f}]" in page
    for fact in found.doubts:
        assert fact.id in page and fact.recorded in page
    frame = found.to_frame()
    assert len(frame) == len(found.comparison.arms[0].effects) + 7 * len(SHOWN)
    assert set(frame["assumption"]) == set(found.effects(0, "locked_in"))
    assert "range over" in found._repr_html_() and "even: locked_in" in repr(found)


def test_the_sign_is_told_from_intervals() -> None:
    def effect(low: float, high: float) -> Effect:
        return Effect("x", 0.0, 0.0, (low + high) / 2, low, high, 1.0, 9)

    cases = [
        (Span(effect(1, 2), 1, 2, 3, 0, 0), "the same under all 3"),
        (Span(effect(-2, -1), 1, 2, 0, 2, 1), "unclear under 1 of 3"),
        (Span(effect(-2, -1), 1, 2, 1, 2, 0), "turns under 1 of 3"),
        (Span(effect(1, 2), 1, 2, 1, 1, 1), "turns under 1 of 3"),
        (Span(effect(0, 0), 0, 0, 1, 2, 5), "unclear; up 1, down 2 of 8"),
    ]
    assert [span.sign for span, _ in cases] == [sign for _, sign in cases]


def test_a_log_without_differences_is_stopped_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    log, _ = made(3, spread=0.0)
    ran: list[int] = []
    with pytest.raises(
        NotBorneOutError, match=r"^The log shows no differences between people .* So nothing was run; --any"
    ):
        mf.audit(log, CHANGES, progress=ran.append, **COLUMNS)
    assert not ran
    going_on = mf.audit(log, CHANGES, anyway=True, settings={"steps": 20}, progress=ran.append, **COLUMNS)
    assert sum(ran) == 2 * 8 * PEOPLE
    assert "The log does not bear out its people." in going_on.report()


def test_what_cannot_be_used_is_refused_in_one_line(fitted: Fitted) -> None:
    with pytest.raises(mf.InputError, match="expected at least one change"):
        mf.audit(fitted, {})
    with pytest.raises(mf.InputError, match="expected no user beside people who are fitted already"):
        mf.audit(fitted, CHANGES, user="who")
    with pytest.raises(mf.InputError, match=r'unknown metric "locked"\. Did you mean "locked_in"'):
        mf.audit(fitted, CHANGES, metrics=["locked"])
    with pytest.raises(mf.InputError, match=r'unknown key "intervention\.quot"'):
        mf.audit(fitted, {"x": {"intervention.quot": 0.6}})
