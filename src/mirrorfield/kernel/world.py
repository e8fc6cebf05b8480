"""What is beyond the plain loop, in the numbers that compiled code reads: intensity, habituation, an intervention."""

from typing import Any, NamedTuple

from mirrorfield.arrays import F32Array


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


class Lens(NamedTuple):
    """What stands between a person and what is learned of it: labels, context and retrieval; M items, float32."""

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


class World(NamedTuple):
    """Intensity of every arm (K I,), the user's habituation, and the phases before and after post number `at`."""

    level: F32Array
    slope: Any
    inverse_width: Any
    eta: Any
    decay: Any
    at: Any
    switched: bool
    nudge: Any
    nudge_share: Any
    before: Serving
    after: Serving
    lens: Any  # a Lens, or () where nothing stands between
