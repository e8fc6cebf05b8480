"""The loop in plain NumPy and float64: slow, short, and independent of the compiled kernel.

It draws the same users and consumes the same random streams as the kernel, so the two agree trajectory by
trajectory: the same choices and states, and logits that differ by float32 rounding only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import FloatArray, IntArray, S
from mirrorfield.model.draw import ProfileTables, draw_user
from mirrorfield.model.profile import blend, reaction
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.reinforce import advantage, logit_step
from mirrorfield.policy.softmax import softmax
from mirrorfield.population.change import Intensity, Intervention
from mirrorfield.population.lens_reference import Between, start_between
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.tables import population_tables, profile_tables
from mirrorfield.streams import (
    INTERACTION,
    INTERVENTION,
    NUDGE,
    U64,
    Words,
    next_word,
    stream,
    uniform,
    uniform_positive,
)

NOTHING, NO_MEDDLING, NO_PARTNER = Intervention(), np.empty(0), np.empty(0, int)
CLOSED, TINY = -1e9, 1e-300


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
    level: FloatArray  # (K I,) intensity of every arm
    floor: FloatArray
    felt: FloatArray  # mean reaction to all posts, whether the recommender sees it or not
    seen: FloatArray  # reactions that the recommender saw
    adaptation: Intensity
    between: Between


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
    rungs = scenario.intensity.rungs
    found = ReferenceUsers(
        intentionality=intentionality,
        susceptibility=susceptibility,
        mean=np.empty(0),
        std=np.empty(0),
        transition=np.empty(0),
        logits=np.zeros((n, S, k * rungs)),
        baseline=np.zeros(n),
        state=np.zeros(n, int),
        exposures=np.zeros((n, k * rungs), int),
        level=np.tile(np.arange(rungs) / max(1, rungs - 1), k),
        floor=np.zeros(n),
        felt=np.zeros(n),
        seen=np.zeros(n),
        adaptation=scenario.intensity,
        between=start_between(scenario, users, susceptibility),
    )
    blend_profiles(found, profiles, intentionality)
    return found


def blend_profiles(users: ReferenceUsers, profiles: ProfileTables, intentionality: FloatArray) -> None:
    """Set the users' profiles to those of an intentionality; all rungs of a category start from one profile."""
    lam, w = intentionality[:, None, None], users.susceptibility[:, None, :]
    reactive, intentional = profiles.reactive, profiles.intentional
    rungs = users.adaptation.rungs
    users.mean = blend(lam, w * reactive.mean, intentional.mean.astype(float)).repeat(rungs, 2)
    users.std = blend(lam, reactive.std.astype(float), intentional.std.astype(float)).repeat(rungs, 2)
    laws = reactive.transition.astype(float), intentional.transition.astype(float)
    users.transition = blend(lam[..., None], *laws).repeat(rungs, 2)


def show(users: ReferenceUsers, policy: FloatArray, uniforms: FloatArray) -> tuple[NDArray[np.int_], FloatArray]:
    """Show every user one post of `policy`, (n, K); move the users on; return the choices and the reactions."""
    u_choice, u_radius, u_angle, u_transition = uniforms
    everyone, s = np.arange(len(users.state)), users.state
    choice = np.asarray((u_choice[:, None] >= np.cumsum(policy, axis=1)[:, :-1]).sum(axis=1))
    noise = np.sqrt(-2 * np.log(u_radius)) * np.cos(2 * np.pi * u_angle)
    part, i = users.adaptation, users.level[choice]
    dulled = np.exp(-np.clip(users.floor - i, 0, None) / part.width)
    observed = (
        (1 + part.slope * i) * dulled * reaction(users.mean[everyone, s, choice], users.std[everyone, s, choice], noise)
    )
    observed = observed * users.between.meet(choice)
    users.exposures[everyone, choice] += 1
    users.between.remember(choice, observed)
    law = users.transition[everyone, s, choice]
    users.state = (u_transition >= law[:, 0]).astype(int) + (u_transition >= 1 - law[:, 2])
    users.floor = users.floor + np.where(i > users.floor, part.eta, part.decay) * (i - users.floor)
    return choice, observed


def logits_of(users: ReferenceUsers, state: IntArray) -> FloatArray:
    """Return every user's logits in a state, (..., n, K I), in its context and among what was retrieved."""
    logits = users.logits[np.arange(len(users.state)), state] + users.between.tilt
    return np.where(users.between.opened, logits, CLOSED)


def policy_of(users: ReferenceUsers) -> FloatArray:
    """Return the policy in every user's own state, (n, K I)."""
    return softmax(logits_of(users, users.state))


def served(policy: FloatArray, change: Intervention, opened: NDArray[np.bool_], rungs: int) -> FloatArray:
    """Return what is served, (n, K I): the policy, within a quota on categories, and a share of posts drawn evenly."""
    of_category = policy.reshape(len(policy), -1, rungs).sum(2)
    largest = of_category == of_category.max(1, keepdims=True)
    fullest = of_category.max(1, keepdims=True)
    rest = np.where(largest, 0, of_category).sum(1, keepdims=True)
    factor = np.where(largest, change.quota / fullest, (1 - change.quota) / np.maximum(rest, TINY))
    held = policy * np.where(fullest > change.quota, factor, 1.0).repeat(rungs, 1)
    return np.asarray((1 - change.exploration) * held + change.exploration * opened / opened.sum(-1, keepdims=True))


def interact(
    users: ReferenceUsers,
    uniforms: FloatArray,
    t: int,
    learning_rate: float,
    change: Intervention = NOTHING,
    meddling: FloatArray = NO_MEDDLING,
    partner: IntArray = NO_PARTNER,
) -> NDArray[np.int_]:
    """Show every user one post, observe the reaction, take one REINFORCE step; return the choices.

    `meddling` has the uniforms of swap and friction, (2, n); `partner` the row of each user's partner, (n,).
    """
    everyone, s = np.arange(len(users.state)), users.state
    policy = policy_of(users)
    opened = (users.level <= change.intensity_cap) & users.between.opened
    shown = own = served(policy, change, opened, users.adaptation.rungs)
    heard = np.ones(len(everyone), bool)
    if meddling.size:
        swapped = meddling[0] < change.swap
        shown = np.where(swapped[:, None], own[partner], own) if swapped.any() else own
        heard = (meddling[1] >= change.friction) & ~swapped
    choice, observed = show(users, shown, uniforms)
    users.felt, _ = welford(users.felt, 0.0, advantage(observed, users.felt), 1 / t)
    reward, labelled = users.between.reward(observed, s, choice)
    heard = heard & labelled
    users.seen = users.seen + heard
    gain = advantage(reward, users.baseline) * heard
    users.baseline, _ = welford(users.baseline, 0.0, gain, 1 / np.maximum(users.seen, 1))
    gain = gain * (policy[everyone, choice] / np.where(heard, shown[everyone, choice], 1))
    chosen = np.eye(policy.shape[1])[choice]
    users.logits[everyone, s] += logit_step(learning_rate, gain[:, None], chosen, policy)
    users.between.look_back()
    users.between.fetch(t)
    return choice


def intervene(users: ReferenceUsers, scenario: Scenario, ids: IntArray) -> None:
    """Close what is above the cap, and nudge some users' intentionality."""
    change = scenario.intervention
    users.logits[..., users.level > change.intensity_cap] = CLOSED
    if change.nudge:
        word, *_ = next_word(*stream(U64(scenario.seed), ids.astype(U64), NUDGE))
        moved = users.intentionality + change.nudge * (uniform(word) < np.float32(change.nudge_share))
        blend_profiles(users, profile_tables(scenario), np.clip(moved, 0, 1))


def partners(users: IntArray) -> IntArray:
    """Return the row of each user's partner, id u xor 1, among distinct ids; raise ValueError for users without theirs.

    >>> partners(np.array([4, 7, 5, 6])).tolist()
    [2, 3, 0, 1]
    """
    order = np.argsort(users)
    row = order[np.searchsorted(users, users ^ 1, sorter=order).clip(max=len(users) - 1)]
    if (users[row] != users ^ 1).any():
        raise ValueError("users: expected both of every pair of partners, ids u and u xor 1")
    return np.asarray(row)


def draw_meddling(words: Words) -> tuple[FloatArray, Words]:
    """Return the uniforms of swap and friction, float64 (2, n), and the words that follow."""
    swap, *words = next_word(*words)
    friction, *words = next_word(*words)
    return np.array([uniform(swap), uniform(friction)], float), words


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
    Raises ValueError for users without their partners under `swap`. Source: docs/model.md, section 2. Cost: about a
    microsecond per user-step.

    >>> run = simulate_reference(Scenario(steps=3), np.arange(2))
    >>> run.choices.shape
    (3, 2)
    """
    population = draw_users(scenario, users)
    rule, after = (rule.in_single_precision() for rule in scenario.rules)
    change = scenario.intervention
    partner = partners(users) if change.swap > 0 else NO_PARTNER
    population.logits += rule.start_logits(scenario.arms)
    choices = np.empty((scenario.steps, len(users)), np.int8)
    states = np.empty_like(choices)
    feeds = []
    with np.errstate(over="ignore"):
        words: Words = [*stream(U64(scenario.seed), users.astype(U64), INTERACTION)]
        more: Words = [*stream(U64(scenario.seed), users.astype(U64), INTERVENTION)]
        for t in range(1, scenario.steps + 1):
            uniforms, words = draw_uniforms(words)
            if t == change.at + 1:
                intervene(population, scenario, users)
            if t <= change.at:
                choices[t - 1] = interact(population, uniforms, t, rule.learning_rate)
            else:
                meddling, more = draw_meddling(more)
                choices[t - 1] = interact(population, uniforms, t, after.learning_rate, change, meddling, partner)
            states[t - 1] = population.state
            if t in recorded:
                feeds.append(policy_of(population))
    return ReferenceRun(population, choices, states, np.array(feeds))
