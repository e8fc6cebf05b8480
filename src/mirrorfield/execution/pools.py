"""Where blocks run: threads of this process, or a Dask cluster."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from threading import Timer
from typing import Any

from mirrorfield.execution.threads import available_threads, thread_pool
from mirrorfield.population.run import Plan, plan_run, run_block

logger = logging.getLogger(__name__)
WORTH_SAYING = 1.0


@dataclass
class Pool:
    """Workers for `run_blocks`: executor; plan, or its handle of one; blocks in flight; arguments after the block."""

    executor: Executor
    plan: Any
    in_flight: Callable[[], int]
    arguments: tuple[Any, ...] = ()


def load_kernel(plan: Plan) -> float:
    """Load the plan's kernel, if lanes run it, or compile it if this machine never has; return the seconds it took."""
    if not plan.own.in_lanes:
        return 0.0
    began = time.perf_counter()
    saying = Timer(WORTH_SAYING, logger.info, ["compiling the kernel"])
    saying.start()
    try:
        one = plan_run(plan.scenario.model_copy(update={"users": 1, "steps": 1}))
        run_block(replace(one, own=plan.own), 0, 1)
    finally:
        saying.cancel()
    seconds = time.perf_counter() - began
    if seconds > WORTH_SAYING:
        logger.info("kernel compiled in %.1f s", seconds)
    return seconds


def open_pool(
    plan: Plan,
    threads: int | None = None,
    dask: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> AbstractContextManager[Pool]:
    """Return a context with a pool that can run blocks of this plan.

    Parameters: plan; threads, default one per processor; dask, the address of a scheduler, or local:N, in place of
    threads; progress, called by the threads with the number of users that just finished.
    """
    return _threads(plan, threads, progress) if dask is None else _cluster(plan, dask)


@contextmanager
def _threads(plan: Plan, threads: int | None, progress: Callable[[int], None] | None) -> Iterator[Pool]:
    threads = threads or available_threads()
    with thread_pool(plan, threads) as executor:
        load_kernel(plan)
        most = threads if plan.keep_all else 2 * threads
        yield Pool(executor, plan, lambda: most, (progress,))


def _cluster(plan: Plan, address: str) -> AbstractContextManager[Pool]:
    from mirrorfield.execution.cluster import cluster_pool

    return cluster_pool(plan, address)
