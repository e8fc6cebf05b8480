"""Plain REINFORCE with a running-mean baseline: learn from every post as soon as it is seen."""

from typing import Any

from mirrorfield.kernel.jit import compiled, inlined
from mirrorfield.kernel.template.intervention import open_arms
from mirrorfield.kernel.template.lens import (
    draw_labels,
    fetch,
    is_labelled,
    look_back,
    meet_item,
    primed_reaction,
    remember,
    reward_of,
)
from mirrorfield.kernel.template.posts import HOOKED, choose, draw_luck, move, select, weigh
from mirrorfield.kernel.template.serving import draw_meddling, serve, swap_feeds
from mirrorfield.maths import F32, HALF, ONE, ZERO
from mirrorfield.model.habituation import strength
from mirrorfield.model.profile import reaction
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.reinforce import advantage, logit_step
from mirrorfield.policy.serving import importance

K = ...
LANES = ...
PITCH = ...
EXTENDED = ...
LENS = ...


@compiled
def begin(scratch: Any, memory: Any, seed: Any, first_user: Any, learning_rate: Any) -> None:
    """Start a block of users: there is nothing to forget."""


@inlined
def react(scratch: Any, inverse_count: Any, world: Any) -> None:
    """Observe the reaction: its advantage over the mean of those before it, and the mean with it."""
    for j in range(LANES):
        if EXTENDED:
            x = reaction(chosen_mean[0, j], chosen_std[0, j], noise[0, j])
            x = x * strength(floor[0, j], chosen_level[0, j], world.slope, world.inverse_width)
            if LENS:
                x = primed_reaction(x, quality[0, j], chosen_recent[0, j], recent_total[0, j], world.lens)
                reacted[0, j] = x
            felt[0, j], felt_lost[0, j] = welford(felt[0, j], felt_lost[0, j], advantage(x, felt[0, j]), inverse_count)
            if LENS:
                y = reaction(chosen_label_mean[0, j], chosen_label_std[0, j], label_noise[0, j])
                heard[0, j] = heard[0, j] * is_labelled(rated[0, j], world.lens)
                x = reward_of(x, y, rated[0, j], world.lens)
            seen[0, j] = seen[0, j] + heard[0, j]
            gain[0, j] = advantage(x, baseline[0, j]) * heard[0, j]
            x = ONE / (seen[0, j] if seen[0, j] > ZERO else ONE)
            baseline[0, j], baseline_lost[0, j] = welford(baseline[0, j], baseline_lost[0, j], gain[0, j], x)
            gain[0, j] = gain[0, j] * importance(chosen_weight[0, j], chosen_odds[0, j])
        else:
            gain[0, j] = advantage(reaction(chosen_mean[0, j], chosen_std[0, j], noise[0, j]), baseline[0, j])
            x = inverse_count
            baseline[0, j], baseline_lost[0, j] = welford(baseline[0, j], baseline_lost[0, j], gain[0, j], x)


@inlined
def learn(scratch: Any, learning_rate: Any) -> None:
    """Count the post shown, and take one step on the logits of the user's state."""
    for k in range(K):
        for j in range(LANES):
            calm, hooked = state[0, j] < HALF, state[0, j] > HOOKED
            after = ONE if target[0, j] >= cumulative[0, j] else ZERO
            cumulative[0, j] = cumulative[0, j] + odds[k, j]
            beyond = ONE if target[0, j] >= cumulative[0, j] else ZERO
            chosen = after - beyond
            shown[k, j] = shown[k, j] + chosen
            step = logit_step(learning_rate, gain[0, j], chosen, weight[k, j] * inverse_total[0, j])
            logits[k, j] = logits[k, j] + select(calm, hooked, step, ZERO, ZERO)
            logits[PITCH + k, j] = logits[PITCH + k, j] + select(calm, hooked, ZERO, step, ZERO)
            logits[2 * PITCH + k, j] = logits[2 * PITCH + k, j] + select(calm, hooked, ZERO, ZERO, step)


@compiled
def advance(
    scratch: Any, words: Any, memory: Any, first: int, last: int, learning_rate: Any, serving: Any, world: Any
) -> None:
    """Run interactions first + 1 ... last for the users of one block."""
    for t in range(first, last):
        draw_luck(scratch, words)
        weigh(scratch)
        if EXTENDED:
            draw_meddling(scratch, words, serving)
            serve(scratch, serving)
            if serving.swap > ZERO:
                swap_feeds(scratch)
        choose(scratch)
        if LENS:
            draw_labels(scratch, words, world.lens)
            meet_item(scratch, words, world.lens)
        react(scratch, ONE / F32(t + 1), world)
        learn(scratch, learning_rate)
        move(scratch, world)
        if LENS:
            remember(scratch, world.lens)
            look_back(scratch, world.lens)
            if world.lens.retrieved > 0 and (t + 1) % world.lens.refresh == 0:
                fetch(scratch, words, world.lens)
                open_arms(scratch, serving.cap)
