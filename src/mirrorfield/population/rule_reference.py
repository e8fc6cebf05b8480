"""The loop under any Rule in plain NumPy and float64, to check a compiled one against user by user.

A post uses the same four words of its user's interaction stream whatever the rule, so two rules with one seed share
their luck post by post. A rule that shuffles minibatches has a stream of its own for that.
"""

from dataclasses import dataclass, replace

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray, S
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.options import Returns
from mirrorfield.policy.reinforce import advantage
from mirrorfield.policy.rule import Rule
from mirrorfield.policy.softmax import log_softmax, softmax
from mirrorfield.population.reference import (
    ReferenceUsers,
    draw_uniforms,
    draw_users,
    intervene,
    logits_of,
    policy_of,
    show,
)
from mirrorfield.population.rule_update import Learner, Session, learn
from mirrorfield.population.scenario import Scenario
from mirrorfield.streams import INTERACTION, SHUFFLE, U64, Words, stream


@dataclass
class RuleRun:
    """The users and what was learned after the last post; choices and states (steps, n); feeds (recorded, n, K)."""

    users: ReferenceUsers
    learner: Learner
    choices: IntArray
    states: IntArray
    feeds: FloatArray


def start_learner(scenario: Scenario, rule: Rule, users: IntArray) -> Learner:
    """Return what the rule knows of n users before the first post: zeros, and the leash's starting coefficient."""
    n = len(users)
    with np.errstate(over="ignore"):
        words: Words = [*stream(U64(scenario.seed), users.astype(U64), SHUFFLE)]
    return Learner(
        reference=log_softmax(rule.reference_logits(scenario.arms)),
        baseline_count=0,
        value=np.zeros((n, S)),
        beta=np.full(n, rule.beta),
        mean_reaction=np.zeros(n),
        mean_reward=np.zeros(n),
        shuffle_words=words,
    )


def start_session(rule: Rule, users: ReferenceUsers) -> Session:
    """Return an empty session of users as they are."""
    n = len(users.state)
    shape = (rule.posts, n)
    return Session(
        start=users.state,
        floor=users.floor,
        recent=users.between.recent,
        past=users.between.past,
        state=np.zeros(shape, int),
        choice=np.zeros(shape, int),
        reaction=np.zeros(shape),
        felt=np.zeros(shape),
        log_policy=np.zeros(shape),
        end=np.zeros((rule.group, n), int),
    )


def add_post(users: ReferenceUsers, session: Session, rule: Rule, place: int, uniforms: FloatArray) -> IntArray:
    """Show every user the post at this place of the session, keep it, and return the choices.

    The first post of every rollout finds the user in the state in which the session started.
    """
    rollout, h = divmod(place, rule.horizon)
    if h == 0:
        users.state, users.floor = session.start, session.floor
        users.between.recent, users.between.past = session.recent, session.past
    everyone, s = np.arange(len(users.state)), users.state
    logits = logits_of(users, s)
    choice, observed = show(users, softmax(logits), uniforms)
    reward, _ = users.between.reward(observed, s, choice)
    session.state[place], session.choice[place] = s, choice
    session.reaction[place], session.felt[place] = reward, observed
    session.log_policy[place] = log_softmax(logits)[everyone, choice]
    session.end[rollout] = users.state
    return choice


def switch_learner(before: Learner, fresh: Learner, rule: Rule, t: int) -> Learner:
    """Return what a rule knows that is switched on after t posts: the mean reward, and learned values if any."""
    immediate = rule.returns == Returns.IMMEDIATE
    return replace(
        fresh,
        baseline_count=t // rule.posts * rule.posts if immediate else 0,
        value=before.value,
        mean_reaction=before.mean_reaction,
        mean_reward=before.mean_reward,
    )


def simulate_rule(scenario: Scenario, rule: Rule, users: IntArray, recorded: tuple[int, ...] = ()) -> RuleRun:
    """Run the scenario under a rule for the users with these ids, and keep their feeds after the `recorded` posts.

    Every post counts as a step, in whichever rollout it is; after a group the user goes on from the end of the last
    rollout. A session that the last step cuts short is not learned from, so a run begins with any shorter one.

    Parameters: scenario, whose own policy is not looked at; rule; users, integer ids of shape (n,); recorded, steps in
    1 ... T. Returns a RuleRun. Raises InputError if the rule's reference does not fit K. Source: docs/rules.md.

    >>> simulate_rule(Scenario(steps=6), Rule(0.1, horizon=3), np.arange(2)).choices.shape
    (6, 2)
    """
    rule, after = rule.in_single_precision(), scenario.rules[1].in_single_precision()
    at, origin = scenario.intervention.at if scenario.extended else -1, 0
    population, learner = draw_users(scenario, users), start_learner(scenario, rule, users)
    population.logits += rule.start_logits(scenario.arms)
    choices = np.empty((scenario.steps, len(users)), np.int8)
    states, feeds = np.empty_like(choices), []
    session = start_session(rule, population)
    with np.errstate(over="ignore"):
        words: Words = [*stream(U64(scenario.seed), users.astype(U64), INTERACTION)]
        for t in range(scenario.steps):
            uniforms, words = draw_uniforms(words)
            if t == at:
                intervene(population, scenario, users)
                if scenario.rules[0] != scenario.rules[1]:
                    rule, origin = after, t
                    learner = switch_learner(learner, start_learner(scenario, rule, users), rule, t)
                    population.baseline = learner.mean_reward
                    session = start_session(rule, population)
            place = (t - origin) % rule.posts
            choices[t] = add_post(population, session, rule, place, uniforms)
            states[t] = population.state
            for name, one in (("mean_reaction", session.felt[place]), ("mean_reward", session.reaction[place])):
                mean = getattr(learner, name)
                setattr(learner, name, welford(mean, 0.0, advantage(one, mean), 1 / (t + 1))[0])
            if place + 1 == rule.posts:
                learn(population, learner, session, rule)
                population.between.look_back()
                population.between.fetch(t + 1)
                session = start_session(rule, population)
            if t + 1 in recorded:
                feeds.append(policy_of(population))
    return RuleRun(population, learner, choices, states, np.array(feeds))
