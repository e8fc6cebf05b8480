"""Lambda from two kinds of signal: the likelihood, the intervals, the people, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import beta, binom, multivariate_normal

import mirrorfield as mf
from mirrorfield.calibration.intentionality import (
    Cells,
    Law,
    draw,
    estimate,
    log_likelihood,
    mean_interval,
    moved,
    people_of,
    plausible,
)
from mirrorfield.store.population import read_population

Array = NDArray[np.float64]

LAW = Law(
    r=np.array([0.6, 0.7, 0.5, 0.4, 0.3, 0.55]), d=np.array([0.3, 0.25, 0.4, 0.6, 0.8, 0.5]),
    zero=0.05, unit=0.8, tau=0.15, t=0.18, a=2.0, b=3.0,
)  # fmt: skip
NOISE = 0.15, 0.2


def drawn(law: Law, people: int, seed: int, lean: float = 0.0) -> tuple[Array, Array, Array]:
    """Return lambda (U,), reactions (U, K, 8) and deliberate signals (U, K, 3) of people drawn from a law."""
    rng = np.random.default_rng(seed)
    lam, shape = rng.beta(law.a, law.b, people), (people, len(law.r))
    d = law.d + law.t * rng.standard_normal(shape)
    r = law.r + lean * (d - law.d) + law.tau * rng.standard_normal(shape)
    means = (1 - lam[:, None]) * r + lam[:, None] * (law.zero + law.unit * d)
    reactions = means[:, :, None] + NOISE[0] * rng.standard_normal((*shape, 8))
    return lam, reactions, d[:, :, None] + NOISE[1] * rng.standard_normal((*shape, 3))


def cells(law: Law, people: int, seed: int) -> tuple[Array, Cells]:
    lam, y, z = drawn(law, people, seed)
    noise = float(y.var(axis=2, ddof=1).mean()), float(z.var(axis=2, ddof=1).mean())
    return lam, Cells(np.full(y.shape[:2], 8.0), y.mean(2), np.full(z.shape[:2], 3.0), z.mean(2), noise)


def test_the_likelihood_is_the_integral_of_two_normals_over_lambda() -> None:
    _, found = cells(LAW, 5, 1)
    found = Cells(found.n.copy(), found.y.copy(), found.k.copy(), found.z.copy(), found.noise)
    found.n[0, 2] = found.y[0, 2] = found.k[1, 3] = found.z[1, 3] = 0

    def density(lam: float, u: int) -> float:
        total = float(beta.pdf(lam, LAW.a, LAW.b))
        for a in range(6):
            slope = lam * LAW.unit
            mean = np.array([(1 - lam) * LAW.r[a] + lam * (LAW.zero + LAW.unit * LAW.d[a]), LAW.d[a]])
            spread = np.diag([(1 - lam) ** 2 * LAW.tau**2, 0.0]) + LAW.t**2 * np.outer([slope, 1], [slope, 1])
            seen = [i for i, count in enumerate((found.n[u, a], found.k[u, a])) if count]
            spread += np.diag([found.noise[0] / max(found.n[u, a], 1), found.noise[1] / max(found.k[u, a], 1)])
            values = np.array([found.y[u, a], found.z[u, a]])[seen]
            total *= float(multivariate_normal.pdf(values, mean[seen], spread[np.ix_(seen, seen)]))
        return total

    one_by_one = [
        log_likelihood(found.rows(np.array([u])), LAW.vector)[0] - np.log(quad(density, 0, 1, args=(u,))[0])
        for u in range(5)
    ]
    signals = [(found.n[u] > 0).sum() + (found.k[u] > 0).sum() for u in range(5)]
    np.testing.assert_allclose(one_by_one, np.array(signals) * np.log(2 * np.pi) / 2, atol=2e-3)


def test_the_gradient_is_that_of_the_likelihood() -> None:
    _, found = cells(LAW, 30, 2)
    found.n[0, 2] = found.y[0, 2] = found.k[1, 3] = found.z[1, 3] = 0
    at = LAW.vector + 0.05 * np.random.default_rng(0).standard_normal(18)
    steps = 1e-5 * np.eye(18)
    by_hand = [(log_likelihood(found, at + e)[0] - log_likelihood(found, at - e)[0]) / 2e-5 for e in steps]
    np.testing.assert_allclose(by_hand, log_likelihood(found, at)[1], rtol=1e-5, atol=1e-4)


@pytest.mark.slow
def test_intervals_cover_the_mean_and_the_people_as_often_as_they_say() -> None:
    logs, mean, people = 20, 0, 0
    for seed in range(logs):
        lam, found = cells(LAW, 120, 100 + seed)
        law, spread = estimate(found)
        assert spread is not None
        _, low, high = mean_interval(law, spread)
        mean += low <= LAW.mean <= high
        _, low_u, high_u, _ = people_of(found, plausible(law, spread))
        people += bool((low_u[0] <= lam[0]) & (lam[0] <= high_u[0]))
    least = binom.ppf(1e-4, logs, 0.95)
    assert mean >= least and people >= least


def test_the_ends_of_the_interval_are_the_most_likely_laws_of_their_means() -> None:
    """The log-likelihood is lower by 1.92 there, and no law with that mean has a higher one; both to second order."""
    _, found = cells(LAW, 400, 7)
    law, spread = estimate(found)
    assert spread is not None
    h = np.zeros(len(spread))
    h[-2:] = 1.0, -1.0
    best = log_likelihood(found, law.vector)[0]
    np.testing.assert_allclose(moved(law, spread, law.mean).vector, law.vector, atol=1e-9)
    for mean in mean_interval(law, spread)[1:]:
        end = moved(law, spread, mean)
        assert end.mean == pytest.approx(mean)
        least = minimize(
            lambda x: tuple(-part for part in log_likelihood(found, x)),
            end.vector,
            jac=True,
            method="SLSQP",
            constraints={"type": "eq", "fun": lambda x, to=h @ end.vector: h @ x - to, "jac": lambda x: h},
        )
        dropped = best - log_likelihood(found, end.vector)[0]
        assert dropped == pytest.approx(1.96**2 / 2, rel=0.25) and dropped - (best + least.fun) < 0.2


def test_drawn_people_are_those_of_the_posterior() -> None:
    """Their means over many draws are the posterior means; at the true law they are as spread as the people are."""
    _, found = cells(LAW, 60, 9)
    found.n[:, 5] = found.y[:, 5] = 0
    rng = np.random.default_rng(1)
    several = [draw(found, LAW, rng) for _ in range(400)]
    each, pulls = (np.array(parts) for parts in zip(*several, strict=True))
    at, low, high, pull = people_of(found, [LAW])
    error = each.std(axis=0) / 20, pulls.std(axis=0) / 20
    assert (abs(each.mean(axis=0) - at) < 5 * error[0] + 1e-9).all()
    assert (abs(pulls.mean(axis=0) - pull) < 5 * error[1] + 1e-9).all()
    inside = ((low <= each) & (each <= high)).mean()
    assert abs(inside - 0.95) < 0.01
    assert pulls[:, :, 5].std() == pytest.approx(LAW.tau, rel=0.05)  # nothing is known there
    _, many = cells(LAW, 2000, 10)
    true = drawn(LAW, 2000, 10)[0]
    again, _ = draw(many, LAW, rng)
    assert again.mean() == pytest.approx(true.mean(), abs=0.02) and again.std() == pytest.approx(true.std(), rel=0.06)


def frame(law: Law, people: int, seed: int, rated: float = 1.0, lean: float = 0.0) -> tuple[Array, pd.DataFrame]:
    """Return lambda, and a log with a reaction in each row and a deliberate signal, 1 to 5, in some of them."""
    lam, y, z = drawn(law, people, seed, lean)
    rng = np.random.default_rng(seed)
    u, a, i = (index.ravel() for index in np.indices(y.shape))
    stars = np.full(y.shape, np.nan)
    stars[:, :, : z.shape[2]] = 3 + 2 * z
    stars[rng.random(y.shape) > rated] = np.nan
    columns = {"who": u + 100, "what": np.array(list("pqrstu"))[a], "seconds": 10 * y.ravel(), "stars": stars.ravel()}
    return lam, pd.DataFrame(columns).iloc[np.argsort(i, kind="stable")]


NAMES: dict[str, Any] = {"user": "who", "category": "what", "reaction": "seconds", "deliberate": "stars"}
LINE = "Lambda is identified: mean "


@pytest.fixture(scope="module")
def both() -> tuple[Array, pd.DataFrame]:
    return frame(LAW, 150, 3)


def test_a_fit_writes_lambda_where_there_are_two_signals(both: tuple[Array, pd.DataFrame], tmp_path: Path) -> None:
    lam, log = both
    people = mf.fit(log, **NAMES)
    told = people.summary["intentionality"]
    assert told["line"].startswith(LINE) and told["mean"]["low"] <= LAW.mean <= told["mean"]["high"]
    assert told["mean_if_pulls_lean_by"]["0.25"] == pytest.approx((told["mean"]["value"] - 0.25) / 0.75)
    found = people.dataset
    assert np.corrcoef(found["intentionality"], lam)[0, 1] > 0.7
    folder = people.save(tmp_path / "people")
    scenario = mf.Scenario.load(str(folder / "scenario.toml"))
    assert scenario.population.assumed == ("arousal", "learning_rate")
    assert not np.allclose(scenario.intentional.table("mean", 6), scenario.reactive.table("mean", 6))
    listed = read_population(folder)
    np.testing.assert_array_equal(listed.intentionality, found["intentionality"])
    each, pull = found["intentionality"].values[:, None], found["susceptibility"].values
    intent = people.found.intent
    assert intent is not None and intent.lam is not None
    lower, upper, _ = intent.others.values()
    assert (lower.mean, upper.mean) == (pytest.approx(told["mean"]["low"]), pytest.approx(told["mean"]["high"]))
    for end in (lower, upper):
        assert end.lam.mean() == pytest.approx(end.mean, abs=0.02) and end.pull.shape == (150, 6)
        fits = (1 - end.lam[:, None]) * end.pull + end.lam[:, None] * end.value
        assert abs(fits.mean(axis=0) - found["mean_reaction"].values.mean(axis=0)).max() < 0.02
    blend = (1 - each) * pull + each * scenario.intentional.table("mean", 6)[1]
    assert abs(blend.mean(axis=0) - found["mean_reaction"].values.mean(axis=0)).max() < 0.02


def test_rare_signals_and_every_door_give_the_same_answer(tmp_path: Path) -> None:
    _, log = frame(LAW, 150, 4, rated=0.8)
    log.to_csv(tmp_path / "log.csv", index=False)
    told = [mf.fit(source, **NAMES).summary["intentionality"] for source in (log, tmp_path / "log.csv")]
    assert told[0]["identified"] and told[0]["mean"]["value"] == pytest.approx(told[1]["mean"]["value"], abs=1e-4)


def test_pulls_that_lean_on_values_move_lambda_as_the_page_says() -> None:
    _, log = frame(LAW, 400, 5, lean=0.2)
    told = mf.fit(log, **NAMES).summary["intentionality"]
    b = 0.2 / LAW.unit
    expected = 1 - (1 - LAW.mean) * (1 - b)
    error = (told["mean"]["high"] - told["mean"]["low"]) / (2 * 1.96)
    assert abs(told["mean"]["value"] - expected) < 4 * error and told["mean"]["low"] > LAW.mean


def test_no_second_signal_leaves_lambda_assumed(both: tuple[Array, pd.DataFrame]) -> None:
    people = mf.fit(both[1], **{**NAMES, "deliberate": None})
    assert "intentionality" not in people.summary
    assert "intentionality, which is set to 0" in people.summary["not_observed"]
    assert not people.dataset["intentionality"].any()


def refused(log: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, str]]:
    once = log.stars.where(log.groupby(["who", "what"]).cumcount() == 0)
    yield log.assign(stars=once), "nobody gave two deliberate signals in one category"
    yield log.assign(stars=log.stars.where(log.who == 100)), "no category has deliberate signals of two people"
    noise = np.random.default_rng(0).standard_normal(len(log))
    yield log.assign(stars=noise), "ambda is not"


@pytest.mark.parametrize("which", range(3))
def test_lambda_is_refused_with_the_reason(which: int, both: tuple[Array, pd.DataFrame]) -> None:
    log, reason = list(refused(both[1]))[which]
    people = mf.fit(log, **NAMES)
    told = people.summary["intentionality"]
    assert not told["identified"] and reason in told["line"] and "set to 0" in told["line"]
    assert not people.dataset["intentionality"].any()
    assert "intentionality" in people.simulate({"steps": 5}).summary["assumed"]


def test_one_lambda_for_all_is_refused() -> None:
    law = Law(LAW.r, LAW.d, LAW.zero, LAW.unit, LAW.tau, LAW.t, 4000.0, 6000.0)
    _, log = frame(law, 150, 6)
    assert not mf.fit(log, **NAMES).summary["intentionality"]["identified"]


def bad(log: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, dict[str, Any], str]]:
    yield log.assign(stars=3.0), {}, "every signal is 3"
    yield log.assign(stars=np.nan), {}, "expected numbers in some rows, got none"
    yield log.assign(stars=np.inf), {}, "neither empty nor a finite number"
    yield log.assign(stars="good"), {}, "neither empty nor a finite number"
    yield log.assign(what=log.what + "|x"), {"separator": "|"}, "one category per event"
    yield log, {"deliberate": "star"}, 'no column "star"'


@pytest.mark.parametrize("which", range(6))
def test_what_cannot_be_used_is_refused_in_one_line(which: int, both: tuple[Array, pd.DataFrame]) -> None:
    log, words, line = list(bad(both[1]))[which]
    with pytest.raises(mf.InputError, match=line) as told:
        mf.fit(log, **(NAMES | words))
    assert "\n" not in str(told.value)
