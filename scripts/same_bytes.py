"""Run a few scenarios again and again in other circumstances, and compare what is written, bit by bit.

    uv run python scripts/same_bytes.py [--quick] [--only AXIS ...]

Prints a table: one row for each circumstance, `same` or what differs from the first row. Exits 1 on a difference.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

KEPT = ("summary.json", "result.zarr", "users.zarr", "values")
FIXED: dict[str, Any] = {"users": 1501, "steps": 48, "seed": 5, "record": {"steps": 12}}
SCENARIOS: dict[str, dict[str, Any]] = {
    "plain": {},
    "swap": {"intervention": {"swap": 0.5, "friction": 0.2, "exploration": 0.1, "quota": 0.8, "at": 10}},
    "groups": {"policy": {"rule": "grpo", "learning_rate": 0.3, "beta": 0.1}},
    "sessions": {"policy": {"rule": "ppo", "horizon": 8, "learning_rate": 0.3}},
    "lens": {
        "reward": {"source": "mixture", "weight": 0.3, "rate": 0.8},
        "context": {"kappa": 0.7, "memory": 10.0, "priming": 0.5},
        "retrieval": {"corpus": "posts", "retriever": "history", "count": 6, "refresh": 16},
    },
}
FEW = ("swap", "sessions")  # where every kernel has to be compiled anew
INSTRUCTIONS = {
    "generic": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    "sse4.2": {"NUMBA_CPU_NAME": "nehalem", "NUMBA_CPU_FEATURES": ""},
    "avx2": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""},
}
WIDE = {
    "512 bits": {"NUMBA_CPU_NAME": "skylake-avx512", "NUMBA_CPU_FEATURES": "-prefer-256-bit"},
    "512 in 256 bits": {"NUMBA_CPU_NAME": "skylake-avx512", "NUMBA_CPU_FEATURES": "+prefer-256-bit"},
}
BLAS = ("Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen")
PYTHONS = ("3.11", "3.12", "3.13")


@dataclass(frozen=True)
class Case:
    """One circumstance: what `simulate` is told."""

    name: str
    threads: int = 1
    block: int | None = 512
    dask: str | None = None
    interrupted: bool = False


@dataclass(frozen=True)
class Worker:
    """One process: its environment, and the cases it goes through."""

    axis: str
    cases: tuple[Case, ...]
    env: dict[str, str] = field(default_factory=dict)
    scenarios: tuple[str, ...] = tuple(SCENARIOS)
    python: tuple[str, ...] = (sys.executable,)


BASE = Case("1 thread, blocks of 512")
TWO = Case("2 threads", threads=2)


def of_blocks(*sizes: int) -> tuple[Case, ...]:
    """Return runs in blocks of other sizes."""
    return tuple(Case(f"blocks of {size}", block=size) for size in sizes)


def quick() -> Iterator[Worker]:
    """Yield the few processes that CI can afford: a small block has fewer people than the lanes of the kernel."""
    yield Worker("blocks, threads", (BASE, *of_blocks(100, 700), TWO))
    yield Worker("NumPy", (Case("no SIMD beyond the baseline"),), {"NPY_DISABLE_CPU_FEATURES": numpy_features()}, FEW)


def full() -> Iterator[Worker]:
    """Yield every process of the matrix that this machine can run."""
    more = (Case("default block", block=None), Case("4 threads", threads=4))
    yield Worker("blocks, threads", (BASE, *of_blocks(33, 700), TWO, *more))
    yield Worker("interruption", (Case("stopped twice and resumed", interrupted=True, block=512),))
    yield Worker("Dask", (Case("local:2", dask="local:2"),))
    yield Worker("NumPy", (Case("no SIMD beyond the baseline"),), {"NPY_DISABLE_CPU_FEATURES": numpy_features()})
    for name in BLAS:
        yield Worker("OpenBLAS", (Case(name),), {"OPENBLAS_CORETYPE": name})
    wide = WIDE if "avx512f" in Path("/proc/cpuinfo").read_text() else {}
    for name, env in (INSTRUCTIONS | wide).items():
        yield Worker("kernel", (Case(name),), env, FEW)
    for version in PYTHONS:
        uv = ("uv", "run", "--frozen", "--isolated", "--all-extras", "--no-group", "dev", "--python", version, "python")
        yield Worker("Python", (Case(version),), python=uv)


def numpy_features() -> str:
    """Return the instruction sets that NumPy found here beyond those it was built for."""
    import numpy as np

    return " ".join(np.show_config("dicts")["SIMD Extensions"].get("found", []))


def sha(parts: Iterator[bytes]) -> str:
    """Return a SHA-256 over parts, each with its length."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def of_files(place: Path) -> Iterator[bytes]:
    """Yield the name and the content of a file, or of every file in a folder."""
    for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if file.is_file():
            yield file.relative_to(place.parent).as_posix().encode()
            yield file.read_bytes()


def of_values(folder: Path) -> Iterator[bytes]:
    """Yield every variable of both tables, whatever files it is stored in."""
    import xarray as xr

    for name in ("result.zarr", "users.zarr"):
        with xr.open_zarr(folder / name, consolidated=False, chunks=None) as data:
            yield repr(sorted(data.attrs.items())).encode()
            for key in sorted(map(str, data.variables)):
                values = data[key].to_numpy()
                text = values.dtype.kind in "OTU"
                yield repr((key, data[key].dims, "text" if text else values.dtype.str)).encode()
                yield repr(values.tolist()).encode() if text else values.tobytes()


def interrupt(scenario: Any, folder: Path) -> None:
    """Stop a run after a block, twice, and let it go on."""
    from mirrorfield.api import execute, job_for, prepare
    from mirrorfield.errors import StoppedError

    plan = prepare(scenario, None, 1, 512, True)
    for stops in (True, True, False):
        looks = iter((False, stops))
        with job_for(plan, folder, block=512, resume=True) as job, suppress(StoppedError):
            execute(plan, 1, job=job, stopped=lambda looks=looks, stops=stops: next(looks, stops))


def work(cases: list[Case], scenarios: list[str]) -> dict[str, dict[str, dict[str, str]]]:
    """Run every case and return what it wrote: {case: {scenario: {what: SHA-256}}}."""
    from mirrorfield import Scenario, simulate
    from mirrorfield.report import page

    page.write_report = lambda *told: ""  # it takes longest, and holds the command: no part of the promise
    found: dict[str, dict[str, dict[str, str]]] = {}
    for case in cases:
        for name in scenarios:
            scenario = Scenario(**(FIXED | SCENARIOS[name]))
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place) / "run"
                if case.interrupted:
                    interrupt(scenario, folder)
                else:
                    told = {"threads": case.threads, "block": case.block, "dask": case.dask}
                    simulate(scenario, out=folder, keep_all=True, **told)
                files = {what: sha(of_files(folder / what)) for what in KEPT[:-1]}
                found.setdefault(case.name, {})[name] = files | {"values": sha(of_values(folder))}
    return found


def start(worker: Worker) -> dict[str, dict[str, dict[str, str]]]:
    """Return what the cases of a worker wrote, each in a process with the worker's environment."""
    words = json.dumps({"cases": [asdict(case) for case in worker.cases], "scenarios": worker.scenarios})
    command = [*worker.python, str(Path(__file__).resolve()), "--worker", words]
    ended = subprocess.run(command, env=os.environ | worker.env, stdout=subprocess.PIPE, text=True)
    if ended.returncode:
        raise SystemExit(f"{worker.axis}: {worker.cases[0].name}: the process ended with {ended.returncode}")
    return json.loads(ended.stdout.splitlines()[-1])


def compare(case: Case, found: dict[str, dict[str, str]], base: dict[str, dict[str, str]]) -> list[str]:
    """Return what differs from the first case. With other blocks, users.zarr has other chunks: its values count."""
    ours = KEPT if case.block == BASE.block else [what for what in KEPT if what != "users.zarr"]
    return [f"{name}: {what}" for name in found for what in ours if found[name][what] != base[name][what]]


def main() -> None:
    """Print the table; exit 1 on a difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only blocks, threads and NumPy's instruction sets")
    parser.add_argument("--only", nargs="*", help="only these axes, beside the first")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        told = json.loads(asked.worker)
        print(json.dumps(work([Case(**case) for case in told["cases"]], told["scenarios"])))
        return
    base, failed = None, False
    print(f"{platform.machine()}, Python {platform.python_version()}, {', '.join(SCENARIOS)}")
    print("| axis | circumstance | scenarios | files and values |\n|---|---|---|---|", flush=True)
    for worker in quick() if asked.quick else full():
        if base and asked.only and worker.axis not in asked.only:
            continue
        found = start(worker)
        base = base or found[BASE.name]
        for case in worker.cases:
            differing = compare(case, found[case.name], base)
            failed = failed or bool(differing)
            row = (worker.axis, case.name, str(len(worker.scenarios)), ", ".join(differing) or "same")
            print("| " + " | ".join(row) + " |", flush=True)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
