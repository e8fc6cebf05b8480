"""How a number of the model is judged against a published one: one rule, in words and in code."""

from dataclasses import dataclass
from typing import Literal

from mirrorfield.validation.facts import Fact

FACTOR = 3.0
Word = Literal["contradicts", "agrees", "cannot be compared"]
ORDER: tuple[Word, ...] = ("contradicts", "agrees", "cannot be compared")
RULE = (
    "A fact with a size: the model agrees if the two 95% intervals overlap, or if both numbers have one sign and "
    f"differ by a factor of {FACTOR:g} at most; otherwise it contradicts. A fact with a sign only: the model "
    "agrees if its interval lies on that side of zero, contradicts if it lies on the other side or is zero, and "
    "cannot be compared at this number of people if zero is inside. A fact that nothing changes: the model agrees "
    "if its interval overlaps what the fact's margin still calls nothing, and contradicts otherwise. A fact for "
    "which the model has no number cannot be compared, and the reason is given. A null model is judged by the "
    "same rule: where it agrees too, the fact does not tell the model from the null."
)


@dataclass(frozen=True)
class Measured:
    """A number of the model with its 95% interval, in the unit of the fact; `high` may be infinite."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """What the rule says, and by which part of it."""

    word: Word
    why: str


def judge(fact: Fact, found: Measured) -> Verdict:
    """Return what RULE says of a number beside a fact.

    >>> from mirrorfield.validation.facts import facts
    >>> judge(facts()[0], Measured(1e9, 1e9, 1e9)).word
    'contradicts'
    """
    if fact.kind == "sign":
        return _by_sign(fact.value, found)
    if fact.kind == "zero":
        margin = fact.margin or 0.0
        inside = found.low <= margin and found.high >= -margin
        return Verdict(
            "agrees" if inside else "contradicts", f"{'within' if inside else 'beyond'} {margin:g} of no change"
        )
    low, high = (fact.value if end is None else end for end in (fact.low, fact.high))
    if found.low <= high and found.high >= low:
        return Verdict("agrees", "the intervals overlap")
    if fact.value * found.value < 0:
        return Verdict("contradicts", "the other sign")
    if found.value == 0:
        return Verdict("contradicts", "no effect")
    times = found.value / fact.value
    if 1 / FACTOR <= times <= FACTOR:
        return Verdict("agrees", f"{times:.3g} times the published number")
    return Verdict("contradicts", f"{times:.3g} times the published number")


def _by_sign(sign: float, found: Measured) -> Verdict:
    if found.low == 0 == found.high:
        return Verdict("contradicts", "no effect")
    if found.low <= 0 <= found.high:
        return Verdict("cannot be compared", "too few people to tell the sign")
    same = (found.value > 0) == (sign > 0)
    return Verdict("agrees" if same else "contradicts", "the same sign" if same else "the other sign")
