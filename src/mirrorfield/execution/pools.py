"""What a run needs of the workers it hands blocks to."""

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Pool:
    """Workers that can run blocks of a plan."""

    executor: Executor
    plan: Any
    in_flight: int
    arguments: tuple[Any, ...]
