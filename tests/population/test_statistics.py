"""The stochastic claims against exact expectations, with stated error bounds."""

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.engine.rerun import rerun
from mirrorfield.kernel.entries import advance_plain_block
from mirrorfield.kernel.rows import layout
from mirrorfield.kernel.updates import built_in
from mirrorfield.population.run import plan_run
from mirrorfield.streams import INTERACTION, U64, stream


def expected_update(policy: np.ndarray, mean: np.ndarray, baseline: float, learning_rate: float) -> np.ndarray:
    """E[delta theta_a] = alpha pi_a ((mu_a - b) - sum_c pi_c (mu_c - b)) = alpha pi_a (mu_a - J)."""
    return learning_rate * policy * ((mean - baseline) - policy @ (mean - baseline))


def measured_updates(logits, mean, std, baseline, learning_rate, blocks: int, seed: int) -> np.ndarray:
    """One compiled step for blocks x LANES users with the same profile and policy, each with a stream of its own."""
    k, lanes, deltas = len(logits), 64, []
    at, engaged = layout(k, k), slice(k, 2 * k)
    for block in range(blocks):
        users = np.arange(block * lanes, (block + 1) * lanes).astype(np.uint64)
        with np.errstate(over="ignore"):
            words = np.array(stream(U64(seed), users, INTERACTION))
        rows = np.zeros((at.end, lanes), np.float32)
        rows[at.state], rows[at.baseline] = 1, baseline
        for table, values in ((at.logits, logits), (at.mean, mean), (at.std, std)):
            rows[table][engaged] = np.asarray(values)[:, None]
        advance_plain_block(rows, words, at, 0, 1, np.float32(learning_rate), built_in(at, at.end))
        deltas.append((rows[at.logits][engaged] - np.asarray(logits, np.float32)[:, None]).T.astype(float))
    return np.concatenate(deltas)


@pytest.mark.parametrize("seed", range(20))
def test_mean_update_is_the_exact_expected_update(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = (4, 3)[seed % 2]
    logits, mean = rng.normal(0, 1, k).astype(np.float32), rng.normal(0.5, 0.5, k).astype(np.float32)
    std, baseline = rng.uniform(0.1, 0.8, k).astype(np.float32), float(np.float32(rng.normal(0.5, 0.3)))
    deltas = measured_updates(logits, mean, std, baseline, 0.1, 600, seed)
    policy = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum()
    expected = expected_update(policy, mean.astype(float), baseline, 0.1)
    z = (deltas.mean(axis=0) - expected) / (deltas.std(axis=0) / np.sqrt(len(deltas)))
    assert np.abs(z).max() < 4, z


@pytest.fixture(scope="module")
def default_20000() -> mf.Run:
    return mf.simulate(mf.Scenario(users=20_000, seed=5, record={"users": 20_000, "steps": 1}))


@pytest.mark.slow(15)
def test_default_scenario_agrees_with_an_independent_path(default_20000: mf.Run) -> None:
    """The arrays engine on other people: two samples of one law, compared by their standard errors."""
    plan = plan_run(mf.Scenario(seed=99, users=20_000))
    feeds, states = [], []
    for ids in np.split(np.arange(20_000), 8):  # all at once they take 0.7 GB
        again = rerun(plan, ids, (1500,))
        feeds.append(again.feeds[-1])
        states.append(again.state[-1])
    last = np.concatenate(feeds)
    kernel = default_20000.dataset["feed"].to_numpy()[-1].astype(float)

    def effective(feed: np.ndarray) -> np.ndarray:
        return np.exp(-(feed * np.log(np.maximum(feed, 1e-300))).sum(axis=1))

    def z(one: np.ndarray, two: np.ndarray) -> float:
        return float((one.mean() - two.mean()) / np.sqrt(one.var() / len(one) + two.var() / len(two)))

    assert abs(z(effective(kernel), effective(last))) < 4
    assert abs(z(kernel.max(axis=1) > 0.9, last.max(axis=1) > 0.9)) < 4
    for a in range(4):
        assert abs(z(kernel.argmax(axis=1) == a, last.argmax(axis=1) == a)) < 4
    assert abs(z(default_20000.dataset["final_state"].to_numpy() == 2, np.concatenate(states) == 2)) < 4


@pytest.mark.slow
def test_default_scenario_reproduces_the_figures_of_its_design(default_20000: mf.Run) -> None:
    """The design's N = 20,000, two digits, of feeds: half a last digit plus 4 standard errors of a difference."""
    for step, effective, bubble in ((50, 3.81, 0.03), (200, 2.79, 0.26), (700, 1.74, 0.56), (1500, 1.38, 0.68)):
        run = mf.simulate(mf.Scenario(users=20_000, seed=5, steps=step, record={"users": 20_000}))
        feed = run.dataset["feed"].to_numpy()[-1].astype(float)
        per_user = np.exp(-(feed * np.log(np.maximum(feed, 1e-30))).sum(axis=1))
        error = np.sqrt(2) * per_user.std() / np.sqrt(20_000)
        assert abs(run.summary["momentary"]["effective_categories"] - effective) < 0.005 + 4 * error
        assert abs(run.summary["momentary"]["filter_bubble"] - bubble) < 0.005 + 4 * error / np.log(4)
    assert abs(default_20000.summary["momentary"]["locked_in"] - 0.80) < 0.005 + 4 * np.sqrt(2 * 0.8 * 0.2 / 20_000)
    low, high = (default_20000.summary["momentary"]["by_intentionality"][i] for i in (0, 4))
    hooked = [default_20000.summary["by_intentionality"][i]["hooked"] for i in (0, 4)]
    for name, share in (("threat", 0.35), ("tribal", 0.45), ("validation", 0.20), ("depth", 0.01)):
        assert abs(low["shares"][name] - share) < 0.005 + 4 * np.sqrt(2 * share * (1 - share) / 4000)
    assert abs(hooked[0] - 0.67) < 0.005 + 4 * np.sqrt(2 * 0.67 * 0.33 / 4000)
    assert abs(high["shares"]["depth"] - 0.999) < 0.0005 + 4 * np.sqrt(2 * 0.001 / 4000)
    assert abs(hooked[1] - 0.01) < 0.005 + 4 * np.sqrt(2 * 0.01 / 4000)


@pytest.mark.slow
def test_depth_crosses_one_half_near_the_published_lambda(default_20000: mf.Run) -> None:
    counts = default_20000.dataset["band_category"].to_numpy()[-1]
    share, middle = counts[:, 3] / counts.sum(axis=1), (np.arange(20) + 0.5) / 20
    above = int(np.argmax(share > 0.5))
    crossing = np.interp(0.5, share[above - 1 : above + 1], middle[above - 1 : above + 1])
    assert abs(crossing - 0.45) < 0.03
