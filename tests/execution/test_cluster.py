"""A Dask cluster of real processes: the same bytes as threads, whatever dies on the way."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.execution import cluster
from mirrorfield.execution.cluster import cluster_pool, parse_address

pytest.importorskip("distributed")
from distributed import Client, LocalCluster

SCENARIO = mf.Scenario(users=6000, steps=50, record={"users": 300, "steps": 9})
LENS = SCENARIO.model_copy(
    update={
        "reward": mf.Scenario(reward={"source": "ratings", "rate": 0.5}).reward,
        "retrieval": mf.Scenario(retrieval={"corpus": "posts", "retriever": "history", "count": 20}).retrieval,
    }
)
LONG = mf.Scenario(users=200_000, steps=400, record={"users": 300, "steps": 9})


def same(one: mf.Run, other: mf.Run) -> None:
    for a, b in zip((*one.part.totals, *one.part.sample), (*other.part.totals, *other.part.sample), strict=True):
        assert np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    """Yield the address of a cluster of two processes, which takes longer to start than a small run."""
    options = {"threads_per_worker": 1, "dashboard_address": None, "silence_logs": logging.CRITICAL}
    with LocalCluster(n_workers=2, processes=True, **options) as cluster:
        yield cluster.scheduler_address


@pytest.mark.slow
@pytest.mark.parametrize("block", [512, 1500])
def test_processes_give_the_bytes_that_threads_give(block: int, running: str) -> None:
    done: list[int] = []
    expected = mf.simulate(SCENARIO, threads=1)
    same(mf.simulate(SCENARIO, dask=running, block=block, progress=done.append), expected)
    assert sum(done) == 6000 and len(done) == -(-6000 // block)


@pytest.mark.slow
def test_labels_and_retrieval_travel_to_workers(running: str) -> None:
    expected = mf.simulate(LENS, threads=1)
    same(mf.simulate(LENS, dask=running, block=1500), expected)


@pytest.mark.slow
def test_a_killed_worker_costs_only_its_blocks(monkeypatch) -> None:
    killed = []

    class Watched(cluster.ClusterExecutor):
        def __init__(self, client: Client) -> None:
            super().__init__(client)
            self.pids = list(client.run(os.getpid).values())
            self.finished = 0

        def _settle(self, future, task) -> None:
            super()._settle(future, task)
            self.finished += 1
            if self.finished in (3, 20):
                os.kill(self.pids[len(killed)], signal.SIGKILL)
                killed.append(self.pids[len(killed)])

    monkeypatch.setattr(cluster, "ClusterExecutor", Watched)
    run = mf.simulate(LONG, dask="local:2", block=2500)
    assert len(set(killed)) == 2
    same(run, mf.simulate(LONG))


@pytest.mark.slow(20)
def test_ctrl_c_saves_what_the_workers_were_doing(tmp_path: Path) -> None:
    out, scenario = tmp_path / "x", mf.Scenario(users=200_000, steps=1000)
    command = [sys.executable, "-m", "mirrorfield", "run", "--users", "200000", "--steps", "1000", "--block", "1024"]
    while (ended := interrupted([*command, "--out", str(out), "--dask", "local:2"], out))[0] == 0:
        shutil.rmtree(out)  # it was faster than the signal
    assert ended[0] == 130, ended[1]
    assert f"mirrorfield resume {out}" in ended[1] and "Traceback" not in ended[1]
    assert 3 < len(list(out.glob("parts/*.part"))) < 196
    assert mf.simulate(scenario, out=out, resume=True).summary == mf.simulate(scenario).summary


def interrupted(command: list[str], out: Path) -> tuple[int, str]:
    """Send Ctrl-C to all processes of a run that has saved some blocks; return its exit code and what it said."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while process.poll() is None and len(list(out.glob("parts/*.part"))) <= 3:
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[1]
    return process.returncode, said


def started(role: str, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{role}", *options, "--no-dashboard"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_a_lost_scheduler_is_one_line(monkeypatch, tmp_path: Path) -> None:
    place = tmp_path / "scheduler.json"
    processes = [started("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(place))]
    try:
        while not (place.exists() and place.read_text(encoding="utf-8").rstrip().endswith("}")):
            assert processes[0].poll() is None
            time.sleep(0.02)
        address = json.loads(place.read_text(encoding="utf-8"))["address"]
        processes.append(started("worker", address, "--no-nanny", "--nthreads", "1"))
        monkeypatch.setattr(cluster, "WAIT_FOR_SCHEDULER", 60)
        same(mf.simulate(SCENARIO, dask=address, block=1500), mf.simulate(SCENARIO))
        endless = mf.Scenario(users=4_000_000, steps=1000)
        with pytest.raises(mf.MirrorfieldError, match=r"dask: the connection to tcp://127.0.0.1:[0-9]+ is lost"):
            mf.simulate(endless, dask=address, block=10_000, progress=lambda users: processes[0].kill())
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_workers_with_other_sources_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(cluster, "sources", lambda: ("0.0.1", "0" * 16))
    with pytest.raises(mf.InputError, match=r"worker.* runs mirrorfield .*, this process 0.0.1 with 0{16}; install"):
        mf.simulate(SCENARIO, dask="local:1")


@pytest.mark.parametrize("address", ["local", "local:", "local:0", "local:-1", "local:two", "scheduler:8786", ""])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(mf.InputError, match=r'dask: expected "local:2" \(processes .* or "tcp://scheduler:8786", got'):
        mf.simulate(SCENARIO, dask=address)
    assert parse_address("tcp://a:1") == "tcp://a:1"


def test_a_scheduler_that_is_not_there_is_one_line(monkeypatch) -> None:
    monkeypatch.setattr(cluster, "WAIT_FOR_SCHEDULER", 0.5)
    with pytest.raises(mf.MirrorfieldError, match=r"dask: no scheduler answers at tcp://127.0.0.1:9"):
        mf.simulate(SCENARIO, dask="tcp://127.0.0.1:9")


def test_without_the_extra_the_message_says_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(mf.InputError, match="pip install 'mirrorfield"), cluster_pool(None, "local:2"):
        pass


def test_importing_the_package_does_not_import_dask() -> None:
    code = "import sys, mirrorfield, mirrorfield.cli.main; assert not {'dask', 'distributed'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
