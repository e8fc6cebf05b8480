"""One post: luck, choice, reaction and the next state, for people side by side.

Every loop over lanes `j` is innermost and has no branch; values are loaded before one of them is selected, so that LLVM
vectorises it.
"""

from typing import Any

from mirrorfield.kernel.jit import lanewise, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.maths import F32, HALF, ONE, ZERO, exp, normal
from mirrorfield.model.profile import reaction
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.reinforce import advantage, logit_step
from mirrorfield.streams import U32, next_word, uniform, uniform_positive

HOOKED = F32(1.5)
LEAST = F32(-3e38)
BELOW_ONE = F32(1 - 2.0**-23)


def of_state(state: Any, if_calm: Any, if_engaged: Any, if_hooked: Any) -> Any:
    """Return the value that belongs to a person's state."""
    return if_calm if state < HALF else (if_hooked if state > HOOKED else if_engaged)


shared(of_state, *LINKED)


@lanewise
def draw_luck(words: Any, choice: Any, noise: Any, transition: Any) -> None:
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
        noise[j] = normal(uniform_positive(radius_word), uniform(angle_word))
        transition[j] = uniform(transition_word)


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
            largest[j] = x if x > largest[j] else largest[j]
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
def move(fall: Any, rise: Any, cell: Any, transition: Any, state: Any) -> None:
    """Move every person to the next state."""
    for j in range(len(state)):
        i, u = U32(cell[j]), transition[j]
        low, high = fall[i, j], rise[i, j]
        state[j] = (ONE if u >= low else ZERO) + (ONE if u >= high else ZERO)
