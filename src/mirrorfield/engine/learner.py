"""Any Rule as a recommender: it credits the posts of a session, then takes its steps. NumPy and float64."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import FloatArray, IntArray, S
from mirrorfield.contract import Seen
from mirrorfield.engine.luck import Stream
from mirrorfield.policy import leash
from mirrorfield.policy.baseline import exponential, group_mean, leave_one_out, value_step, welford
from mirrorfield.policy.entropy import entropy_gradient
from mirrorfield.policy.normalise import variance, whiten, z_score
from mirrorfield.policy.options import Aggregate, Baseline, Leash, Normalise, Returns
from mirrorfield.policy.reinforce import advantage, logit_step
from mirrorfield.policy.returns import discounted, gae, td_error
from mirrorfield.policy.rule import Rule
from mirrorfield.policy.softmax import log_softmax, softmax
from mirrorfield.policy.surrogate import surrogate_weight
from mirrorfield.streams import SHUFFLE

FURTHEST, CLOSED = 20.0, -1e9


@dataclass
class Session:
    """The posts of a session, (posts, n), rollout after rollout, and the states in which these end, (group, n)."""

    state: IntArray
    choice: IntArray
    reward: FloatArray
    log_policy: FloatArray
    end: IntArray


@dataclass
class Learned:
    """What a rule knows of n people, and the session under way.

    logits (n, S, K); baseline (n,), a mean of baseline_count posts; value (n, S); beta (n,), the leash's coefficient;
    mean_reward (n,); context (n, K) is added to the logits of every state, and arms that are not allowed, (n, K), are
    closed. reference: log pi_ref, (S, K).
    """

    logits: FloatArray
    baseline: FloatArray
    baseline_count: int
    value: FloatArray
    beta: FloatArray
    mean_reward: FloatArray
    reference: FloatArray
    shuffle: Stream
    session: Session
    context: FloatArray
    allowed: NDArray[np.bool_]

    def logits_of(self, state: IntArray, seen: Seen | None = None) -> FloatArray:
        """Return everyone's logits in a state, (..., n, K), with the context of this post, or of the last one."""
        context, allowed = (self.context, self.allowed) if seen is None else (seen.context, seen.allowed)
        return np.where(allowed, self.logits[np.arange(len(self.baseline)), state] + context, CLOSED)


@dataclass
class Minibatch:
    """Posts to learn from at once, (m, n): what was shown, at what probability, and what it is credited with."""

    state: IntArray
    choice: IntArray
    log_policy: FloatArray
    advantage: FloatArray
    target: FloatArray


class SessionRule:
    """A Rule that keeps the contract for the people with these ids, whose minibatches their own streams shuffle.

    After every rollout the engine says in which states people are (`end_rollout`); after the last of a session it
    learns. The policy stays as it is within a session. A session that the run cuts short is not learned from.
    Parameters: rule; seed; ids, (n,); since, the post after which it takes over. Run it with observe="state". Source:
    docs/rules.md.
    """

    shared = False

    def __init__(self, rule: Rule, seed: int, ids: IntArray, since: int = 0) -> None:
        self.rule, self.seed, self.ids, self.since = rule.in_single_precision(), seed, ids, since

    def start(self, people: int, categories: int, rng: np.random.Generator | None) -> Learned:
        """Return what the rule knows before the first post: its starting logits, zeros, and the leash's coefficient."""
        rule, zeros = self.rule, np.zeros(people)
        return Learned(
            logits=np.zeros((people, S, categories)) + rule.start_logits(categories),
            baseline=zeros,
            baseline_count=0,
            value=np.zeros((people, S)),
            beta=np.full(people, rule.beta),
            mean_reward=zeros,
            reference=log_softmax(rule.reference_logits(categories)),
            shuffle=Stream(self.seed, self.ids, SHUFFLE),
            session=start_session(rule, people),
            context=np.zeros((people, categories)),
            allowed=np.ones((people, categories), bool),
        )

    def take_over(self, before: Learned) -> Learned:
        """Return what the rule knows of another's logits, values and mean reward when it takes over."""
        immediate = self.rule.returns == Returns.IMMEDIATE
        people, _, categories = before.logits.shape
        return replace(
            self.start(people, categories, None),
            logits=before.logits,
            baseline=before.mean_reward,
            baseline_count=self.since // self.rule.posts * self.rule.posts if immediate else 0,
            value=before.value,
            mean_reward=before.mean_reward,
        )

    def place(self, step: int) -> int:
        """Return the place in its session of the post after so many posts."""
        return (step - self.since) % self.rule.posts

    def serve(self, state: Learned, seen: Seen) -> FloatArray:
        """Return the policy, (n, K)."""
        return softmax(state.logits_of(seen.state, seen))

    def learn(self, state: Learned, seen: Seen, shown: IntArray, reward: FloatArray, propensity: FloatArray) -> Learned:
        """Keep a post for the session."""
        place, session = self.place(seen.step), state.session
        state.context, state.allowed = seen.context, seen.allowed
        session.state[place], session.choice[place], session.reward[place] = seen.state, shown, reward
        session.log_policy[place] = log_softmax(state.logits_of(seen.state))[np.arange(len(shown)), shown]
        gain = advantage(reward, state.mean_reward)
        state.mean_reward, _ = welford(state.mean_reward, 0.0, gain, 1 / (seen.step + 1))
        return state

    def end_rollout(self, state: Learned, rollout: int, arousal: IntArray) -> Learned:
        """Say in which states a rollout ended, (n,); after the last of the session, learn and begin another."""
        state.session.end[rollout] = arousal
        if rollout + 1 == self.rule.group:
            learn(state, self.rule)
            state.session = start_session(self.rule, len(arousal))
        return state


def start_session(rule: Rule, people: int) -> Session:
    """Return an empty session."""
    shape = rule.posts, people
    return Session(
        np.zeros(shape, int),
        np.zeros(shape, int),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros((rule.group, people), int),
    )


def learn(known: Learned, rule: Rule) -> None:
    """Credit the session's posts and take the rule's steps: logits, learned value, baseline, leash coefficient."""
    session = known.session
    log_ratio = session.log_policy - known.reference[session.state, session.choice]
    in_reward = known.beta if rule.leash == Leash.K1_IN_REWARD else 0.0
    rewards = leash.shaped_reward(session.reward, log_ratio, in_reward)
    target = credit(rewards, session, known.value, rule)
    before, after = known.baseline, running_baseline(known.baseline, target, known.baseline_count, rule)
    gains = compare(target, session, before, after, known.value, rule)
    whole = Minibatch(session.state, session.choice, session.log_policy, normalised(gains, rule), target)
    order: IntArray = np.tile(np.arange(rule.posts)[:, None], len(before))
    for _ in range(rule.epochs):
        order = shuffled(known, rule, order)
        for rows in np.split(order, rule.minibatches):
            update(known, take(whole, rows), rule)
    known.baseline, known.baseline_count = after, known.baseline_count + rule.posts
    kl = leash.k1(log_ratio).mean(axis=0)
    known.beta = leash.adapt(known.beta, kl, rule.kl_target, rule.posts / rule.kl_horizon)


def credit(rewards: FloatArray, session: Session, value: FloatArray, rule: Rule) -> FloatArray:
    """Return what every post is credited with, (posts, n); for gae, the advantage plus the value."""
    if rule.returns == Returns.IMMEDIATE:
        return rewards
    everyone = np.arange(rewards.shape[1])
    shape = (rule.group, rule.horizon, -1)
    reward, state_value = rewards.reshape(shape), value[everyone, session.state].reshape(shape)
    out = np.empty_like(reward)
    later, next_value = np.zeros_like(reward[:, 0]), rule.bootstrap * value[everyone, session.end]
    for h in reversed(range(rule.horizon)):
        if rule.returns == Returns.GAE:
            delta = td_error(reward[:, h], state_value[:, h], next_value, rule.discount)
            later, next_value = gae(delta, later, rule.discount, rule.trace_decay), state_value[:, h]
            out[:, h] = later + state_value[:, h]
        else:
            out[:, h] = later = discounted(reward[:, h], later, rule.discount)
    if rule.baseline in (Baseline.GROUP_MEAN, Baseline.LEAVE_ONE_OUT):
        out[:] = out[:, :1]
    return out.reshape(rewards.shape)


def running_baseline(baseline: FloatArray, target: FloatArray, count: int, rule: Rule) -> FloatArray:
    """Return the running mean, (n,), after the session's returns, one by one in the order of its posts."""
    for n, one in enumerate(target, count + 1):
        gain = advantage(one, baseline)
        if rule.baseline == Baseline.EXPONENTIAL:
            baseline, _ = exponential(baseline, 0.0, gain, rule.exponential_weight)
        else:
            baseline, _ = welford(baseline, 0.0, gain, 1 / n)
    return baseline


def compare(
    target: FloatArray, session: Session, before: FloatArray, after: FloatArray, value: FloatArray, rule: Rule
) -> FloatArray:
    """Return the advantages, (posts, n): the returns minus the rule's baseline."""
    rollouts = target.reshape(rule.group, rule.horizon, -1)
    total = rollouts.sum(axis=0)
    if rule.baseline == Baseline.NONE:
        return target
    if rule.baseline == Baseline.WELFORD_INCLUSIVE:
        return np.asarray(advantage(target, after))
    if rule.baseline == Baseline.VALUE:
        return np.asarray(advantage(target, value[np.arange(len(before)), session.state]))
    if rule.baseline == Baseline.GROUP_MEAN:
        return np.asarray(advantage(rollouts, group_mean(total, 1 / rule.group))).reshape(target.shape)
    if rule.baseline == Baseline.LEAVE_ONE_OUT:
        others = leave_one_out(total, rollouts, 1 / (rule.group - 1))
        return np.asarray(advantage(rollouts, others)).reshape(target.shape)
    return np.asarray(advantage(target, before))


def normalised(gains: FloatArray, rule: Rule) -> FloatArray:
    """Return the advantages, (posts, n), in units of their spread, if it is taken before minibatches are made."""
    if rule.normalise == Normalise.GROUP:
        rollouts = gains.reshape(rule.group, rule.horizon, -1)
        return spread_out(rollouts, rule).reshape(gains.shape)
    return spread_out(gains, rule) if rule.normalise == Normalise.BATCH else gains


def spread_out(gains: FloatArray, rule: Rule) -> FloatArray:
    """Return advantages minus their mean over the first axis, in units of their spread over it."""
    mean = gains.mean(axis=0)
    spread = variance(((gains - mean) ** 2).sum(axis=0), len(gains), rule.ddof)
    if rule.eps_inside_root:
        return np.asarray(whiten(gains, mean, spread, rule.eps))
    return np.asarray(z_score(gains, mean, np.sqrt(spread), rule.eps))


def shuffled(known: Learned, rule: Rule, order: IntArray) -> IntArray:
    """Return the order, (posts, n), in which an epoch takes a session's posts: that of the epoch before, shuffled.

    By Fisher and Yates from the last post down, with posts - 1 words of the person's shuffle stream; with one minibatch
    the order stays as it is.
    """
    order, everyone = order.copy(), np.arange(order.shape[1])
    if rule.minibatches == 1:
        return order
    luck = known.shuffle.uniforms(rule.posts - 1)
    for drawn, last in zip(luck, range(rule.posts - 1, 0, -1), strict=True):
        other = (drawn.astype(np.float32) * np.float32(last + 1)).astype(int)
        order[last], order[other, everyone] = order[other, everyone], order[last].copy()
    return order


def take(whole: Minibatch, rows: IntArray) -> Minibatch:
    """Return the posts with these rows, (m, n), of a session."""
    return Minibatch(*(np.take_along_axis(field, rows, axis=0) for field in vars(whole).values()))


def update(known: Learned, batch: Minibatch, rule: Rule) -> None:
    """Take one step on a minibatch: every logit moves by the sum, or the mean, of its posts' weights times scores."""
    everyone = np.arange(len(known.baseline))
    share = 1 / len(batch.state) if rule.aggregate == Aggregate.MEAN else 1.0
    logits = known.logits_of(batch.state)
    policy, log_policy = softmax(logits), log_softmax(logits)
    chosen = np.eye(policy.shape[-1])[batch.choice]
    weight = weights(batch, np.take_along_axis(log_policy, batch.choice[..., None], axis=2)[..., 0], known, rule)
    steps = logit_step(rule.learning_rate * share, weight[..., None], chosen, policy)
    spread = -(policy * log_policy).sum(axis=-1, keepdims=True)
    bonus = rule.learning_rate * share * rule.entropy
    steps = steps + bonus * entropy_gradient(policy, log_policy, spread)
    errors = value_step(rule.value_rate * share, batch.target, known.value[everyone, batch.state])
    moved, revalued = np.zeros_like(known.logits), np.zeros_like(known.value)
    for s, step, error in zip(batch.state, steps, errors, strict=True):
        moved[everyone, s] += step
        revalued[everyone, s] += error
    known.logits, known.value = known.logits + moved, known.value + revalued


def weights(batch: Minibatch, log_chosen: FloatArray, known: Learned, rule: Rule) -> FloatArray:
    """Return what multiplies every post's score, (m, n): the surrogate's weight minus the leash's."""
    gains = spread_out(batch.advantage, rule) if rule.normalise == Normalise.MINIBATCH else batch.advantage
    ratio = np.exp(np.minimum(log_chosen - batch.log_policy, FURTHEST))
    log_ratio = log_chosen - known.reference[batch.state, batch.choice]
    if rule.leash == Leash.K2_IN_LOSS:
        pull = leash.k2_weight(log_ratio)
    elif rule.leash == Leash.K3_IN_LOSS:
        pull = leash.k3_weight(np.exp(np.minimum(-log_ratio, FURTHEST)))
    elif rule.leash == Leash.K3_TIMES_RHO:
        pull = leash.k3_rho_weight(log_ratio, ratio)
    else:
        pull = np.zeros_like(ratio)
    pushed = surrogate_weight(ratio, gains, rule.clip_low, rule.clip_high, rule.dual_clip)
    return np.asarray(pushed - known.beta * pull)
