"""The people: what is drawn of them, what moves, and the profile that a moment of arousal gives them."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array, IntArray
from mirrorfield.kernel.jit import entry, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.maths import F32, ZERO
from mirrorfield.model.draw import PopulationTables, draw_normal, draw_user, start_stream
from mirrorfield.model.profile import blend
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.tables import population_tables
from mirrorfield.streams import CANDIDATES, INTERACTION, INTEREST, U64
from mirrorfield.world.embedding.user import drifted, hat, moved_arousal, remembered

MEAN, STD, UP, DOWN = range(4)


class Crowd(NamedTuple):
    """N people, O(d) numbers each; what is drawn comes first, what moves after it."""

    intentionality: F32Array  # (N,)
    susceptibility: F32Array  # (N, K)
    interest: F32Array  # (N, d)
    history: F32Array  # (N, d)
    arousal: F32Array  # (N,)
    baseline: F32Array  # (N,) running mean of reactions
    baseline_lost: F32Array  # (N,) what rounding lost of it
    seen: IntArray  # (N,) int32, posts seen
    words: Any  # (N, 4) uint32, the interaction stream
    candidate_words: Any  # (N, 4) uint32


class Laws(NamedTuple):
    """Mean, std, up and down of both profiles by state and category; the intentional mean is the interest instead."""

    reactive: F32Array  # (4, S, K)
    intentional: F32Array  # (4, S, K)


def laws_of(scenario: EmbeddingScenario) -> Laws:
    """Return a scenario's profiles as arrays."""
    names = ("mean", "std", "up", "down")
    reactive, intentional = (
        np.array([profile.table(name, scenario.k) for name in names], np.float32)  # type: ignore[arg-type]
        for profile in (scenario.reactive, scenario.intentional)
    )
    return Laws(reactive, intentional)


def draw_interest(seed: Any, user: Any, spread: Any, mean: Any, words: Any, interest: Any) -> None:
    """Fill `interest`, float32 (d,), with a person's: what intention values, and a taste of its own.

    Formula: x = sum_a mu_intentional[a] e_a + spread n / sqrt(d), n standard normal in R^d.

    Parameters: seed and user, uint64; spread, float32 >= 0; mean, float32 (K,); words, uint32 (4,) scratch. Source:
    docs/embedding.md, eq. 4.
    """
    start_stream(seed, user, INTEREST, words)
    scale = spread / np.sqrt(F32(len(interest)))
    for j in range(len(interest)):
        interest[j] = scale * draw_normal(words) + (mean[j] if j < len(mean) else ZERO)


shared(*LINKED, hat, moved_arousal, drifted, remembered, draw_interest)


@entry
def _draw_crowd(seed: Any, first: Any, tables: PopulationTables, mean: Any, spread: Any, crowd: Crowd) -> None:
    words = np.empty(4, np.uint32)
    for u in range(len(crowd.arousal)):
        user = first + U64(u)
        lam, _ = draw_user(seed, user, tables, words, crowd.susceptibility[u])
        crowd.intentionality[u] = lam
        draw_interest(seed, user, spread, mean, words, crowd.interest[u])
        start_stream(seed, user, INTERACTION, crowd.words[u])
        start_stream(seed, user, CANDIDATES, crowd.candidate_words[u])


def empty_crowd(users: int, categories: int, dimension: int) -> Crowd:
    """Return a crowd in which nobody is drawn yet: calm, without history."""
    return Crowd(
        intentionality=np.zeros(users, np.float32),
        susceptibility=np.zeros((users, categories), np.float32),
        interest=np.zeros((users, dimension), np.float32),
        history=np.zeros((users, dimension), np.float32),
        arousal=np.zeros(users, np.float32),
        baseline=np.zeros(users, np.float32),
        baseline_lost=np.zeros(users, np.float32),
        seen=np.zeros(users, np.int32),
        words=np.zeros((users, 4), np.uint32),
        candidate_words=np.zeros((users, 4), np.uint32),
    )


def draw_crowd(scenario: EmbeddingScenario) -> Crowd:
    """Return the people of a scenario before the first post: the same lambda and w as in the base model, by id.

    >>> draw_crowd(EmbeddingScenario(users=2)).history.shape
    (2, 16)
    """
    crowd = empty_crowd(scenario.users, scenario.k, scenario.dimension)
    mean = scenario.intentional.table("mean", scenario.k)[0].astype(np.float32)
    seed, first = U64(scenario.seed), U64(scenario.first_user)
    _draw_crowd(seed, first, population_tables(scenario.tables()), mean, F32(scenario.interest.spread), crowd)
    return crowd


def set_profile(arousal: Any, lam: Any, susceptibility: Any, laws: Laws, profile: Any) -> None:
    """Fill `profile`, float32 (4, K), with a person's mean, std, up and down by category at this moment.

    Formula: (1 - lambda) sum_s b_s(h) reactive[s, a] + lambda sum_s b_s(h) intentional[s, a]; the reactive mean is
    scaled by w_a, and the intentional mean is left out, because it belongs to the item.

    Source: docs/embedding.md, eq. 3.
    """
    calm, engaged, hooked = hat(arousal, F32(0)), hat(arousal, F32(1)), hat(arousal, F32(2))
    for q in range(4):
        for a in range(len(susceptibility)):
            low, middle, high = laws.reactive[q, 0, a], laws.reactive[q, 1, a], laws.reactive[q, 2, a]
            reactive = calm * low + engaged * middle + hooked * high
            low, middle, high = laws.intentional[q, 0, a], laws.intentional[q, 1, a], laws.intentional[q, 2, a]
            intentional = calm * low + engaged * middle + hooked * high
            if q == MEAN:
                reactive, intentional = susceptibility[a] * reactive, ZERO
            profile[q, a] = blend(lam, reactive, intentional)


shared(set_profile)
