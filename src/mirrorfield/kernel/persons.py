"""Compiled parts of the arrays engine: drawing people and their luck, choosing a post, and the long run of a person."""

from typing import Any

import numpy as np

from mirrorfield.kernel.jit import compiled, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.maths import ZERO, normal
from mirrorfield.model.diet import LIVED_IN, mixed, time_in_states
from mirrorfield.model.draw import draw_user
from mirrorfield.streams import next_word, stream, uniform, uniform_positive

SOUND, NOT_FINITE, NEGATIVE, NOT_ONE, CLOSED = range(5)
TOLERANCE = 1e-6

shared(*LINKED)


@compiled
def draw_persons(seed: Any, ids: Any, population: Any, intentionality: Any, susceptibility: Any, segment: Any) -> None:
    """Draw the people with these ids, uint64 (n,): fill lambda (n,), w (n, K) and the segment (n,)."""
    words = np.empty(4, np.uint32)
    for j in range(len(ids)):
        drawn, number = draw_user(seed, ids[j], population, words, susceptibility[j])
        intentionality[j] = drawn
        segment[j] = np.int32(number)


@compiled
def start_words(seed: Any, ids: Any, purpose: Any, words: Any) -> None:
    """Put everyone at the start of their stream for one purpose; words, uint32 (4, n)."""
    for j in range(len(ids)):
        words[0, j], words[1, j], words[2, j], words[3, j] = stream(seed, ids[j], purpose)


@compiled
def draw_posts(words: Any, choice: Any, noise: Any, transition: Any) -> None:
    """Draw the luck of some posts, float32 (posts, n): the four words of each, in the order of the lanes."""
    for t in range(len(choice)):
        one, two, three = choice[t], noise[t], transition[t]
        for j in range(len(one)):
            a, b, c, d = words[0, j], words[1, j], words[2, j], words[3, j]
            choice_word, a, b, c, d = next_word(a, b, c, d)
            radius_word, a, b, c, d = next_word(a, b, c, d)
            angle_word, a, b, c, d = next_word(a, b, c, d)
            transition_word, a, b, c, d = next_word(a, b, c, d)
            words[0, j], words[1, j], words[2, j], words[3, j] = a, b, c, d
            one[j] = uniform(choice_word)
            two[j] = normal(uniform_positive(radius_word), uniform(angle_word))
            three[j] = uniform(transition_word)


@compiled
def draw_uniforms(words: Any, out: Any) -> None:
    """Draw uniforms from everyone's stream, float64 (count, n)."""
    for i in range(len(out)):
        row = out[i]
        for j in range(len(row)):
            word, a, b, c, d = next_word(words[0, j], words[1, j], words[2, j], words[3, j])
            words[0, j], words[1, j], words[2, j], words[3, j] = a, b, c, d
            row[j] = uniform(word)


@compiled
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


@compiled
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


@compiled
def settle(trace: Any, c: int, state: Any) -> None:
    """Fill diets, feeds and time in states at recorded step c from what is served in each state and its moves."""
    for j in range(len(state)):
        calm, hooked = state[j] == 0, state[j] == 2
        up, leap = trace.moves[0, 1, j], trace.moves[0, 2, j]
        fall, rise = trace.moves[1, 0, j], trace.moves[1, 2, j]
        plunge, down = trace.moves[2, 0, j], trace.moves[2, 1, j]
        a, b, d = time_in_states(up, leap, fall, rise, plunge, down, calm, hooked)
        trace.time_in_state[0, j], trace.time_in_state[1, j], trace.time_in_state[2, j] = a, b, d
        one, two, three = ZERO, ZERO, ZERO
        for i in range(trace.served.shape[1]):
            one, two, three = (
                max(one, trace.served[0, i, j]),
                max(two, trace.served[1, i, j]),
                max(three, trace.served[2, i, j]),
            )
        agreed = False
        for i in range(trace.served.shape[1]):
            p, q, r = trace.served[0, i, j], trace.served[1, i, j], trace.served[2, i, j]
            trace.diet[c, i, j] = mixed(a, b, d, p, q, r)
            trace.feed[c, i, j] = p if calm else (r if hooked else q)
            leads = (p >= one or a <= LIVED_IN) and (q >= two or b <= LIVED_IN)
            agreed = agreed or (leads and (r >= three or d <= LIVED_IN))
        trace.two_faced[c, j] = 0 if agreed else 1
        trace.state[c, j] = state[j]
        if len(trace.intensity) > 0:
            p, q, r = trace.served_intensity[0, j], trace.served_intensity[1, j], trace.served_intensity[2, j]
            trace.intensity[c, j] = mixed(a, b, d, p, q, r)
            trace.next_intensity[c, j] = p if calm else (r if hooked else q)
