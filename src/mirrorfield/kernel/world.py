"""What is beyond the plain loop, in the numbers that compiled code reads: intensity, habituation, an intervention."""

from typing import Any, NamedTuple

from mirrorfield.types import F32Array


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
