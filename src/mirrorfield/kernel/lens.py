"""What stands between a person and what is learned of them: labels, session memory, and what was retrieved."""

from typing import Any

from mirrorfield.arrays import S
from mirrorfield.kernel.items import open_shelf, retrieve
from mirrorfield.kernel.jit import compiled, lanewise
from mirrorfield.kernel.people import blend_mean, start_streams
from mirrorfield.kernel.rows import set_row
from mirrorfield.maths import F32, ONE, ZERO, normal
from mirrorfield.model.context import context_tilt, primed, remembered, remembered_share
from mirrorfield.model.label import blended_label, has_label
from mirrorfield.model.profile import blend, reaction
from mirrorfield.streams import ACTION, LABEL, PICK, RETRIEVAL, U32, U64, next_word, uniform, uniform_positive


@lanewise
def fill_rows(numbers: Any, rows: Any) -> None:
    """Fill every row with its number, (K,)."""
    for k in range(len(rows)):
        row, x = rows[k], numbers[k]
        for j in range(len(row)):
            row[j] = x


@lanewise
def learned_rewards(models: Any, first_user: Any, s: int, i: int, row: Any) -> None:
    """Set a row to what a reward model makes of a category: person u has model u mod n, (n, S, C)."""
    for j in range(len(row)):
        row[j] = models[(first_user + U64(j)) % U64(len(models)), s, i]


@compiled
def blend_labels(rows: Any, at: Any, also: Any, first_user: Any, profiles: Any, lens: Any) -> None:
    """Give everyone their own label profile: who they are when they rate, or what a reward model makes of them."""
    reactive, intentional, spare = profiles.reactive, profiles.intentional, rows[at.spare]
    mean, label_std, susceptibility = rows[also.label_mean], rows[also.label_std], rows[at.susceptibility]
    arms = len(mean) // S
    rungs = arms // len(susceptibility)
    set_row(lens.intentionality, spare)
    for s in range(S):
        for k in range(arms):
            cell, i = s * arms + k, k // rungs
            std = lens.noise * blend(lens.intentionality, reactive.std[s, i], intentional.std[s, i])
            if len(lens.model) > 0:
                learned_rewards(lens.model, first_user, s, i, mean[cell])
                set_row(ZERO, label_std[cell])
            else:
                blend_mean(spare, susceptibility[i], reactive.mean[s, i], intentional.mean[s, i], mean[cell])
                set_row(std, label_std[cell])


@compiled
def enter_lens(rows: Any, words: Any, at: Any, also: Any, seed: Any, first_user: Any, profiles: Any, lens: Any) -> None:
    """Put a block's people before their first post: labels, an empty memory, and what is retrieved without one."""
    blend_labels(rows, at, also, first_user, profiles, lens)
    fill_rows(lens.prompt, rows[also.tilt])
    start_streams(words[also.labelling], seed, first_user, LABEL)
    start_streams(words[also.picking], seed, first_user, PICK)
    start_streams(words[also.retrieving], seed, first_user, RETRIEVAL)
    start_streams(words[also.acting], seed, first_user, ACTION)
    if lens.retrieved > 0:
        open_shelf(rows[also.shelf])
        retrieve(rows[also.shelf], words[also.retrieving], rows[also.found], lens)


@lanewise
def draw_labels(words: Any, rate: Any, rated: Any, noise: Any) -> None:
    """Draw whether a post is rated, and the noise of its rating."""
    one, two, three, four = words[0], words[1], words[2], words[3]
    for j in range(len(rated)):
        a, b, c, d = one[j], two[j], three[j], four[j]
        rated_word, a, b, c, d = next_word(a, b, c, d)
        radius_word, a, b, c, d = next_word(a, b, c, d)
        angle_word, a, b, c, d = next_word(a, b, c, d)
        one[j], two[j], three[j], four[j] = a, b, c, d
        rated[j] = ONE if uniform(rated_word) < rate else ZERO
        noise[j] = normal(uniform_positive(radius_word), uniform(angle_word))


@lanewise
def prime(recent: Any, total: Any, arm: Any, quality: Any, priming: Any, even: Any, reacted: Any) -> None:
    """Scale the reaction by the item's quality, and by what was shown lately, (K, n)."""
    for j in range(len(arm)):
        x = remembered_share(recent[U32(arm[j]), j], total[j], even)
        reacted[j] = reacted[j] * (quality[j] * primed(x, priming, even))


@lanewise
def label(
    mean: Any, std: Any, cell: Any, noise: Any, rated: Any, involuntary: Any, deliberate: Any, reward: Any, heard: Any
) -> None:
    """Turn the reaction, which `reward` comes as, into the reward that is seen, and drop a post without any label."""
    for j in range(len(cell)):
        i, d = U32(cell[j]), deliberate * rated[j]
        y = reaction(mean[i, j], std[i, j], noise[j])
        reward[j] = blended_label(reward[j], y, involuntary, d)
        heard[j] = heard[j] * has_label(involuntary, d)


@lanewise
def remember(recent: Any, arm: Any, reacted: Any, forget: Any, total: Any) -> None:
    """Take the post and the reaction to it into the session memory, (K, n)."""
    for j in range(len(total)):
        total[j] = ZERO
    for k in range(len(recent)):
        row, here = recent[k], F32(k)
        for j in range(len(row)):
            x = reacted[j]
            x = x if x > ZERO else ZERO
            x = x if arm[j] == here else ZERO
            x = remembered(row[j], x, forget)
            row[j] = x
            total[j] = total[j] + x


@lanewise
def look_back(recent: Any, total: Any, kappa: Any, blur: Any, even: Any, tilt: Any) -> None:
    """Set the context's tilt from the session memory, (K, n)."""
    for k in range(len(recent)):
        row, out = recent[k], tilt[k]
        for j in range(len(row)):
            out[j] = context_tilt(remembered_share(row[j], total[j], even), kappa, blur)
