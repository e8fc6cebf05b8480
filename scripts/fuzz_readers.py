"""Feed hostile files to every reader: `uv run python scripts/fuzz_readers.py --inputs 20000 --seed 1`.

Each input is a valid file of which parts were replaced, cut, repeated or flipped, or bytes from nowhere. It must be
accepted, or refused by an InputError of one line. Anything else is a fault: another exception, a folder half begun,
more than 10 seconds or 3 GiB, a process that dies, or a file that only code from the input could have written.
"""

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from hostile.arrays import corpora, npys, populations, read_corpus_file, read_people, read_rewards
from hostile.logs import parquet_files, read_catalogue, read_reactions, tables
from hostile.mutate import Reader
from hostile.texts import (
    FULL,
    GRID,
    POINT,
    SUMMARY,
    SWEEP,
    TICKET,
    jsons,
    plain,
    read_change,
    read_embedding,
    read_job,
    read_scenario,
    read_settings,
    read_summary,
    read_sweep,
    read_sweep_point,
    toml_files,
    words,
)
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from mirrorfield.errors import InputError
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.scenario import Scenario

SECONDS, ROOM = 10, 3 * 2**30
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None
READERS = {
    "scenario TOML": Reader(16, toml_files(plain(Scenario()), FULL), read_scenario),
    "embedding TOML": Reader(6, toml_files(plain(EmbeddingScenario())), read_embedding),
    "sweep TOML": Reader(12, toml_files(SWEEP, GRID), read_sweep),
    "--set": Reader(8, st.lists(words, max_size=2), read_settings),
    "--change": Reader(6, words | st.lists(words, max_size=2).map(" ".join), read_change),
    "log CSV": Reader(8, tables, read_reactions),
    "items CSV": Reader(4, tables, read_catalogue),
    "log Parquet": Reader(6, parquet_files(), lambda folder, data: read_reactions(folder, data, "log.parquet")),
    "corpus npz": Reader(10, corpora, read_corpus_file),
    "rewards npy": Reader(8, npys, read_rewards),
    "population Zarr": Reader(16, populations(), read_people),
    "summary JSON": Reader(5, jsons(SUMMARY), read_summary),
    "job JSON": Reader(5, jsons(TICKET | {"checksum": "x"}), read_job),
    "point JSON": Reader(3, jsons(POINT), read_sweep_point),
}


class OverTime(BaseException):
    """The input took too long; no reader may swallow this."""


def outcome(reader: Reader, data: Any) -> str:
    """Return "accepted" or "refused", or what went wrong and where."""
    with tempfile.TemporaryDirectory(dir=FAST) as place:
        canary = Path(place, "canary")
        folder = Path(place, "in")
        folder.mkdir()
        os.environ["MIRRORFIELD_CANARY"] = str(canary)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            reader.read(folder, data)
            found = "accepted"
        except InputError as error:
            found = "refused" if len(str(error)) < 2000 else f"a line of {len(str(error))} characters"
        except (Exception, OverTime) as error:
            frames = [f for f in traceback.extract_tb(error.__traceback__) if "mirrorfield" in f.filename]
            spot = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
            found = f"{type(error).__name__} at {spot}: {str(error).splitlines()[0][:90] if str(error) else ''}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return "code ran" if canary.exists() else found


def _over(*_: Any) -> None:
    raise OverTime


def feed(name: str, inputs: int, number: int | None = None) -> Counter[str]:
    """Return how often each outcome came, over inputs made from a seed, or over the same ones every time."""
    counted: Counter[str] = Counter()
    signal.signal(signal.SIGALRM, _over)

    @settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=number is None,
    )
    @given(READERS[name].inputs)
    def one(data: Any) -> None:
        found = outcome(READERS[name], data)
        if found not in ("accepted", "refused") and found not in counted and os.environ.get("FUZZ_SHOW"):
            print(name, found, repr(data)[-300:], file=sys.stderr, flush=True)
        counted[found] += 1

    (one if number is None else seed(number)(one))()
    return counted


def in_child(name: str, inputs: int, number: int) -> tuple[Counter[str], int]:
    """Return what `feed` counts in a process of its own with bounded memory, and the most that it took, in MiB."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
        warnings.simplefilter("ignore")
        counted = feed(name, inputs, number)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        os.write(writing, json.dumps([dict(counted), peak]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if not said:
        return Counter({f"the process died with status {status}": 1}), 0
    counted, peak = json.loads(said)
    return Counter(counted), peak


def main() -> None:
    """Feed every reader its share of the inputs, print a table, and exit with 1 if anything was neither."""
    options = argparse.ArgumentParser()
    options.add_argument("--inputs", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default="")
    asked = options.parse_args()
    chosen = {name: reader for name, reader in READERS.items() if asked.only in name}
    shares = sum(reader.share for reader in chosen.values())
    print(
        "| reader | inputs | accepted | refused | faults | seconds | peak memory, MiB |\n|---|---|---|---|---|---|---|"
    )
    faults: list[str] = []
    for name, reader in chosen.items():
        began = time.perf_counter()
        counted, peak = in_child(name, -(-asked.inputs * reader.share // shares), asked.seed)
        wrong = {what: n for what, n in counted.items() if what not in ("accepted", "refused")}
        faults += [f"{name}: {n} times {what}" for what, n in wrong.items()]
        cells = (counted.total(), counted["accepted"], counted["refused"], sum(wrong.values()))
        print(
            f"| {name} | {' | '.join(f'{n:,}' for n in cells)} | {time.perf_counter() - began:.0f} | {peak:,} |",
            flush=True,
        )
    print("\n".join(faults))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
