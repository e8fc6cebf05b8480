"""Put the posts of a session in random order, user by user, for minibatches."""

from typing import Any

import numpy as np

from mirrorfield.kernel.jit import compiled, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.maths import F32, I32
from mirrorfield.streams import U32, U64, below, next_word

_HALF_WORD, _LOW = U64(32), U64(0xFFFFFFFF)

shared(*LINKED)


@compiled
def pack(memory: Any) -> None:
    """Put every post's advantage and cell into one word, so that they move together."""
    packed, cell, gain, lanes = memory.packed, memory.cell, memory.gain, len(memory.place)
    for t in range(len(packed)):
        for j in range(lanes):
            packed[t, j] = (U64(U32(F32(gain[t, j]).view(np.int32))) << _HALF_WORD) | U64(U32(cell[t, j]))


@compiled
def unpack(memory: Any) -> None:
    """Take advantages and cells out of their words again."""
    packed, cell, gain, lanes = memory.packed, memory.cell, memory.gain, len(memory.place)
    for t in range(len(packed)):
        for j in range(lanes):
            cell[t, j] = I32(U32(packed[t, j] & _LOW))
            gain[t, j] = U32(packed[t, j] >> _HALF_WORD).view(np.float32)


@compiled
def shuffle(memory: Any) -> None:
    """Shuffle packed posts and their targets: Fisher and Yates, from the last post down."""
    packed, target, words, place = memory.packed, memory.target, memory.shuffle, memory.place
    for last in range(len(packed) - 1, 0, -1):
        bound = I32(last + 1)
        for j in range(len(place)):
            word, a, b, c, d = next_word(words[0, j], words[1, j], words[2, j], words[3, j])
            words[0, j], words[1, j], words[2, j], words[3, j] = a, b, c, d
            place[j] = below(word, bound)
        for j in range(len(place)):
            other = place[j]
            one, its_target = packed[other, j], target[other, j]
            packed[other, j], target[other, j] = packed[last, j], target[last, j]
            packed[last, j], target[last, j] = one, its_target
