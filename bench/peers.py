"""Measure mirrorfield against its peers, in one run, each on one core: a probe by hand, NumPy and JAX.

Usage: python bench/peers.py [--users 100000] [--steps 100 1000] [--categories 4 16] [--rounds 5]
                             [--json FILE] [--check] [--avx2]

All run the same N users, T steps and K categories, random numbers and the fold at every log-spaced step included (the
probe does less, see README.md). In each round they take turns on the same core, and ratios are taken within a round.
Time is processor time; compilation is not in it, and is reported apart. With --check, NumPy and JAX must agree
with mirrorfield within 4 standard errors. With --avx2, mirrorfield, the probe and JAX may not use AVX-512.
"""

import argparse
import importlib
import importlib.util
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import probe
from peers_model import Figures, Model

MIRRORFIELD, PROBE, NUMPY, JAX = "mirrorfield", "probe, {} bits", "NumPy, tuned", "JAX"
PEERS = {
    MIRRORFIELD: ("peers_mirrorfield", {}),
    "NumPy, a user per row": ("peers_numpy_rows", {}),
    NUMPY: ("peers_numpy", {}),
    JAX: ("peers_jax", {}),
}
NARROW = {"NUMBA_CPU_NAME": "x86-64-v3", "NUMBA_CPU_FEATURES": "+avx2,+fma,+bmi,+bmi2"}
worker: dict[str, Any] = {}


def start(core: int, module: str, model: Model, options: dict[str, Any]) -> None:
    """Pin this process to a core, import a peer and let it compile."""
    pin(core)
    began = time.perf_counter()
    peer = importlib.import_module(module)
    imported = time.perf_counter()
    worker.update(peer=peer, model=model, run=peer.prepare(model, **options))
    worker.update(import_s=imported - began, prepare_s=time.perf_counter() - imported)


def set_environment(avx2: bool) -> None:
    """Set what compilers read when they are imported, for the peers' processes to inherit."""
    width = "--xla_cpu_max_isa=AVX2" if avx2 else "--xla_cpu_prefer_vector_width=512"
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen=false {width}"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ.update(NARROW if avx2 else {})


def pin(core: int) -> None:
    """Keep this process, and those it starts, on one core, where the system allows it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def prepared() -> dict[str, float]:
    """Return the seconds that a peer took to import and to compile."""
    return {name: worker[name] for name in ("import_s", "prepare_s")}


def turn(seed: int) -> float:
    """Run the peer once, and return the seconds of processor time."""
    began = time.process_time()
    worker["result"] = worker["run"](seed)
    return time.process_time() - began


def found() -> Figures:
    """Return the figures of the peer's last turn."""
    return worker["peer"].figures(worker["result"], worker["model"])


def absent() -> dict[str, str]:
    """Return the peers that cannot be imported here, and why."""
    missing = importlib.util.find_spec("jax") is None
    return {JAX: 'JAX is not installed; install the extra "bench"'} if missing else {}


def measure(model: Model, rounds: int, check: bool, avx2: bool) -> dict[str, Any]:
    """Run all peers in turn, `rounds` times, on one model."""
    core = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    skipped, turns, pools = absent(), {}, {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        binary = probe.build(folder, model.users, model.steps, model.categories, avx2)
        name = PROBE.format(32 * probe.lanes(avx2))
        if binary is None:
            skipped[name] = "it needs g++"
        else:
            size = model.users * model.steps
            turns[name] = lambda _: statistics.median(probe.nanoseconds(binary)) * 1e-9 * size
        for name, (module, options) in PEERS.items():
            if name not in skipped:
                arguments = (core, module, model, options)
                pool = ProcessPoolExecutor(1, get_context("spawn"), start, arguments)
                pools[name] = stack.enter_context(pool)
                turns[name] = in_pool(pool)
        ready = {name: pool.submit(prepared).result() for name, pool in pools.items()}
        pin(core)
        seconds = {name: [] for name in turns}
        for seed in range(1, rounds + 1):
            for name, take in turns.items():
                seconds[name].append(take(seed))
        agreement = (
            compare({name: pool.submit(found).result() for name, pool in pools.items()}, model) if check else None
        )
    return summarise(model, seconds) | {"prepared": ready, "skipped": skipped, "standard_errors": agreement}


def in_pool(pool: ProcessPoolExecutor) -> Callable[[int], float]:
    """Return the function that takes one turn in a peer's own process."""
    return lambda seed: pool.submit(turn, seed).result()


def summarise(model: Model, seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Return the times, and mirrorfield's speed as a multiple of each peer's, round by round."""
    ours = seconds[MIRRORFIELD]
    ratios = {name: [a / b for a, b in zip(taken, ours, strict=True)] for name, taken in seconds.items()}
    size = {"users": model.users, "steps": model.steps, "categories": model.categories}
    return size | {"seconds": seconds, "ratios": ratios}


def compare(found: dict[str, Figures], model: Model) -> dict[str, dict[str, float]]:
    """Return, by peer and figure, the largest difference from mirrorfield in standard errors."""
    ours = found.pop(MIRRORFIELD)
    return {name: distances(figures, ours, model.users) for name, figures in found.items()}


def distances(theirs: Figures, ours: Figures, users: int) -> dict[str, float]:
    """Return the largest difference of each figure over all recorded steps, in standard errors."""
    far = {}
    for name in ("share", "state", "locked_in"):
        a, b = getattr(theirs, name), getattr(ours, name)
        pooled = (a + b) / 2
        far[name] = in_errors(a - b, np.sqrt(2 * pooled * (1 - pooled) / users))
    far["reaction"] = in_errors(theirs.reaction - ours.reaction, theirs.spread * np.sqrt(2 / users))
    return far


def in_errors(difference: np.ndarray, error: np.ndarray) -> float:
    """Return the largest difference over its standard error; no difference is 0 whatever its error."""
    return float(np.max(np.abs(difference) / np.where(difference == 0, 1, error)))


def table(result: dict[str, Any]) -> str:
    """Return one model's figures as Markdown."""
    users, steps, categories = (result[name] for name in ("users", "steps", "categories"))
    lines = [
        f"\nN = {users:,}, T = {steps:,}, K = {categories}, one core\n",
        "| what | ns per user-step | M user-steps/s | mirrorfield's speed / its speed (range) | compile, s |",
        "|---|---|---|---|---|",
    ]
    for name, seconds in result["seconds"].items():
        each = statistics.median(seconds) / (users * steps)
        ratios = result["ratios"][name]
        ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        compiling = f"{result['prepared'][JAX]['prepare_s']:.1f}" if name == JAX else ""
        lines.append(f"| {name} | {each * 1e9:.2f} | {1e-6 / each:.2f} | {ratio} | {compiling} |")
    lines += [f"\nSkipped: {name}: {why}." for name, why in result["skipped"].items()]
    for name, far in (result["standard_errors"] or {}).items():
        lines.append(f"\n{name} and mirrorfield, in standard errors: " + describe(far))
    return "\n".join(lines)


def describe(far: dict[str, float]) -> str:
    """Return the largest differences in words."""
    return ", ".join(f"{name} {value:.1f}" for name, value in far.items())


def machine() -> dict[str, str]:
    """Return what the figures depend on besides the code."""
    names = [name for name in ("mirrorfield", "numba", "numpy", "jax") if importlib.util.find_spec(name)]
    return {"system": platform.platform(), "python": platform.python_version()} | {n: version(n) for n in names}


def options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description="Measure mirrorfield against a probe by hand, NumPy and JAX.")
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--steps", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--categories", type=int, nargs="+", default=[4, 16])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--avx2", action="store_true")
    chosen = parser.parse_args()
    if chosen.users < 1 or chosen.users % 1000:
        parser.error(f"--users: expected a multiple of 1000, got {chosen.users}")
    return chosen


def main() -> None:
    """Measure, print, and fail if a peer disagrees."""
    chosen = options()
    set_environment(chosen.avx2)
    results = []
    for categories in chosen.categories:
        for steps in chosen.steps:
            results.append(measure(Model(chosen.users, steps, categories), chosen.rounds, chosen.check, chosen.avx2))
            print(table(results[-1]), flush=True)
    if chosen.json:
        report = {"machine": machine(), "avx2": chosen.avx2, "results": results}
        chosen.json.write_text(json.dumps(report, indent=1), encoding="utf-8")
    checked = [far for result in results for far in (result["standard_errors"] or {}).values()]
    if any(value > 4 for far in checked for value in far.values()):
        raise SystemExit("A peer and mirrorfield differ by more than 4 standard errors.")


if __name__ == "__main__":
    main()
