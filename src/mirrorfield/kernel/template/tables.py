"""The policy of every state at once, and what a post in each cell would weigh. A cell is a state and a category."""

from typing import Any

from mirrorfield.kernel.jit import inlined
from mirrorfield.maths import F32, HALF, ONE, ZERO, exp, log
from mirrorfield.policy.leash import k2_weight, k3_rho_weight, k3_weight
from mirrorfield.policy.options import Leash

K = ...
LANES = ...
PITCH = ...
EVERY_STATE = ...
EXTENDED = ...
LENS = ...

K2, K3, K3_RHO = int(Leash.K2_IN_LOSS), int(Leash.K3_IN_LOSS), int(Leash.K3_TIMES_RHO)
LEAST, FURTHEST = F32(-3e38), F32(20)


@inlined
def tabulate(scratch: Any, rule: Any) -> None:
    """Set every state's weights and their total, and the logarithm of the policy if the rule asks for it."""
    for j in range(LANES):
        for s in EVERY_STATE:
            peak[s, j] = LEAST
            prior_total[s, j] = ZERO
    for k in range(K):
        for j in range(LANES):
            for s in EVERY_STATE:
                x = learned[s * PITCH + k, j]
                if LENS:
                    x = x + tilt[k, j]
                if EXTENDED:
                    x = x if opened[k, j] > HALF else LEAST
                peak[s, j] = x if x > peak[s, j] else peak[s, j]
    for k in range(K):
        for j in range(LANES):
            for s in EVERY_STATE:
                x = learned[s * PITCH + k, j]
                if LENS:
                    x = x + tilt[k, j]
                if EXTENDED:
                    x = x if opened[k, j] > HALF else LEAST
                x = exp(x - peak[s, j])
                if EXTENDED:
                    x = x * opened[k, j]
                prior[s * PITCH + k, j] = x
                prior_total[s, j] = prior_total[s, j] + x
    if rule.logs:
        for j in range(LANES):
            for s in EVERY_STATE:
                peak[s, j] = peak[s, j] + log(prior_total[s, j])
        for k in range(K):
            for j in range(LANES):
                for s in EVERY_STATE:
                    x = learned[s * PITCH + k, j]
                    if LENS:
                        x = x + tilt[k, j]
                    log_policy[s * PITCH + k, j] = x - peak[s, j]


@inlined
def keep_old(scratch: Any) -> None:
    """Keep the policy that a session is shown under; its ratio to itself is 1."""
    for k in range(K):
        for j in range(LANES):
            for s in EVERY_STATE:
                log_old[s * PITCH + k, j] = log_policy[s * PITCH + k, j]
                ratio[s * PITCH + k, j] = ONE


@inlined
def compare_with_old(scratch: Any) -> None:
    """Set every cell's ratio of the policy to the one that the session was shown under."""
    for k in range(K):
        for j in range(LANES):
            for s in EVERY_STATE:
                x = log_policy[s * PITCH + k, j] - log_old[s * PITCH + k, j]
                ratio[s * PITCH + k, j] = exp(x if x < FURTHEST else FURTHEST)


@inlined
def compare_with_reference(scratch: Any, rule: Any) -> None:
    """Set every cell's pull towards the reference: what the leash takes off a post's weight."""
    if rule.leash == K2:
        for k in range(K):
            for j in range(LANES):
                for s in EVERY_STATE:
                    x = log_policy[s * PITCH + k, j] - log_reference[s * PITCH + k, j]
                    pull[s * PITCH + k, j] = beta[0, j] * k2_weight(x)
    elif rule.leash == K3:
        for k in range(K):
            for j in range(LANES):
                for s in EVERY_STATE:
                    x = log_reference[s * PITCH + k, j] - log_policy[s * PITCH + k, j]
                    pull[s * PITCH + k, j] = beta[0, j] * k3_weight(exp(x if x < FURTHEST else FURTHEST))
    elif rule.leash == K3_RHO:
        for k in range(K):
            for j in range(LANES):
                for s in EVERY_STATE:
                    x = log_policy[s * PITCH + k, j] - log_reference[s * PITCH + k, j]
                    pull[s * PITCH + k, j] = beta[0, j] * k3_rho_weight(x, ratio[s * PITCH + k, j])
