"""Collect preferences: labellers are shown two posts in one state and say which they prefer."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mirrorfield.arrays import FloatArray, IntArray, S
from mirrorfield.errors import InputError, check_known
from mirrorfield.streams import PREFERENCE, U64, below, next_word, stream, uniform
from mirrorfield.world.rlhf.bradley_terry import fit_scores
from mirrorfield.world.rlhf.labellers import Labellers

SELECTIONS = ("random", "on-policy", "uncertain")
ROUNDS = 16
INTERIM_RIDGE = 1.0
MOST_PAIRS = 50_000_000


@dataclass(frozen=True)
class Preferences:
    """m answers of n labellers on K categories: who, in which state, which two posts, whether the first was chosen."""

    labellers: int
    categories: int
    labeller: IntArray  # (m,)
    state: IntArray  # (m,)
    first: IntArray  # (m,)
    second: IntArray  # (m,)
    chose_first: IntArray  # (m,), 0 or 1

    @property
    def winner(self) -> IntArray:
        """The category preferred, (m,)."""
        return np.where(self.chose_first == 1, self.first, self.second)

    @property
    def loser(self) -> IntArray:
        """The category not preferred, (m,)."""
        return np.where(self.chose_first == 1, self.second, self.first)

    def only(self, kept: IntArray | NDArray[np.bool_]) -> "Preferences":
        """Return the answers at some places, or where a mask is true."""
        names = ("labeller", "state", "first", "second", "chose_first")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})

    def wins(self) -> IntArray:
        """Return how often a was preferred to b: int64 of shape (S, K, K), state, preferred, other."""
        table = np.zeros((S, self.categories, self.categories), np.int64)
        np.add.at(table, (self.state, self.winner, self.loser), 1)
        return table

    def wins_by_labeller(self) -> IntArray:
        """Return the same for each labeller: int64 of shape (n, S, K, K)."""
        table = np.zeros((self.labellers, S, self.categories, self.categories), np.int64)
        np.add.at(table, (self.labeller, self.state, self.winner, self.loser), 1)
        return table


def win_probability(value: FloatArray, other: FloatArray, temperature: float = 1.0) -> FloatArray:
    """Return the probability that a post of one value is preferred to one of another.

    Formula: P(a > b) = sigmoid((r_a - r_b) / temperature).

    Parameters: value and other, floats of one shape; temperature > 0 in their unit. Returns that shape. Source: Bradley
    and Terry (1952), https://doi.org/10.1093/biomet/39.3-4.324, with the worth of an item written as exp(r /
    temperature).

    >>> float(win_probability(np.float64(1.0), np.float64(1.0)))
    0.5
    """
    return np.asarray(expit((value - other) / temperature))


class _Luck:
    """The preference streams of all labellers: uniform variates in [0, 1), one for each labeller asked."""

    def __init__(self, seed: int, labellers: int) -> None:
        with np.errstate(over="ignore"):
            self.words = np.stack(stream(U64(seed), np.arange(labellers, dtype=np.uint64), PREFERENCE))

    def next(self, who: IntArray) -> IntArray:
        with np.errstate(over="ignore"):
            word, *self.words[:, who] = next_word(*self.words[:, who])
        return np.asarray(word)


def collect(
    labellers: Labellers, pairs: int, selection: str = "random", policy: FloatArray | None = None
) -> Preferences:
    """Ask labellers for a budget of preferences; pair j goes to labeller j modulo n, in a state drawn evenly.

    "random": two different categories, drawn evenly. "on-policy": two different ones drawn from a policy. "uncertain":
    one drawn evenly, and the one whose fitted probability of being preferred to it is closest to one half; the model is
    a shared one, fitted again before each of 16 rounds of equal size, and the first round is random.

    Parameters: labellers; pairs m, the budget of labels; selection; policy, (S, K), for "on-policy". Returns
    Preferences in the order asked. A pair takes four words of its labeller's stream whatever the selection. Raises
    InputError for a budget out of range or an unknown selection. Source: docs/rlhf.md, section 1.

    >>> from mirrorfield.population.scenario import Scenario
    >>> from mirrorfield.world.rlhf.labellers import draw_labellers
    >>> collect(draw_labellers(Scenario(), 10), 25).labeller[-5:].tolist()
    [0, 1, 2, 3, 4]
    """
    check_known(selection, SELECTIONS, "selection: unknown way to choose pairs")
    if not 1 <= pairs <= MOST_PAIRS:
        raise InputError(f"pairs: expected 1 to {MOST_PAIRS:,}, got {pairs:,}")
    odds = np.ones((S, labellers.k)) if policy is None or selection != "on-policy" else policy
    answers = np.empty((5, pairs), np.int64)
    found = Preferences(labellers.count, labellers.k, *answers)
    luck, score = _Luck(labellers.seed, labellers.count), None
    for begin, end, first_of_round in _batches(pairs, labellers.count):
        if selection == "uncertain" and first_of_round and begin > 0:
            score = fit_scores(found.only(np.arange(begin)).wins(), precision=INTERIM_RIDGE).score
        who = np.arange(begin, end) % labellers.count
        state = below(luck.next(who), S)
        a, b = _pair(odds[state], luck.next(who), luck.next(who), None if score is None else score[state])
        chosen = uniform(luck.next(who)) < win_probability(
            labellers.value[who, state, a], labellers.value[who, state, b], labellers.temperature
        )
        answers[:, begin:end] = who, state, a, b, chosen
    return found


def _batches(pairs: int, labellers: int) -> Iterator[tuple[int, int, bool]]:
    """Yield stretches of pairs in which no labeller is asked twice, and whether a round begins with them."""
    rounds = {pairs * i // ROUNDS for i in range(ROUNDS)}
    edges = sorted(rounds | set(range(0, pairs, labellers)) | {pairs})
    for begin, end in pairwise(edges):
        yield begin, end, begin in rounds


def _draw(odds: FloatArray, word: IntArray) -> IntArray:
    cdf = np.cumsum(odds, axis=1)
    return np.asarray((uniform(word)[:, None] * cdf[:, -1:] >= cdf).sum(axis=1))


def _pair(odds: FloatArray, one: IntArray, two: IntArray, score: FloatArray | None) -> tuple[IntArray, IntArray]:
    a = _draw(odds, one)
    everyone = np.arange(len(a))
    if score is not None:
        distance = abs(score - score[everyone, a][:, None])
        distance[everyone, a] = np.inf
        return a, np.asarray(distance.argmin(axis=1))
    others = odds.copy()
    others[everyone, a] = 0.0
    return a, _draw(others, two)
