"""Compiled parts of the arrays engine: drawing people and their luck, and choosing a post."""

from typing import Any

import numpy as np

from mirrorfield.kernel.jit import entry, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.kernel.plain import draw_luck
from mirrorfield.model.draw import draw_user
from mirrorfield.streams import next_word, stream, uniform

SOUND, NOT_FINITE, NEGATIVE, NOT_ONE, CLOSED = range(5)
TOLERANCE = 1e-6

shared(*LINKED)


@entry
def draw_persons(seed: Any, ids: Any, population: Any, intentionality: Any, susceptibility: Any, segment: Any) -> None:
    """Draw the people with these ids, uint64 (n,): fill lambda (n,), w (n, K) and the segment (n,)."""
    words = np.empty(4, np.uint32)
    for j in range(len(ids)):
        drawn, number = draw_user(seed, ids[j], population, words, susceptibility[j])
        intentionality[j] = drawn
        segment[j] = np.int32(number)


@entry
def start_words(seed: Any, ids: Any, purpose: Any, words: Any) -> None:
    """Put everyone at the start of their stream for one purpose; words, uint32 (4, n)."""
    for j in range(len(ids)):
        words[0, j], words[1, j], words[2, j], words[3, j] = stream(seed, ids[j], purpose)


@entry
def draw_posts(words: Any, choice: Any, noise: Any, transition: Any) -> None:
    """Draw the luck of some posts, float32 (posts, n), as the lanes draw it."""
    angle = np.empty(choice.shape[1], np.float32)
    for t in range(len(choice)):
        draw_luck(words, choice[t], noise[t], angle, transition[t])


@entry
def draw_uniforms(words: Any, out: Any) -> None:
    """Draw uniforms from everyone's stream, float64 (count, n)."""
    for i in range(len(out)):
        row = out[i]
        for j in range(len(row)):
            word, a, b, c, d = next_word(words[0, j], words[1, j], words[2, j], words[3, j])
            words[0, j], words[1, j], words[2, j], words[3, j] = a, b, c, d
            row[j] = uniform(word)


@entry
def first_wrong(policy: Any, allowed: Any) -> Any:
    """Return the first row that is no distribution over the arms allowed, and what is wrong with it; or -1 and SOUND.

    policy, float64 (n, K); allowed, bool (n, K).
    """
    for j in range(len(policy)):
        total, wrong = 0.0, SOUND
        for k in range(policy.shape[1]):
            p = policy[j, k]
            total += p
            if not allowed[j, k] and p != 0.0:
                wrong = CLOSED
            if p < 0.0:
                wrong = NEGATIVE
        if not np.isfinite(total):
            return j, NOT_FINITE
        if wrong == SOUND and abs(total - 1.0) > TOLERANCE:
            wrong = NOT_ONE
        if wrong != SOUND:
            return j, wrong
    return -1, SOUND


@entry
def choose(policy: Any, luck: Any, shown: Any, propensity: Any) -> None:
    """Choose a post for everyone by the inverse of the distribution function; an arm of probability 0 is never chosen.

    policy, float64 (n, K), rows that sum to 1 up to rounding; luck, uniforms (n,); fills shown and propensity, (n,).
    """
    arms = policy.shape[1]
    for j in range(len(policy)):
        total = 0.0
        for k in range(arms):
            total += policy[j, k]
        target, reached, chosen = luck[j] * total, 0.0, 0
        for k in range(arms - 1):
            reached += policy[j, k]
            chosen += 1 if target >= reached else 0
        shown[j] = chosen
        propensity[j] = policy[j, chosen] / total
