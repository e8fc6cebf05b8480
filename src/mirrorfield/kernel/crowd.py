"""A crowd of blocks of plain REINFORCE between two posts: rows, (blocks, rows, n), and words, (blocks, 4, n)."""

from typing import Any

from mirrorfield.kernel.jit import entry, lanewise
from mirrorfield.kernel.people import blend_profiles, load_people
from mirrorfield.kernel.plain import advance, record
from mirrorfield.kernel.record import finish
from mirrorfield.maths import ONE, ZERO
from mirrorfield.streams import U64


@entry
def load_crowd(
    rows: Any, words: Any, at: Any, seed: Any, first_user: Any, start_logits: Any, profiles: Any, population: Any
) -> None:
    """Put a crowd, all zero, before its first post."""
    for block in range(len(rows)):
        first = first_user + U64(block * rows.shape[2])
        load_people(rows[block], words[block], at, seed, first, start_logits, profiles, population)


@entry
def advance_crowd(rows: Any, words: Any, at: Any, first: int, last: int, learning_rate: Any, update: Any) -> None:
    """Run posts first + 1 ... last."""
    for block in range(len(rows)):
        advance(rows[block], words[block], at, first, last, learning_rate, update)


@lanewise
def lean(intentionality: Any, shift: Any, row: Any) -> None:
    """Set a row to everyone's intentionality, moved within [0, 1]."""
    for j in range(len(row)):
        row[j] = min(max(intentionality[j] + shift, ZERO), ONE)


@entry
def lean_crowd(rows: Any, at: Any, shift: Any, profiles: Any) -> None:
    """Blend profiles anew, with everyone's intentionality moved from its start."""
    for block in range(len(rows)):
        here = rows[block]
        lean(here[at.intentionality], shift, here[at.spare])
        blend_profiles(here, at, here[at.spare], profiles)


@entry
def record_crowd(rows: Any, at: Any, trace: Any, c: int, update: Any) -> None:
    """Record the blocks side by side, as recorded step c."""
    for block in range(len(rows)):
        record(rows[block], at, trace, c, block * rows.shape[2], update)


@entry
def finish_crowd(rows: Any, at: Any, trace: Any) -> None:
    """Write what the blocks side by side are, and what is learned of them."""
    for block in range(len(rows)):
        finish(rows[block], at, trace, block * rows.shape[2])
