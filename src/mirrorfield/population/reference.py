"""The loop in plain NumPy and float64: slow, short, and independent of the compiled kernel.

It draws the same users and consumes the same random streams as the kernel, so the two agree trajectory by
trajectory: the same choices and states, and logits that differ by float32 rounding only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirrorfield.model.draw import draw_user
from mirrorfield.model.profile import blend, reaction
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.reinforce import advantage, logit_step
from mirrorfield.policy.softmax import softmax
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.tables import population_tables, profile_tables
from mirrorfield.streams import INTERACTION, U64, next_word, stream, uniform, uniform_positive
from mirrorfield.types import FloatArray, IntArray, S

Words = list[NDArray[np.uint32]]


@dataclass
class ReferenceUsers:
    """n users in float64: profiles (n, S, K[, S]), and the state of the loop."""

    intentionality: FloatArray
    susceptibility: FloatArray
    mean: FloatArray
    std: FloatArray
    transition: FloatArray
    logits: FloatArray
    baseline: FloatArray
    state: IntArray
    exposures: IntArray


@dataclass
class ReferenceRun:
    """The users after the last step; choices and states of shape (steps, n); feeds (recorded, n, K)."""

    users: ReferenceUsers
    choices: IntArray
    states: IntArray
    feeds: FloatArray


def draw_users(scenario: Scenario, users: IntArray) -> ReferenceUsers:
    """Return the users with these ids, as they are before the first post."""
    tables, profiles = population_tables(scenario), profile_tables(scenario)
    n, k = len(users), scenario.k
    intentionality, susceptibility = np.empty(n), np.empty((n, k))
    words, w = np.empty(4, np.uint32), np.empty(k, np.float32)
    with np.errstate(over="ignore"):
        for row, user in enumerate(users):
            intentionality[row], _ = draw_user(U64(scenario.seed), U64(user), tables, words, w)
            susceptibility[row] = w
    lam = intentionality[:, None, None]
    reactive, intentional = profiles.reactive, profiles.intentional
    return ReferenceUsers(
        intentionality=intentionality,
        susceptibility=susceptibility,
        mean=blend(lam, susceptibility[:, None, :] * reactive.mean, intentional.mean.astype(float)),
        std=blend(lam, reactive.std.astype(float), intentional.std.astype(float)),
        transition=blend(lam[..., None], reactive.transition.astype(float), intentional.transition.astype(float)),
        logits=np.zeros((n, S, k)),
        baseline=np.zeros(n),
        state=np.zeros(n, int),
        exposures=np.zeros((n, k), int),
    )


def show(users: ReferenceUsers, policy: FloatArray, uniforms: FloatArray) -> tuple[NDArray[np.int_], FloatArray]:
    """Show every user one post of `policy`, (n, K); move the users on; return the choices and the reactions."""
    u_choice, u_radius, u_angle, u_transition = uniforms
    everyone, s = np.arange(len(users.state)), users.state
    choice = np.asarray((u_choice[:, None] >= np.cumsum(policy, axis=1)[:, :-1]).sum(axis=1))
    noise = np.sqrt(-2 * np.log(u_radius)) * np.cos(2 * np.pi * u_angle)
    observed = reaction(users.mean[everyone, s, choice], users.std[everyone, s, choice], noise)
    users.exposures[everyone, choice] += 1
    law = users.transition[everyone, s, choice]
    users.state = (u_transition >= law[:, 0]).astype(int) + (u_transition >= 1 - law[:, 2])
    return choice, observed


def interact(users: ReferenceUsers, uniforms: FloatArray, t: int, learning_rate: float) -> NDArray[np.int_]:
    """Show every user one post, observe the reaction, take one REINFORCE step; return the choices."""
    everyone, s = np.arange(len(users.state)), users.state
    policy = softmax(users.logits[everyone, s])
    choice, observed = show(users, policy, uniforms)
    gain = advantage(observed, users.baseline)
    users.baseline = welford(users.baseline, gain, 1 / t)
    chosen = np.eye(policy.shape[1])[choice]
    users.logits[everyone, s] += logit_step(learning_rate, gain[:, None], chosen, policy)
    return choice


def draw_uniforms(words: Words) -> tuple[FloatArray, Words]:
    """Return the four uniforms of a post, float64 (4, n), and the words that follow."""
    drawn = []
    for _ in range(4):
        word, *words = next_word(*words)
        drawn.append(word)
    uniforms = [uniform(drawn[0]), uniform_positive(drawn[1]), uniform(drawn[2]), uniform(drawn[3])]
    return np.asarray(uniforms, float), words


def simulate_reference(scenario: Scenario, users: IntArray, recorded: tuple[int, ...] = ()) -> ReferenceRun:
    """Run the scenario for the users with these ids, and keep their feeds after the `recorded` steps.

    Parameters: scenario; users, integer ids of shape (n,); recorded, steps in 1 ... T. Returns a ReferenceRun.
    Raises nothing. Source: docs/model.md, section 2. Cost: about a microsecond per user-step.

    >>> run = simulate_reference(Scenario(steps=3), np.arange(2))
    >>> run.choices.shape
    (3, 2)
    """
    population = draw_users(scenario, users)
    rule = scenario.policy.to_rule().in_single_precision()
    population.logits += rule.start_logits(scenario.k)
    choices = np.empty((scenario.steps, len(users)), np.int8)
    states = np.empty_like(choices)
    feeds = []
    with np.errstate(over="ignore"):
        words: Words = [*stream(U64(scenario.seed), users.astype(U64), INTERACTION)]
        for t in range(1, scenario.steps + 1):
            uniforms, words = draw_uniforms(words)
            choices[t - 1] = interact(population, uniforms, t, rule.learning_rate)
            states[t - 1] = population.state
            if t in recorded:
                feeds.append(softmax(population.logits[np.arange(len(users)), population.state]))
    return ReferenceRun(population, choices, states, np.array(feeds))
