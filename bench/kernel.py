"""Measure the kernel against the probe written by hand, in one run, and print a Markdown table.

Usage: uv run python bench/kernel.py [--rounds 7]

The probe (`roofline.cpp`, built here with g++) and every variant of the kernel take turns, so that a machine whose
speed drifts slows all of them alike; each figure is the median over rounds and each ratio the median of the ratios
within a round. The probe does less than the kernel (no maximum in its softmax, a transition without a table,
rough polynomials) and may fuse multiply and add; the kernel keeps strict IEEE arithmetic, but may use wider vectors
where the processor has them; NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES=+avx2,+fma,+bmi,+bmi2 in the environment
hold it to AVX2. A run is 16,384 users x 1000 steps, one user in twenty of them kept in the sample, as in a run of
400,000; the table of phases has as many user-steps in each column.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import probe
from peers_model import wide_scenario

import mirrorfield as mf
from mirrorfield.api import execute
from mirrorfield.arrays import IntArray
from mirrorfield.engine.rerun import rerun
from mirrorfield.kernel import plain
from mirrorfield.kernel.jit import entry
from mirrorfield.population.run import WIDTH, Plan, new_trace, plan_run, ready_for
from mirrorfield.streams import U64

USERS, STEPS, CATEGORIES = 16_384, 1000, (2, 4, 8, 16, 32)
WHOLE, PROBE, KERNEL = "whole run, K = 4, one thread", "probe, K = {}", "kernel, K = {}, one thread"


def best_of_three(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Return the seconds of the fastest of three."""
    best = float("inf")
    for _ in range(3):
        began = clock()
        work()
        best = min(best, clock() - began)
    return best


@entry
def run_without_fold(
    seed: Any, users: Any, steps: Any, task: Any, start: Any, profiles: Any, population: Any, trace: Any
) -> None:
    """Run people to the end, a trace's width at a time, and fold none."""
    width = trace.state.shape[1]
    for first in range(0, users, width):
        plain.run_batch(seed, U64(first), width // task.lanes, steps, task, start, profiles, population, trace)


def run_batches(plan: Plan, steps: IntArray) -> None:
    """Draw, loop and record every user of a plan, and fold none."""
    scenario = plan.scenario
    trace = new_trace(scenario, len(steps), WIDTH)
    code, seed = ready_for(scenario), U64(scenario.seed)
    run_without_fold(seed, scenario.users, steps, code.task, code.start, plan.profiles, plan.population, trace)


def kernel_rate(plan: Plan) -> float:
    """Return the user-steps per second of the compiled kernel (draw, loop, record), in millions: the best of 3."""
    return plan.scenario.users * plan.scenario.steps / best_of_three(lambda: run_batches(plan, plan.steps)) / 1e6


def phases(plan: Plan, rounds: int) -> dict[str, float]:
    """Return where the time of a whole run goes, in ns per user-step, by leaving out one phase after the other.

    The four take turns, and each counts with its fastest round: a machine whose speed drifts would otherwise make one
    phase longer and the next one shorter.
    """
    last, none = plan.steps[-1:], np.zeros(1, np.int64)
    batches = [lambda s=s: run_batches(plan, s) for s in (none, last, plan.steps)]
    works = [*batches, lambda: execute(plan, 1)]
    turns = [[best_of_three(work) for work in works] for _ in range(rounds)]
    drawn, looped, recorded, whole = np.min(turns, axis=0)
    parts = {"draw": drawn, "loop": looped - drawn, "record": recorded - looped, "fold and sample": whole - recorded}
    return {name: seconds / plan.scenario.users / plan.scenario.steps * 1e9 for name, seconds in parts.items()}


def rate(plan: Plan, threads: int, clock: Callable[[], float]) -> float:
    """Return the user-steps per second of a whole run (draw, loop, record, fold), in millions: the best of 3."""
    return plan.scenario.users * plan.scenario.steps / best_of_three(lambda: execute(plan, threads), clock) / 1e6


def reference_rate() -> float:
    """Return the arrays engine's user-steps per second, in millions."""
    began = time.process_time()
    rerun(plan_run(mf.Scenario(steps=200)), np.arange(2000))
    return 2000 * 200 / (time.process_time() - began) / 1e6


def measure(rounds: int) -> dict[str, list[float]]:
    """Return {what: one rate per round}."""
    plans = {k: plan_run(wide_scenario(USERS, STEPS, k)) for k in CATEGORIES}
    wide = plan_run(wide_scenario(8 * USERS, STEPS, 4))
    for plan in plans.values():
        execute(plan, 1)
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        probes = {k: probe.build(Path(folder), USERS, STEPS, k) for k in plans}
        for _ in range(rounds):
            for k, plan in plans.items():
                if binary := probes[k]:
                    rates.setdefault(PROBE.format(k), []).append(1e3 / min(probe.nanoseconds(binary)))
                rates.setdefault(KERNEL.format(k), []).append(kernel_rate(plan))
            rates.setdefault(WHOLE, []).append(rate(plans[4], 1, time.process_time))
            for threads in (1, 2):
                name = f"whole run, K = 4, {threads} thread(s), wall clock"
                rates.setdefault(name, []).append(rate(wide, threads, time.perf_counter))
            rates.setdefault("arrays engine, K = 4", []).append(reference_rate())
    return rates


def ratio(rates: dict[str, list[float]], top: str, bottom: str) -> str:
    """Return the median ratio of two rates within a round, with its range."""
    if top not in rates or bottom not in rates:
        return "not measured (needs g++)"
    values = [a / b for a, b in zip(rates[top], rates[bottom], strict=True)]
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    rates = measure(rounds)
    print("| what | M user-steps/s | ns per user-step | ns per category |\n|---|---|---|---|")
    for name, values in rates.items():
        median = statistics.median(values)
        k = int(name.split("K = ")[1].split(",")[0])
        print(f"| {name} | {median:.1f} | {1e3 / median:.2f} | {1e3 / median / k:.2f} |")
    print("\n| phase, K = 4, one thread, ns per user-step | " + " | ".join(f"T = {t}" for t in (100, STEPS)) + " |")
    print("|---|---|---|")
    short, long = (phases(plan_run(wide_scenario(USERS * STEPS // t, t, 4)), rounds) for t in (100, STEPS))
    for name in short:
        print(f"| {name} | {short[name]:.2f} | {long[name]:.2f} |")
    print(f"| all | {sum(short.values()):.2f} | {sum(long.values()):.2f} |")
    wall = "whole run, K = 4, {} thread(s), wall clock"
    print(f"\nThe probe has vectors of {32 * probe.lanes()} bits.\n\n| ratio | median (range) |\n|---|---|")
    for k in CATEGORIES:
        print(f"| kernel / probe, one thread, K = {k} | {ratio(rates, KERNEL.format(k), PROBE.format(k))} |")
    print(f"| whole run / probe, one thread, K = 4 | {ratio(rates, WHOLE, PROBE.format(4))} |")
    print(f"| two threads / one, K = 4 | {ratio(rates, wall.format(2), wall.format(1))} |")
    print(f"| kernel / arrays engine | {ratio(rates, KERNEL.format(4), 'arrays engine, K = 4')} |")


if __name__ == "__main__":
    main()
