"""What-ifs: paired effects against what they should be, and words for what cannot be paired."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import mirrorfield as mf
from mirrorfield.cli.main import app
from mirrorfield.errors import InputError
from mirrorfield.kernel import empty_trace
from mirrorfield.metrics.concentration import entropy, filter_bubble
from mirrorfield.metrics.outcomes import category_of, divergence_from_mean, user_outcomes
from mirrorfield.metrics.paired import moves, paired_effect

SMALL = {"users": 4000, "steps": 300, "record": {"users": 4000, "steps": 12}}


@pytest.fixture(scope="module")
def leashed() -> mf.Comparison:
    base = mf.Scenario(**SMALL)
    return mf.compare(base, {"leash": mf.Scenario(**SMALL, policy={"beta": 0.5}), "same": base})


def test_a_change_that_is_none_has_no_effect(leashed: mf.Comparison) -> None:
    same = leashed.arms[1]
    assert all(e.difference == e.low == e.high == 0 for e in same.effects)
    shift = {e.metric: e for e in leashed.arms[0].effects}["induced_shift"]
    assert shift.base == 0 < shift.low < shift.changed < 1
    assert (same.moves == np.diag(np.diag(same.moves))).all() and same.moves.sum() == 4000


def test_effects_are_those_of_two_runs(leashed: mf.Comparison) -> None:
    arm = leashed.arms[0]
    summaries = [mf.simulate(scenario).summary for scenario in (leashed.base, arm.scenario)]
    effects = {effect.metric: effect for effect in arm.effects}
    for metric in ("locked_in", "effective_categories", "filter_bubble", "mean_reaction"):
        expected = [summary[metric] for summary in summaries]
        assert [effects[metric].base, effects[metric].changed] == pytest.approx(expected, abs=2e-6)
    for state in ("calm", "engaged", "hooked"):
        assert effects[state].base == pytest.approx(summaries[0]["states"][state])
    for name, share in summaries[1]["shares"].items():
        assert effects[f"share:{name}"].changed == pytest.approx(share)
    assert effects["filter_bubble"].high < 0 and effects["locked_in"].high <= 0


def test_pairing_needs_fewer_users_than_independent_luck(leashed: mf.Comparison) -> None:
    ratios = {effect.metric: effect.variance_ratio for effect in leashed.arms[0].effects}
    other = mf.simulate(mf.Scenario(**SMALL, seed=2, policy={"beta": 0.5})).part.sample
    base = mf.simulate(leashed.base).part.sample
    apart = (other.mean_reaction[-1].astype(float) - base.mean_reaction[-1]).var()
    paired = (mf.simulate(leashed.arms[0].scenario).part.sample.mean_reaction[-1] - base.mean_reaction[-1]).var()
    assert ratios["mean_reaction"] == pytest.approx(apart / paired, rel=0.1) and ratios["mean_reaction"] > 20


@pytest.mark.slow
def test_an_interval_holds_the_true_effect_as_often_as_it_says() -> None:
    """Effects in 60 crowds of 500 against that in 100,000: 95% of intervals, within 4 binomial standard errors."""
    arms = {"arm": {"beta": 0.1}}

    def effects(users: int, seed: int) -> dict[str, mf.study.whatif.Effect]:
        values = {"users": users, "steps": 200, "seed": seed, "record": {"users": users, "steps": 4}}
        changed = {name: mf.Scenario(**values, policy=policy) for name, policy in arms.items()}
        (arm,) = mf.compare(mf.Scenario(**values), changed, ["mean_reaction", "filter_bubble", "hooked"]).arms
        return {effect.metric: effect for effect in arm.effects}

    truth = effects(100_000, 999)
    crowds = [effects(500, seed) for seed in range(60)]
    for metric, exact in truth.items():
        held = sum(crowd[metric].low <= exact.difference <= crowd[metric].high for crowd in crowds)
        assert held >= 60 * 0.95 - 4 * np.sqrt(60 * 0.95 * 0.05), metric


def test_a_metric_that_a_change_takes_away_is_refused_and_not_left_out() -> None:
    base = mf.Scenario(users=20, steps=5, intensity={"rungs": 2})
    with pytest.raises(mf.InputError, match=r"^compare: intensity: not there in flat; leave out this metric or this"):
        mf.compare(base, {"flat": {"intensity.rungs": 1}}, ["intensity"])
    assert mf.compare(base, {"flat": {"intensity.rungs": 1}}).arms[0].effects


FEEDS = arrays(float, st.tuples(st.integers(2, 30), st.integers(2, 6)), elements=st.floats(0.01, 1.0)).map(
    lambda x: x / x.sum(axis=1, keepdims=True)
)


@given(FEEDS)
def test_the_mean_divergence_is_the_filter_bubble_index(feed) -> None:
    found = divergence_from_mean(feed)
    assert found.mean() == pytest.approx(filter_bubble(feed.mean(axis=0), float(entropy(feed).mean())), abs=1e-12)
    assert (found > -1e-12).all()
    np.testing.assert_allclose(divergence_from_mean(feed[::-1]), found[::-1], atol=1e-12)


def test_ties_go_by_id_as_in_a_run() -> None:
    run = mf.simulate(mf.Scenario(users=64, steps=1, record={"users": 64, "steps": 1}))
    category = category_of(run.part.sample.diet[-1].T, np.arange(64))
    assert np.bincount(category, minlength=4).tolist() == run.part.totals.band_category[-1].sum(axis=0).tolist()


def test_ties_are_split_evenly_in_a_sample_whose_ids_share_remainders() -> None:
    base = mf.Scenario(users=16_000, steps=1, policy={"learning_rate": 0.0}, record={"users": 1000, "steps": 1})
    (arm,) = mf.compare(base, {"same": base}, ["share:threat", "share:tribal"]).arms
    assert [effect.base for effect in arm.effects] == [0.25, 0.25]


def test_an_effect_worked_out_by_hand() -> None:
    effect = paired_effect("x", np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 3.0]))
    half = 4.302653 * 1 / np.sqrt(3)
    assert (effect.base, effect.changed, effect.difference) == (2.0, 3.0, 1.0)
    assert [effect.low, effect.high] == pytest.approx([1 - half, 1 + half], abs=1e-5)
    assert effect.variance_ratio == pytest.approx(2.0)
    assert moves(np.array([0, 1, 1]), np.array([2, 1, 2]), 3).tolist() == [[0, 0, 1], [0, 1, 1], [0, 0, 0]]


def test_time_to_lock_in_is_censored_at_the_last_step() -> None:
    feed = np.array([[[0.5, 0.95, 0.5], [0.5, 0.05, 0.5]], [[0.95, 0.5, 0.5], [0.05, 0.5, 0.5]]])
    sample = empty_trace(2, 2, 3)._replace(diet=feed, state=np.zeros((2, 3)), mean_reaction=np.zeros((2, 3)))
    found = user_outcomes(sample, np.array([10, 100]), np.arange(3), ["a", "b"])
    assert found["time_to_lock_in"].tolist() == [100, 10, 100]
    assert found["locked_in"].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"users": 5000}, "compare: arm: expected the base's users, or users could not be paired"),
        ({"seed": 9}, "expected the base's seed"),
    ],
)
def test_arms_that_cannot_be_paired_are_refused(change, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mf.compare(mf.Scenario(**SMALL), {"arm": mf.Scenario(**(SMALL | change))})


def test_the_command(capsys, tmp_path) -> None:
    words = ["compare", "--users", "600", "--steps", "60", "--metric", "locked_in", "--metric", "hooked"]
    out = tmp_path / "page.html"
    arms = ["--change", "policy.beta=0.5 policy.leash=k3-in-loss", "--change", "policy.learning_rate=0"]
    app([*words, *arms, "--out", str(out)], standalone_mode=False)
    printed = capsys.readouterr().out
    assert printed.count("each with itself") == 2 and "share:threat" not in printed
    page = out.read_text(encoding="utf-8")
    assert page.count("<svg") == 4 and "policy.beta=0.5 policy.leash=k3-in-loss" in page and "<script" not in page
    for bad, message in (
        (["compare"], "--change: expected at least one arm"),
        ([*words, "--change", "policy.bta=1"], 'Did you mean "beta"'),
        ([*words, "--change", " "], "--change: expected section.key=value, got nothing"),
        ([*words, *arms, "--metric", "lokced_in"], 'unknown metric "lokced_in". Did you mean "locked_in"'),
        ([*words, *arms, "--out", "x.png"], "expected a file that ends in .html"),
        ([*words, *arms, "--pairs", "1"], "expected 2 users or more to pair, got 1"),
    ):
        with pytest.raises(InputError, match=message):
            app(bad, standalone_mode=False)


def test_an_open_loop_never_learns() -> None:
    run = mf.simulate(mf.Scenario(users=256, steps=50, policy={"learning_rate": 0, "start": ((2.0, 0.0, 0.0, 0.0),)}))
    assert (run.part.sample.logits[:, 0] == 2).all() and (run.part.sample.logits[:, 1:] == 0).all()
    assert run.summary["filter_bubble"] < 1e-6
