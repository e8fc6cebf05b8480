"""Spread chunks of users over threads. It knows blocks, not maths."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from mirrorfield.kernel import lane_kernel
from mirrorfield.population.run import CHUNK, Part, Plan, merge, run_chunk

Progress = Callable[[int], None]
FOLD_EVERY = 256


def available_threads() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chunks(users: int, block: int) -> Iterator[tuple[int, int]]:
    for first in range(0, users, block):
        yield first, min(block, users - first)


def run_threads(plan: Plan, threads: int | None = None, block: int = CHUNK, progress: Progress | None = None) -> Part:
    """Run every user of a plan and return what they leave behind.

    Parameters: plan; threads, default one per processor; block, users per task; progress, called with the number of
    users that each finished task had. The result does not depend on `threads` or `block`. Raises what a task raises.
    """
    threads = threads or available_threads()
    lane_kernel(plan.scenario.k)  # one module, made before the threads could each make their own
    todo = _chunks(plan.scenario.users, block)
    done: list[Part] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="mirrorfield") as pool:
        running: set[Future[Part]] = set()
        try:
            while True:
                for first, users in todo:
                    running.add(pool.submit(run_chunk, plan, first, users))
                    if len(running) >= 2 * threads:
                        break
                if not running:
                    break
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    part = future.result()
                    done.append(part)
                    if progress:
                        progress(part.users)
                if len(done) >= FOLD_EVERY:
                    done = [merge(done)]
        finally:
            for future in running:
                future.cancel()
    return merge(done)
