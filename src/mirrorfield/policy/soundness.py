"""Which rules are refused, and why: what was expected, what came, what to do."""

from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING

from mirrorfield.arrays import S
from mirrorfield.policy.options import Aggregate, Baseline, Normalise, Returns, word_of

if TYPE_CHECKING:
    from mirrorfield.policy.rule import Rule


MAX_LOGIT, MAX_EPOCHS = 1000.0, 1000
SINGLE = 1 - 2.0**-23  # a bound, once rounded to float32, may be this much lower
RANGES: tuple[tuple[str, str, Callable[[float], bool]], ...] = (
    ("learning_rate", "a number from 0 to 100", lambda x: 0 <= x <= 100),
    ("discount", "a number above 0 and up to 1", lambda x: 0 < x <= 1),
    ("trace_decay", "a number from 0 to 1", lambda x: 0 <= x <= 1),
    ("exponential_weight", "a number from 0.000001 to 1", lambda x: 1e-6 * SINGLE <= x <= 1),
    ("value_rate", "a number from 0 to 1, or the value steps past its target", lambda x: 0 <= x <= 1),
    (
        "eps",
        "a number from 1e-12 to 1000, or equal rewards would divide by zero",
        lambda x: 1e-12 * SINGLE <= x <= 1000,
    ),
    ("clip_low", "a number above 0 and up to 1, or inf for no clip", lambda x: 0 < x <= 1 or x == inf),
    ("clip_high", "a number above 0, or inf for no clip", lambda x: x > 0),
    ("beta", "a number from 0 to 1000", lambda x: 0 <= x <= 1000),
    ("kl_target", "a number from 0.000001 to 1000", lambda x: 1e-6 * SINGLE <= x <= 1000),
    ("kl_horizon", "a number of posts above 0, or inf for a fixed coefficient", lambda x: x > 0),
    ("entropy", "a number from 0 to 1000", lambda x: 0 <= x <= 1000),
)


def refusals(rule: "Rule") -> Iterator[str]:
    """Yield the reasons against a rule, the numbers' ranges first; none if it is sound."""
    yield from _ranges(rule)
    yield from _session(rule)
    yield from _credit(rule)
    yield from _spread(rule)
    yield from _forces(rule)


def _ranges(rule: "Rule") -> Iterator[str]:
    for name in ("horizon", "group", "epochs", "minibatches"):
        value = getattr(rule, name)
        if not (isinstance(value, int) and value >= 1):
            yield f"{name}: expected a whole number from 1 on, got {value}"
    if rule.epochs > MAX_EPOCHS:
        yield f"epochs: expected at most {MAX_EPOCHS:,} passes over a session, got {rule.epochs:,}"
    if rule.ddof not in (0, 1):
        yield f"ddof: expected 0 (population) or 1 (sample), got {rule.ddof}"
    for name, expected, holds in RANGES:
        if not holds(getattr(rule, name)):
            yield f"{name}: expected {expected}, got {getattr(rule, name)}"
    for name in ("reference", "start"):
        rows = getattr(rule, name)
        if len(rows) not in (0, 1, S) or not all(abs(x) <= MAX_LOGIT for row in rows for x in row):
            yield f"{name}: expected one row or {S} rows of logits within {MAX_LOGIT:g} of zero, got {rows}"


def _session(rule: "Rule") -> Iterator[str]:
    if rule.posts % rule.minibatches:
        yield (
            f"minibatches: expected a divisor of the session's {rule.posts} posts (group times horizon), "
            f"got {rule.minibatches}; minibatches of unequal size would weigh posts unequally"
        )


def _credit(rule: "Rule") -> Iterator[str]:
    returns, baseline = word_of(rule.returns), word_of(rule.baseline)
    in_group = rule.baseline in (Baseline.GROUP_MEAN, Baseline.LEAVE_ONE_OUT)
    if rule.returns == Returns.GAE and rule.baseline != Baseline.VALUE:
        yield (
            f"returns: expected a learned value beside gae, which is made of it, got baseline {baseline}; "
            'add baseline("value")'
        )
    if rule.baseline == Baseline.VALUE and rule.value_rate == 0:
        yield "value_rate: expected a number above 0 for a learned value, got 0; else it stays 0 forever"
    added = rule.posts // rule.minibatches if rule.aggregate == Aggregate.SUM else 1
    if rule.value_rate * added * SINGLE > 1:
        yield (
            f"value_rate: expected at most 1 / {added} where a step adds up {added} posts, got {rule.value_rate:g}; "
            'the value would step past its target and grow without bound. Use aggregate = "mean"'
        )
    if in_group and rule.group < 2:
        yield (
            f"baseline: expected a group of 2 rollouts or more for {baseline}, got 1; a rollout alone has "
            "nothing to be compared with, and its advantage would always be 0. Add session(group=8)"
        )
    if in_group and rule.horizon > 1 and rule.returns != Returns.SESSION:
        yield (
            f"returns: expected session for {baseline} over rollouts of {rule.horizon} posts, "
            f'got {returns}; rollouts share a state at their first post only. Add returns("session")'
        )


def _spread(rule: "Rule") -> Iterator[str]:
    sizes = (inf, rule.group, rule.posts, rule.posts / rule.minibatches)
    if sizes[rule.normalise] < 2:
        yield (
            f"normalise: expected 2 advantages or more in a {word_of(rule.normalise)}, got 1; one advantage is its own "
            "mean, and the update would always be 0. Use a longer session or a larger group"
        )
    if rule.normalise == Normalise.GROUP and rule.baseline != Baseline.GROUP_MEAN:
        yield (
            f"normalise: expected baseline group-mean for a z-score within the group, got {word_of(rule.baseline)}; "
            "the z-score takes the group's mean off, so the other baseline would be undone"
        )


def _forces(rule: "Rule") -> Iterator[str]:
    if rule.dual_clip != inf and not 1 + rule.clip_high < rule.dual_clip:
        yield (
            f"dual_clip: expected more than 1 + clip_high = {1 + rule.clip_high:g}, got {rule.dual_clip:g}; "
            "it caps ratios that the clip lets through where the advantage is below 0. Use clip(0.2, dual=3)"
        )
    if rule.kl_horizon < rule.posts:
        yield (
            f"kl_horizon: expected the session's {rule.posts} posts or more, got {rule.kl_horizon:g}; the coefficient "
            "moves by up to a fifth in a horizon, and several at once could turn its sign"
        )
    if rule.kl_horizon != inf and rule.beta == 0:
        yield (
            f"kl_horizon: expected beta above 0 to adapt, got 0; the coefficient is adapted by factors. "
            f"Start from a small beta, or leave kl_horizon ({rule.kl_horizon:g}) out"
        )
