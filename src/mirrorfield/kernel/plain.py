"""Plain REINFORCE with a running-mean baseline: one post for people side by side, and a run of such posts.

Every loop over lanes `j` is innermost and has no branch; values are loaded before one of them is selected, so that LLVM
vectorises it.
"""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import S
from mirrorfield.kernel.batch import count_in
from mirrorfield.kernel.habituation import feel
from mirrorfield.kernel.jit import aligned, call_at, compiled, entry, inlined, lanewise, larger
from mirrorfield.kernel.people import load_people
from mirrorfield.kernel.record import finish, look_from, mix_states
from mirrorfield.kernel.rows import HOOKED, LEAST, At, copy_row, of_state, set_row
from mirrorfield.kernel.updates import start_memory
from mirrorfield.maths import F32, HALF, ONE, ZERO, exp, normal
from mirrorfield.model.profile import reaction
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.reinforce import advantage, logit_step
from mirrorfield.streams import U32, U64, next_word, uniform, uniform_positive

BELOW_ONE = F32(1 - 2.0**-23)


class Plain(NamedTuple):
    """What the plain loop needs beside people."""

    lanes: int
    at: At
    learning_rate: Any
    update: Any  # an Update


@lanewise
def draw_luck(words: Any, choice: Any, noise: Any, angle: Any, transition: Any) -> None:
    """Draw the four words of a post: its choice, the two of its noise, and its transition."""
    one, two, three, four = words[0], words[1], words[2], words[3]
    for j in range(len(choice)):
        a, b, c, d = one[j], two[j], three[j], four[j]
        choice_word, a, b, c, d = next_word(a, b, c, d)
        radius_word, a, b, c, d = next_word(a, b, c, d)
        angle_word, a, b, c, d = next_word(a, b, c, d)
        transition_word, a, b, c, d = next_word(a, b, c, d)
        one[j], two[j], three[j], four[j] = a, b, c, d
        choice[j] = uniform(choice_word)
        noise[j] = uniform_positive(radius_word)
        angle[j] = uniform(angle_word)
        transition[j] = uniform(transition_word)
    for j in range(len(choice)):
        noise[j] = normal(noise[j], angle[j])


@lanewise
def weigh(logits: Any, state: Any, weight: Any, largest: Any, total: Any) -> None:
    """Set every arm's weight under the policy in each person's state, (K, n), and their total."""
    arms = len(weight)
    for j in range(len(total)):
        largest[j] = LEAST
        total[j] = ZERO
    for k in range(arms):
        calm, engaged, hooked, row = logits[k], logits[arms + k], logits[2 * arms + k], weight[k]
        for j in range(len(row)):
            x = of_state(state[j], calm[j], engaged[j], hooked[j])
            row[j] = x
            largest[j] = larger(x, largest[j])
    for k in range(arms):
        row = weight[k]
        for j in range(len(row)):
            x = exp(row[j] - largest[j])
            row[j] = x
            total[j] = total[j] + x


@lanewise
def choose(odds: Any, total: Any, choice: Any, target: Any, reached: Any, arm: Any) -> None:
    """Choose an arm by its odds, (K, n), of that total: the last one at which luck has come as far."""
    row = odds[0]
    for j in range(len(arm)):
        target[j] = choice[j] * (total[j] * BELOW_ONE)
        reached[j] = ZERO + row[j]
        arm[j] = ZERO
    for k in range(1, len(odds)):
        row = odds[k]
        for j in range(len(arm)):
            x = reached[j]
            arm[j] = arm[j] + (ONE if target[j] >= x else ZERO)
            reached[j] = x + row[j]


@lanewise
def react(
    mean: Any, std: Any, state: Any, arm: Any, noise: Any, inverse_count: Any, baseline: Any, lost: Any,
    gain: Any, cell: Any,
) -> None:  # fmt: skip
    """Observe the reaction: its advantage over the mean of those before it, and the mean with it."""
    arms = F32(len(mean) // 3)
    for j in range(len(arm)):
        place = state[j] * arms + arm[j]
        i = U32(place)
        cell[j] = place
        x = advantage(reaction(mean[i, j], std[i, j], noise[j]), baseline[j])
        gain[j] = x
        baseline[j], lost[j] = welford(baseline[j], lost[j], x, inverse_count)


@lanewise
def compare(reward: Any, inverse_count: Any, baseline: Any, lost: Any, gain: Any) -> None:
    """Compare the reward with the mean of those before it, and take it into the mean."""
    for j in range(len(reward)):
        x = advantage(reward[j], baseline[j])
        gain[j] = x
        baseline[j], lost[j] = welford(baseline[j], lost[j], x, inverse_count)


@lanewise
def learn(
    logits: Any, shown: Any, weight: Any, total: Any, state: Any, arm: Any, gain: Any, learning_rate: Any
) -> None:
    """Count the post shown, and take one step on the logits of each person's state."""
    arms = len(shown)
    for j in range(len(total)):
        total[j] = ONE / total[j]
    for k in range(arms):
        calm, engaged, hooked = logits[k], logits[arms + k], logits[2 * arms + k]
        count, row, here = shown[k], weight[k], F32(k)
        for j in range(len(arm)):
            s, a, b, c = state[j], calm[j], engaged[j], hooked[j]
            chosen = ONE if arm[j] == here else ZERO
            count[j] = count[j] + chosen
            x = logit_step(learning_rate, gain[j], chosen, row[j] * total[j])
            calm[j] = a + (x if s < HALF else ZERO)
            engaged[j] = b + (ZERO if (s < HALF) | (s > HOOKED) else x)
            hooked[j] = c + (x if s > HOOKED else ZERO)


@lanewise
def move(calm_to: Any, hooked_at: Any, cell: Any, transition: Any, state: Any) -> None:
    """Move every person to the next state."""
    for j in range(len(state)):
        i, u = U32(cell[j]), transition[j]
        low, high = calm_to[i, j], hooked_at[i, j]
        state[j] = (ONE if u >= low else ZERO) + (ONE if u >= high else ZERO)


@compiled
def advance(rows: Any, words: Any, at: Any, first: Any, last: Any, learning_rate: Any, update: Any) -> None:
    """Run posts first + 1 ... last for the people of one block, (rows, n), with the words of their luck, (4, n)."""
    logits, shown, weight, total, largest = (
        rows[at.logits], rows[at.shown], rows[at.weight], rows[at.total], rows[at.largest]
    )  # fmt: skip
    mean, std, calm_to, hooked_at, state = (
        rows[at.mean],
        rows[at.std],
        rows[at.calm_to],
        rows[at.hooked_at],
        rows[at.state],
    )
    choice, noise, transition, luck = rows[at.choice], rows[at.noise], rows[at.transition], words[at.luck]
    target, reached, arm, cell, gain = rows[at.target], rows[at.reached], rows[at.arm], rows[at.cell], rows[at.gain]
    baseline, lost, seen, reward = rows[at.baseline], rows[at.baseline_lost], rows[update.seen], rows[update.reward]
    for t in range(first, last):
        inverse_count = ONE / F32(t + 1)
        draw_luck(luck, choice, noise, target, transition)
        weigh(logits, seen, weight, largest, total)
        choose(weight, total, choice, target, reached, arm)
        if update.address == 0:
            react(mean, std, state, arm, noise, inverse_count, baseline, lost, gain, cell)
            learn(logits, shown, weight, total, state, arm, gain, learning_rate)
        else:
            feel(mean, std, state, arm, noise, cell, reward)
            compare(reward, inverse_count, baseline, lost, gain)
            call_at(update.address, rows, update.places[0], update.numbers)
        move(calm_to, hooked_at, cell, transition, state)


@compiled
def record(rows: Any, at: Any, trace: Any, c: Any, start: Any, update: Any) -> None:
    """Write everyone's diet, what they would be served next, their state and mean reaction, as recorded step c."""
    weight, total, spare = rows[at.weight], rows[at.total], rows[at.spare]
    for s in range(S):
        set_row(F32(s) if update.seen == at.state else ZERO, spare)
        weigh(rows[at.logits], spare, weight, rows[at.largest], total)
        look_from(rows, at, s, weight, total)
    mix_states(
        rows[at.state], rows[at.served], rows[at.moves], rows[at.dwell], rows[at.crest], spare, trace, c, start
    )  # fmt: skip
    copy_row(rows[at.baseline], trace.mean_reaction[c, start : start + rows.shape[1]])


@inlined
def run_batch(
    seed: Any, first_user: Any, blocks: Any, steps: Any, task: Any, start_logits: Any, profiles: Any, population: Any,
    trace: Any,
) -> None:  # fmt: skip
    """Run `blocks` blocks of people to the last of the recorded `steps`, and fill the trace."""
    lanes, at, update = task.lanes, task.at, task.update
    rows = aligned(update.end * lanes, np.float32).reshape(update.end, lanes)
    words = aligned(4 * lanes, np.uint32).reshape(4, lanes)
    for block in range(blocks):
        start = block * lanes
        set_row(ZERO, rows.reshape(-1))
        load_people(rows, words, at, seed, first_user + U64(start), start_logits, profiles, population)
        start_memory(rows, update)
        done = np.int64(0)
        for c in range(len(steps)):
            advance(rows, words, at, done, steps[c], task.learning_rate, update)
            record(rows, at, trace, c, start, update)
            done = steps[c]
        finish(rows, at, trace, start)


@entry
def run_users(
    seed: Any, first_user: Any, users: int, steps: Any, task: Any, start_logits: Any, profiles: Any, population: Any,
    scales: Any, trace: Any, notes: Any, totals: Any, momentary: Any, kept_users: Any, kept: Any, row: int,
) -> Any:  # fmt: skip
    """Run people first_user, first_user + 1, ..., a trace's width at a time, and fold them into the totals.

    Those of `kept_users`, ids in ascending order, that are among them are copied to `kept`, from column `row` on.
    Returns the largest mean reaction there was, up to sign, and -1; or, as soon as a batch has a person with a number
    that is not finite, that person's place instead of -1, with nothing of the batch folded.
    """
    worst, width = ZERO, trace.state.shape[1]
    for start in range(0, users, width):
        count, first = min(width, users - start), first_user + U64(start)
        blocks = (count + task.lanes - 1) // task.lanes
        run_batch(seed, first, blocks, steps, task, start_logits, profiles, population, trace)
        largest, flawed, row = count_in(trace, first, count, scales, notes, totals, momentary, kept_users, kept, row)
        worst = max(worst, largest)
        if flawed >= 0:
            return worst, start + flawed
    return worst, np.int64(-1)
