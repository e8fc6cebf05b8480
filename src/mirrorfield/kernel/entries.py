"""Parts of the lanes that Python calls by themselves: one block of people, and what the arrays engine shares.

Each is compiled when it is first called; a run of the lanes needs none of them.
"""

from typing import Any

from mirrorfield.kernel import extended, plain, sessions
from mirrorfield.kernel.fold import fold
from mirrorfield.kernel.jit import entry
from mirrorfield.kernel.people import blend_profiles, load_people
from mirrorfield.kernel.record import mix_heights, mix_states
from mirrorfield.kernel.sound import first_unsound

advance_plain, advance_extended = plain.advance, extended.advance
enter, begin = extended.enter, sessions.begin


@entry
def load_block(
    rows: Any, words: Any, at: Any, seed: Any, first_user: Any, start_logits: Any, profiles: Any, population: Any
) -> None:
    """Do what `people.load_people` does."""
    load_people(rows, words, at, seed, first_user, start_logits, profiles, population)


@entry
def blend_block(rows: Any, at: Any, leaning: Any, profiles: Any) -> None:
    """Do what `people.blend_profiles` does."""
    blend_profiles(rows, at, leaning, profiles)


@entry
def enter_block(rows: Any, words: Any, seed: Any, first_user: Any, profiles: Any, task: Any) -> None:
    """Do what `extended.enter` does."""
    enter(rows, words, seed, first_user, profiles, task)


@entry
def advance_plain_block(rows: Any, words: Any, at: Any, first: Any, last: Any, learning_rate: Any, update: Any) -> None:
    """Do what `plain.advance` does."""
    advance_plain(rows, words, at, first, last, learning_rate, update)


@entry
def advance_block(rows: Any, words: Any, first: Any, last: Any, phase: Any, task: Any) -> None:
    """Do what `extended.advance` does."""
    advance_extended(rows, words, first, last, phase, task)


@entry
def begin_block(rows: Any, at: Any, also: Any, memory: Any, seed: Any, first_user: Any, rule: Any, tables: Any) -> None:
    """Do what `sessions.begin` does."""
    begin(rows, at, also, memory, seed, first_user, rule, tables)


@entry
def fold_people(
    trace: Any, shares: Any, intensity: Any, step: Any, first_user: Any, users: Any, scales: Any, notes: Any,
    totals: Any,
) -> Any:  # fmt: skip
    """Return what `fold.fold` does."""
    return fold(trace, shares, intensity, step, first_user, users, scales, notes, totals)


@entry
def unsound_among(trace: Any, users: Any, notes: Any) -> Any:
    """Return what `sound.first_unsound` does."""
    return first_unsound(trace, users, notes)


@entry
def mix_states_of(state: Any, crest: Any, spare: Any, trace: Any, c: Any) -> None:
    """Do what `record.mix_states` does, with what a trace says of everyone."""
    served, moves = trace.served.reshape(-1, len(state)), trace.moves.reshape(-1, len(state))
    mix_states(state, served, moves, trace.time_in_state, crest, spare, trace, c, 0)


@entry
def mix_heights_of(state: Any, dwell: Any, trace: Any, c: Any, start: Any) -> None:
    """Do what `record.mix_heights` does."""
    mix_heights(state, dwell, trace, c, start)
