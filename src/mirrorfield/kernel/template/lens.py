"""What stands between a person and what is learned of it: labels, session memory, and what was retrieved."""

from typing import Any

from mirrorfield.arrays import S
from mirrorfield.kernel.items import keep_history, open_shelf, pick_item, remember_item, restore_history, retrieve
from mirrorfield.kernel.jit import compiled, inlined, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.kernel.template.profiles import start_streams
from mirrorfield.maths import ONE, ZERO, normal
from mirrorfield.model.context import context_tilt, primed, remembered, remembered_share
from mirrorfield.model.label import blended_label, has_label
from mirrorfield.model.profile import blend
from mirrorfield.streams import LABEL, PICK, RETRIEVAL, U64, next_word, uniform, uniform_positive

K = ...
LANES = ...
PITCH = ...
RUNGS = ...
CATEGORIES = ...
ROWS = ...
FOUND_ROW = ...
CHOSEN_ARM_ROW = ...
QUALITY_ROW = ...
REACTED_ROW = ...


def primed_reaction(x: Any, quality: Any, recent: Any, total: Any, lens: Any) -> Any:
    """Return the reaction to an item of some quality, after what was shown lately."""
    return x * (quality * primed(remembered_share(recent, total, lens.even), lens.priming, lens.even))


def reward_of(x: Any, label: Any, rated: Any, lens: Any) -> Any:
    """Return the reward that the recommender sees of a reaction and its label."""
    return blended_label(x, label, lens.involuntary, lens.deliberate * rated)


def is_labelled(rated: Any, lens: Any) -> Any:
    """Return whether there is any label to learn from."""
    return has_label(lens.involuntary, lens.deliberate * rated)


shared(primed_reaction, reward_of, is_labelled, *LINKED)


@compiled
def blend_labels(scratch: Any, first_user: Any, profiles: Any, lens: Any) -> None:
    """Give every user its own label profile: who it is when it rates, or what a reward model makes of it."""
    reactive, intentional, models = profiles.reactive, profiles.intentional, len(lens.model)
    for s in range(S):
        for i in range(K):
            cell = s * PITCH + i
            one, other = reactive.mean[s, i // RUNGS], intentional.mean[s, i // RUNGS]
            for j in range(LANES):
                label_mean[cell, j] = blend(lens.intentionality, susceptibility[i // RUNGS, j] * one, other)
            std = lens.noise * blend(lens.intentionality, reactive.std[s, i // RUNGS], intentional.std[s, i // RUNGS])
            for j in range(LANES):
                label_std[cell, j] = std
            if models > 0:
                for j in range(LANES):
                    label_mean[cell, j] = lens.model[(first_user + U64(j)) % U64(models), s, i // RUNGS]
                    label_std[cell, j] = ZERO


@compiled
def enter_lens(scratch: Any, words: Any, seed: Any, first_user: Any, profiles: Any, lens: Any) -> None:
    """Put a block's users before their first post: labels, an empty memory, and what is retrieved without one."""
    blend_labels(scratch, first_user, profiles, lens)
    for i in range(K):
        x = lens.prompt[i]
        for j in range(LANES):
            tilt[i, j] = x
            found[i, j] = ONE
    for j in range(LANES):
        quality[0, j] = ONE
    start_streams(words[8 * LANES :], seed, first_user, LABEL)
    start_streams(words[12 * LANES :], seed, first_user, PICK)
    start_streams(words[16 * LANES :], seed, first_user, RETRIEVAL)
    if lens.retrieved > 0:
        open_shelf(scratch[ROWS * LANES :], LANES)
        fetch(scratch, words, lens)


@compiled
def fetch(scratch: Any, words: Any, lens: Any) -> None:
    """Retrieve what every user can be shown until the next retrieval."""
    rows = scratch[FOUND_ROW * LANES : (FOUND_ROW + CATEGORIES) * LANES].reshape(CATEGORIES, LANES)
    retrieve(scratch[ROWS * LANES :], words[16 * LANES : 20 * LANES], rows, lens)


@inlined
def draw_labels(scratch: Any, words: Any, lens: Any) -> None:
    """Draw whether a post is rated, and the noise of its rating."""
    for j in range(LANES):
        rated[0, j] = ONE
        label_noise[0, j] = ZERO
    if lens.labelled:
        for j in range(LANES):
            a, b, c, d = words[8 * LANES + j], words[9 * LANES + j], words[10 * LANES + j], words[11 * LANES + j]
            rated_word, a, b, c, d = next_word(a, b, c, d)
            radius_word, a, b, c, d = next_word(a, b, c, d)
            angle_word, a, b, c, d = next_word(a, b, c, d)
            words[8 * LANES + j], words[9 * LANES + j] = a, b
            words[10 * LANES + j], words[11 * LANES + j] = c, d
            rated[0, j] = ONE if uniform(rated_word) < lens.rate else ZERO
            label_noise[0, j] = normal(uniform_positive(radius_word), uniform(angle_word))


@inlined
def meet_item(scratch: Any, words: Any, lens: Any) -> None:
    """Pick the item of the category shown."""
    if lens.retrieved > 0:
        chosen = scratch[CHOSEN_ARM_ROW * LANES : (CHOSEN_ARM_ROW + 1) * LANES]
        scale = scratch[QUALITY_ROW * LANES : (QUALITY_ROW + 1) * LANES]
        pick_item(scratch[ROWS * LANES :], words[12 * LANES : 16 * LANES], chosen, scale, RUNGS, lens)


@inlined
def remember(scratch: Any, lens: Any) -> None:
    """Take the post and the reaction to it into the session memory, and into the history of items."""
    if lens.remembers:
        for j in range(LANES):
            ahead[0, j] = chosen_arm[0, j]
            recent_total[0, j] = ZERO
        for k in range(K):
            for j in range(LANES):
                x = reacted[0, j] if reacted[0, j] > ZERO else ZERO
                x = x if ahead[0, j] == ZERO else ZERO
                ahead[0, j] = ahead[0, j] - ONE
                recent[k, j] = remembered(recent[k, j], x, lens.forget)
                recent_total[0, j] = recent_total[0, j] + recent[k, j]
    if lens.retrieved > 0:
        remember_item(scratch[ROWS * LANES :], scratch[REACTED_ROW * LANES : (REACTED_ROW + 1) * LANES], lens)


@inlined
def look_back(scratch: Any, lens: Any) -> None:
    """Set the context's tilt from the session memory."""
    if lens.looks_back:
        for k in range(K):
            for j in range(LANES):
                x = remembered_share(recent[k, j], recent_total[0, j], lens.even)
                tilt[k, j] = context_tilt(x, lens.kappa, lens.blur)


@inlined
def keep_memory(scratch: Any, lens: Any) -> None:
    """Keep the memory that a session starts from."""
    for k in range(K):
        for j in range(LANES):
            start_recent[k, j] = recent[k, j]
    for j in range(LANES):
        start_recent_total[0, j] = recent_total[0, j]
    if lens.retrieved > 0:
        keep_history(scratch[ROWS * LANES :], LANES, lens)


@inlined
def restore_memory(scratch: Any, lens: Any) -> None:
    """Go back to the memory that the session started from."""
    for k in range(K):
        for j in range(LANES):
            recent[k, j] = start_recent[k, j]
    for j in range(LANES):
        recent_total[0, j] = start_recent_total[0, j]
    if lens.retrieved > 0:
        restore_history(scratch[ROWS * LANES :], LANES, lens)
