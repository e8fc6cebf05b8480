"""The only compiled code: users in SIMD lanes, and the integer fold over them."""

from mirrorfield.kernel.fold import FEED_UNIT, REACTION_UNIT, Totals, empty_totals, fold, merge_totals
from mirrorfield.kernel.specialise import lane_kernel, lanes_for
from mirrorfield.kernel.trace import Trace, empty_trace

__all__ = [
    "FEED_UNIT",
    "REACTION_UNIT",
    "Totals",
    "Trace",
    "empty_totals",
    "empty_trace",
    "fold",
    "lane_kernel",
    "lanes_for",
    "merge_totals",
]
