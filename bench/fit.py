"""Time and memory of a fit to a made log whose truth is known.

    uv run python bench/fit.py --people 1_000_000 --events 10_000_000

makes a log of so many events of so many people in 8 categories, as CSV or Parquet, fits it in a process of its own, and
prints the seconds, the largest resident memory, and how far the variances found are from those it was drawn with.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

KINDS, NOISE, TAU_USER, TAU_CELL = 8, 1.0, 0.4, 0.6
CHUNK = 1 << 20
COLUMNS = ("person", "kind", "reaction", "second")


def make(path: Path, people: int, events: int) -> None:
    """Write a log in chunks: people by chance, kinds by chance, reactions normal around each person's own means."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    rng = np.random.default_rng(1)
    taste = (TAU_USER * rng.standard_normal((people, 1)) + TAU_CELL * rng.standard_normal((people, KINDS))).astype("f4")
    schema = pa.schema(dict(zip(COLUMNS, (pa.int64(), pa.string(), pa.float64(), pa.int64()), strict=True)))
    kinds = pa.array([f"kind {i}" for i in range(KINDS)])
    opened = pa.csv.CSVWriter if path.suffix == ".csv" else pa.parquet.ParquetWriter
    with opened(path, schema) as writer:
        for start in range(0, events, CHUNK):
            size = min(CHUNK, events - start)
            who, what = rng.integers(people, size=size), rng.integers(KINDS, size=size)
            felt = np.round(taste[who, what] + NOISE * rng.standard_normal(size), 4)
            columns = [who, kinds.take(pa.array(what)), felt, np.arange(start, start + size)]
            writer.write_table(pa.table(columns, schema=schema))


def fit(path: Path) -> dict[str, float]:
    """Fit a log as `mirrorfield fit` does, and return seconds by stage, the peak of memory and what was found."""
    import resource

    from mirrorfield.calibration.fit import fit_log, population_dataset
    from mirrorfield.calibration.log import LogColumns, read_events
    from mirrorfield.calibration.scaling import scaling_of

    begun = time.perf_counter()
    log = read_events(path, LogColumns("person", "kind", "reaction", "second"))
    read = time.perf_counter()
    found = fit_log(log, scaling_of(log))
    population_dataset(found)
    done = time.perf_counter()
    p, width = found.profiles, found.scaling.width
    return {
        "read_s": read - begun, "fit_s": done - read, "cpu_s": time.process_time(),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "tau_user": p.tau_user * width / TAU_USER, "tau_cell": p.tau_cell * width / TAU_CELL,
        "sigma": p.sigma * width / NOISE,
    }  # fmt: skip


def main() -> None:
    """Make the log, fit it in a fresh process and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument(
        "--log", type=Path, default=Path("fit-bench.csv"), help="made if it is not there; .csv or .parquet"
    )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(fit(asked.log)))
        return
    if not asked.log.exists():
        make(asked.log, asked.people, asked.events)
    words = [sys.executable, __file__, "--child", "--log", str(asked.log)]
    told = json.loads(subprocess.run(words, check=True, capture_output=True, text=True, env=os.environ).stdout)
    for name, value in told.items():
        print(f"{name:10} {value:10.3f}")


if __name__ == "__main__":
    main()
