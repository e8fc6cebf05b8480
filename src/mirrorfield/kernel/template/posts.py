"""One post: luck, choice and the next state, for users side by side."""

from typing import Any

from mirrorfield.kernel.jit import inlined, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.maths import F32, HALF, ONE, ZERO, exp, normal
from mirrorfield.model.habituation import moved_floor
from mirrorfield.streams import next_word, uniform, uniform_positive

K = ...
LANES = ...
PITCH = ...
EXTENDED = ...
LENS = ...

HOOKED = F32(1.5)
LEAST = F32(-3e38)
BELOW_ONE = F32(1 - 2.0**-23)


def select(calm: Any, hooked: Any, if_calm: Any, if_engaged: Any, if_hooked: Any) -> Any:
    """Return the value that belongs to the user's state."""
    return if_calm if calm else (if_hooked if hooked else if_engaged)


def of_state(calm: Any, hooked: Any, if_calm: Any, if_engaged: Any, if_hooked: Any) -> Any:
    """Return the entry of a session's tables for the user's state; the only one there is, where there is one table."""
    return select(calm, hooked, if_calm, if_engaged, if_hooked)


shared(select, of_state, *LINKED)


@inlined
def draw_luck(scratch: Any, words: Any) -> None:
    """Draw the four words of a post: its choice, the two of its noise, and its transition."""
    for j in range(LANES):
        a, b, c, d = words[j], words[LANES + j], words[2 * LANES + j], words[3 * LANES + j]
        choice_word, a, b, c, d = next_word(a, b, c, d)
        radius_word, a, b, c, d = next_word(a, b, c, d)
        angle_word, a, b, c, d = next_word(a, b, c, d)
        transition_word, a, b, c, d = next_word(a, b, c, d)
        words[j], words[LANES + j], words[2 * LANES + j], words[3 * LANES + j] = a, b, c, d
        choice_uniform[0, j] = uniform(choice_word)
        noise[0, j] = normal(uniform_positive(radius_word), uniform(angle_word))
        transition_uniform[0, j] = uniform(transition_word)


@inlined
def weigh(scratch: Any) -> None:
    """Set every category's weight under the policy in the user's state, and their total."""
    for j in range(LANES):
        largest[0, j] = LEAST
        total[0, j] = ZERO
    for k in range(K):
        for j in range(LANES):
            calm, hooked = state[0, j] < HALF, state[0, j] > HOOKED
            x = select(calm, hooked, logits[k, j], logits[PITCH + k, j], logits[2 * PITCH + k, j])
            if LENS:
                x = x + tilt[k, j]
            if EXTENDED:
                x = x if opened[k, j] > HALF else LEAST
            weight[k, j] = x
            largest[0, j] = x if x > largest[0, j] else largest[0, j]
    for k in range(K):
        for j in range(LANES):
            weight[k, j] = exp(weight[k, j] - largest[0, j])
            if EXTENDED:
                weight[k, j] = weight[k, j] * opened[k, j]
            total[0, j] = total[0, j] + weight[k, j]


@inlined
def choose(scratch: Any) -> None:
    """Choose a category from the weights, and look up how the user reacts to it."""
    for j in range(LANES):
        target[0, j] = choice_uniform[0, j] * (odds_total[0, j] * BELOW_ONE)
        inverse_total[0, j] = ONE / total[0, j]
        cumulative[0, j] = ZERO
        chosen_mean[0, j] = ZERO
        chosen_std[0, j] = ZERO
        chosen_fall[0, j] = ZERO
        chosen_rise[0, j] = ZERO
        if LENS:
            chosen_arm[0, j] = -ONE
    for k in range(K):
        for j in range(LANES):
            calm, hooked = state[0, j] < HALF, state[0, j] > HOOKED
            reached = target[0, j] >= cumulative[0, j]
            x = select(calm, hooked, mean[k, j], mean[PITCH + k, j], mean[2 * PITCH + k, j])
            chosen_mean[0, j] = x if reached else chosen_mean[0, j]
            x = select(calm, hooked, std[k, j], std[PITCH + k, j], std[2 * PITCH + k, j])
            chosen_std[0, j] = x if reached else chosen_std[0, j]
            x = select(calm, hooked, fall[k, j], fall[PITCH + k, j], fall[2 * PITCH + k, j])
            chosen_fall[0, j] = x if reached else chosen_fall[0, j]
            x = select(calm, hooked, rise[k, j], rise[PITCH + k, j], rise[2 * PITCH + k, j])
            chosen_rise[0, j] = x if reached else chosen_rise[0, j]
            if EXTENDED:
                chosen_level[0, j] = level[k, j] if reached else chosen_level[0, j]
                chosen_weight[0, j] = weight[k, j] if reached else chosen_weight[0, j]
                chosen_odds[0, j] = odds[k, j] if reached else chosen_odds[0, j]
            if LENS:
                x = select(calm, hooked, label_mean[k, j], label_mean[PITCH + k, j], label_mean[2 * PITCH + k, j])
                chosen_label_mean[0, j] = x if reached else chosen_label_mean[0, j]
                x = select(calm, hooked, label_std[k, j], label_std[PITCH + k, j], label_std[2 * PITCH + k, j])
                chosen_label_std[0, j] = x if reached else chosen_label_std[0, j]
                chosen_recent[0, j] = recent[k, j] if reached else chosen_recent[0, j]
                chosen_arm[0, j] = chosen_arm[0, j] + (ONE if reached else ZERO)
            cumulative[0, j] = cumulative[0, j] + odds[k, j]
    for j in range(LANES):
        cumulative[0, j] = ZERO


@inlined
def move(scratch: Any, world: Any) -> None:
    """Move the user to the next state, and its floor towards what it was shown."""
    for j in range(LANES):
        u = transition_uniform[0, j]
        state[0, j] = (ONE if u >= chosen_fall[0, j] else ZERO) + (ONE if u >= chosen_rise[0, j] else ZERO)
        if EXTENDED:
            floor[0, j] = moved_floor(floor[0, j], chosen_level[0, j], world.eta, world.decay)
