"""What the parts of rules do on average: where leashes come to rest, and how often a group teaches nothing."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.theory.gradient import softmax
from mirrorfield.theory.leash import forward_kl_policy, reverse_kl_policy
from mirrorfield.validation.bandit import learners, share
from mirrorfield.validation.claim import Claim, equal

MEAN, REFERENCE = np.array([1, 0.9, 0.5, 0.2]), (-0.3, 0.4, 0.6, -0.1)
BETA, ALPHA, TAU = 0.5, 0.01, 200
LEASHES = {
    "k1-in-reward": reverse_kl_policy,
    "k2-in-loss": reverse_kl_policy,
    "k3*rho": reverse_kl_policy,
    "k3-in-loss": forward_kl_policy,
}


def leashes(users: int) -> Iterator[Claim]:
    """Yield that each leash holds the mean policy where the theory has it at rest, but for O(alpha)."""
    for kind, at_rest in LEASHES.items():
        policy = {"leash": kind, "beta": BETA, "reference": (REFERENCE,)}
        yield from _at_rest(f"{kind}, beta", policy, at_rest(MEAN, softmax(np.array(REFERENCE)), BETA), users)
    even = reverse_kl_policy(MEAN, np.full(4, 0.25), BETA)
    yield from _at_rest("the entropy bonus, coefficient", {"entropy": BETA}, even, users)


def _at_rest(what: str, policy: dict[str, Any], expected: FloatArray, users: int) -> Iterator[Claim]:
    _, found = learners(MEAN, np.full(4, 0.5), policy | {"learning_rate": ALPHA}, users, round(TAU / ALPHA), 7)
    for arm, share_at_rest in enumerate(expected):
        error = float(found[:, arm].std() / np.sqrt(users))
        text = f"mean pi_{arm + 1} at rest on {what} = {BETA:g}, alpha = {ALPHA:g}"
        yield equal("machinery", text, float(share_at_rest), float(found[:, arm].mean()), error, bias=0.001)


def groups(users: int) -> Iterator[Claim]:
    """Yield how often a group shows one category only, and so moves nothing: sum_a pi_a**K."""
    for size in (2, 4):
        for start in ((0.0, 0.0, 0.0, 0.0), (2.0, 1.0, 0.0, 0.0)):
            policy = {"rule": "dr-grpo", "group": size, "start": (start,)}
            logits, _ = learners(MEAN, np.ones(4), policy, users, size, 8)
            still, error = share(np.abs(logits - np.array(start)).max(axis=1) < 1e-6)
            expected = float((softmax(np.array(start)) ** size).sum())
            text = f"P(a group of {size} moves nothing) from logits {', '.join(f'{x:g}' for x in start)}"
            yield equal("machinery", text, expected, still, error)
