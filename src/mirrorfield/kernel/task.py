"""What is beyond the plain loop, in the numbers that compiled code reads: intensity, habituation, an intervention."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array, S
from mirrorfield.kernel.beyond import Also
from mirrorfield.kernel.rows import At


class Serving(NamedTuple):
    """How posts are served, and which reactions are seen, in one phase of a run; float32."""

    origin: Any  # post at which the phase's rule began
    keep: Any  # 1 - exploration
    exploration: Any
    quota: Any
    cap: Any
    friction: Any
    swap: Any
    meddled: bool  # whether friction or swap need luck of their own
    alters: bool  # whether anything else than the policy is served


def unaltered(origin: int) -> Serving:
    """Return serving by the policy alone, in a phase that begins after post number `origin`."""
    one, zero = np.float32(1), np.float32(0)
    return Serving(np.int64(origin), one, zero, one, one, zero, zero, False, False)


class Acts(NamedTuple):
    """What people do with a post, and what the objective makes of it; A actions, cells s K + a, float32."""

    asked: bool  # whether anything but the felt reaction counts
    predicted: bool  # whether what is expected of people counts, in place of what they do
    felt: Any  # weight of the reaction
    second: Any  # weight of a second's dwell
    scroll: Any  # weight of a dwell that was short
    sigma: Any  # of the dwell's logarithm
    short: Any  # seconds
    seconds_reactive: F32Array  # (S K,) median dwell
    seconds_intentional: F32Array
    weight: F32Array  # (A,)
    susceptible: F32Array  # (A,) whether susceptibility multiplies the odds
    reactive: F32Array  # (A, S K) probabilities
    intentional: F32Array


def no_acts() -> Acts:
    """Return the objective that is the felt reaction."""
    one, zero, nothing, none = np.float32(1), np.float32(0), np.empty(0, np.float32), np.empty((0, 0), np.float32)
    return Acts(False, False, one, zero, zero, one, one, nothing, nothing, nothing, nothing, none, none)


class Lens(NamedTuple):
    """What stands between people and what is learned of them: actions, labels, context, retrieval; M items, float32."""

    acts: Acts
    involuntary: Any  # weight of the click in the reward, and of a label where there is one
    deliberate: Any
    labelled: bool  # whether labels need luck of their own
    rate: Any
    intentionality: Any
    noise: Any
    model: F32Array  # (n, S, K) learned rewards, user u has row u mod n; (0, S, K) where labels are ratings
    kappa: Any
    blur: Any
    forget: Any
    priming: Any
    prompt: F32Array  # (K I,) tilt of a context that does not change
    looks_back: bool  # whether the context follows the session memory
    remembers: bool  # whether anything asks for the session memory
    even: Any  # 1 / (K I)
    kind: F32Array  # (M,) category of an item
    quality: F32Array  # (M,)
    gram: F32Array  # (M, M) inner products of embeddings
    relevance: F32Array  # (M,) similarity to the user's own query
    retriever: int
    retrieved: int  # items retrieved at once
    refresh: int  # posts from one retrieval to the next
    fade: Any  # how much of the history of items is forgotten at a post
    diversity: Any


NO_LENS = Lens(
    acts=no_acts(),
    involuntary=np.float32(1),
    deliberate=np.float32(0),
    labelled=False,
    rate=np.float32(1),
    intentionality=np.float32(1),
    noise=np.float32(0),
    model=np.empty((0, S, 1), np.float32),
    kappa=np.float32(0),
    blur=np.float32(1),
    forget=np.float32(1),
    priming=np.float32(0),
    prompt=np.zeros(1, np.float32),
    looks_back=False,
    remembers=False,
    even=np.float32(0.5),
    kind=np.empty(0, np.float32),
    quality=np.empty(0, np.float32),
    gram=np.empty((0, 0), np.float32),
    relevance=np.empty(0, np.float32),
    retriever=0,
    retrieved=0,
    refresh=1,
    fade=np.float32(1),
    diversity=np.float32(0),
)


class Mechanisms(NamedTuple):
    """Intensity of every arm (K I,), the person's habituation, and what happens at post number `at`."""

    extended: bool  # whether there is anything beyond the plain loop
    graded: bool  # whether any arm has an intensity above 0; where not, nobody's floor moves and nothing is dulled
    lensed: bool  # whether there is a lens
    closes: bool  # whether an arm may be closed, or its logit tilted, for anybody
    level: F32Array
    slope: Any
    inverse_width: Any
    eta: Any
    decay: Any
    at: Any
    switched: bool
    nudge: Any
    nudge_share: Any


def no_mechanisms(arms: int) -> Mechanisms:
    """Return mechanisms that are all off, for so many arms."""
    one, zero = np.float32(1), np.float32(0)
    never = np.int64(np.iinfo(np.int64).max)
    return Mechanisms(
        False, False, False, False, np.zeros(arms, np.float32), zero, one, zero, zero, never, False, zero, zero
    )  # fmt: skip


class Phase(NamedTuple):
    """The rule of a phase of a run, and how it serves; the posts of its sessions, for one thread."""

    rule: Any  # Terms
    memory: Any  # Memory
    serving: Serving


class Task(NamedTuple):
    """What the loop with every mechanism needs beside people."""

    lanes: int
    at: At
    also: Also
    tables: int  # 0 to learn from every post at once; else for how many states a session has tables, 1 or all
    before: Phase
    after: Phase
    mechanisms: Mechanisms
    lens: Lens
    update: Any  # an Update
