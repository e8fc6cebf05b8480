"""Measure what Dask needs for a block: processor time of scheduler, client and workers per task that computes nothing.

Usage: uv run --extra dask python bench/scheduler.py [--tasks 1000] [--workers 2 ...] [--json FILE]

The scheduler is a process of its own and so are the workers, all of them in one; each worker has one thread. Tasks are
handed out as a run hands out blocks, three for each worker, and bring back nothing, or a part as large as a block's.
What the processes take without tasks, by the second (they look at themselves all the time), is taken off.
"""

import argparse
import contextlib
import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

import mirrorfield as mf
from mirrorfield.execution.blocks import run_blocks
from mirrorfield.execution.cluster import ClusterExecutor, same_plan
from mirrorfield.population.run import Part, Plan, new_totals, new_trace, plan_run

HERE = Path(__file__).parent
WARM_UP = 200
IDLE_SECONDS = 5.0
SCHEDULER = """
import asyncio
from distributed import Scheduler

async def serve():
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await asyncio.Event().wait()

asyncio.run(serve())
"""
CROWD = """
import asyncio, contextlib, sys
from distributed import Worker

async def serve(address, count):
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(int(count)):
            worker = Worker(address, host="127.0.0.1", nthreads=1, memory_limit=None, dashboard=False)
            await stack.enter_async_context(worker)
        await asyncio.Event().wait()

asyncio.run(serve(*sys.argv[1:]))
"""


def nothing(plan: Plan, first_user: int, users: int) -> None:
    """Run a block of no work that leaves nothing behind."""


def empty_part(plan: Plan, first_user: int, users: int) -> Part:
    """Return a part of the size of a block's, with one person of it in the sample."""
    scenario, recorded = plan.scenario, len(plan.steps)
    totals, momentary = new_totals(scenario, recorded), new_totals(scenario, 1)
    return Part(first_user, users, totals, momentary, new_trace(scenario, recorded, 1))


@contextlib.contextmanager
def process(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run code in a process of its own, and end it."""
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=HERE) as child:
        try:
            yield child
        finally:
            child.kill()


def busy(number: int) -> float:
    """Return the processor seconds that a process has used."""
    times = psutil.Process(number).cpu_times()
    return float(times.user + times.system)


def timed(numbers: dict[str, int], work: Callable[[], None]) -> tuple[float, dict[str, float]]:
    """Return the wall time of some work, and the processor seconds per second of each process in it."""
    before, began = {name: busy(number) for name, number in numbers.items()}, time.perf_counter()
    work()
    wall = time.perf_counter() - began
    return wall, {name: (busy(number) - before[name]) / wall for name, number in numbers.items()}


def costs(workers: int, tasks: int) -> Iterator[dict[str, Any]]:
    """Yield milliseconds per task of scheduler, client and workers, and of wall time, by what a task brings back."""
    import scheduler as by_name  # so that a task travels by its name, as a block's does
    from distributed import Client

    plan = plan_run(mf.Scenario(users=8 * 10**9, steps=10_000))
    with process(SCHEDULER) as scheduler:
        address = scheduler.stdout.readline().strip()  # type: ignore[union-attr]
        with process(CROWD, address, str(workers)) as crowd, Client(address) as client:
            client.wait_for_workers(workers)
            executor = ClusterExecutor(client)
            handle = client.submit(same_plan, plan, pure=False)

            def go(run: Callable[..., Any], count: int) -> None:
                blocks = ((i, 1) for i in range(count))
                for _ in run_blocks(executor, handle, blocks, executor.in_flight, run=run):
                    pass

            numbers = {"scheduler": scheduler.pid, "client": psutil.Process().pid, "workers": crowd.pid}
            for run in (by_name.nothing, by_name.empty_part):
                go(run, WARM_UP)
                _, idle = timed(numbers, lambda: time.sleep(IDLE_SECONDS))
                wall, rates = timed(numbers, functools.partial(go, run, tasks))
                used = {name: (rates[name] - idle[name]) * wall / tasks * 1e3 for name in numbers}
                yield {"count": workers, "brings": run.__name__, "wall": wall / tasks * 1e3, "idle": idle} | used


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    print("| workers | a task brings back | scheduler, ms | client, ms | worker, ms | wall, ms |")
    print("|---|---|---|---|---|---|")
    found = []
    for workers in asked.workers:
        for row in costs(workers, asked.tasks):
            cells = f"| {workers} | {row['brings']} | {row['scheduler']:.2f} | {row['client']:.2f} "
            print(f"{cells}| {row['workers']:.2f} | {row['wall']:.2f} |", flush=True)
            found.append(row)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
