"""A pool of threads on this machine; the kernel runs without the GIL."""

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from mirrorfield.population.run import Plan


def available_threads() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def thread_pool(plan: Plan, threads: int) -> Iterator[Executor]:
    """Yield a pool of threads that can run blocks of this plan."""
    with ThreadPoolExecutor(threads, thread_name_prefix="mirrorfield") as pool:
        yield pool
