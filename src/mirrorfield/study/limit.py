"""Limits on what a change may do: `locked_in>+0.02`, which a pipeline fails on."""

import math
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mirrorfield.errors import InputError, MirrorfieldError, check_known
from mirrorfield.population.base import brief
from mirrorfield.study.whatif import Comparison

HOLDS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_LIMIT = re.compile(r"\s*([^<>=\s](?:[^<>=]*[^<>=\s])?)\s*(>=|<=|>|<)\s*([+-][0-9.eE+-]+)\s*")


class LimitError(MirrorfieldError):
    """A change does what was not allowed; the command line exits with code 1."""


@dataclass(frozen=True)
class Limit:
    """A paired difference that may not be: of a metric, beyond a bound, on the side of `relation`."""

    metric: str
    relation: str
    bound: float


def parse_limit(words: str, metrics: Sequence[str]) -> Limit:
    """Return the limit in words such as `locked_in>+0.02`: metric, comparison, signed difference from the base.

    Raises InputError for words of another form and for a metric that is not among `metrics`.

    >>> parse_limit("share:depth < -0.1", ["share:depth"])
    Limit(metric='share:depth', relation='<', bound=-0.1)
    """
    found = _LIMIT.fullmatch(words)
    try:
        bound = float(found[3]) if found else math.nan
    except ValueError:
        bound = math.nan
    if not found or not math.isfinite(bound):
        raise InputError(
            f"--fail-if: expected METRIC, one of > >= < <=, and a signed difference from the base, such as "
            f'"locked_in>+0.02", got {brief(words)}'
        )
    check_known(found[1], metrics, "--fail-if: unknown metric")
    return Limit(found[1], found[2], bound)


def check_limits(found: Comparison, limits: Sequence[Limit], command: str = "compare") -> None:
    """Raise LimitError, in one line with every arm, difference and interval, if a paired difference is beyond a limit.

    It is the difference itself that is compared, not an end of its interval. Raises InputError for an arm that lacks a
    metric.
    """
    for arm in found.arms:
        for limit in limits:
            check_known(limit.metric, [e.metric for e in arm.effects], f"--fail-if: {arm.name} has no metric")
    broken = [
        f"{arm.name}: {e.metric} {e.difference:+.4f} [{e.low:+.4f}, {e.high:+.4f}] is {limit.relation} {limit.bound:+g}"
        for limit in limits
        for arm in found.arms
        for e in arm.effects
        if e.metric == limit.metric and HOLDS[limit.relation](e.difference, limit.bound)
    ]
    if broken:
        raise LimitError(f"{command}: {'; '.join(broken)}")
