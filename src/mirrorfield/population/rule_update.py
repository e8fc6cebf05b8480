"""What a Rule does with a session of posts: credit them, then take its steps. NumPy and float64, n users at once."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
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
from mirrorfield.population.reference import ReferenceUsers, logits_of
from mirrorfield.streams import Words, below, next_word

FURTHEST = 20.0


@dataclass
class Learner:
    """What a rule keeps of n users beside logits and baseline; reference: log pi_ref (S, K); value (n, S)."""

    reference: FloatArray
    baseline_count: int
    value: FloatArray
    beta: FloatArray
    mean_reaction: FloatArray
    mean_reward: FloatArray
    shuffle_words: Words


@dataclass
class Session:
    """The posts of a session, (posts, n), rollout after rollout, what each starts from, (n, ...), and ends (group, n).

    `reaction` is the reward, which is the felt reaction unless labels stand between.
    """

    start: IntArray
    floor: FloatArray
    recent: FloatArray
    past: FloatArray
    state: IntArray
    choice: IntArray
    reaction: FloatArray
    felt: FloatArray
    log_policy: FloatArray
    end: IntArray


@dataclass
class Minibatch:
    """Posts to learn from at once, (m, n): what was shown, at what probability, and what it is credited with."""

    state: IntArray
    choice: IntArray
    log_policy: FloatArray
    advantage: FloatArray
    target: FloatArray


def learn(users: ReferenceUsers, learner: Learner, session: Session, rule: Rule) -> None:
    """Credit the session's posts and take the rule's steps: logits, learned value, baseline, leash coefficient."""
    log_ratio = session.log_policy - learner.reference[session.state, session.choice]
    in_reward = learner.beta if rule.leash == Leash.K1_IN_REWARD else 0.0
    rewards = leash.shaped_reward(session.reaction, log_ratio, in_reward)
    target = credit(rewards, session, learner.value, rule)
    before, after = users.baseline, running_baseline(users.baseline, target, learner.baseline_count, rule)
    gains = compare(target, session, before, after, learner.value, rule)
    whole = Minibatch(session.state, session.choice, session.log_policy, normalised(gains, rule), target)
    order: IntArray = np.tile(np.arange(rule.posts)[:, None], len(users.state))
    for _ in range(rule.epochs):
        order = shuffled(learner, rule, order)
        for rows in np.split(order, rule.minibatches):
            update(users, learner, take(whole, rows), rule)
    users.baseline, learner.baseline_count = after, learner.baseline_count + rule.posts
    kl = leash.k1(log_ratio).mean(axis=0)
    learner.beta = leash.adapt(learner.beta, kl, rule.kl_target, rule.posts / rule.kl_horizon)


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
    """Return the advantages, (posts, n): the returns less the rule's baseline."""
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
    """Return advantages less their mean over the first axis, in units of their spread over it."""
    mean = gains.mean(axis=0)
    spread = variance(((gains - mean) ** 2).sum(axis=0), len(gains), rule.ddof)
    if rule.eps_inside_root:
        return np.asarray(whiten(gains, mean, spread, rule.eps))
    return np.asarray(z_score(gains, mean, np.sqrt(spread), rule.eps))


def shuffled(learner: Learner, rule: Rule, order: IntArray) -> IntArray:
    """Return the order, (posts, n), in which an epoch takes a session's posts: that of the epoch before, shuffled.

    By Fisher and Yates from the last post down, with posts - 1 words of the user's shuffle stream; with one minibatch
    the order stays as it is.
    """
    order, everyone = order.copy(), np.arange(order.shape[1])
    if rule.minibatches == 1:
        return order
    for last in range(rule.posts - 1, 0, -1):
        word, *learner.shuffle_words = next_word(*learner.shuffle_words)
        other = below(word, last + 1)
        order[last], order[other, everyone] = order[other, everyone], order[last].copy()
    return order


def take(whole: Minibatch, rows: IntArray) -> Minibatch:
    """Return the posts with these rows, (m, n), of a session."""
    return Minibatch(*(np.take_along_axis(field, rows, axis=0) for field in vars(whole).values()))


def update(users: ReferenceUsers, learner: Learner, batch: Minibatch, rule: Rule) -> None:
    """Take one step on a minibatch: every logit moves by the sum, or the mean, of its posts' weights times scores."""
    everyone = np.arange(len(users.state))
    share = 1 / len(batch.state) if rule.aggregate == Aggregate.MEAN else 1.0
    logits = logits_of(users, batch.state)
    policy, log_policy = softmax(logits), log_softmax(logits)
    chosen = np.eye(policy.shape[-1])[batch.choice]
    weight = weights(batch, np.take_along_axis(log_policy, batch.choice[..., None], axis=2)[..., 0], learner, rule)
    steps = logit_step(rule.learning_rate * share, weight[..., None], chosen, policy)
    spread = -(policy * log_policy).sum(axis=-1, keepdims=True)
    bonus = rule.learning_rate * share * rule.entropy
    steps = steps + bonus * entropy_gradient(policy, log_policy, spread)
    errors = value_step(rule.value_rate * share, batch.target, learner.value[everyone, batch.state])
    moved, revalued = np.zeros_like(users.logits), np.zeros_like(learner.value)
    for s, step, error in zip(batch.state, steps, errors, strict=True):
        moved[everyone, s] += step
        revalued[everyone, s] += error
    users.logits, learner.value = users.logits + moved, learner.value + revalued


def weights(batch: Minibatch, log_chosen: FloatArray, learner: Learner, rule: Rule) -> FloatArray:
    """Return what multiplies every post's score, (m, n): the surrogate's weight less the leash's."""
    gains = spread_out(batch.advantage, rule) if rule.normalise == Normalise.MINIBATCH else batch.advantage
    ratio = np.exp(np.minimum(log_chosen - batch.log_policy, FURTHEST))
    log_ratio = log_chosen - learner.reference[batch.state, batch.choice]
    if rule.leash == Leash.K2_IN_LOSS:
        pull = leash.k2_weight(log_ratio)
    elif rule.leash == Leash.K3_IN_LOSS:
        pull = leash.k3_weight(np.exp(np.minimum(-log_ratio, FURTHEST)))
    elif rule.leash == Leash.K3_TIMES_RHO:
        pull = leash.k3_rho_weight(log_ratio, ratio)
    else:
        pull = np.zeros_like(ratio)
    pushed = surrogate_weight(ratio, gains, rule.clip_low, rule.clip_high, rule.dual_clip)
    return np.asarray(pushed - learner.beta * pull)
