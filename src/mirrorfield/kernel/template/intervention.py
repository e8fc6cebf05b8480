"""What the extended loop has beside posts: intensity, and an intervention in the middle of a run."""

from typing import Any

from mirrorfield.kernel.jit import compiled, inlined
from mirrorfield.kernel.template.lens import enter_lens
from mirrorfield.kernel.template.plain import advance, begin
from mirrorfield.kernel.template.posts import HOOKED, select
from mirrorfield.kernel.template.profiles import blend_profiles, start_streams
from mirrorfield.maths import HALF, ONE, ZERO
from mirrorfield.model.diet import mixed
from mirrorfield.streams import INTERVENTION, NUDGE, U64, next_word, stream, uniform

K = ...
LANES = ...
RUNGS = ...
LENS = ...


@compiled
def open_arms(scratch: Any, cap: Any) -> None:
    """Open every arm up to an intensity, if its category has anything to show."""
    for i in range(K):
        for j in range(LANES):
            opened[i, j] = ONE if level[i, j] <= cap else ZERO
        if LENS:
            for j in range(LANES):
                opened[i, j] = opened[i, j] * found[i // RUNGS, j]


@compiled
def enter(scratch: Any, words: Any, seed: Any, first_user: Any, profiles: Any, world: Any) -> None:
    """Set what the plain loop does without: every arm's intensity, which of them are open, and luck for meddling."""
    for i in range(K):
        x = world.level[i]
        for j in range(LANES):
            level[i, j] = x
    if LENS:
        enter_lens(scratch, words, seed, first_user, profiles, world.lens)
    open_arms(scratch, world.before.cap)
    start_streams(words[4 * LANES :], seed, first_user, INTERVENTION)


@compiled
def intervene(scratch: Any, memory: Any, seed: Any, first_user: Any, rule: Any, profiles: Any, world: Any) -> None:
    """Change what the intervention changes at once: the rule, what may be shown, and how intentional some users are."""
    if world.switched:
        begin(scratch, memory, seed, first_user, rule)
    open_arms(scratch, world.after.cap)
    if world.nudge != ZERO:
        for j in range(LANES):
            a, b, c, d = stream(seed, first_user + U64(j), NUDGE)
            word, a, b, c, d = next_word(a, b, c, d)
            x = leaning[0, j] + (world.nudge if uniform(word) < world.nudge_share else ZERO)
            leaning[0, j] = min(max(x, ZERO), ONE)
        blend_profiles(scratch, profiles)


@compiled
def pass_through(
    scratch: Any,
    words: Any,
    memory: Any,
    seed: Any,
    first_user: Any,
    first: int,
    last: int,
    rules: Any,
    profiles: Any,
    world: Any,
) -> None:
    """Run posts first + 1 ... last for the users of one block, and intervene where that falls among them."""
    if first < world.at:
        advance(scratch, words, memory[0], first, min(last, world.at), rules[0], world.before, world)
    if last > world.at:
        if first <= world.at:
            intervene(scratch, memory[1], seed, first_user, rules[1], profiles, world)
        advance(scratch, words, memory[1], max(first, world.at), last, rules[1], world.after, world)


@inlined
def record_intensity(scratch: Any, trace: Any, c: int, start: int) -> None:
    """Write the mean intensity of each user's diet and next post, their floor, and their mean reaction to all posts."""
    one, two = trace.served_intensity[0, start : start + LANES], trace.served_intensity[1, start : start + LANES]
    three = trace.served_intensity[2, start : start + LANES]
    for j in range(LANES):
        trace.intensity[c, start + j] = mixed(dwell[0, j], dwell[1, j], dwell[2, j], one[j], two[j], three[j])
    for j in range(LANES):
        calm, hooked = state[0, j] < HALF, state[0, j] > HOOKED
        trace.next_intensity[c, start + j] = select(calm, hooked, one[j], two[j], three[j])
    for j in range(LANES):
        trace.floor[c, start + j] = floor[0, j]
        trace.mean_reaction[c, start + j] = felt[0, j]
