"""Measure what a run costs as users, steps, categories and blocks grow, and predict runs on more cores.

Usage: uv run python bench/scaling.py [--most 100000000] [--threads 2] [--json FILE]

Three tables: seconds and peak memory by number of users, each in a process of its own; the cost model
seconds = N (d_K + a_K T + r_K C) + b blocks, C recorded steps, on one thread; and a queue simulation of cores that
hand parts through Dask's scheduler to one client, for 8e9 people x 10,000 interactions. What Dask needs for a part is
measured by scheduler.py.
"""

import argparse
import heapq
import json
import pickle
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import mirrorfield as mf
from mirrorfield.api import execute, job_for
from mirrorfield.population.run import Plan, block_size, plan_run, run_block
from mirrorfield.store.job import JOINED
from mirrorfield.store.parts import encode_part

HERE = Path(__file__).parent
STEPS = 100
PEOPLE, INTERACTIONS = 8 * 10**9, 10_000
SCHEDULER_SECONDS, CLIENT_SECONDS = 0.0030, 0.0025  # of Dask per part, by scheduler.py
ONE_SIZE = """
import resource, sys, time
import mirrorfield as mf
users, steps, threads = map(int, sys.argv[1:])
mf.simulate(mf.Scenario(users=10_000, steps=steps), threads=threads)
began = time.perf_counter()
run = mf.simulate(mf.Scenario(users=users, steps=steps), threads=threads)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def by_users(most: int, threads: int, rounds: int = 3) -> list[dict[str, float]]:
    """Return seconds, ns per user-step and peak memory in MB for N = 1e4, 1e5, ...: the median of some rounds."""
    rows: list[dict[str, float]] = []
    for users in (10**n for n in range(4, 10) if 10**n <= most):
        found = []
        for _ in range(rounds if users < 10**9 else 1):
            command = [sys.executable, "-c", ONE_SIZE, str(users), str(STEPS), str(threads)]
            found.append([float(word) for word in subprocess.check_output(command, text=True).split()])
        seconds, memory = (statistics.median(column) for column in zip(*found, strict=True))
        rows.append({"users": users, "seconds": seconds, "ns": seconds / users / STEPS * 1e9, "memory": memory})
        print(f"| {users:,} | {seconds:.3f} | {rows[-1]['ns']:.2f} | {memory:.0f} |", flush=True)
    return rows


def scenario(categories: int, users: int, steps: int) -> mf.Scenario:
    """Return a scenario with K categories and a sample that weighs nothing."""
    named = [mf.Category(name=f"c{i}", color="#000000") for i in range(categories)]
    profile = mf.Profile(mean=[0.2 + 0.1 * (i % 4) for i in range(categories)], std=0.3, up=0.2, down=0.2)
    record = mf.Record(users=users // 1000)
    return mf.Scenario(users=users, steps=steps, categories=named, reactive=profile, intentional=profile, record=record)


def seconds(plan: Plan, block: int | None = None) -> float:
    """Return the processor time of a run on one thread, the best of 3."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        execute(plan, 1, block)
        best = min(best, time.process_time() - began)
    return best


def cost_of(categories: int) -> dict[str, float]:
    """Return d, a and r in ns by least squares over runs of several lengths, and the largest relative error."""
    rows, cost = [], []
    for steps in (1, 10, 100, 300, 1000, 3000):
        users = 2**16 if steps <= 100 else 2**14
        plan = plan_run(scenario(categories, users, steps))
        execute(plan, 1)
        rows.append([1.0, steps, len(plan.steps)])
        cost.append(seconds(plan, users) / users * 1e9)
    weighted = np.array(rows) / np.array(cost)[:, None]
    (drawn, looped, recorded), *_ = np.linalg.lstsq(weighted, np.ones(len(cost)))
    error = float(np.abs(weighted @ [drawn, looped, recorded] - 1).max())
    return {"categories": categories, "d": float(drawn), "a": float(looped), "r": float(recorded), "error": error}


def cost_per_block() -> float:
    """Return b, seconds per block on one thread: the slope of time over the number of blocks."""
    plan = plan_run(scenario(4, 2**19, 10))
    few, many = (seconds(plan, block) for block in (2**15, 2**9))
    return (many - few) / (2**10 - 2**4)


def cost_of_a_part() -> tuple[float, int, int]:
    """Return the seconds that the client needs for one part as a job saves it, and its bytes sent and on the disk."""
    plan = plan_run(mf.Scenario(users=2**20, steps=INTERACTIONS))
    packed = [pickle.dumps(run_block(plan, first, 256)) for first in range(0, 2 * JOINED * 256, 256)]
    with tempfile.TemporaryDirectory(dir=HERE) as folder, job_for(plan, Path(folder) / "run", block=256) as job:
        began = time.perf_counter()
        for part in packed:
            job.save(pickle.loads(part))
        elapsed = time.perf_counter() - began
        saved = len(encode_part(pickle.loads(packed[0]), job.identity))
    return elapsed / len(packed), len(packed[0]), saved


def makespan(
    cores: int, blocks: int, block_seconds: float, scheduler_seconds: float, client_seconds: float, spread: float
) -> float:
    """Return the wall time of `blocks` tasks on `cores` workers whose parts queue at one scheduler, then at one client.

    A task takes block_seconds, give or take a relative `spread` (normal, seed 0); both take one part at a time.
    """
    rng = random.Random(0)
    free = [0.0] * cores
    done = []
    for _ in range(blocks):
        end = heapq.heappop(free) + block_seconds * max(0.1, rng.gauss(1, spread))
        done.append(end)
        heapq.heappush(free, end)
    scheduled = clock = 0.0
    for end in sorted(done):
        scheduled = max(scheduled, end) + scheduler_seconds
        clock = max(clock, scheduled) + client_seconds
    return clock


def predictions(
    model: dict[str, float], client_seconds: float, scheduler_seconds: float = SCHEDULER_SECONDS
) -> list[dict[str, Any]]:
    """Return wall time, core-hours and efficiency of 8e9 people x 10,000 interactions by cores and blocks."""
    plan = plan_run(mf.Scenario(users=PEOPLE, steps=INTERACTIONS))
    default = -(-PEOPLE // block_size(plan.scenario))
    per_user = model["d"] + model["a"] * INTERACTIONS + model["r"] * len(plan.steps)
    work = PEOPLE * per_user / 1e9
    rows = []
    for cores, blocks in [(n, default) for n in (2, 64, 1024, 4096)] + [(1024, 2**16), (4096, 2**14), (4096, 2**17)]:
        wall = makespan(cores, blocks, work / blocks, scheduler_seconds, client_seconds, 0.05)
        busy = {"scheduler": scheduler_seconds * blocks / wall, "client": client_seconds * blocks / wall}
        row = {"cores": cores, "blocks": blocks, "block_seconds": work / blocks, "wall": wall}
        rows.append(row | {"core_hours": cores * wall / 3600, "efficiency": work / cores / wall} | busy)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=10**8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    print(f"| users x {STEPS} steps | seconds | ns per user-step | peak MB |\n|---|---|---|---|")
    found: dict[str, Any] = {"by_users": by_users(asked.most, asked.threads)}
    print("\n| K | d, ns per user | a, ns per user-step | r, ns per user and recorded step | largest error |")
    print("|---|---|---|---|---|")
    found["by_categories"] = [cost_of(k) for k in (2, 4, 8, 16, 32)]
    for row in found["by_categories"]:
        print(f"| {row['categories']} | {row['d']:.0f} | {row['a']:.2f} | {row['r']:.1f} | {row['error']:.0%} |")
    found["block_seconds"] = cost_per_block()
    found["part_seconds"], found["part_bytes"], found["part_bytes_saved"] = cost_of_a_part()
    print(f"\nb = {found['block_seconds'] * 1e6:.0f} microseconds per block; the client needs", end=" ")
    sizes = f"{found['part_bytes'] / 1e3:.0f} kB, {found['part_bytes_saved'] / 1e3:.0f} kB on the disk"
    print(f"{found['part_seconds'] * 1e3:.2f} ms for a part of {sizes}\n")
    print("| cores | blocks | seconds per block | wall time, s | core-hours | efficiency | scheduler | client busy |")
    print("|---|---|---|---|---|---|---|---|")
    found["predictions"] = predictions(found["by_categories"][1], found["part_seconds"] + CLIENT_SECONDS)
    for row in found["predictions"]:
        cells = f"| {row['cores']:,} | {row['blocks']:,} | {row['block_seconds']:.1f} | {row['wall']:,.0f} "
        cells += f"| {row['core_hours']:.1f} | {row['efficiency']:.0%} "
        print(f"{cells}| {row['scheduler']:.1%} | {row['client']:.1%} |")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
