"""Runs that stop half-way, in this process."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import mirrorfield as mf
from mirrorfield.api import execute, job_for, prepare
from mirrorfield.store.job import Job

SCENARIO = mf.Scenario(users=1000, steps=30, record={"users": 100, "steps": 8})
BLOCK = 64


def opened(folder: Path, resume: bool = False, keep_all: bool = False) -> AbstractContextManager[Job]:
    plan = prepare(SCENARIO, None, None, None, keep_all)
    return job_for(plan, folder, block=BLOCK, resume=resume)


@pytest.fixture
def half_done(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a run folder in which some blocks are saved."""

    def make(blocks: int = 5, keep_all: bool = False) -> Path:
        folder = tmp_path / "x"
        with pytest.raises(mf.StoppedError), opened(folder, keep_all=keep_all) as job:
            execute(job.plan, 1, job=job, stopped=lambda: len(job.done) >= blocks)
        return folder

    return make


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> dict[str, bytes]:
    """Return the files of a run that nothing disturbed, by path."""
    folder = tmp_path_factory.mktemp("undisturbed") / "x"
    mf.simulate(SCENARIO, out=folder, block=BLOCK)
    return content(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
