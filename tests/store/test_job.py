"""A run folder is a job: what is saved is used once, what is damaged is not, and the end is always the same."""

import errno
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mirrorfield as mf
from mirrorfield.api import execute, reopen
from mirrorfield.errors import CorruptError
from mirrorfield.store import durable, job, ticket
from mirrorfield.store.parts import decode_part, encode_part

from .conftest import BLOCK, SCENARIO, content, opened


def finish(folder: Path) -> dict[str, bytes]:
    with reopen(folder) as held:
        execute(held.plan, 1, job=held)
    return content(folder)


def test_a_resumed_run_has_the_files_of_an_undisturbed_one(half_done, undisturbed) -> None:
    folder = half_done()
    assert sorted(path.name for path in folder.iterdir()) == ["job.json", "parts", "scenario.toml"]
    assert [path.name for path in folder.parent.iterdir()] == ["x"]
    assert finish(folder) == undisturbed


def test_saved_blocks_do_not_run_again(half_done, undisturbed) -> None:
    folder = half_done(5)
    saved = len(list((folder / "parts").iterdir()))
    ran: list[int] = []
    mf.simulate(SCENARIO, out=folder, resume=True, threads=2, progress=ran.append)
    assert sum(ran) == SCENARIO.users - saved * BLOCK
    assert content(folder) == undisturbed


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "foreign", "rename"])
def test_a_damaged_part_is_named_and_runs_again(damage, half_done, undisturbed, caplog) -> None:
    folder = half_done()
    part = sorted((folder / "parts").iterdir())[2]
    data = part.read_bytes()
    if damage == "rename":
        part = part.rename(part.with_name("0000000001-64.part"))
    elif damage == "foreign":
        part.write_bytes(sorted((folder / "parts").iterdir())[0].read_bytes())
    else:
        changed = {"truncate": data[:-7], "flip": data[:-9] + bytes([data[-9] ^ 4]) + data[-8:], "empty": b""}
        part.write_bytes(changed[damage])
    assert finish(folder) == undisturbed
    assert [part.name in record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        True
    ]


@pytest.mark.parametrize("keep_all", [False, True])
def test_a_part_with_impossible_numbers_and_a_right_checksum_is_refused_by_name(keep_all, half_done) -> None:
    folder = half_done(keep_all=keep_all)
    path = sorted((folder / "parts").iterdir())[2]
    before = content(folder)
    data = path.read_bytes()
    with opened(folder, resume=True, keep_all=keep_all) as held:
        part, chunks = decode_part(data, held.identity, (2 * BLOCK, BLOCK))
        part.totals.two_faced[0] = BLOCK + 1
        path.write_bytes(encode_part(part, held.identity, chunks))
    with pytest.raises(CorruptError, match=rf"^.*{path.name}: totals.two_faced: expected numbers from 0 to 64"):
        finish(folder)
    assert content(folder) == before | {f"parts/{path.name}": path.read_bytes()}
    path.unlink()
    finish(folder)


@pytest.fixture
def joined_by_four(monkeypatch) -> None:
    monkeypatch.setattr(job, "JOINED", 4)


def test_every_so_many_parts_become_one(joined_by_four, half_done, undisturbed) -> None:
    folder = half_done(10)
    names = sorted(path.name for path in (folder / "parts").iterdir())
    assert names[:2] == ["0000000000-256.part", "0000000256-256.part"]
    assert names[2:] == [f"0000000{first}-64.part" for first in range(512, 512 + 64 * (len(names) - 2), 64)]
    ran: list[int] = []
    mf.simulate(SCENARIO, out=folder, resume=True, threads=1, progress=ran.append)
    assert sum(ran) == SCENARIO.users - 2 * 256 - 64 * (len(names) - 2)
    assert content(folder) == undisturbed


def test_a_kill_while_parts_become_one_counts_nobody_twice(half_done, undisturbed, monkeypatch) -> None:
    folder = half_done(6)
    before = content(folder)
    monkeypatch.setattr(job, "JOINED", 4)
    with reopen(folder) as held:
        held._join(0)
    assert sorted(path.name for path in (folder / "parts").iterdir())[0] == "0000000000-256.part"
    for name, data in before.items():  # as if killed before they were removed
        (folder / name).write_bytes(data)
    names = sorted(path.name for path in (folder / "parts").iterdir())
    assert names[:3] == ["0000000000-256.part", "0000000000-64.part", "0000000064-64.part"]
    assert f" {64 * (len(names) - 1)} of 1,000 users are done" in job.describe_job(folder)
    assert finish(folder) == undisturbed


def test_a_damaged_part_of_several_blocks_runs_again(joined_by_four, half_done, undisturbed, caplog) -> None:
    folder = half_done(6)
    part = folder / "parts" / "0000000000-256.part"
    data = part.read_bytes()
    part.write_bytes(data[:-9] + bytes([data[-9] ^ 4]) + data[-8:])
    assert finish(folder) == undisturbed
    assert f"{part}: not used: its checksum is wrong" in caplog.text and "its 256 users run again" in caplog.text


@pytest.mark.parametrize("chunks", [{}, {"../../outside": "0" * 64}, ["x"], 7])
def test_a_part_that_names_other_files_runs_again(chunks, half_done, undisturbed, caplog) -> None:
    folder = half_done(keep_all=True)
    path = sorted((folder / "parts").iterdir())[2]
    with opened(folder, resume=True, keep_all=True) as held:
        part, _ = decode_part(path.read_bytes(), held.identity, (2 * BLOCK, BLOCK))
        path.write_bytes(encode_part(part, held.identity, chunks))
    assert finish(folder).items() >= {name: data for name, data in undisturbed.items() if "result" in name}.items()
    assert path.name in caplog.text


def test_a_full_disk_is_one_line_and_loses_nothing(half_done, undisturbed, monkeypatch) -> None:
    folder = half_done(3)
    saved = len(list((folder / "parts").iterdir()))

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(durable.os, "fsync", full)
        with pytest.raises(
            mf.StoreError, match=r"parts/\d+-64.part: cannot write it \(No space left.*mirrorfield resume"
        ):
            finish(folder)
    assert len(list((folder / "parts").iterdir())) == saved
    assert finish(folder) == undisturbed


@pytest.fixture
def small_disk(tmp_path: Path, request):
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={request.param}", "tmpfs", disk], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(not shutil.which("mount") or sys.platform != "linux", reason="needs Linux's mount")
@pytest.mark.parametrize(("small_disk", "parts"), [("160k", range(1, 16)), ("900k", [16])], indirect=["small_disk"])
def test_a_disk_that_is_really_full(small_disk: Path, parts, undisturbed) -> None:
    folder = small_disk / "x"
    with pytest.raises(mf.StoreError, match="No space left on device"):
        mf.simulate(SCENARIO, out=folder, block=BLOCK)
    assert len(list((folder / "parts").glob("*.part"))) in parts
    with pytest.raises(mf.StoreError, match="No space left on device"):
        finish(folder)
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    assert finish(folder) == undisturbed


def test_another_run_is_refused_with_the_difference(half_done) -> None:
    folder = half_done()
    other = mf.Scenario(**{**SCENARIO.model_dump(), "seed": 9, "policy": {"learning_rate": 0.2}})
    line = "holds another run: seed: 1 there, 9 asked for; policy.learning_rate: 0.1 there, 0.2 asked for;"
    with pytest.raises(mf.InputError, match=line):
        mf.simulate(other, out=folder, resume=True)
    with pytest.raises(mf.InputError, match="--block: 64 there, 32 asked for"):
        mf.simulate(SCENARIO, out=folder, resume=True, block=32)
    with pytest.raises(mf.InputError, match="--keep: sample there, all asked for"):
        mf.simulate(SCENARIO, out=folder, resume=True, keep_all=True)
    with pytest.raises(mf.InputError, match=r"is not finished: \d+ of 1,000 users are done; .*mirrorfield resume"):
        mf.simulate(SCENARIO, out=folder)


def test_a_finished_folder_is_read_and_another_scenario_refused(tmp_path: Path) -> None:
    first = mf.simulate(SCENARIO, out=tmp_path / "x")
    again = mf.simulate(SCENARIO, out=tmp_path / "x", resume=True)
    assert again.summary == first.summary
    xr.testing.assert_equal(again.dataset, first.dataset)
    with pytest.raises(mf.InputError, match="users: 1000 there, 100000 asked for"):
        mf.simulate(mf.Scenario(), out=tmp_path / "x", resume=True)


@pytest.mark.parametrize("name", ["VERSION", "source_digest"])
def test_another_version_is_refused_with_both_shown(name, half_done, monkeypatch) -> None:
    folder = half_done()
    monkeypatch.setattr(ticket, name, "9.9.9" if name == "VERSION" else lambda: "9.9.9")
    with pytest.raises(mf.InputError, match=rf"begun by mirrorfield {mf.__version__} .*9\.9\.9"):
        finish(folder)


def test_listed_users_that_have_changed_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "people"
    people = xr.Dataset(
        {
            "susceptibility": (("user", "category"), np.ones((8, 4), np.float32)),
            "intentionality": ("user", np.zeros(8)),
        },
        {"category": np.array([category.name for category in SCENARIO.categories], object)},
    )
    people.to_zarr(folder / "population.zarr", zarr_format=3, consolidated=False)
    (folder / "scenario.toml").write_text(SCENARIO.to_toml())
    plan = mf.api.prepare(SCENARIO, folder, None, None)
    with pytest.raises(mf.StoppedError), mf.api.job_for(plan, tmp_path / "x", folder, BLOCK) as held:
        execute(held.plan, 1, job=held, stopped=lambda: len(held.done) >= 2)
    mf.simulate(SCENARIO, population=folder, out=tmp_path / "done")
    mf.simulate(SCENARIO, population=folder, out=tmp_path / "done", resume=True)
    people["intentionality"] += 0.5
    people.to_zarr(folder / "population.zarr", zarr_format=3, consolidated=False, mode="w")
    with pytest.raises(mf.InputError, match="listed users, SHA-256"):
        finish(tmp_path / "x")
    with pytest.raises(mf.InputError, match="done holds another run: listed users, SHA-256"):
        mf.simulate(SCENARIO, population=folder, out=tmp_path / "done", resume=True)


def test_a_reward_model_that_has_changed_is_refused_and_one_that_has_not_is_gone_on_with(tmp_path: Path) -> None:
    file, models = tmp_path / "models.npy", np.eye(3, 4, dtype=np.float32)[None].repeat(2, axis=0)
    np.save(file, models)
    reward = {"source": "reward_model", "model_file": str(file)}
    scenario = SCENARIO.model_copy(update={"reward": mf.Scenario(reward=reward).reward})
    whole = mf.simulate(scenario)
    plan = mf.api.prepare(scenario, None, None, None)
    with pytest.raises(mf.StoppedError), mf.api.job_for(plan, tmp_path / "x", block=BLOCK) as held:
        execute(held.plan, 1, job=held, stopped=lambda: len(held.done) >= 2)
    np.save(file, 2 * models)
    with pytest.raises(mf.InputError, match="reward model and corpus, SHA-256"):
        finish(tmp_path / "x")
    np.save(file, models)
    finish(tmp_path / "x")
    sample = mf.simulate(scenario, out=tmp_path / "x", resume=True).dataset
    assert sample["logits"].values.tobytes() == whole.dataset["logits"].values.tobytes()


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', None])
def test_a_damaged_job_file_is_refused(text, half_done) -> None:
    file = half_done() / "job.json"
    file.write_text(file.read_text().replace('"seed": 1', '"seed": 3') if text is None else text)
    with pytest.raises(mf.CorruptError, match=r"job\.json: corrupt"):
        finish(file.parent)


@pytest.mark.parametrize("name", ["version", "sources", "format"])
def test_a_long_word_in_a_job_file_is_cut(name, half_done) -> None:
    folder = half_done()
    values = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    del values["checksum"]
    values[name] = "9" * 5000
    (folder / "job.json").write_text(json.dumps({"checksum": ticket._sha256(values), **values}), encoding="utf-8")
    with pytest.raises(mf.InputError, match="was begun by mirrorfield") as told:
        finish(folder)
    assert "\n" not in str(told.value) and len(str(told.value).removeprefix(str(folder))) < 400


def test_a_second_process_is_refused(half_done) -> None:
    folder = half_done()
    with opened(folder, resume=True):
        for words in (("resume", folder), ("run", "--out", folder, "--overwrite", "--users", "3")):
            second = subprocess.run(
                [sys.executable, "-m", "mirrorfield", *words], capture_output=True, text=True, check=False
            )
            assert second.returncode == 2
            holder = rf"x is in use by process {os.getpid()} on \S+ since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC; wait"
            assert re.search(holder, second.stderr)
    assert (folder / "job.json").is_file()


def test_only_a_run_of_ours_is_replaced(half_done, tmp_path: Path) -> None:
    foreign = tmp_path / "theirs"
    foreign.mkdir()
    (foreign / "job.json").write_text("{}")
    with pytest.raises(mf.InputError, match="was not written by this command"):
        mf.simulate(SCENARIO, out=foreign, overwrite=True)
    assert [path.name for path in foreign.iterdir()] == ["job.json"]
    folder = half_done()
    mf.simulate(SCENARIO, out=folder, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["theirs", "x"]
    assert (folder / "summary.json").is_file()


def test_a_run_that_cannot_end_leaves_no_folder(tmp_path: Path) -> None:
    some = {"distribution": "lognormal", "median": 1.0, "sigma": 1.5}  # most people are beyond no bound, a few are
    wild = mf.Scenario(users=100, steps=50, reactive={"mean": 900, "std": 900, "up": 0, "down": 0},
                       population={"susceptibility": some})  # fmt: skip
    with pytest.raises(mf.InputError):
        mf.simulate(wild, out=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_after_some_blocks_keeps_them_and_says_what_to_do(tmp_path: Path) -> None:
    some = {"distribution": "lognormal", "median": 1.0, "sigma": 1.0}
    wild = mf.Scenario(users=400, steps=50, reactive={"mean": 90, "std": 90, "up": 0, "down": 0},
                       population={"susceptibility": some}, seed=3)  # fmt: skip
    line = r"^reactive\.mean.* x keeps the blocks before it: replace it with --overwrite, or remove it$"
    for resume in (False, True):
        with pytest.raises(mf.InputError, match=line.replace(" x ", f" {tmp_path / 'x'} ")) as told:
            mf.simulate(wild, out=tmp_path / "x", block=4, threads=1, resume=resume)
        assert "\n" not in str(told.value) and list((tmp_path / "x/parts").iterdir())
    mf.simulate(SCENARIO, out=tmp_path / "x", overwrite=True)


KILLED = """
import os, shutil, sys, tempfile
from pathlib import Path
from mirrorfield import PopulationRun, Scenario, simulate
from mirrorfield.api import execute, reopen
from mirrorfield.store import job

with tempfile.TemporaryDirectory() as place:  # loading takes longer than finishing: the children have it
    simulate(Scenario(users=2, steps=2), threads=1, out=Path(place) / "x")
left, armed = 0, False


def watch(owner, name):
    function = getattr(owner, name)

    def call(*words, **more):
        global left
        left -= armed and "result.zarr.partial/" not in str(words[0])
        if left < 0:
            os._exit(9)
        return function(*words, **more)

    setattr(owner, name, call)


for place, names in (
    (job, ("write_durable", "sync_tree", "sync_folder")),
    (shutil, ("rmtree",)),
    (Path, ("rename", "unlink")),
):
    for name in names:
        watch(place, name)
finish = job.Job.finish


def arm(*words):
    global armed
    armed = True
    finish(*words)


job.Job.finish = arm
PopulationRun.report_html = lambda run: Path(sys.argv[1]).read_text(encoding="utf-8")  # drawing takes longest
for step, folder in enumerate(sys.argv[2:]):
    child = os.fork()
    if not child:
        left = step
        with reopen(Path(folder)) as held:
            execute(held.plan, 1, job=held)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, flush=True)
    if code == 0:
        break
"""


@pytest.mark.slow(15)
def test_a_kill_between_any_two_steps_of_finishing_is_harmless(
    half_done, undisturbed, tmp_path: Path, monkeypatch
) -> None:
    begun, report = half_done(10), tmp_path / "report"
    report.write_bytes(undisturbed["report.html"])
    monkeypatch.setattr(mf.PopulationRun, "report_html", lambda run: report.read_text(encoding="utf-8"))
    folders = [shutil.copytree(begun, tmp_path / f"step-{step}") for step in range(30)]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, report, *folders], stdout=subprocess.PIPE, text=True, check=True
    )
    codes = [int(line) for line in done.stdout.split()]
    assert 8 < len(codes) < 30 and codes == (len(codes) - 1) * [9] + [0]
    for folder in folders[: len(codes) - 1]:
        mf.simulate(SCENARIO, out=folder, resume=True)
        assert content(folder) == undisturbed, folder


def test_keep_all_has_the_same_summary_and_the_sample_s_rows(half_done, undisturbed, tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    folder = half_done(keep_all=True)
    chunk = sorted((folder / "users.zarr/feed/c").iterdir())[1] / "0"
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"?")
    meta = folder / "users.zarr/feed/zarr.json"
    meta.write_bytes(meta.read_bytes().replace(b"float32", b"float16"))
    files = finish(folder)
    assert any("users.zarr: 1,000 users, 0.000 GB" in record.getMessage() for record in caplog.records)
    assert any("feed/c/1/0 is gone or has changed" in record.getMessage() for record in caplog.records)
    assert any("feed/zarr.json: has changed since it was written" in r.getMessage() for r in caplog.records)
    mf.simulate(SCENARIO, out=tmp_path / "whole", block=BLOCK, keep_all=True)
    assert files == content(tmp_path / "whole")
    for name in undisturbed.keys() - {"SHA256SUMS"}:
        assert files[name] == undisturbed[name]
    with (
        xr.open_zarr(folder / "users.zarr", consolidated=False) as everyone,
        xr.open_zarr(folder / "result.zarr", consolidated=False) as result,
    ):
        last = result.isel(step=-1)
        assert everyone.sizes["user"] == SCENARIO.users
        rows = everyone.isel(user=result["user"].values)
        for name in everyone.data_vars:
            np.testing.assert_array_equal(rows[name], last[name], str(name))
            assert everyone[name].attrs == result[name].attrs
        shares = everyone["diet"].max("category") > 0.9
        assert float(shares.mean()) == pytest.approx(json.loads(files["summary.json"])["locked_in"])


def test_a_table_that_does_not_fit_is_refused_before_the_run(tmp_path: Path) -> None:
    huge = mf.Scenario(users=8 * 10**9, record={"users": 10})
    with pytest.raises(mf.InputError, match=r"users\.zarr: 8,000,000,000 users, .* GB before compression; .* GB free"):
        mf.simulate(huge, out=tmp_path / "x", keep_all=True)
    assert list(tmp_path.iterdir()) == []
