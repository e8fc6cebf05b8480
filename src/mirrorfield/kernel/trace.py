"""What the lane kernel writes: arrays with users last, allocated once per thread and used again for every batch."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array, IntArray, S
from mirrorfield.kernel.jit import aligned_array, compiled


class Trace(NamedTuple):
    """C recorded steps, K categories of I rungs, n users; feeds are probabilities, reactions in the scenario's unit."""

    diet: F32Array  # (C, K, n) what they are served in the long run of their own states
    feed: F32Array  # (C, K, n) what they would be served next
    two_faced: IntArray  # (C, n) 1 if no one category leads in all states that they spend over 5% of their time in
    state: IntArray  # (C, n)
    mean_reaction: F32Array  # (C, n)
    intensity: F32Array  # (C, n) of the diet, or (0, n) where nothing has an intensity
    next_intensity: F32Array  # (C, n) of the feed, or (0, n)
    floor: F32Array  # (C, n), or (0, n)
    served: F32Array  # (S, K, n) what they would be served in each state, after the last step
    served_intensity: F32Array  # (S, n) its mean intensity, or (0, n)
    moves: F32Array  # (S, S, n) law of the next state from each state
    time_in_state: F32Array  # (S, n) the long run of their states, after the last step
    logits: F32Array  # (S, K I, n)
    exposures: IntArray  # (K I, n)
    susceptibility: F32Array  # (K, n)
    intentionality: F32Array  # (n,)
    segment: IntArray  # (n,)


def empty_trace(recorded: int, categories: int, users: int, rungs: int = 0) -> Trace:
    """Return a trace with room for `users` users; of the extended loop if `rungs` > 0."""
    arms, extended = categories * max(1, rungs), recorded if rungs else 0
    return Trace(
        diet=aligned_array(recorded, categories, users),
        feed=aligned_array(recorded, categories, users),
        two_faced=np.empty((recorded, users), np.int8),
        state=np.empty((recorded, users), np.int8),
        mean_reaction=aligned_array(recorded, users),
        intensity=aligned_array(extended, users),
        next_intensity=aligned_array(extended, users),
        floor=aligned_array(extended, users),
        served=aligned_array(S, categories, users),
        served_intensity=aligned_array(S if rungs else 0, users),
        moves=aligned_array(S, S, users),
        time_in_state=aligned_array(S, users),
        logits=aligned_array(S, arms, users),
        exposures=aligned_array(arms, users, dtype=np.int32),
        susceptibility=aligned_array(categories, users),
        intentionality=aligned_array(users),
        segment=aligned_array(users, dtype=np.int32),
    )


@compiled
def keep(trace: Any, user: Any, kept: Any, row: int) -> None:
    """Copy one user of a trace to a row of another."""
    for c in range(trace.feed.shape[0]):
        for i in range(trace.feed.shape[1]):
            kept.diet[c, i, row] = trace.diet[c, i, user]
            kept.feed[c, i, row] = trace.feed[c, i, user]
        kept.two_faced[c, row] = trace.two_faced[c, user]
        kept.state[c, row] = trace.state[c, user]
        kept.mean_reaction[c, row] = trace.mean_reaction[c, user]
    for c in range(trace.floor.shape[0]):
        kept.intensity[c, row] = trace.intensity[c, user]
        kept.next_intensity[c, row] = trace.next_intensity[c, user]
        kept.floor[c, row] = trace.floor[c, user]
    for i in range(trace.logits.shape[1]):
        for s in range(S):
            kept.logits[s, i, row] = trace.logits[s, i, user]
        kept.exposures[i, row] = trace.exposures[i, user]
    for s in range(trace.served_intensity.shape[0]):
        kept.served_intensity[s, row] = trace.served_intensity[s, user]
    for s in range(S):
        kept.time_in_state[s, row] = trace.time_in_state[s, user]
        for after in range(S):
            kept.moves[s, after, row] = trace.moves[s, after, user]
        for i in range(trace.served.shape[1]):
            kept.served[s, i, row] = trace.served[s, i, user]
    for i in range(trace.susceptibility.shape[0]):
        kept.susceptibility[i, row] = trace.susceptibility[i, user]
    kept.intentionality[row] = trace.intentionality[user]
    kept.segment[row] = trace.segment[user]
