"""Where blocks run does not matter, and a missing cluster is told."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

import mirrorfield as mf
from mirrorfield.execution.pools import Pool, load_kernel
from mirrorfield.population.run import Plan, plan_run

SCENARIO = mf.Scenario(users=600, steps=20, record={"users": 100})


@contextmanager
def cluster_pool(plan: Plan, address: str) -> Iterator[Pool]:
    assert address == "tcp://somewhere:8786"
    with ThreadPoolExecutor(1) as executor:
        yield Pool(executor, plan, 2)


def test_a_cluster_gives_the_same_result_and_its_parts_are_progress(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "mirrorfield.execution.cluster", SimpleNamespace(cluster_pool=cluster_pool))
    done: list[int] = []
    run = mf.simulate(SCENARIO, dask="tcp://somewhere:8786", block=128, progress=done.append)
    assert run.summary == mf.simulate(SCENARIO).summary
    assert sorted(done) == [88, 128, 128, 128, 128]


def test_a_missing_cluster_is_told(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "mirrorfield.execution.cluster", None)
    with pytest.raises(mf.InputError, match=r'pip install "mirrorfield\[dask\]"'):
        mf.simulate(SCENARIO, dask="local:2")


def test_loading_the_kernel_takes_no_longer_for_more_steps() -> None:
    load_kernel(plan_run(SCENARIO))
    assert load_kernel(plan_run(mf.Scenario(users=10, steps=10_000_000))) < 0.5
