"""Runs that are killed, interrupted and continued, as a stranger does it: each call is a process of its own."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from mirrorfield.cli import stopping
from mirrorfield.cli.stopping import ECHO, Stop

from .forks import forks, mirrorfield

COMMAND = [sys.executable, "-m", "mirrorfield"]
SMALL = ("run", "--users", "2000", "--steps", "200", "--block", "16", "--threads", "1", "--set", "record.users=125")
LONG = ("run", "--users", "50_000_000", "--steps", "3000", "--out", "x")
HANG = 1800  # seconds after which a process will never answer; nothing waits for them to pass


def started(*words: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, *words], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def some_part(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait until the run has saved a part, or has ended."""
    while process.poll() is None and not list((folder / "parts").glob("*.part")):
        time.sleep(0.02)


def some_computing(process: subprocess.Popen[str]) -> None:
    """Wait until a thread of the run other than the main one, which compiles, has computed for a while."""
    watched = psutil.Process(process.pid)
    while not any(thread.user_time > 0.5 for thread in watched.threads() if thread.id != process.pid):
        assert process.poll() is None
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    done = mirrorfield(*SMALL, "--out", "x", "--quiet", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return data_files(folder / "x")


def data_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a result but the report, which tells the command that began the run, and its digest."""
    told = ("report.html", "SHA256SUMS")
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in told]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.slow(20)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(("keep", "count"), [("sample", 12), ("all", 4)])
def test_kills_at_random_moments_change_no_byte(keep: str, count: int, undisturbed, tmp_path: Path) -> None:
    """Each run is forked from a process that has loaded everything: a kill while Python starts would try nothing."""
    seed = int(os.environ.get("MIRRORFIELD_KILL_SEED", time.time_ns() % 10**6))
    luck, kills, runs = random.Random(seed), 0, 0
    print(f"seed {seed} (MIRRORFIELD_KILL_SEED)")
    words = [*SMALL, "--quiet", "--keep", keep]
    if keep == "all":  # each block has files of its own
        words += ["--block", "64"]
    with forks(page=False) as call:  # the page takes longest, and is not compared
        seconds = call(*words, "--out", "whole", cwd=tmp_path).seconds
        whole = data_files(tmp_path / "whole")
        assert whole.items() >= undisturbed.items()
        while kills < count:
            runs += 1
            resumed = [*words, "--resume", "--out", f"run-{runs}"]
            while kills < count:
                ended = call(*resumed, cwd=tmp_path, seconds=luck.uniform(0, 0.95 * seconds))
                if ended.returncode == 0:  # it was faster than any before: kill the next ones earlier
                    seconds = min(seconds, ended.seconds)
                    break
                assert ended.returncode == -signal.SIGKILL, ended.stderr
                kills += 1
            assert call(*resumed, cwd=tmp_path).returncode == 0
            assert data_files(tmp_path / f"run-{runs}") == whole, f"seed {seed}, run {runs}"
    print(f"{kills} kills in {runs} runs")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_the_blocks_and_says_how_to_go_on(number: int, code: int, tmp_path: Path) -> None:
    process = started(*LONG, cwd=tmp_path)
    some_part(process, tmp_path / "x")
    process.send_signal(number)
    _, errors = process.communicate(timeout=HANG)
    assert process.returncode == code, errors
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
    process = started(*LONG, "--block", "20_000_000", "--threads", "1", cwd=tmp_path)
    some_computing(process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "once more to end at once" not in process.stderr.readline():
        assert process.poll() is None
    while process.poll() is None:  # those that come at once are taken for an echo of the first
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    _, errors = process.communicate(timeout=HANG)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "mirrorfield: interrupted; continue with `mirrorfield resume x`"


def test_the_echo_of_a_signal_is_not_a_second_one(monkeypatch, tmp_path: Path, capfd) -> None:
    """A launcher passes on what the terminal has sent to the whole process group."""
    stop, now, ended = Stop(tmp_path), [100.0], []
    monkeypatch.setattr(stopping.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(stopping.os, "_exit", ended.append)
    assert not stop()
    for now[0] in (100.0, 100.05, 100.0 + 0.99 * ECHO):
        stop.handle(signal.SIGINT, None)
    assert stop() and stop.exit_code == 130 and ended == []
    assert capfd.readouterr().err.count("once more to end at once") == 1
    now[0] = 100.0 + 1.01 * ECHO
    stop.handle(signal.SIGINT, None)
    assert ended == [130] and "interrupted" in capfd.readouterr().err


def test_a_stopped_run_is_continued_from_elsewhere(undisturbed, tmp_path: Path) -> None:
    place = tmp_path / "here"
    place.mkdir()
    process = started(*SMALL, "--out", "x", cwd=place)
    some_part(process, place / "x")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=HANG)
    assert process.returncode in (0, 130)
    done = mirrorfield("resume", "here/x", "--json", cwd=tmp_path)
    assert done.stdout == undisturbed["summary.json"].decode()
    assert data_files(place / "x") == undisturbed

    finished = mirrorfield("resume", "here/x", cwd=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("here/x is finished; see it with `mirrorfield show here/x`")


def test_run_resume_without_other_words_takes_the_folder_s_scenario(undisturbed, tmp_path: Path) -> None:
    process = started(*SMALL, "--out", "x", cwd=tmp_path)
    some_part(process, tmp_path / "x")
    process.kill()
    process.communicate()
    done = mirrorfield("run", "--resume", "--out", "x", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["users"] == 2000
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
