"""A batch of people whose traces are whole: checked, folded into the totals, and the sample kept."""

from typing import Any

import numpy as np

from mirrorfield.kernel.fold import fold
from mirrorfield.kernel.jit import inlined
from mirrorfield.kernel.sound import first_unsound
from mirrorfield.kernel.trace import keep
from mirrorfield.maths import ZERO
from mirrorfield.streams import U64


@inlined
def count_in(
    trace: Any, first_user: Any, users: int, scales: Any, notes: Any, totals: Any, momentary: Any, kept_users: Any,
    kept: Any, row: int,
) -> Any:  # fmt: skip
    """Fold the first `users` people of a trace into the totals, and copy those of `kept_users` to `kept`.

    The totals are of diets at every recorded step, `momentary` of feeds at the last. Returns the largest mean reaction,
    up to sign, the place of the first person with a number that is not finite, or -1, and the next column of `kept`.
    Where there is such a person, nothing is folded.
    """
    flawed = first_unsound(trace, users, notes)
    if flawed >= 0:
        return ZERO, flawed, row
    last = trace.feed.shape[0] - 1
    worst = fold(trace, trace.diet, trace.intensity, np.int64(0), first_user, users, scales, notes, totals)
    fold(trace, trace.feed, trace.next_intensity, last, first_user, users, scales, notes, momentary)
    while row < len(kept_users) and U64(kept_users[row]) < first_user + U64(users):
        keep(trace, np.int64(U64(kept_users[row]) - first_user), kept, row)
        row += 1
    return worst, np.int64(-1), row
