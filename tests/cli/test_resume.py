"""Runs that are killed, interrupted and continued, as a stranger does it: each call is a process of its own."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "mirrorfield"]
SMALL = ("run", "--users", "8000", "--steps", "200", "--block", "64", "--threads", "1", "--set", "record.users=500")
LONG = ("run", "--users", "50_000_000", "--steps", "3000", "--out", "x")


def mirrorfield(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], cwd=cwd, capture_output=True, text=True, check=False)


def started(*words: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, *words], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def some_part(folder: Path) -> None:
    end = time.monotonic() + 300
    while not list((folder / "parts").glob("*.part")) and time.monotonic() < end:
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    done = mirrorfield(*SMALL, "--out", "x", "--quiet", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return data_files(folder / "x")


def data_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a result but the report, which tells the command that began the run."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "report.html"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def kill_once(place: Path, keep: str, luck: random.Random, seconds: float) -> str:
    """Start or continue the run, kill it at a random moment, and say what it was doing, or "done" if it was faster."""
    process = started(*SMALL, "--resume", "--out", "x", "--quiet", "--keep", keep, cwd=place)
    time.sleep(luck.uniform(0, seconds))
    process.kill()
    process.communicate()
    if process.returncode == 0:
        return "done"
    assert process.returncode == -signal.SIGKILL
    parts = len(list((place / "x/parts").glob("*.part")))
    return "finishing" if parts in (0, 125) and (place / "x/job.json").exists() else "running"


@pytest.mark.slow
@pytest.mark.parametrize(("keep", "count"), [("sample", 12), ("all", 4)])
def test_kills_at_random_moments_change_no_byte(keep: str, count: int, undisturbed, tmp_path: Path) -> None:
    seed = int(os.environ.get("MIRRORFIELD_KILL_SEED", time.time_ns() % 10**6))
    luck, kills, runs = random.Random(seed), [], 0
    print(f"seed {seed} (MIRRORFIELD_KILL_SEED)")
    began = time.monotonic()
    assert mirrorfield(*SMALL, "--out", "whole", "--quiet", "--keep", keep, cwd=tmp_path).returncode == 0
    seconds = 0.95 * (time.monotonic() - began)
    whole = data_files(tmp_path / "whole")
    assert whole.items() >= undisturbed.items()
    while len(kills) < count:
        runs += 1
        place = tmp_path / f"run-{runs}"
        place.mkdir()
        while len(kills) < count and (found := kill_once(place, keep, luck, seconds)) != "done":
            kills.append(found)
        done = mirrorfield(*SMALL, "--resume", "--out", "x", "--quiet", "--keep", keep, cwd=place)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert data_files(place / "x") == whole, f"seed {seed}, run {runs}"
    print(f"{len(kills)} kills in {runs} runs, {kills.count('finishing')} of them after the last block")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_the_blocks_and_says_how_to_go_on(number: int, code: int, tmp_path: Path) -> None:
    process = started(*LONG, cwd=tmp_path)
    some_part(tmp_path / "x")
    asked = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert time.monotonic() - asked < 20
    last = errors.splitlines()[-1]
    assert last.startswith("mirrorfield: stopped after ")
    assert last.endswith("of 50,000,000 users; continue with `mirrorfield resume x`")
    assert not list((tmp_path / "x/parts").glob(".*"))

    shown = mirrorfield("show", "x", cwd=tmp_path)
    assert shown.returncode == 2
    assert "x is not finished: " in shown.stderr and "continue with `mirrorfield resume x`" in shown.stderr
    again = mirrorfield(*LONG, cwd=tmp_path)
    assert again.returncode == 2
    assert "`mirrorfield resume x`, or replace it with --overwrite" in again.stderr


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    mirrorfield("run", "--users", "10", "--steps", "1", cwd=tmp_path)  # from here on the kernel is compiled
    process = started(*LONG, "--block", "400_000", "--threads", "1", cwd=tmp_path)
    some_part(tmp_path / "x")  # from here on it listens, and the next block takes many seconds
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "once more to end at once" not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "mirrorfield: interrupted; continue with `mirrorfield resume x`"


@pytest.mark.slow
def test_the_echo_of_a_signal_is_not_a_second_one(tmp_path: Path) -> None:
    """A launcher passes on what the terminal has sent to the whole process group."""
    process = started(*LONG, cwd=tmp_path)
    some_part(tmp_path / "x")
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith("mirrorfield: stopped after")


def test_a_stopped_run_is_continued_from_elsewhere(undisturbed, tmp_path: Path) -> None:
    place = tmp_path / "here"
    place.mkdir()
    process = started(*SMALL, "--out", "x", cwd=place)
    some_part(place / "x")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    done = mirrorfield("resume", "here/x", "--json", cwd=tmp_path)
    assert done.stdout == undisturbed["summary.json"].decode()
    assert data_files(place / "x") == undisturbed

    finished = mirrorfield("resume", "here/x", cwd=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("here/x is finished; see it with `mirrorfield show here/x`")


def test_run_resume_without_other_words_takes_the_folder_s_scenario(undisturbed, tmp_path: Path) -> None:
    process = started(*SMALL, "--out", "x", cwd=tmp_path)
    some_part(tmp_path / "x")
    process.kill()
    process.communicate()
    done = mirrorfield("run", "--resume", "--out", "x", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["users"] == 8000
    assert data_files(tmp_path / "x") == undisturbed


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("resume", "nowhere"), "nowhere: no such folder"),
        (("resume", "taken"), "taken is not a run that can be continued: expected job.json in it"),
        (("run", "--resume"), "--resume: expected --out DIR"),
        (("run", "--keep", "some", "--out", "x"), "'some' is not one of 'sample', 'all'"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(words, line, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    done = mirrorfield(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert line in done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("mirrorfield: ")


def test_a_cold_cache_is_told(tmp_path: Path) -> None:
    words = [*COMMAND, "run", "--users", "10", "--steps", "5", "--out", "x"]
    more = {"env": os.environ | {"MIRRORFIELD_CACHE_DIR": str(tmp_path / "cache")}}
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True, **more)
    assert "mirrorfield: kernel compiled in " in done.stderr
