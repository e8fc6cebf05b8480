"""What people do with the post shown, and the objective that a platform makes of it: the reward, before any label."""

from typing import Any

from mirrorfield.kernel.jit import compiled, lanewise
from mirrorfield.maths import HALF, ONE, ZERO, exp, log
from mirrorfield.model.action import median_seconds, normal_below, raised
from mirrorfield.model.profile import blend
from mirrorfield.streams import U32, next_word, uniform


@lanewise
def weigh_felt(weight: Any, objective: Any) -> None:
    """Weigh the felt reaction, which `objective` comes as."""
    for j in range(len(objective)):
        objective[j] = weight * objective[j]


@lanewise
def act(
    words: Any, arm: Any, cell: Any, leaning: Any, susceptibility: Any, reactive: Any, intentional: Any, weight: Any,
    susceptible: Any, objective: Any,
) -> None:  # fmt: skip
    """Draw whether people take one action, and add its weight where they do; (S K,) probabilities, (K, n) w."""
    one, two, three, four = words[0], words[1], words[2], words[3]
    for j in range(len(arm)):
        a, b, c, d = one[j], two[j], three[j], four[j]
        word, a, b, c, d = next_word(a, b, c, d)
        one[j], two[j], three[j], four[j] = a, b, c, d
        i, w = U32(cell[j]), susceptibility[U32(arm[j]), j]
        p = blend(leaning[j], raised(reactive[i], w if susceptible > HALF else ONE), intentional[i])
        objective[j] = objective[j] + (weight if uniform(word) < p else ZERO)


@lanewise
def expect(
    arm: Any, cell: Any, leaning: Any, susceptibility: Any, reactive: Any, intentional: Any, weight: Any,
    susceptible: Any, objective: Any,
) -> None:  # fmt: skip
    """Add one action's weight times its probability."""
    for j in range(len(arm)):
        i, w = U32(cell[j]), susceptibility[U32(arm[j]), j]
        p = blend(leaning[j], raised(reactive[i], w if susceptible > HALF else ONE), intentional[i])
        objective[j] = objective[j] + weight * p


@lanewise
def dwell(
    noise: Any, arm: Any, cell: Any, leaning: Any, susceptibility: Any, reactive: Any, intentional: Any, sigma: Any,
    short: Any, second: Any, scroll: Any, objective: Any,
) -> None:  # fmt: skip
    """Add what the seconds of the dwell weigh, and a scroll past; the noise of the reaction is that of the dwell."""
    for j in range(len(arm)):
        i, w = U32(cell[j]), susceptibility[U32(arm[j]), j]
        x = median_seconds(leaning[j], w, reactive[i], intentional[i]) * exp(sigma * noise[j])
        objective[j] = objective[j] + (second * x + (scroll if x < short else ZERO))


@lanewise
def expect_dwell(
    arm: Any, cell: Any, leaning: Any, susceptibility: Any, reactive: Any, intentional: Any, sigma: Any, short: Any,
    second: Any, scroll: Any, objective: Any,
) -> None:  # fmt: skip
    """Add what the dwell is expected to weigh."""
    mean = exp(HALF * sigma * sigma)
    for j in range(len(arm)):
        i, w = U32(cell[j]), susceptibility[U32(arm[j]), j]
        x = median_seconds(leaning[j], w, reactive[i], intentional[i])
        below = normal_below(log(short / x) / sigma)
        objective[j] = objective[j] + (second * (x * mean) + scroll * below)


@compiled
def judge(rows: Any, words: Any, at: Any, also: Any, acts: Any) -> None:
    """Turn the felt reaction, which the reward comes as, into the objective."""
    arm, cell, leaning, w, objective = (
        rows[at.arm], rows[at.cell], rows[also.leaning], rows[at.susceptibility], rows[also.reward]
    )  # fmt: skip
    weigh_felt(acts.felt, objective)
    for i in range(len(acts.weight)):
        weight, susceptible, reactive, intentional = (
            acts.weight[i], acts.susceptible[i], acts.reactive[i], acts.intentional[i]
        )  # fmt: skip
        if acts.predicted:
            expect(arm, cell, leaning, w, reactive, intentional, weight, susceptible, objective)
        else:
            act(words, arm, cell, leaning, w, reactive, intentional, weight, susceptible, objective)
    if acts.second == ZERO and acts.scroll == ZERO:
        return
    reactive, intentional = acts.seconds_reactive, acts.seconds_intentional
    if acts.predicted:
        expect_dwell(
            arm, cell, leaning, w, reactive, intentional, acts.sigma, acts.short, acts.second, acts.scroll, objective
        )  # fmt: skip
    else:
        dwell(
            rows[at.noise], arm, cell, leaning, w, reactive, intentional, acts.sigma, acts.short, acts.second,
            acts.scroll, objective,
        )  # fmt: skip
