"""The only compiled code: users in SIMD lanes, and the integer fold over them."""

from mirrorfield.kernel.fold import Notes, Scales, empty_notes
from mirrorfield.kernel.ready import Ready, ready
from mirrorfield.kernel.task import Lens, Mechanisms, Serving
from mirrorfield.kernel.totals import BINS, FEED_UNIT, LOW_BITS, REACTION_UNIT, Totals, empty_totals, merge_totals
from mirrorfield.kernel.trace import Trace, empty_trace
from mirrorfield.kernel.updates import Form

__all__ = [
    "BINS",
    "FEED_UNIT",
    "LOW_BITS",
    "REACTION_UNIT",
    "Form",
    "Lens",
    "Mechanisms",
    "Notes",
    "Ready",
    "Scales",
    "Serving",
    "Totals",
    "Trace",
    "empty_notes",
    "empty_totals",
    "empty_trace",
    "merge_totals",
    "ready",
]
