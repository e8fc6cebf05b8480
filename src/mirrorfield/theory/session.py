"""A session of one person under any rule, in float64: show posts under a policy that stands still, then learn."""

from dataclasses import dataclass, field

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.theory.between import Memory
from mirrorfield.theory.credit import advantages, in_spreads, normalised, pull, push, returned
from mirrorfield.theory.person import Person, rows, softmax
from mirrorfield.theory.rules import Recipe

STRAY = 0.2


@dataclass
class Session:
    """The posts since a session began: what each was seen in, and what was seen of it."""

    old: FloatArray  # (S, A) the policy that shows its posts
    start: tuple[int, float]
    memory: Memory
    state: list[int] = field(default_factory=list)
    arm: list[int] = field(default_factory=list)
    reward: list[float] = field(default_factory=list)
    end: list[int] = field(default_factory=list)


class Student:
    """A person whose recommender learns from whole sessions."""

    def __init__(self, person: Person, rule: Recipe, returns_before: int = 0) -> None:
        self.person, self.rule, self.count = person, rule, returns_before
        self.reference = np.array([np.log(softmax(x)) for x in rows(rule.reference or rule.start, person.arms)])
        self.session: Session | None = None

    def meet(self) -> None:
        """See one post; at the end of a session, the recommender learns from it."""
        person, rule = self.person, self.rule
        if self.session is None:
            old = np.array([person.policy(s) for s in range(3)])
            self.session = Session(old, (person.state, person.floor), person.between.keep())
        session = self.session
        if len(session.arm) % rule.horizon == 0:
            person.state, person.floor = session.start
            person.between.restore(session.memory)
        state = person.state
        arm, reaction = person.show(session.old[state])
        reward, _ = person.between.seen(reaction, state, arm)
        person.rewarded += (reward - person.rewarded) / person.posts
        session.state.append(state)
        session.arm.append(arm)
        session.reward.append(reward)
        person.between.remember(arm, reaction)
        if len(session.arm) % rule.horizon == 0:
            session.end.append(person.state)
        if len(session.arm) == rule.posts:
            self.learn(session)
            person.between.look_back()
            person.between.fetch(person.posts)
            self.session = None

    def learn(self, session: Session) -> None:
        """Credit the posts of a session, take the rule's steps, and move the leash's coefficient."""
        person, rule = self.person, self.rule
        state, arm = np.array(session.state), np.array(session.arm)
        with np.errstate(divide="ignore"):
            strayed = np.log(session.old)[state, arm] - self.reference[state, arm]
        reward = np.array(session.reward)
        if rule.leash == "k1-in-reward":
            reward = reward - person.beta * strayed
        target = returned(reward, state, np.array(session.end), person.value, rule)
        gains, person.running = advantages(target, state, person.value, person.running, self.count, rule)
        gains = normalised(gains, rule)
        order = np.arange(rule.posts)
        for _ in range(rule.epochs):
            self.shuffle(order)
            for part in np.split(order, rule.minibatches):
                self.step(part, session.old, state, arm, gains, target)
        self.count += rule.posts
        away = float(np.clip(strayed.mean() / rule.kl_target - 1, -STRAY, STRAY))
        person.beta *= 1 + away * rule.posts / rule.kl_horizon

    def shuffle(self, order: IntArray) -> None:
        """Put posts in the order of an epoch: Fisher and Yates, from the last post down."""
        if self.rule.minibatches == 1:
            return
        for last in range(len(order) - 1, 0, -1):
            other = self.person.order.below(last + 1)
            order[[last, other]] = order[[other, last]]

    def step(
        self, part: IntArray, old: FloatArray, state: IntArray, arm: IntArray, gains: FloatArray, target: FloatArray
    ) -> None:
        """Take one step on the posts of a minibatch, all at the logits and values before it."""
        person, rule = self.person, self.rule
        policy = {s: person.policy(s) for s in set(state[part].tolist())}
        size = 1 / len(part) if rule.aggregate == "mean" else 1.0
        gain = in_spreads(gains[part], rule) if rule.normalise == "minibatch" else gains[part]
        moved, revalued = np.zeros_like(person.logits), np.zeros(3)
        for post, one in zip(part, gain, strict=True):
            s, a = state[post], arm[post]
            pi = policy[s]
            ratio = pi[a] / old[s, a]
            weight = push(ratio, one, rule)
            if rule.beta > 0:
                weight -= person.beta * pull(float(np.log(pi[a]) - self.reference[s, a]), ratio, rule)
            score = (np.arange(person.arms) == a) - pi
            surprise = -np.log(np.maximum(pi, 1e-300))
            bonus = pi * (surprise - pi @ surprise)
            moved[s] += rule.learning_rate * size * (weight * score + rule.entropy * bonus)
            revalued[s] += rule.value_rate * size * (target[post] - person.value[s])
        person.logits += moved
        person.value += revalued
