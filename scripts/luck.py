"""Write the package's random words to stdout without end, interleaved over people, purposes and seeds.

    uv run python scripts/luck.py --order people | dieharder -a -g 200

A run has one stream per seed, person and purpose, and uses a few words of each. So a block takes a few words of every
stream of some people and puts them in the asked order of axes; the next block has the next people. When the reader
closes the pipe, the bytes it took go to stderr; at most one pipe's buffer (1 MiB) of them was not read.
"""

import argparse
import fcntl
import os
import sys
from typing import Any

import numpy as np

from mirrorfield import streams
from mirrorfield.kernel.jit import compiled, shared
from mirrorfield.streams import U32, U64, next_word, stream

PURPOSES = np.array([value for name, value in vars(streams).items() if name[0] != "_" and isinstance(value, U64)], U64)
ORDERS = {  # the axes from the slowest to the fastest
    "people": ("person", "seed", "purpose", "word"),
    "purposes": ("purpose", "seed", "person", "word"),
    "steps": ("word", "seed", "purpose", "person"),
    "seeds": ("word", "purpose", "person", "seed"),
}
PIPE = 1 << 20
EVERY_BIT, USED_BITS, REVERSED = 0, 1, 2
BITS = {"all": EVERY_BIT, "used": USED_BITS, "reversed": REVERSED}

shared(streams.mix64, stream, next_word)


@compiled
def fill(seeds: Any, purposes: Any, first: Any, shape: Any, stride: Any, out: Any) -> None:
    """Fill `out` with the first words of every stream of (seed, purpose, person).

    Parameters: seeds, purposes: uint64 vectors; first, uint64, the first person; shape and stride: int64, each of
    (seed, purpose, person, word); out, uint32.
    """
    for s in range(shape[0]):
        for p in range(shape[1]):
            for n in range(shape[2]):
                a, b, c, d = stream(seeds[s], first + U64(n), purposes[p])
                place = s * stride[0] + p * stride[1] + n * stride[2]
                for w in range(shape[3]):
                    out[place + w * stride[3]], a, b, c, d = next_word(a, b, c, d)


@compiled
def keep_used(words: Any, out: Any) -> None:
    """Pack the upper 24 bits of each word end to end: four words, uint32 (4 n,), become three, uint32 (3 n,)."""
    for i in range(len(words) // 4):
        a, b = words[4 * i] >> U32(8), words[4 * i + 1] >> U32(8)
        c, d = words[4 * i + 2] >> U32(8), words[4 * i + 3] >> U32(8)
        out[3 * i] = (a << U32(8)) | (b >> U32(16))
        out[3 * i + 1] = (b << U32(16)) | (c >> U32(8))
        out[3 * i + 2] = (c << U32(24)) | d


@compiled
def reverse(words: Any, out: Any) -> None:
    """Reverse the 32 bits of each word, uint32 (n,): a test of the upper bits then sees the lower ones."""
    for i in range(len(words)):
        x = words[i]
        x = ((x >> U32(1)) & U32(0x55555555)) | ((x & U32(0x55555555)) << U32(1))
        x = ((x >> U32(2)) & U32(0x33333333)) | ((x & U32(0x33333333)) << U32(2))
        x = ((x >> U32(4)) & U32(0x0F0F0F0F)) | ((x & U32(0x0F0F0F0F)) << U32(4))
        x = ((x >> U32(8)) & U32(0x00FF00FF)) | ((x & U32(0x00FF00FF)) << U32(8))
        out[i] = (x >> U32(16)) | (x << U32(16))


def blocks(asked: argparse.Namespace) -> Any:
    """Yield blocks of words, uint32, without end; each is overwritten by the next."""
    axes = ("seed", "purpose", "person", "word")
    sizes = {"seed": asked.seeds, "purpose": len(PURPOSES), "person": asked.people, "word": asked.words}
    strides, step = {}, 1
    for axis in reversed(ORDERS[asked.order]):
        strides[axis], step = step, step * sizes[axis]
    shape, stride = np.array([sizes[a] for a in axes]), np.array([strides[a] for a in axes])
    seeds = np.arange(asked.seed, asked.seed + asked.seeds, dtype=U64)
    words = np.empty(step, U32)
    kind = BITS[asked.bits]
    out = np.empty(3 * (step // 4) if kind == USED_BITS else step, U32)
    first = asked.first
    while True:
        fill(seeds, PURPOSES, U64(first), shape, stride, words)
        if kind == USED_BITS:
            keep_used(words, out)
        elif kind == REVERSED:
            reverse(words, out)
        yield words if kind == EVERY_BIT else out
        first += asked.people


def main() -> None:
    """Write until the reader has enough."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--order", choices=ORDERS, default="people", help="axes of a block, see ORDERS")
    parser.add_argument("--bits", choices=BITS, default="all", help="words, their upper 24 bits, or reversed")
    parser.add_argument("--seed", type=int, default=1, help="the first seed; the others follow it")
    parser.add_argument("--seeds", type=int, default=4, help="number of seeds")
    parser.add_argument("--people", type=int, default=1024, help="people in a block")
    parser.add_argument("--first", type=int, default=0, help="the first person")
    parser.add_argument("--words", type=int, default=4, help="words taken of each stream")
    asked = parser.parse_args()
    out, written = sys.stdout.fileno(), 0
    fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, PIPE)
    try:
        for block in blocks(asked):
            left = memoryview(block).cast("B")
            while left:
                taken = os.write(out, left)
                written, left = written + taken, left[taken:]
    except BrokenPipeError:
        print(f"{written} bytes written", file=sys.stderr)


if __name__ == "__main__":
    main()
