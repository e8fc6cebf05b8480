"""The policy of a state as a table of rows, one an arm, and what a post in each cell would weigh."""

from typing import Any

from mirrorfield.kernel.jit import compiled, lanewise, larger, select
from mirrorfield.kernel.rows import HOOKED, LEAST, of_state
from mirrorfield.maths import F32, HALF, ONE, ZERO, exp, log
from mirrorfield.policy.leash import k2_weight, k3_rho_weight, k3_weight
from mirrorfield.policy.options import Leash

K2, K3, K3_RHO = int(Leash.K2_IN_LOSS), int(Leash.K3_IN_LOSS), int(Leash.K3_TIMES_RHO)
FURTHEST = F32(20)


@lanewise
def weigh_table(logits: Any, prior: Any, peak: Any, total: Any) -> None:
    """Set a state's weights, (K, n), and their total."""
    for j in range(len(total)):
        peak[j] = LEAST
        total[j] = ZERO
    for k in range(len(logits)):
        row = logits[k]
        for j in range(len(row)):
            peak[j] = larger(row[j], peak[j])
    for k in range(len(logits)):
        row, out = logits[k], prior[k]
        for j in range(len(row)):
            x = exp(row[j] - peak[j])
            out[j] = x
            total[j] = total[j] + x


@lanewise
def weigh_open_table(logits: Any, tilt: Any, opened: Any, prior: Any, peak: Any, total: Any) -> None:
    """Set a state's weights of the arms that may be shown, (K, n), under the policy and its context."""
    for j in range(len(total)):
        peak[j] = LEAST
        total[j] = ZERO
    for k in range(len(logits)):
        row, added, may, out = logits[k], tilt[k], opened[k], prior[k]
        for j in range(len(row)):
            x = select(may[j] > HALF, row[j] + added[j], LEAST)
            out[j] = x
            peak[j] = larger(x, peak[j])
    for k in range(len(logits)):
        may, out = opened[k], prior[k]
        for j in range(len(out)):
            x = exp(out[j] - peak[j]) * may[j]
            out[j] = x
            total[j] = total[j] + x


@lanewise
def take_logs(logits: Any, tilt: Any, peak: Any, total: Any, log_policy: Any) -> None:
    """Set the logarithm of a state's policy, (K, n)."""
    for j in range(len(peak)):
        peak[j] = peak[j] + log(total[j])
    for k in range(len(logits)):
        row, added, out = logits[k], tilt[k], log_policy[k]
        for j in range(len(row)):
            out[j] = (row[j] + added[j]) - peak[j]


@compiled
def tabulate(logits: Any, rows: Any, also: Any, logs: bool, closes: bool) -> None:
    """Set the weights of every state that has a table, (S K, n) or (K, n), and the logarithms if asked for."""
    tilt, opened, priors, logs_of = rows[also.tilt], rows[also.opened], rows[also.prior], rows[also.log_policy]
    peaks, totals, arms = rows[also.peak], rows[also.prior_total], len(tilt)
    for s in range(len(logits) // arms):
        first, end = s * arms, (s + 1) * arms
        table, prior, peak, total = logits[first:end], priors[first:end], peaks[s], totals[s]
        if closes:
            weigh_open_table(table, tilt, opened, prior, peak, total)
        else:
            weigh_table(table, prior, peak, total)
        if logs:
            take_logs(table, tilt, peak, total, logs_of[first:end])


@lanewise
def select_table(logits: Any, state: Any, own: Any) -> None:
    """Set a table, (K, n), to that of everyone's state."""
    arms = len(own)
    for k in range(arms):
        calm, engaged, hooked, row = logits[k], logits[arms + k], logits[2 * arms + k], own[k]
        for j in range(len(row)):
            row[j] = of_state(state[j], calm[j], engaged[j], hooked[j])


@lanewise
def select_numbers(table: Any, state: Any, own: Any) -> None:
    """Set a table, (K, n), to the numbers of everyone's state, (S K,)."""
    arms = len(own)
    for k in range(arms):
        calm, engaged, hooked, row = table[k], table[arms + k], table[2 * arms + k], own[k]
        for j in range(len(row)):
            row[j] = of_state(state[j], calm, engaged, hooked)


@lanewise
def put_back(own: Any, state: Any, logits: Any) -> None:
    """Put the logits that a session moved, (K, n), back to those of its state."""
    arms = len(own)
    for k in range(arms):
        calm, engaged, hooked, row = logits[k], logits[arms + k], logits[2 * arms + k], own[k]
        for j in range(len(row)):
            s, x, a, b, c = state[j], row[j], calm[j], engaged[j], hooked[j]
            calm[j] = x if s < HALF else a
            engaged[j] = b if (s < HALF) | (s > HOOKED) else x
            hooked[j] = x if s > HOOKED else c


@lanewise
def keep_old(log_policy: Any, log_old: Any, ratio: Any) -> None:
    """Keep the policy that a session is shown under; its ratio to itself is 1."""
    for c in range(len(log_policy)):
        now, old, row = log_policy[c], log_old[c], ratio[c]
        for j in range(len(now)):
            old[j] = now[j]
            row[j] = ONE


@lanewise
def compare_with_old(log_policy: Any, log_old: Any, ratio: Any) -> None:
    """Set every cell's ratio of the policy to the one that the session was shown under."""
    for c in range(len(log_policy)):
        now, old, row = log_policy[c], log_old[c], ratio[c]
        for j in range(len(now)):
            x = now[j] - old[j]
            row[j] = exp(x if x < FURTHEST else FURTHEST)


@lanewise
def compare_with_reference(log_policy: Any, log_reference: Any, ratio: Any, beta: Any, leash: Any, pull: Any) -> None:
    """Set every cell's pull towards the reference: what the leash takes off a post's weight."""
    for c in range(len(log_policy)):
        now, away, quotient, row = log_policy[c], log_reference[c], ratio[c], pull[c]
        if leash == K2:
            for j in range(len(row)):
                row[j] = beta[j] * k2_weight(now[j] - away[j])
        elif leash == K3:
            for j in range(len(row)):
                x = away[j] - now[j]
                row[j] = beta[j] * k3_weight(exp(x if x < FURTHEST else FURTHEST))
        elif leash == K3_RHO:
            for j in range(len(row)):
                row[j] = beta[j] * k3_rho_weight(now[j] - away[j], quotient[j])
