"""Processes that start, continue, replace and kill each other's run in one folder: exactly one at a time is in it.

    uv run python scripts/races.py --pairs 200 --triples 50

Each group gets a new place. Its processes call the real command line within a few hundredths of a second of each other,
and a signal (SIGINT, SIGTERM, SIGKILL) ends some of them at a random moment. They are forked from one that has loaded
everything, since the start of Python would otherwise hide the races, and their page is a stub, since it is not
compared. For every group the script checks that

* no two processes were in the folder at the same time;
* who did not get in said in one line who holds the folder, or what stands there, and ended with exit code 2;
* no process ended in any other way than by its end, a refusal or its signal, and without a traceback;
* where nothing was killed and nothing replaced, exactly one process ran the job to its end;
* what is there after one more `run --resume` is, byte for byte, what an undisturbed run writes.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from pathlib import Path

import mirrorfield.report.page
from mirrorfield.cli.main import main
from mirrorfield.store import job

RUN = ("run", "--users", "1024", "--steps", "40", "--block", "64", "--threads", "1", "--set", "record.users=64")
KEEP, SEEDS = ("sample", "all"), ("1", "2")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
HELD = re.compile(r"x is in use by process (\d+) on \S+ since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; wait until that ends")
REFUSED = (
    "x is not finished: ",
    "x exists already; choose another --out, or replace it with --overwrite",
    "x: no such folder",
    "x is not a run that can be continued",
    "x holds another run: seed: ",
)


@dataclass
class Process:
    """One process of a group: its words, when it starts, what ends it and when."""

    words: tuple[str, ...]
    delay: float
    signal: int | None
    after: float
    pid: int = 0
    code: int | None = None
    sent: float = inf


@dataclass
class Tally:
    """What happened in all groups."""

    found: Counter = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def watch(log: Path) -> None:
    """Let every process write when it enters the folder, leaves it and has finished the run."""
    opening, finish = job.open_job, job.Job.finish

    def tell(what: str) -> None:
        with log.open("a") as file:
            file.write(json.dumps([os.getpid(), what, time.monotonic()]) + "\n")

    @contextmanager
    def told(*words, **more):
        with opening(*words, **more) as held:
            tell("enter")
            try:
                yield held
            finally:
                tell("leave")

    def finished(held, *words):
        finish(held, *words)
        tell("finish")

    job.open_job, job.Job.finish = told, finished


def call(words: tuple[str, ...], place: Path, name: str) -> int:
    """Fork a process that calls the command line in a folder; return its id."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        os.chdir(place)
        for number, stream in ((1, "out"), (2, "err")):
            os.dup2(os.open(place / f"{name}.{stream}", os.O_WRONLY | os.O_CREAT, 0o644), number)
        watch(place / "log")
        sys.argv = ["mirrorfield", *words]
        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def draw(luck: random.Random, count: int, span: float) -> tuple[list[Process], str]:
    """Return the processes of a group and what all keep; three groups of ten are neither killed nor replaced.

    Parameters: luck; count of processes; span, the seconds within which they start.
    """
    keep, calm, processes = luck.choice(KEEP), luck.random() < 0.3, []
    for _ in range(count):
        kinds = ("resume", "start") if calm else ("resume", "resume", "start", "overwrite", "overwrite", "go on")
        kind, seed = luck.choice(kinds), "1" if calm else luck.choice((*SEEDS, "1"))
        run = (*RUN, "--keep", keep, "--seed", seed, "--out", "x", "--quiet")
        words = {
            "resume": (*run, "--resume"),
            "start": run,
            "overwrite": (*run, "--overwrite"),
            "go on": ("resume", "x", "--quiet"),
        }[kind]
        number = None if calm or luck.random() < 0.4 else luck.choice(SIGNALS)
        processes.append(Process(words, luck.choice((0, luck.uniform(0, span))), number, luck.uniform(0, 1.5 * span)))
    return processes, keep


def play(processes: list[Process], place: Path) -> None:
    """Start the processes of a group, send their signals, and wait for all."""
    began = time.monotonic()
    events = sorted(
        [(p.delay, n, "start") for n, p in enumerate(processes)]
        + [(p.delay + p.after, n, "signal") for n, p in enumerate(processes) if p.signal]
    )
    for when, n, what in events:
        time.sleep(max(0.0, began + when - time.monotonic()))
        process = processes[n]
        if what == "start":
            process.pid = call(process.words, place, str(n))
        elif process.code is None and os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            process.sent = time.monotonic()
            os.kill(process.pid, process.signal or 0)
    waiting = {process.pid: process for process in processes}
    while waiting:
        pid, status = os.waitpid(-1, 0)
        waiting.pop(pid).code = os.waitstatus_to_exitcode(status)


def files(folder: Path) -> dict[str, bytes]:
    """Return the files of a result but the page."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "report.html"
    }


def check_ends(processes: list[Process], place: Path) -> list[str]:
    """Return what is wrong with how the processes of a group ended."""
    wrong, known = [], {str(process.pid) for process in processes}
    for n, process in enumerate(processes):
        said = (place / f"{n}.err").read_text() if (place / f"{n}.err").exists() else ""
        last = said.splitlines()[-1] if said else ""
        held = HELD.search(last)
        killed = {-process.signal, 128 + process.signal} if process.signal else set()
        if process.code not in {0, 2} | killed or "Traceback" in said:
            wrong.append(f"process {n} ended with {process.code}: {said}")
        elif process.code == 2 and not (held and held[1] in known) and not any(line in last for line in REFUSED):
            wrong.append(f"process {n} was refused with: {said}")
    return wrong


def check_log(processes: list[Process], place: Path) -> list[str]:
    """Return what is wrong with who was in the folder when."""
    lines = [json.loads(line) for line in (place / "log").read_text().splitlines()] if (place / "log").exists() else []
    times = {(pid, what): when for pid, what, when in lines}
    stays = sorted(  # a process that was killed left no earlier than it was sent its signal
        (when, min(times.get((pid, "leave"), inf), process.sent), pid)
        for process in processes
        if (when := times.get(((pid := process.pid), "enter")))
    )
    wrong = [
        f"process {b[2]} entered {a[1] - b[0]:.3f} s before process {a[2]} had left"
        for a, b in pairwise(stays)
        if b[0] < a[1]
    ]
    calm = all(process.signal is None and "--overwrite" not in process.words for process in processes)
    finished = sum(what == "finish" for _, what, _ in lines)
    if calm and finished != 1:
        wrong.append(f"{finished} processes ran the job to its end")
    return wrong


def check_result(place: Path, keep: str, whole: dict[tuple[str, str], dict[str, bytes]]) -> list[str]:
    """Continue what is there to its end, and return how it differs from an undisturbed run."""
    fresh = not (place / "x").exists()
    words = (*RUN, "--keep", keep, "--seed", "1") if fresh else ("run",)
    pid = call((*words, "--resume", "--out", "x", "--quiet"), place, "last")
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        return [f"the last run ended with {code}: {(place / 'last.err').read_text()}"]
    seed = str(json.loads((place / "x/summary.json").read_text())["seed"])
    found, wanted = files(place / "x"), whole[seed, keep]
    differing = [name for name in found | wanted if found.get(name) != wanted.get(name)]
    beside = [path.name for path in place.glob(".x*") if path.name not in (".x.partial", ".x.old")]
    return [f"files differ: {differing[:5]}"] * bool(differing) + [f"left beside: {beside}"] * bool(beside)


def race(seed: int, count: int, whole: dict[tuple[str, str], dict[str, bytes]], span: float, tally: Tally) -> None:
    """Play one group of processes, check it, and count what happened."""
    processes, keep = draw(random.Random(seed), count, span)
    place = Path(tempfile.mkdtemp(prefix="race-"))
    play(processes, place)
    wrong = check_ends(processes, place) + check_log(processes, place) + check_result(place, keep, whole)
    for n, process in enumerate(processes):
        said = (place / f"{n}.err").read_text() if (place / f"{n}.err").exists() else ""
        tally.found["held" if HELD.search(said) else process.code] += 1
        tally.found["processes"] += 1
    tally.failures += [f"group {seed} of {count}: {line}" for line in wrong]
    for line in wrong:
        print(f"group {seed} of {count}: {line}", flush=True)
    shutil.rmtree(place)


def undisturbed() -> tuple[dict[tuple[str, str], dict[str, bytes]], float]:
    """Return the files of undisturbed runs by seed and what they keep, and the seconds of one; loads everything."""
    whole, seconds = {}, inf
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            for keep in KEEP:
                out = f"{folder}/{seed}-{keep}"
                sys.argv = ["mirrorfield", *RUN, "--keep", keep, "--seed", seed, "--out", out, "--quiet"]
                began = time.monotonic()
                try:
                    main()
                except SystemExit as ended:
                    assert not ended.code, ended.code
                seconds = min(seconds, time.monotonic() - began)
                whole[seed, keep] = files(Path(out))
    return whole, seconds


def races(seed: int, pairs: int, triples: int) -> Tally:
    """Play all groups; the first has the seed, the next one more."""
    mirrorfield.report.page.write_report = lambda *_: "<html></html>\n"
    (whole, span), tally = undisturbed(), Tally()
    for n in range(pairs + triples):
        race(seed + n, 2 if n < pairs else 3, whole, span, tally)
        if n % 25 == 24:
            print(f"{n + 1} groups, {len(tally.failures)} failures", flush=True)
    return tally


def ask() -> None:
    """Read the command line, play, and end with exit code 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--triples", type=int, default=50)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    words = parser.parse_args()
    print(f"seed {words.seed}", flush=True)
    began = time.monotonic()
    tally = races(words.seed, words.pairs, words.triples)
    counts = ", ".join(f"{name}: {count}" for name, count in sorted(tally.found.items(), key=str))
    seconds = time.monotonic() - began
    print(f"{words.pairs} pairs, {words.triples} triples in {seconds:.0f} s; {counts}; {len(tally.failures)} failures")
    sys.exit(bool(tally.failures))


if __name__ == "__main__":
    ask()
