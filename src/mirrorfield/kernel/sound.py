"""Whether what a block of users leaves behind is a number at all, before it is added to anything."""

from typing import Any

import numpy as np

from mirrorfield.kernel.jit import compiled
from mirrorfield.maths import F32, ONE, ZERO

SLACK = F32(1e-3)


@compiled
def _mark_unless_finite(row: Any, users: int, flaw: Any) -> None:
    """Mark the users whose number is infinite or not a number: it less itself is not 0."""
    for u in range(users):
        flaw[u] = flaw[u] if row[u] - row[u] == ZERO else ONE


@compiled
def _mark_unless_one(feed: Any, users: int, total: Any, flaw: Any) -> None:
    """Mark the users whose feed does not sum to 1."""
    total[:users] = -ONE
    for i in range(feed.shape[0]):
        row = feed[i]
        for u in range(users):
            total[u] += row[u]
    for u in range(users):
        flaw[u] = flaw[u] if np.abs(total[u]) < SLACK else ONE


@compiled
def first_unsound(trace: Any, users: int, notes: Any) -> Any:
    """Return the first of a trace's users with a number that is not finite or a feed that does not sum to 1, or -1.

    A logit or a mean that is not finite stays so, and a feed made of it can look like any other; so logits are looked
    at as well.
    """
    total, flaw = notes.effective, notes.entropy
    flaw[:users] = ZERO
    for c in range(trace.feed.shape[0]):
        _mark_unless_one(trace.feed[c], users, total, flaw)
        _mark_unless_one(trace.diet[c], users, total, flaw)
        _mark_unless_finite(trace.mean_reaction[c], users, flaw)
    for c in range(trace.floor.shape[0]):
        _mark_unless_finite(trace.intensity[c], users, flaw)
        _mark_unless_finite(trace.floor[c], users, flaw)
    for s in range(trace.logits.shape[0]):
        for i in range(trace.logits.shape[1]):
            _mark_unless_finite(trace.logits[s, i], users, flaw)
    for i in range(trace.susceptibility.shape[0]):
        _mark_unless_finite(trace.susceptibility[i], users, flaw)
    _mark_unless_finite(trace.intentionality, users, flaw)
    for u in range(users):
        if flaw[u] > ZERO:
            return np.int64(u)
    return np.int64(-1)
