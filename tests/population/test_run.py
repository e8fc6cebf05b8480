"""Runs: the same bytes for any threads and block size; merging in any order."""

import random

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.kernel import empty_totals, merge_totals
from mirrorfield.population.run import Gathering, block_size, plan_run, recorded_steps, run_block, sampled_users
from mirrorfield.store.folder import summary_text

ALL_REACTIVE = {"distribution": "point", "value": 0}


def summary_of(threads: int, block: int, users: int = 1000, steps: int = 50) -> str:
    scenario = mf.Scenario(users=users, steps=steps, record={"users": 100})
    return summary_text(mf.simulate(scenario, threads=threads, block=block).summary)


def test_summary_bytes_do_not_depend_on_threads_or_blocks() -> None:
    expected = summary_of(1, 1000)
    for threads, block in ((1, 64), (2, 64), (2, 1), (2, 300), (3, 77), (2, 5000)):
        assert summary_of(threads, block, 1000) == expected


def test_dataset_bytes_do_not_depend_on_threads_or_blocks() -> None:
    scenario = mf.Scenario(users=500, steps=30, record={"users": 90})
    one, two = (mf.simulate(scenario, threads=t, block=b).dataset for t, b in ((1, 500), (2, 33)))
    assert one.identical(two)


def gathered(plan, parts):
    gathering = Gathering(plan)
    for part in parts:
        gathering.add(part)
    return gathering.whole()


def test_parts_gather_in_any_order() -> None:
    plan = plan_run(mf.Scenario(users=640, steps=40, record={"users": 64}))
    parts = [run_block(plan, first, 64) for first in range(0, 640, 64)]
    whole = run_block(plan, 0, 640)
    for seed in range(20):
        random.Random(seed).shuffle(parts)
        found = gathered(plan, parts)
        for array, expected in zip((*found.totals, *found.sample), (*whole.totals, *whole.sample), strict=True):
            assert array.tobytes() == np.ascontiguousarray(expected).tobytes(), seed


def test_totals_merge_in_random_trees() -> None:
    plan = plan_run(mf.Scenario(users=640, steps=40, record={"users": 64}))
    leaves = [run_block(plan, first, 40).totals for first in range(0, 640, 40)]
    expected = run_block(plan, 0, 640).totals
    for seed in range(20):
        rng = random.Random(seed)
        pool = list(leaves)
        while len(pool) > 1:
            rng.shuffle(pool)
            pool.append(merge_totals(pool.pop(), pool.pop()))
        assert all(np.array_equal(a, b) for a, b in zip(pool[0], expected, strict=True)), seed


def test_totals_merge_without_overflow_and_in_one_form_only() -> None:
    """The sums of 8e9 users with the largest entries there can be stay exact, in any tree."""
    most = 125_000_000 * 2**48
    leaf = empty_totals(1, 2, 1)
    leaf.feed_product[0, 0, 0] = (most >> 24, 2**24 - 1)
    leaf.category_feed[0, 0, 0] = 125_000_000 * 2**24
    for seed in range(20):
        rng = random.Random(seed)
        pool = [leaf] * 64
        while len(pool) > 1:
            rng.shuffle(pool)
            pool.append(merge_totals(pool.pop(), pool.pop()))
        high, low = map(int, pool[0].feed_product[0, 0, 0])
        assert (high << 24) + low == 64 * (most + 2**24 - 1) and 0 <= low < 2**24
        assert int(pool[0].category_feed[0, 0, 0]) == 8 * 10**9 * 2**24


@pytest.mark.parametrize("categories", [2, 4, 19])
def test_the_totals_are_those_of_the_users(categories: int) -> None:
    """Every histogram and moment against the same figure made from the feeds of all users, one by one."""
    users = 600
    profile = {"mean": [0.2 + 0.1 * (i % 4) for i in range(categories)], "std": 0.3, "up": 0.2, "down": 0.2}
    named = [mf.Category(name=f"c{i}", color="#000000") for i in range(categories)]
    scenario = mf.Scenario(users=users, steps=80, record={"users": users}, reactive=profile, intentional=profile,
                           categories=named)  # fmt: skip
    data = mf.simulate(scenario).dataset
    feed = data["diet"].to_numpy().astype(float)
    entropy = -(feed * np.log(np.maximum(feed, 1e-30))).sum(axis=2)
    np.testing.assert_allclose(data["mean_diet"], feed.mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(data["second_moment"], np.einsum("cua,cub->cab", feed, feed) / users, atol=1e-6)
    np.testing.assert_allclose(data["filter_bubble_within"] + data["filter_bubble_between"], data["filter_bubble"])
    edges = np.append(data["entropy_low"], np.inf)
    near = np.abs(entropy[:, :, None] - edges[1:-1]).min(axis=2) < 1e-5
    for c in range(feed.shape[0]):
        counts = np.histogram(np.maximum(entropy[c], 0), edges)[0]
        assert np.abs(counts - data["entropy_users"][c].to_numpy()).sum() <= 2 * near[c].sum()
    assert (data["reaction_users"].sum("reaction_bin") == users).all()
    edges = np.concatenate([[-np.inf], data["reaction_low"].to_numpy()[1:], [np.inf]])
    counts = np.histogram(data["baseline"], edges)[0]
    assert np.abs(counts - data["reaction_users"][-1].to_numpy()).sum() <= 2
    locked = feed.max(axis=2) > 0.9
    first = np.where(locked.any(axis=0), locked.argmax(axis=0), -1)
    expected = np.zeros((feed.shape[0], categories), int)
    for user in np.flatnonzero(first >= 0):
        expected[first[user], feed[first[user], user].argmax()] += 1
    assert (data["lock_in_users"] == expected).all()


def test_a_part_that_is_missing_is_noticed() -> None:
    plan = plan_run(mf.Scenario(users=640, steps=4))
    with pytest.raises(ValueError, match="600 of 640 users have run"):
        gathered(plan, [run_block(plan, 0, 600)])


def test_the_mean_of_fixed_point_sums_is_the_mean_of_the_feeds() -> None:
    run = mf.simulate(mf.Scenario(users=600, steps=80, record={"users": 600}))
    feed = run.dataset["diet"].to_numpy().astype(float)
    entropy = -(feed * np.log(np.maximum(feed, 1e-30))).sum(axis=2)
    np.testing.assert_allclose(run.dataset["effective_categories"], np.exp(entropy).mean(axis=1), atol=1e-5)
    gram = np.einsum("cua,cva->cuv", feed, feed)
    pairs = (gram.sum(axis=(1, 2)) - np.einsum("cuu->c", gram)) / (600 * 599)
    np.testing.assert_allclose(run.dataset["overlap"], pairs, atol=1e-6)
    mean_feed = feed.mean(axis=1)
    between = -(mean_feed * np.log(mean_feed)).sum(axis=1) - entropy.mean(axis=1)
    np.testing.assert_allclose(run.dataset["filter_bubble"], np.maximum(between, 0) / np.log(4), atol=1e-6)
    np.testing.assert_allclose(run.dataset["locked_in"], (feed.max(axis=2) > 0.9).mean(axis=1))
    category = [np.flatnonzero(row == row.max())[u % (row == row.max()).sum()] for u, row in enumerate(feed[-1])]
    np.testing.assert_allclose(run.dataset["share"].to_numpy()[-1], np.bincount(category, minlength=4) / 600)


def test_diets_faces_and_momentary_figures_are_those_of_the_users() -> None:
    """The long run from powers of each user's own chain; a wrong state, weight or order of the six rates shows."""
    run = mf.simulate(mf.Scenario(users=600, steps=300, record={"users": 600}))
    data, profiles = run.dataset, run.plan.profiles
    lam = data["intentionality"].to_numpy().astype(float)[:, None, None, None]
    reactive, intentional = (p.transition.astype(float) for p in (profiles.reactive, profiles.intentional))
    logits = data["logits"].to_numpy().astype(float)
    policy = np.exp(logits - logits.max(axis=2, keepdims=True))
    policy /= policy.sum(axis=2, keepdims=True)
    chain = np.einsum("usa,usat->ust", policy, (1 - lam) * reactive + lam * intentional)
    chain /= chain.sum(axis=2, keepdims=True)  # tables in float32 are off by 1e-7, which 4,096 posts would compound
    law = np.linalg.matrix_power(chain, 4096)[np.arange(600), data["final_state"].to_numpy()]
    diet = np.einsum("us,usa->ua", law, policy)
    np.testing.assert_allclose(data["served"], policy, atol=2e-6)
    np.testing.assert_allclose(data["time_in_state"], law, atol=2e-5)
    np.testing.assert_allclose(data["diet"].isel(step=-1), diet, atol=2e-5)
    leads = policy >= policy.max(axis=2, keepdims=True) - 1e-9
    faces = ~(leads | (law <= 0.05)[:, :, None]).all(axis=1).any(axis=1)
    near = (np.abs(law - 0.05) < 1e-4).any(axis=1).sum()
    assert 0.02 < faces.mean() < 0.5 and abs(run.summary["two_faced"] - faces.mean()) <= near / 600
    feed, now = data["feed"].isel(step=-1).to_numpy().astype(float), run.summary["momentary"]
    np.testing.assert_allclose(feed, policy[np.arange(600), data["final_state"]], atol=2e-6)
    assert now["locked_in"] == (feed.max(axis=1) > 0.9).mean() != run.summary["locked_in"]
    entropy = -(feed * np.log(np.maximum(feed, 1e-30))).sum(axis=1)
    assert now["effective_categories"] == pytest.approx(np.exp(entropy).mean(), abs=1e-5)
    assert set(now) == set(run.summary) - {
        "users",
        "steps",
        "seed",
        "two_faced",
        "states",
        "mean_reaction",
        "momentary",
    }


def test_exposures_and_states_add_up() -> None:
    run = mf.simulate(mf.Scenario(users=300, steps=70, record={"users": 300}))
    assert (run.dataset["exposures"].sum("category") == 70).all()
    assert (run.dataset["state_flow"].sum(("state", "to_state")) == 300).all()
    assert (run.dataset["band_category"].sum(("band", "category")) == 300).all()
    np.testing.assert_allclose(run.dataset["logits"].sum("category"), 0, atol=1e-4)


def test_a_tie_favours_no_category() -> None:
    run = mf.simulate(mf.Scenario(users=4000, steps=1, reactive={"mean": 0, "std": 0, "up": 0, "down": 0},
                                  intentional={"mean": 0, "std": 0, "up": 0, "down": 0}))  # fmt: skip
    assert set(run.summary["shares"].values()) == {0.25}


def test_reactions_that_fixed_point_cannot_hold_are_refused() -> None:
    some = {"distribution": "lognormal", "median": 1.0, "sigma": 1.5}  # its median is within the bound, some are not
    reactive = {"mean": 1000, "std": 1, "up": 0.1, "down": 0.1}
    scenario = mf.Scenario(users=64, steps=20, population={"susceptibility": some, "intentionality": ALL_REACTIVE},
                           reactive=reactive)  # fmt: skip
    told = r"expected mean reactions within 1024 of zero, got .* use a smaller unit"
    with pytest.raises(mf.InputError, match=told):
        mf.simulate(scenario)
    with pytest.raises(mf.InputError, match=told):
        mf.Scenario(population={"susceptibility": {"distribution": "point", "value": 1000}}, reactive=reactive)


def test_large_logits_do_not_overflow() -> None:
    scenario = mf.Scenario(users=640, steps=300, policy={"learning_rate": 100.0}, record={"users": 640},
                           reactive={"mean": [50, 55, 60, 5], "std": 20, "up": 0.2, "down": 0.2})  # fmt: skip
    dataset = mf.simulate(scenario).dataset
    assert np.isfinite(dataset["logits"]).all() and float(np.abs(dataset["logits"]).max()) > 1000
    np.testing.assert_allclose(dataset["feed"].sum("category"), 1, atol=1e-6)


def test_a_sample_that_cannot_fit_in_memory_is_refused_at_once() -> None:
    with pytest.raises(mf.InputError, match=r"record.users: a sample of .* needs about .* GiB .* ask for at most"):
        mf.simulate(mf.Scenario(users=8 * 10**9, record={"users": 8 * 10**9}))


def test_threads_and_block_must_be_positive() -> None:
    with pytest.raises(mf.InputError, match="threads: expected 1 or more, got 0"):
        mf.simulate(mf.Scenario(users=1, steps=1), threads=0)
    with pytest.raises(mf.InputError, match="block: expected 1 user or more, got 0"):
        mf.simulate(mf.Scenario(users=1, steps=1), block=0)


def test_recorded_steps_and_sampled_users_hold_their_ends() -> None:
    assert recorded_steps(1, 32).tolist() == [1]
    assert recorded_steps(1500, 32)[[0, -1]].tolist() == [1, 1500]
    assert sampled_users(5, 20).tolist() == [0, 1, 2, 3, 4]
    assert len(sampled_users(10**9, 20_000)) == 20_000


@pytest.mark.parametrize(
    "users, steps", [(1, 1), (10**4, 100), (10**5, 1500), (10**9, 100), (10**9, 10**5), (8 * 10**9, 10**4)]
)
def test_blocks_are_neither_too_many_nor_too_long(users: int, steps: int) -> None:
    block = block_size(mf.Scenario(users=users, steps=steps))
    blocks = -(-users // block)
    assert block % 256 == 0 and blocks <= 4096
    assert blocks >= 64 or block * steps <= 2**20 + 256 * steps
    assert block * steps <= 2**26 or block == 256 or blocks > 4000


def test_progress_counts_every_user() -> None:
    seen: list[int] = []
    mf.simulate(mf.Scenario(users=1000, steps=2), threads=2, block=300, progress=seen.append)
    assert sum(seen) == 1000
