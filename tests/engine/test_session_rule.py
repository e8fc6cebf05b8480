"""Any rule in the arrays engine: off values, identities, and the update against a loss written out."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from mirrorfield import Scenario
from mirrorfield.contract import Own
from mirrorfield.engine.arrays import Loop
from mirrorfield.engine.learner import Learned, Minibatch, SessionRule, learn, shuffled, spread_out, update
from mirrorfield.engine.luck import PostLuck
from mirrorfield.engine.rerun import Rerun, rerun
from mirrorfield.people.markov import Markov
from mirrorfield.policy.chain import baseline, chain, clip, entropy, kl_leash, normalise, reinforce, returns, session
from mirrorfield.policy.options import Aggregate, Baseline, Leash, Returns
from mirrorfield.policy.presets import PRESETS, preset
from mirrorfield.policy.rule import Rule
from mirrorfield.policy.softmax import log_softmax, softmax
from mirrorfield.population.run import plan_run
from mirrorfield.streams import SHUFFLE, U64, next_word, stream

USERS = np.arange(3, 35)
SCENARIO = Scenario(steps=120, seed=5)
RECORDED = (1, 2, 60, 120)


def run_rule(scenario: Scenario, rule: Rule, ids=USERS, recorded=()) -> Rerun:
    own = Own(SessionRule(rule, scenario.seed, ids), None, "state")
    return rerun(replace(plan_run(scenario), own=own), ids, tuple(recorded))


def known(rule: Rule) -> Learned:
    return SessionRule(rule, SCENARIO.seed, USERS).start(len(USERS), SCENARIO.k, None)


def assert_same(run: Rerun, other: Rerun) -> None:
    for name in ("shown", "state", "feeds", "reaction"):
        assert getattr(run, name).tobytes() == getattr(other, name).tobytes()
    for name in ("logits", "baseline"):
        assert getattr(run.loop.state, name).tobytes() == getattr(other.loop.state, name).tobytes()


OFF = {
    "nothing": (),
    "session": (session(),),
    "sum": (session(aggregate="sum"),),
    "session return": (returns("session", discount=0.5),),
    "welford": (baseline("welford"),),
    "normalise": (normalise("none"),),
    "no clip": (clip(inf),),
    "clip at ratio 1": (clip(0.2, high=0.28, dual=3),),
    "k1 in reward": (kl_leash(0, "k1-in-reward", reference=(1, 0, -1, 2)),),
    "k2 in loss": (kl_leash(0, "k2-in-loss", reference=(1, 0, -1, 2)),),
    "k3 in loss": (kl_leash(0, "k3-in-loss", reference=(1, 0, -1, 2)),),
    "k3 rho": (kl_leash(0, "k3*rho", reference=(1, 0, -1, 2)),),
    "entropy": (entropy(0),),
}


@pytest.mark.parametrize("name", OFF)
def test_off_is_plain_reinforce_bit_for_bit(name: str) -> None:
    plain = run_rule(SCENARIO, Rule(0.1), USERS, RECORDED)
    assert_same(run_rule(SCENARIO, chain(reinforce(0.1), *OFF[name]), USERS, RECORDED), plain)


def test_a_rule_with_every_part_off_is_the_recommender_reinforce() -> None:
    """Two texts of one update: the general one, and the rule of one line that the lanes compile."""
    general, plain = run_rule(SCENARIO, Rule(0.1), USERS, RECORDED), rerun(plan_run(SCENARIO), USERS, RECORDED)
    assert np.array_equal(general.shown, plain.shown) and np.array_equal(general.state, plain.state)
    np.testing.assert_allclose(general.loop.state.logits, plain.loop.state.logits, atol=1e-12)
    np.testing.assert_allclose(general.loop.state.mean_reward, plain.loop.state.baseline, atol=1e-12)
    np.testing.assert_allclose(general.feeds, plain.feeds, atol=1e-12)


def test_the_mean_reward_counts_the_posts_of_a_session_that_is_cut_short() -> None:
    cut = SCENARIO.model_copy(update={"steps": 7})
    run, whole = (run_rule(cut, chain(reinforce(0.1), session(posts))) for posts in (5, 7))
    assert np.array_equal(run.shown[:5], whole.shown[:5])
    never = run_rule(cut, chain(reinforce(0.1), session(100)))
    np.testing.assert_allclose(never.loop.state.mean_reward, never.reaction.mean(axis=0), atol=1e-12)
    assert (never.loop.state.logits == 0).all()


def test_a_fixed_coefficient_is_the_off_value_of_an_adaptive_one() -> None:
    leashed = chain(reinforce(0.1), kl_leash(0.1))
    assert_same(run_rule(SCENARIO, leashed), run_rule(SCENARIO, replace(leashed, kl_target=9.0)))
    adapted = run_rule(SCENARIO, replace(leashed, kl_target=0.01, kl_horizon=10.0))
    assert (adapted.loop.state.beta > 0.1).any()


def hand_written_sessions(horizon: int) -> np.ndarray:
    """Return the logits after sessions of REINFORCE: the sum of A times score under the policy at a session's start."""
    people, luck, everyone = Markov(SCENARIO), PostLuck(SCENARIO.seed, USERS), np.arange(len(USERS))
    memory, count = people.start(USERS, None), 0
    logits, mean = np.zeros((len(USERS), 3, SCENARIO.k)), np.zeros(len(USERS))
    for _ in range(SCENARIO.steps // horizon):
        policy, start, steps = softmax(logits), mean, np.zeros_like(logits)
        for _ in range(horizon):
            luck.next_post()
            s, count = memory.state, count + 1
            choice = (luck.choice[:, None] >= np.cumsum(policy[everyone, s], axis=1)[:, :-1]).sum(axis=1)
            observed, memory = people.react(memory, choice, luck)
            score = np.eye(SCENARIO.k)[choice] - policy[everyone, s]
            steps[everyone, s] += float(np.float32(0.1)) * (observed - start)[:, None] * score
            mean = mean + (observed - mean) / count
        logits = logits + steps
    return logits


@pytest.mark.parametrize("horizon", [1, 4])
def test_one_epoch_of_ppo_without_clip_is_reinforce(horizon: int) -> None:
    ppo = chain(reinforce(0.1), session(horizon=horizon, epochs=1, aggregate="sum"), clip(inf))
    run = run_rule(SCENARIO, ppo, USERS, RECORDED)
    assert_same(run, run_rule(SCENARIO, replace(ppo, clip_low=0.2, clip_high=0.2), USERS, RECORDED))
    np.testing.assert_allclose(run.loop.state.logits, hand_written_sessions(horizon), atol=1e-12)


def close(rule: Rule, other: Rule) -> None:
    run, twin = run_rule(SCENARIO, rule), run_rule(SCENARIO, other)
    assert np.array_equal(run.shown, twin.shown)
    np.testing.assert_allclose(run.loop.state.logits, twin.loop.state.logits, atol=1e-5)


def test_grpo_without_std_and_centred_by_leave_one_out_is_rloo() -> None:
    grpo = replace(preset("grpo", 0.5), normalise=0, beta=0.0, baseline=Baseline.LEAVE_ONE_OUT)
    rloo = replace(preset("rloo", 0.5), group=8, beta=0.0)
    assert_same(run_rule(SCENARIO, grpo), run_rule(SCENARIO, rloo))


def test_dr_grpo_is_rloo_at_a_smaller_step() -> None:
    close(preset("dr-grpo", 0.5), replace(preset("rloo", 0.5 * 7 / 8), group=8, beta=0.0))


def test_gae_over_the_whole_session_is_the_session_return_less_the_value() -> None:
    whole = chain(
        reinforce(0.1), session(6, epochs=2), returns("gae", 0.9, 1.0, False), baseline("value", value_rate=0.1)
    )
    close(whole, replace(whole, returns=Returns.SESSION))


def test_a_z_score_does_not_see_the_scale_of_an_advantage() -> None:
    gains = np.random.default_rng(2).normal(size=(8, 5))
    rule, scaled = replace(preset("grpo"), eps=1e-12), replace(preset("grpo"), eps=3e-12)
    np.testing.assert_allclose(spread_out(gains, rule), spread_out(3 * gains + 1, scaled), atol=1e-12)


def fill(learned: Learned, seed: int = 0) -> None:
    """Fill the session with random posts, as if shown under the present policy."""
    rng, everyone, filled = np.random.default_rng(seed), np.arange(len(USERS)), learned.session
    filled.state[:] = rng.integers(0, 3, filled.state.shape)
    filled.choice[:] = rng.integers(0, SCENARIO.k, filled.choice.shape)
    filled.reward[:] = rng.normal(size=filled.reward.shape)
    filled.log_policy[:] = log_softmax(learned.logits)[everyone, filled.state, filled.choice]


@pytest.mark.parametrize("name", ["grpo-trl", "dr-grpo", "dapo"])
def test_a_group_of_one_category_moves_nothing(name: str) -> None:
    rule, learned = preset(name), known(preset(name))
    fill(learned)
    learned.session.state[:], learned.session.choice[:], learned.session.log_policy[:] = 1, 2, np.log(1 / 4)
    learn(learned, rule)
    np.testing.assert_allclose(learned.logits, 0, atol=1e-15)
    assert (learned.baseline != 0).all()


LOSSES = [
    replace(preset("ppo"), normalise=0),
    replace(preset("ppo"), normalise=0, clip_high=0.28, dual_clip=1.5, aggregate=Aggregate.SUM),
    *(replace(preset("grpo"), normalise=0, beta=0.3, leash=kind, reference=((0.5, 0.0, -0.5, 1.0),)) for kind in Leash),
]


@pytest.mark.parametrize("rule", LOSSES)
def test_the_update_descends_the_loss_written_out(rule: Rule) -> None:
    rng, n, m = np.random.default_rng(4), len(USERS), 6
    learned = known(rule)
    learned.logits = start = rng.normal(size=learned.logits.shape)
    state, choice = rng.integers(0, 3, (m, n)), rng.integers(0, 4, (m, n))
    log_old = log_softmax(start + rng.normal(scale=0.3, size=start.shape))[np.arange(n), state, choice]
    batch = Minibatch(state, choice, log_old, rng.normal(size=(m, n)), np.zeros((m, n)))
    update(learned, batch, rule)

    def loss(logits):
        table = log_softmax(logits)
        chosen = table[np.arange(n), state, choice]
        ratio, x = np.exp(chosen - log_old), chosen - learned.reference[state, choice]
        gain = batch.advantage
        value = np.minimum(ratio * gain, np.clip(ratio, 1 - rule.clip_low, 1 + rule.clip_high) * gain)
        value = np.where(gain < 0, np.maximum(value, rule.dual_clip * np.minimum(gain, -1e-9)), value)
        k3 = np.exp(-x) - 1 + x
        penalty = {Leash.K2_IN_LOSS: x**2 / 2, Leash.K3_IN_LOSS: k3, Leash.K3_TIMES_RHO: ratio * k3}
        value = value - rule.beta * penalty.get(rule.leash, 0 * x)
        entropies = -(np.exp(table) * table).sum(axis=-1)[np.arange(n), state]
        posts = value + rule.entropy * entropies
        return -(posts.mean(axis=0) if rule.aggregate == Aggregate.MEAN else posts.sum(axis=0))

    slope = np.empty_like(start)
    for s, k in np.ndindex(3, 4):
        shift = np.zeros((3, 4))
        shift[s, k] = 1e-6
        slope[:, s, k] = (loss(start + shift) - loss(start - shift)) / 2e-6
    np.testing.assert_allclose(learned.logits - start, -rule.learning_rate * slope, atol=1e-8)


@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_k3_does_not_overflow_far_from_the_reference(beta: float) -> None:
    rule = chain(reinforce(0.1), session(4, epochs=2), kl_leash(beta, "k3-in-loss"))
    learned = known(rule)
    learned.logits[..., 0] = 1000.0
    fill(learned)
    learned.session.choice[:], learned.session.log_policy[:] = 1, -5.0
    learn(learned, rule)
    assert np.isfinite(learned.logits).all()


IDENTICAL = Scenario(
    steps=3,
    population={
        "susceptibility": {"distribution": "point", "value": 1},
        "intentionality": {"distribution": "point", "value": 0.3},
    },
)


def exact_gradient(horizon: int, discount: float) -> np.ndarray:
    """Return sum_h P(s_h = s) pi(a) (Q_h(s, a) - V_h(s)) at the uniform policy, from calm: (S, K)."""
    people = Markov(IDENTICAL)
    memory = people.start(np.arange(1), None)
    mean, law = memory.mean.reshape(3, -1), np.stack([people.law(memory, s)[0] for s in range(3)])
    occupancy = [np.eye(3)[0]]
    for _ in range(horizon - 1):
        occupancy.append(occupancy[-1] @ law.mean(axis=1))
    value, gradient = np.zeros(3), np.zeros_like(mean)
    for at in reversed(occupancy):
        q = mean + discount * law @ value
        value = q.mean(axis=1)
        gradient += at[:, None] * (q - value[:, None]) / mean.shape[1]
    return gradient


EXPECTED = {
    "none": (chain(reinforce(1), baseline("none")), 1.0),
    "rloo": (replace(preset("rloo", 1.0), group=3, beta=0.0), 1.0),
    "dr-grpo": (replace(preset("dr-grpo", 1.0), group=3), 2 / 3),
    "session": (chain(reinforce(1), session(3, aggregate="sum"), returns("session", 0.9)), 1.0),
    "gae": (
        chain(
            reinforce(1), session(3, aggregate="sum"), returns("gae", 0.9, 1, False), baseline("value", value_rate=0.3)
        ),
        1.0,
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_first_update_is_the_policy_gradient_on_average(name: str) -> None:
    rule, factor = EXPECTED[name]
    scenario = IDENTICAL.model_copy(update={"steps": rule.posts})
    steps = run_rule(scenario, rule, np.arange(20_000)).loop.state.logits
    error = steps.std(axis=0) / np.sqrt(len(steps)) + 1e-12
    z = (steps.mean(axis=0) - factor * exact_gradient(rule.horizon, rule.discount)) / error
    assert abs(z).max() < 4


@pytest.mark.parametrize("lens", [{}, {"context": {"kappa": 0.7, "memory": 5.0}}])
def test_rollouts_of_a_group_start_from_one_state_and_the_last_one_goes_on(lens) -> None:
    rule = chain(reinforce(0.1), session(horizon=5, group=4), returns("session"), baseline("leave-one-out"))
    habit = {"rungs": 2, "eta": 0.2, "width": 0.4}
    world = Scenario(steps=40, seed=5, intensity=habit, policy=rule, **lens)
    loop = Loop(plan_run(world), USERS)
    for t in range(40):
        filled, place = loop.state.session, t % 20
        if place == 0:
            state, floor = loop.arousal, loop.memory.floor
        loop.post()
        if place % 5 == 0:
            i = loop.level[loop.shown]
            assert np.array_equal(filled.state[place], state)
            np.testing.assert_allclose(loop.memory.floor, floor + np.where(i > floor, 0.2, 0) * (i - floor))
        if place % 5 == 4:
            assert np.array_equal(filled.end[place // 5], loop.arousal)
    assert not np.array_equal(filled.end[0], filled.end[-1])
    assert loop.exposures.reshape(len(USERS), -1).sum(axis=1).tolist() == [40] * len(USERS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_run_begins_with_a_shorter_one_whoever_is_beside(name: str) -> None:
    rule = preset(name, 0.5)
    long = run_rule(SCENARIO, rule, USERS, RECORDED)
    short = run_rule(SCENARIO.model_copy(update={"steps": 70}), rule, USERS[4:6], (1, 2, 60))
    assert np.array_equal(short.shown, long.shown[:70, 4:6])
    assert np.array_equal(short.state, long.state[:71, 4:6])
    assert np.array_equal(short.feeds, long.feeds[:3, 4:6])


def test_minibatches_are_shuffled_by_counted_words_of_the_users_own_stream() -> None:
    rule = preset("ppo")
    learned = known(rule)
    with np.errstate(over="ignore"):
        orders = [np.tile(np.arange(32)[:, None], len(USERS))]
        for _ in range(50):
            orders.append(shuffled(learned, rule, orders[-1]))
        orders = np.array(orders[1:])
        words = stream(U64(SCENARIO.seed), USERS.astype(U64), SHUFFLE)
        for _ in range(50 * 31):
            _, *words = next_word(*words)
    assert np.array_equal(words, learned.shuffle.words)
    assert np.array_equal(np.sort(orders, axis=1), np.tile(np.arange(32)[:, None], (50, 1, len(USERS))))
    assert abs(orders.mean(axis=(0, 2)) - 15.5).max() < 4 * 9.23 / np.sqrt(50 * len(USERS))
    one = chain(reinforce(0.1), session(4, epochs=3))
    in_order = np.tile(np.arange(4)[:, None], 2)
    assert np.array_equal(shuffled(learned, one, in_order), in_order)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_learns_what_pays(name: str) -> None:
    scenario, rule = SCENARIO.model_copy(update={"steps": 640}), preset(name, 0.5)
    loop = run_rule(scenario, rule).loop
    mean = loop.memory.mean.reshape(len(USERS), 3, -1)[:, 0]
    calm, uniform = (softmax(loop.state.logits)[:, 0] * mean).sum(axis=1), mean.mean(axis=1)
    assert np.isfinite(loop.state.logits).all()
    assert calm.mean() > 1.1 * uniform.mean()


def test_a_stronger_leash_keeps_the_policy_nearer_to_the_reference() -> None:
    for estimator in ("k1-in-reward", "k2-in-loss", "k3-in-loss", "k3*rho"):
        distance = []
        for beta in (0.0, 0.3, 3.0):
            logits = run_rule(SCENARIO, chain(reinforce(0.1), kl_leash(beta, estimator))).loop.state.logits
            distance.append((softmax(logits) * log_softmax(logits)).sum(axis=-1).mean() + np.log(4))
        assert distance[0] > distance[1] > distance[2], estimator
