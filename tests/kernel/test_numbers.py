"""Numbers in float32: a mean over millions of posts, the ends of every range, and what is done where they are left."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirrorfield import Scenario, simulate
from mirrorfield.errors import InputError
from mirrorfield.kernel.fold import LOW_BITS
from mirrorfield.population.base import MAX_STEPS
from mirrorfield.population.run import WIDTH, plan_run, run_block
from mirrorfield.population.scenario import MAX_USERS
from mirrorfield.server import crowd

ONE = {"distribution": "point", "value": 1.0}
REACTIVE = {"susceptibility": ONE, "intentionality": {"distribution": "point", "value": 0.0}}
STEADY = {"mean": (1.3, 1.1, 0.7, 0.3), "std": 0.0, "up": 0.3, "down": 0.3}


def test_the_mean_of_a_million_reactions_is_that_of_the_posts_shown(kernel_trace) -> None:
    scenario = Scenario(
        users=64, steps=1_000_000, policy={"learning_rate": 0.0}, reactive=STEADY, population=REACTIVE
    )  # a float32 mean without what rounding lost is off by 2e-4 here
    _, trace = kernel_trace(scenario, 0, 64)
    exact = np.array(STEADY["mean"], np.float32).astype(float) @ trace.exposures / 1_000_000
    assert (trace.exposures.sum(axis=0) == 1_000_000).all()
    np.testing.assert_allclose(trace.mean_reaction[-1], exact, rtol=3e-7)


def test_counters_have_room_for_the_most_that_a_scenario_may_ask_for() -> None:
    assert np.float32(MAX_STEPS) + np.float32(1) == MAX_STEPS + 1  # posts are counted in float32
    assert MAX_USERS * 1024 * 2**20 < 2**63 and MAX_USERS * 32 * 2**24 < 2**63
    assert max(WIDTH, crowd.WIDTH) * 2 ** (2 * LOW_BITS) < 2**63  # products of feeds, before they are folded in two


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_user_whose_numbers_are_not_finite_is_named_and_nothing_comes_of_the_block(wrong: float) -> None:
    """Past the door, which refuses such tables: only a fault of the kernel could bring them about."""
    plan = plan_run(Scenario(users=500, steps=5), np.ones((500, 4), np.float32), np.zeros(500, np.float32))
    plan.population.listed_susceptibility[[301, 400], 2] = wrong
    assert run_block(plan, 0, 300).users == 300
    with pytest.raises(InputError, match=r"policy: expected finite numbers, got .* of user 301 that are not; .* use a"):
        run_block(plan, 100, 300)


def test_a_run_that_is_refused_leaves_no_folder(tmp_path) -> None:
    far = Scenario(users=256, steps=5, reactive={"mean": 1000.0, "std": 0.0, "up": 0.3, "down": 0.3})
    with pytest.raises(InputError, match="expected mean reactions within 1024 of zero, got"):
        simulate(far, out=tmp_path / "run", threads=1)
    assert not list(tmp_path.iterdir())


SIZES = st.sampled_from([-1000.0, -1.0, 0.0, 1e-30, 1.0, 100.0])
PROFILES = st.fixed_dictionaries(
    {"mean": st.lists(SIZES, min_size=4, max_size=4), "std": st.sampled_from([0.0, 1e-30, 1.0, 100.0])}
    | {"up": st.sampled_from([0.0, 0.5]), "down": st.sampled_from([0.0, 0.5])}
)
RATES = st.sampled_from([0.0, 1e-6, 1.0, 100.0])
ROWS = st.lists(st.sampled_from([-1000.0, 0.0, 1000.0]), min_size=4, max_size=4).map(lambda row: [row])
RULES = st.fixed_dictionaries(
    {"horizon": st.sampled_from([2, 8]), "epochs": st.sampled_from([1, 5]), "minibatches": st.sampled_from([1, 2])}
    | {"aggregate": st.sampled_from(["sum", "mean"]), "eps": st.sampled_from([1e-12, 1000.0])}
    | {"normalise": st.sampled_from(["none", "batch"]), "eps_inside_root": st.booleans()}
    | {"clip_low": st.sampled_from([1e-9, 1.0, np.inf]), "entropy": st.sampled_from([0.0, 1000.0])}
    | {"leash": st.sampled_from(["k1-in-reward", "k2-in-loss", "k3-in-loss", "k3*rho"])}
    | {"beta": st.sampled_from([0.0, 1e-6, 1000.0]), "start": ROWS, "reference": ROWS}
)
KINDS = st.sampled_from(
    [
        {"baseline": "value", "returns": "gae", "value_rate": 0.125},
        {"baseline": "value", "value_rate": 0.125, "returns": "session"},
        {"baseline": "exponential", "exponential_weight": 1e-6},
        {"baseline": "none"},
    ]
)


def assert_finite(policy: dict, profile: dict, other: dict) -> None:
    scenario = Scenario(
        users=128, steps=80, policy=policy, reactive=profile, intentional=other, population={"susceptibility": ONE}
    )
    try:
        part = run_block(plan_run(scenario), 0, 128)
    except InputError as refused:
        assert "expected mean reactions within 1024 of zero" in str(refused)
        return
    assert all(np.isfinite(array).all() for array in part.sample)
    np.testing.assert_allclose(part.sample.feed.sum(axis=1), 1, atol=1e-5)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(rate=RATES, start=ROWS, profile=PROFILES, other=PROFILES)
def test_plain_scenarios_at_the_ends_of_their_ranges_stay_finite(rate, start, profile, other) -> None:
    assert_finite({"learning_rate": rate, "start": start}, profile, other)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rate=RATES, rule=RULES, kind=KINDS, adaptive=st.booleans(), profile=PROFILES, other=PROFILES)
def test_rules_at_the_ends_of_their_ranges_stay_finite(rate, rule, kind, adaptive, profile, other) -> None:
    leash = {"kl_target": 1e-6, "kl_horizon": 8.0} if adaptive and rule["beta"] > 0 else {}
    assert_finite({"learning_rate": rate} | rule | kind | leash, profile, other)


@pytest.mark.parametrize("changes", [{"learning_rate": 100.0}, {"learning_rate": 100.0, "value_rate": 1.0}])
def test_ppo_at_the_largest_learning_rate_stays_finite_and_learns(changes) -> None:
    scenario = Scenario(users=128, steps=320, policy={"rule": "ppo", **changes}, population=REACTIVE)
    part = run_block(plan_run(scenario), 0, 128)  # once nan from the first sessions on, and all feeds even
    assert np.isfinite(part.sample.logits).all() and part.sample.feed[-1].max(axis=0).mean() > 0.8
