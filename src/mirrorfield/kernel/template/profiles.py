"""Streams at their start, and every user's own reaction profile."""

from typing import Any

from mirrorfield.arrays import S
from mirrorfield.kernel.jit import compiled
from mirrorfield.maths import ONE
from mirrorfield.model.profile import blend
from mirrorfield.streams import U64, stream

K = ...
LANES = ...
PITCH = ...
RUNGS = ...


@compiled
def start_streams(words: Any, seed: Any, first_user: Any, purpose: Any) -> None:
    """Put every lane at the start of its user's stream for one purpose."""
    for j in range(LANES):
        a, b, c, d = stream(seed, first_user + U64(j), purpose)
        words[j], words[LANES + j], words[2 * LANES + j], words[3 * LANES + j] = a, b, c, d


@compiled
def blend_profiles(scratch: Any, profiles: Any) -> None:
    """Give every user its own reaction profile, between the two of the scenario."""
    reactive, intentional = profiles.reactive, profiles.intentional
    for s in range(S):
        for i in range(K):
            cell = s * PITCH + i
            one, other = reactive.mean[s, i // RUNGS], intentional.mean[s, i // RUNGS]
            for j in range(LANES):
                mean[cell, j] = blend(leaning[0, j], susceptibility[i // RUNGS, j] * one, other)
            one, other = reactive.std[s, i // RUNGS], intentional.std[s, i // RUNGS]
            for j in range(LANES):
                std[cell, j] = blend(leaning[0, j], one, other)
            one, other = reactive.transition[s, i // RUNGS, 0], intentional.transition[s, i // RUNGS, 0]
            for j in range(LANES):
                fall[cell, j] = blend(leaning[0, j], one, other)
            one, other = reactive.transition[s, i // RUNGS, 2], intentional.transition[s, i // RUNGS, 2]
            for j in range(LANES):
                rise[cell, j] = ONE - blend(leaning[0, j], one, other)
