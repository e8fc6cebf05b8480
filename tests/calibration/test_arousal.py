"""States of arousal from sessions: the likelihood, the steps, the intervals, the verdict, and what is refused."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, chi2

import mirrorfield as mf
from mirrorfield.calibration.hidden import (
    Chains,
    Kind,
    expect,
    fit_chain,
    maximise,
    objective,
    prior_sums,
    starts,
    total,
)
from mirrorfield.calibration.information import covariance, from_vectors, score, to_vector
from mirrorfield.calibration.sessions import NO_DWELL, Sessions, sessions_of
from mirrorfield.calibration.states import MODELS, difference, fit_states

Array = NDArray[np.float64]

TRUTH = Chains(
    start=np.array([[0.6, 0.3, 0.1]]),
    moves=np.array([[[0.85, 0.12, 0.03], [0.1, 0.8, 0.1], [0.04, 0.16, 0.8]]]),
    mean=np.array([[0.0, 1.5, 3.0]]),
    sd=np.array([[0.4, 0.5, 0.6]]),
    acts=np.array([[[0.02, 0.01], [0.1, 0.05], [0.4, 0.2]]]),
)
STILL = replace(TRUTH, moves=np.eye(3)[None], start=np.full((1, 3), 1 / 3))
TWO = replace(TRUTH, start=TRUTH.start[:, :2] / 0.9, moves=np.array([[[0.9, 0.1], [0.2, 0.8]]]), mean=TRUTH.mean[:, :2],
              sd=TRUTH.sd[:, :2], acts=TRUTH.acts[:, :2])  # fmt: skip
ONE = replace(TWO, start=np.ones((1, 1)), moves=np.ones((1, 1, 1)), mean=TRUTH.mean[:, :1], sd=TRUTH.sd[:, 2:],
              acts=TRUTH.acts[:, :1])  # fmt: skip


def frame(chain: Chains, people: int, sessions: int, length: int, seed: int) -> pd.DataFrame:
    """Draw a log of the sessions of people whose state moves by a chain."""
    rng = np.random.default_rng(seed)
    start, moves, mean, sd, acts = (part[0] for part in (chain.start, chain.moves, chain.mean, chain.sd, chain.acts))
    n = people * sessions
    state = np.empty((n, length), np.int64)
    state[:, 0] = rng.choice(len(start), size=n, p=start)
    for t in range(1, length):
        state[:, t] = (rng.random(n)[:, None] > np.cumsum(moves[state[:, t - 1]], axis=1)[:, :-1]).sum(axis=1)
    dwell = np.exp(mean[state] + sd[state] * rng.standard_normal(state.shape))
    did = rng.random((*state.shape, 2)) < acts[state]
    columns = {
        "who": np.repeat(np.arange(people), sessions * length),
        "visit": np.repeat(np.arange(n), length),
        "when": np.tile(np.arange(length), n),
        "seconds": dwell.ravel(),
        "like": did[..., 0].ravel().astype(int),
        "share": did[..., 1].ravel().astype(int),
    }
    return pd.DataFrame(columns)


def sessions(log: pd.DataFrame) -> Sessions:
    values = {name: log[name].to_numpy() for name in log}
    acted = {name: values[name] > 0 for name in ("like", "share")}
    return sessions_of(values["who"], values["visit"], values["when"].astype(float), values["seconds"], acted)


def by_hand(found: Sessions, chain: Chains) -> tuple[Array, Array, Array]:
    """Return the log-likelihood of every session, and expected moves and states, by adding up all paths."""
    n, at = chain.mean.shape[1], 0
    logs, moves, states = [], np.zeros((n, n)), np.zeros((n, found.features.shape[1]))
    for length in found.length:
        events = found.features[at : at + length]
        at += length
        weight, told = 0.0, []
        for path in product(range(n), repeat=length):
            p = chain.start[0, path[0]] * np.prod([chain.moves[0, a, b] for a, b in pairwise(path)])
            for j, (_, positive, x, _, *did) in zip(path, events, strict=True):
                m, s = chain.mean[0, j], chain.sd[0, j]
                p *= (np.exp(-(((x - m) / s) ** 2) / 2) / (s * np.sqrt(2 * np.pi))) ** positive
                p *= np.prod(np.where(did, chain.acts[0, j], 1 - chain.acts[0, j]))
            weight += p
            told.append((p, path))
        logs.append(np.log(weight))
        for p, path in told:
            np.add.at(moves, (list(path[:-1]), list(path[1:])), p / weight)
            np.add.at(states, list(path), p / weight * events)
    return np.array(logs), moves, states


def test_expectation_is_the_sum_over_all_paths() -> None:
    log = frame(TRUTH, 2, 3, 4, seed=1).drop(index=[3, 7, 10, 11])
    log.loc[5, "seconds"] = 0.0
    found = sessions(log)
    assert found.actions == ("like", "share", NO_DWELL)
    acts = np.concatenate([TRUTH.acts, np.array([[[0.3], [0.2], [0.1]]])], axis=2)
    chain = replace(TRUTH, mean=TRUTH.mean - found.centre, acts=acts)
    loglik, moves, states = by_hand(found, chain)
    both = expect(found, Chains(*(np.concatenate([x, x]) for x in vars(chain).values())))
    np.testing.assert_allclose(both.loglik, [loglik, loglik], rtol=1e-12)
    np.testing.assert_allclose(both.moves[1], moves, rtol=1e-9)
    np.testing.assert_allclose(both.features[0], states, rtol=1e-9, atol=1e-12)


def test_an_event_that_no_state_explains_stays_a_number() -> None:
    found = sessions(frame(TRUTH, 2, 2, 5, seed=1))
    far = replace(TRUTH, mean=TRUTH.mean + 1e4, sd=TRUTH.sd / 10)
    sums = expect(found, far)
    assert np.isfinite(sums.loglik).all() and np.isfinite(sums.features).all()
    assert sums.features[0, :, 0].sum() == pytest.approx(20)


@pytest.mark.parametrize("kind", ["free", "no memory", "no moves"])
def test_no_step_lowers_the_objective(kind: Kind) -> None:
    found = sessions(frame(TRUTH, 8, 3, 10, seed=2))
    prior = prior_sums(found, 3)
    chains, last = starts(found, 3, range(4), kind), np.full(4, -np.inf)
    for _ in range(30):
        sums = expect(found, chains)
        goal = objective(chains, sums, prior, kind)
        assert (goal >= last - 1e-8).all()
        last, chains = goal, maximise(total(sums, prior), kind)
    assert kind == "free" or (np.ptp(chains.moves, axis=1) == (kind == "no moves")).all()


def test_the_score_is_the_gradient_of_the_log_likelihood() -> None:
    found = sessions(frame(TRUTH, 6, 3, 12, seed=3))
    theta, step = to_vector(TRUTH), 1e-5
    beside = np.concatenate([theta + step * np.eye(len(theta)), theta - step * np.eye(len(theta))])
    up, down = np.split(expect(found, from_vectors(beside, 3, 2)).loglik.sum(axis=1), 2)
    slope = score(TRUTH, expect(found, TRUTH))[0]
    np.testing.assert_allclose((up - down) / (2 * step), slope, rtol=1e-5, atol=1e-5)


def test_one_state_has_the_moments_of_the_events_and_of_the_prior() -> None:
    found = sessions(frame(TRUTH, 5, 2, 10, seed=4))
    chain = fit_chain(found, 1).chains
    x, did = found.features[:, 2], found.features[:, 4:]
    np.testing.assert_allclose([chain.mean[0, 0], chain.sd[0, 0]], [x.mean(), x.std()], atol=1e-9)
    np.testing.assert_allclose(chain.acts[0, 0], (did.sum(axis=0) + 0.5) / 101)


def test_states_come_in_the_order_of_their_dwell_from_any_start() -> None:
    found = sessions(frame(TRUTH, 20, 4, 20, seed=5))
    one, other = (fit_chain(found, 3, seeds=seeds) for seeds in (range(3), range(50, 53)))
    assert (np.diff(one.chains.mean[0]) > 0).all()
    np.testing.assert_allclose(one.chains.moves, other.chains.moves, atol=2e-3)
    turned = TRUTH.pick([0])
    turned = Chains(turned.start[:, ::-1], turned.moves[:, ::-1, ::-1], turned.mean[:, ::-1], turned.sd[:, ::-1],
                    turned.acts[:, ::-1]).ordered(True)  # fmt: skip
    for part, expected in zip(vars(turned).values(), vars(TRUTH).values(), strict=True):
        np.testing.assert_array_equal(part, expected)


@pytest.mark.slow
def test_the_region_of_all_parameters_covers_as_often_as_it_says() -> None:
    logs, inside = 24, 0
    for seed in range(logs):
        found = sessions(frame(TRUTH, 20, 3, 40, seed=100 + seed))
        best = fit_chain(found, 3, seeds=(0, 1)).chains
        spread = covariance(found, best)
        assert spread is not None
        away = to_vector(best) - to_vector(replace(TRUTH, mean=TRUTH.mean - found.centre))
        inside += bool(away @ np.linalg.solve(spread, away) <= chi2.ppf(0.95, len(away)))
    assert inside >= binom.ppf(1e-4, logs, 0.95)


@pytest.mark.parametrize(
    ("chain", "missed"),
    [(ONE, "one:"), (TWO, "two states"), (STILL, "three kinds of session"), (TRUTH, "")],
    ids=["one state", "two states", "no moves", "three states"],
)
def test_the_verdict_knows_what_the_log_was_drawn_from(chain: Chains, missed: str) -> None:
    found = fit_states(sessions(frame(chain, 16, 3, 25, seed=6)), seed=0, starts=2)
    assert found.verdict.holds == (not missed)
    assert missed in found.verdict.line.partition("but not better than")[2 if missed != "one:" else 0]
    assert set(found.beyond) == set(MODELS) - {"three states"}


def test_the_interval_of_a_difference_is_that_of_a_mean_over_people() -> None:
    rng = np.random.default_rng(0)
    logs, inside = 400, 0
    for _ in range(logs):
        d = rng.normal(0.3, 1.0, 8)
        value, half = difference(10 * d, np.zeros(8), np.full(8, 10.0))
        inside += abs(value - 0.3) <= half
    low, high = binom.ppf([1e-4, 1 - 1e-4], logs, 0.95)
    assert low <= inside <= high


NAMES: dict[str, Any] = {"user": "who", "session": "visit", "time": "when", "dwell": "seconds"}


@pytest.fixture
def log() -> pd.DataFrame:
    return frame(TRUTH, 9, 3, 15, seed=7)


def test_every_door_finds_the_same_states(log: pd.DataFrame, tmp_path: Path) -> None:
    mixed = log.sample(frac=1, random_state=0)
    mixed.to_csv(tmp_path / "log.csv", index=False)
    mixed.to_parquet(tmp_path / "log.parquet")
    actions = {"like": "like", "share": "share"}
    found = [
        mf.arousal(source, **NAMES, actions=actions, starts=2)
        for source in (log, mixed, tmp_path / "log.csv", tmp_path / "log.parquet")
    ]
    np.testing.assert_allclose(found[0].moves, found[1].moves, atol=1e-3)
    for other in found[2:]:
        np.testing.assert_allclose(other.moves, found[1].moves, rtol=1e-6)
    assert found[0].summary["log"]["sessions"] == 27
    assert [row["state"] for row in found[0].summary["states"]] == ["calm", "engaged", "hooked"]
    assert repr(found[0]).startswith(found[0].verdict.line[:80])


def test_actions_alone_have_states_too(log: pd.DataFrame) -> None:
    found = mf.arousal(log, session="visit", actions=["like", "share"], starts=2)
    assert "median_dwell" not in found.summary["states"][0]
    assert found.summary["log"]["people"] == 27
    acts = found.found.found.chains.acts[0].sum(axis=1)
    assert (np.diff(acts) > 0).all()


def test_a_scenario_takes_the_moves_and_a_fit_takes_the_scenario(log: pd.DataFrame, tmp_path: Path) -> None:
    found = mf.arousal(log, **NAMES, starts=2)
    path = found.save(tmp_path / "moves.toml")
    assert "# hooked: calm " in path.read_text(encoding="utf-8")
    told = mf.Scenario.load(str(path))
    assert found.verdict.line in told.description
    for profile in (told.reactive, told.intentional):
        table = profile.transition_table(told.k)
        for a in range(told.k):
            np.testing.assert_allclose(table[:, a], found.moves, atol=2e-6)
    rng = np.random.default_rng(0)
    tastes = {"who": np.arange(60) % 6, "what": rng.integers(2, size=60), "score": rng.random(60)}
    people = mf.fit(pd.DataFrame(tastes).astype({"what": str}), user="who", category="what", reaction="score",
                    scenario=str(path)).save(tmp_path / "people")  # fmt: skip
    fitted = mf.Scenario.load(str(people / "scenario.toml"))
    np.testing.assert_allclose(fitted.reactive.transition_table(2)[:, 0], found.moves, atol=2e-6)
    with pytest.raises(mf.InputError, match="exists"):
        found.save(path)


def bad_logs(log: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, dict[str, Any], str]]:
    yield log.iloc[:0], {}, "holds a header but no rows"
    yield log.assign(visit=range(len(log))), {}, "Each of the 405 sessions has one event"
    yield log.assign(seconds=log.seconds - 1), {}, "dwell is negative"
    yield log.assign(seconds=log.seconds.where(log.when > 0)), {}, "dwell is not a finite number"
    yield log.assign(seconds=np.inf), {}, "dwell is not a finite number"
    yield log.assign(like="yes"), {"actions": ["like"]}, "like is not a finite number"
    yield log[log.who < 2], {}, "The log has 2 people: expected at least 3"
    yield log.assign(seconds=2.0), {}, "Every event has the same dwell"
    yield log.assign(visit=log.visit.astype(str).where(log.visit > 0, " ")), {}, "empty session"
    yield log.assign(when="noon"), {}, "neither a number nor an ISO date"
    yield log, {"session": "visits"}, 'no column "visits"'
    yield log, {"dwell": None}, "expected dwell, or actions, or both"
    yield log, {"starts": 0}, "expected 1 or more"


@pytest.mark.parametrize("which", range(13))
def test_what_cannot_be_used_is_refused_in_one_line(which: int, log: pd.DataFrame) -> None:
    bad, words, line = list(bad_logs(log))[which]
    with pytest.raises(mf.InputError, match=line) as told:
        mf.arousal(bad, **(NAMES | words))
    assert "\n" not in str(told.value)


def test_bad_rows_can_be_left_out(log: pd.DataFrame) -> None:
    found = mf.arousal(log.assign(seconds=log.seconds.where(log.when > 0)), **NAMES, starts=1, skip_bad_rows=True)
    assert found.summary["log"]["bad"]["dwell is not a finite number"]["count"] == 27
    assert found.summary["log"]["events"] == 405 - 27
