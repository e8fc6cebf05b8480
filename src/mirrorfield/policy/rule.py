"""A Rule: what a recommender does with the posts it has shown, in plain numbers.

Every bolt-on has an off value, at which the rule is plain REINFORCE with a running mean, bit for bit. A Rule that
would not mean what it seems to mean is refused by `policy/soundness.py`. `chain` builds one part by part.
"""

from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray, S
from mirrorfield.errors import InputError
from mirrorfield.policy.options import Aggregate, Baseline, Leash, Normalise, Returns
from mirrorfield.policy.soundness import refusals


@dataclass(frozen=True)
class Rule:
    """A recommender's rule, frozen, hashable and picklable; the defaults are plain REINFORCE with a running mean.

    A session is `group` rollouts of `horizon` posts each, all from the user's state at its start and all under the
    policy at its start; then come `epochs` passes over its posts in `minibatches` updates each.

    Fields: learning_rate alpha from 0 to 100, 0 for an open loop, in which the starting policy stays; horizon, group,
    epochs, minibatches: int >= 1; discount gamma in (0, 1]; trace_decay lambda in [0, 1]; bootstrap, whether the
    session's last state counts with its value; exponential_weight in (0, 1]; value_rate in [0, 1]; ddof 0 or 1;
    eps > 0, inside the root or not; clip_low, clip_high, dual_clip: floats or inf; beta from 0 to 1000; reference,
    logits of the frozen reference within 1000 of zero: () for the starting policy, one row of K, or S rows of K; start,
    the logits that every user starts with, likewise: () for the uniform policy; kl_target > 0; kl_horizon, the
    session's posts or more, inf for a fixed coefficient; entropy from 0 to 1000. `soundness.RANGES` has the bounds.
    Raises InputError for a combination that is unsound. Source: docs/rules.md.

    >>> Rule(0.1) == Rule(learning_rate=0.1, horizon=1, clip_low=inf, beta=0.0)
    True
    """

    learning_rate: float
    horizon: int = 1
    group: int = 1
    epochs: int = 1
    minibatches: int = 1
    aggregate: Aggregate = Aggregate.SUM
    returns: Returns = Returns.IMMEDIATE
    discount: float = 1.0
    trace_decay: float = 1.0
    bootstrap: bool = True
    baseline: Baseline = Baseline.WELFORD
    exponential_weight: float = 1.0
    value_rate: float = 0.0
    normalise: Normalise = Normalise.NONE
    ddof: int = 1
    eps: float = 1e-8
    eps_inside_root: bool = False
    clip_low: float = inf
    clip_high: float = inf
    dual_clip: float = inf
    leash: Leash = Leash.K2_IN_LOSS
    beta: float = 0.0
    reference: tuple[tuple[float, ...], ...] = ()
    start: tuple[tuple[float, ...], ...] = ()
    kl_target: float = 1.0
    kl_horizon: float = inf
    entropy: float = 0.0

    def __post_init__(self) -> None:
        for reason in refusals(self):
            raise InputError(f"rule: {reason}")

    @property
    def posts(self) -> int:
        """The number of posts in a session: group times horizon."""
        return self.group * self.horizon

    def in_single_precision(self) -> "Rule":
        """Return the rule with every real number rounded to float32, as the compiled kernel holds it."""
        reals: dict[str, Any] = {
            f.name: float(np.float32(getattr(self, f.name))) for f in fields(self) if f.type is float
        }
        return replace(self, **reals, reference=_single(self.reference), start=_single(self.start))

    def start_logits(self, categories: int) -> FloatArray:
        """Return the logits that users start with, float64 of shape (S, K); raise InputError if K does not fit."""
        return _table("start", self.start, categories, "the uniform policy")

    def reference_logits(self, categories: int) -> FloatArray:
        """Return the logits of the frozen reference, float64 of shape (S, K); raise InputError if K does not fit."""
        if not self.reference:
            return self.start_logits(categories)
        return _table("reference", self.reference, categories, "the starting policy")


Rows = tuple[tuple[float, ...], ...]


def _single(rows: Rows) -> Rows:
    return tuple(tuple(float(np.float32(x)) for x in row) for row in rows)


def _table(name: str, rows: Rows, categories: int, default: str) -> FloatArray:
    lengths = {len(row) for row in rows}
    if rows and lengths != {categories}:
        came = " and ".join(str(n) for n in sorted(lengths))
        raise InputError(
            f"rule: expected a {name} of {categories} logits, one per category, got {came}; "
            f"leave it out to take {default}"
        )
    return np.array(np.broadcast_to(np.array(rows or 0.0), (S, categories)), float, order="C")
