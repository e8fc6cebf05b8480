"""What a rule learns from one session, against the same worked out for one user, post by post, in other words."""

from copy import deepcopy
from math import exp, log, sqrt
from statistics import mean, pstdev, stdev

import numpy as np
import pytest

from mirrorfield.engine.learner import SessionRule, learn, shuffled
from mirrorfield.policy.chain import baseline, chain, clip, entropy, kl_leash, normalise, reinforce, returns, session
from mirrorfield.policy.options import Aggregate, Baseline, Leash, Normalise, Returns
from mirrorfield.policy.presets import PRESETS, preset
from mirrorfield.policy.rule import Rule
from mirrorfield.policy.softmax import log_softmax

SEED, USERS = 9, np.arange(5)


def policy_of(row):
    total = sum(exp(x) for x in row)
    return [exp(x) / total for x in row]


class ByHand:
    """One user: logits theta[s][a], values v[s], and the posts of a session as (state, category, reaction)."""

    def __init__(self, rule, theta, v, running, count, posts, ends):
        self.rule, self.theta, self.v, self.running, self.count = rule, theta, v, running, count
        self.posts, self.ends, self.beta = posts, ends, rule.beta
        self.reference = [policy_of(row) for row in rule.reference_logits(4)]
        self.old = [policy_of(row)[a] for row, a in ((theta[s], a) for s, a, _ in posts)]

    def returns(self):
        rule, shaped = self.rule, []
        for (s, a, g), p in zip(self.posts, self.old, strict=True):
            k1 = log(p / self.reference[s][a])
            shaped.append(g - self.beta * k1 if rule.leash == Leash.K1_IN_REWARD else g)
        out = []
        for i in range(rule.group):
            first = i * rule.horizon
            states = [s for s, _, _ in self.posts[first : first + rule.horizon]] + [self.ends[i]]
            rewards, values = shaped[first : first + rule.horizon], [self.v[s] for s in states]
            values[-1] *= rule.bootstrap
            for h in range(rule.horizon):
                ahead = range(h, rule.horizon)
                if rule.returns == Returns.IMMEDIATE:
                    out.append(rewards[h])
                elif rule.returns == Returns.SESSION:
                    start = 0 if rule.baseline in (Baseline.GROUP_MEAN, Baseline.LEAVE_ONE_OUT) else h
                    out.append(sum(rule.discount ** (j - start) * rewards[j] for j in range(start, rule.horizon)))
                else:
                    deltas = [rewards[j] + rule.discount * values[j + 1] - values[j] for j in range(rule.horizon)]
                    fade = rule.discount * rule.trace_decay
                    out.append(values[h] + sum(fade ** (j - h) * deltas[j] for j in ahead))
        return out

    def advantages(self, credited):
        rule, h = self.rule, self.rule.horizon
        if rule.baseline == Baseline.EXPONENTIAL:
            w, n = rule.exponential_weight, len(credited)
            after = (1 - w) ** n * self.running + sum(w * (1 - w) ** (n - 1 - i) * x for i, x in enumerate(credited))
        else:
            after = (self.running * self.count + sum(credited)) / (self.count + len(credited))
        scores = [credited[i * h] for i in range(rule.group)]
        others = [mean(scores[:i] + scores[i + 1 :]) for i in range(rule.group)] if rule.group > 1 else [0]
        gains = {
            Baseline.NONE: list(credited),
            Baseline.WELFORD_INCLUSIVE: [x - after for x in credited],
            Baseline.VALUE: [x - self.v[s] for x, (s, _, _) in zip(credited, self.posts, strict=True)],
            Baseline.GROUP_MEAN: [x - mean(scores) for x in credited],
            Baseline.LEAVE_ONE_OUT: [x - others[i // h] for i, x in enumerate(credited)],
        }.get(rule.baseline, [x - self.running for x in credited])
        self.running, self.count = after, self.count + len(credited)
        if rule.normalise == Normalise.GROUP:
            return self.normal(gains, [gains[i * h] for i in range(rule.group)])
        return self.normal(gains, gains) if rule.normalise == Normalise.BATCH else gains

    def normal(self, gains, sample):
        spread = stdev(sample) if self.rule.ddof else pstdev(sample)
        below = sqrt(spread**2 + self.rule.eps) if self.rule.eps_inside_root else spread + self.rule.eps
        return [(x - mean(sample)) / below for x in gains]

    def learn(self, orders):
        credited = self.returns()
        gains = self.advantages(credited)
        for order in orders:
            size = len(order) // self.rule.minibatches
            for first in range(0, len(order), size):
                self.step(order[first : first + size], credited, gains)
        kl = mean(log(p / self.reference[s][a]) for (s, a, _), p in zip(self.posts, self.old, strict=True))
        error = min(max(kl / self.rule.kl_target - 1, -0.2), 0.2)
        self.beta *= 1 + error * len(self.posts) / self.rule.kl_horizon

    def step(self, rows, credited, gains):
        rule, theta, v = self.rule, deepcopy(self.theta), list(self.v)
        share = 1 / len(rows) if rule.aggregate == Aggregate.MEAN else 1
        here = [gains[i] for i in rows]
        here = self.normal(here, here) if rule.normalise == Normalise.MINIBATCH else here
        for i, gain in zip(rows, here, strict=True):
            s, a, _ = self.posts[i]
            p = policy_of(self.theta[s])
            rho, x = p[a] / self.old[i], log(p[a] / self.reference[s][a])
            stopped = rho > 1 + rule.clip_high if gain > 0 else rho < 1 - rule.clip_low or rho > rule.dual_clip
            pull = {Leash.K2_IN_LOSS: x, Leash.K3_IN_LOSS: 1 - exp(-x), Leash.K3_TIMES_RHO: rho * x}.get(rule.leash, 0)
            weight = (0 if stopped else rho * gain) - self.beta * pull
            h = -sum(q * log(q) for q in p)
            for b in range(4):
                push = weight * ((a == b) - p[b]) - rule.entropy * p[b] * (log(p[b]) + h)
                theta[s][b] += rule.learning_rate * share * push
            v[s] += rule.value_rate * share * (credited[i] - self.v[s])
        self.theta, self.v = theta, v


GROUPED = session(horizon=3, group=4, epochs=2, minibatches=2)
RULES = {name: preset(name, 0.5) for name in PRESETS} | {
    "no baseline": chain(reinforce(0.5), session(4), baseline("none")),
    "inclusive": chain(reinforce(0.5), session(4), baseline("welford-inclusive")),
    "exponential": chain(reinforce(0.5), session(4, epochs=2), baseline("exponential", weight=0.3), entropy(0.2)),
    "outcome": chain(
        reinforce(0.5), GROUPED, returns("session", 0.9), baseline("group-mean"), normalise("group", ddof=0, eps=0.1)
    ),
    "left out": chain(
        reinforce(0.5), GROUPED, kl_leash(0.3, "k1-in-reward", reference=(1, 0, -1, 0), target=0.1, horizon=50),
        returns("session", 0.9), baseline("leave-one-out"), normalise("batch", eps=0.5, eps_inside_root=True),
    ),
    "everything": chain(
        reinforce(0.5), session(6, group=2, epochs=3, minibatches=3, aggregate="sum"), returns("gae", 0.9, 0.7),
        baseline("value", value_rate=0.1), normalise("minibatch", ddof=0, eps=0.1), clip(0.1, high=0.3, dual=1.5),
        kl_leash(0.3, "k3-in-loss", reference=(1, 0, -1, 0), target=0.1, horizon=50), entropy(0.1),
    ),
    "k2": chain(reinforce(0.5), session(6, epochs=3), clip(0.2), kl_leash(0.3, "k2-in-loss", reference=(1, 0, -1, 0))),
    "k3 rho": chain(reinforce(0.5), session(6, epochs=3), clip(0.2), kl_leash(0.3, "k3*rho", reference=(1, 0, -1, 0))),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_a_session_worked_out_by_hand(name: str) -> None:
    rule: Rule = RULES[name].in_single_precision()
    rng, n = np.random.default_rng(len(name)), len(USERS)
    learned = SessionRule(rule, SEED, USERS).start(n, 4, None)
    learned.logits, learned.baseline = rng.normal(size=learned.logits.shape), rng.normal(size=n)
    learned.value, learned.baseline_count = rng.normal(size=(n, 3)), 10
    filled = learned.session
    filled.state[:], filled.choice[:] = rng.integers(0, 3, filled.state.shape), rng.integers(0, 4, filled.state.shape)
    filled.reward[:], filled.end[:] = rng.normal(size=filled.state.shape), rng.integers(0, 3, filled.end.shape)
    filled.log_policy[:] = log_softmax(learned.logits)[np.arange(n), filled.state, filled.choice]
    hands = [
        ByHand(
            rule, learned.logits[u].tolist(), learned.value[u].tolist(), float(learned.baseline[u]), 10,
            list(zip(filled.state[:, u], filled.choice[:, u], filled.reward[:, u].tolist(), strict=True)),
            filled.end[:, u],
        )
        for u in range(n)
    ]  # fmt: skip
    twin = deepcopy(learned)
    orders = [np.tile(np.arange(rule.posts)[:, None], n)]
    for _ in range(rule.epochs):
        orders.append(shuffled(twin, rule, orders[-1]))
    learn(learned, rule)
    for u, hand in enumerate(hands):
        hand.learn([order[:, u] for order in orders[1:]])
        np.testing.assert_allclose(learned.logits[u], hand.theta, atol=1e-9)
        np.testing.assert_allclose(learned.value[u], hand.v, atol=1e-9)
        np.testing.assert_allclose([learned.baseline[u], learned.beta[u]], [hand.running, hand.beta], atol=1e-7)
