"""One process at a time in a folder, whatever stands beside it."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

import mirrorfield as mf
from mirrorfield.store import lock
from mirrorfield.store.folder import write_folder
from mirrorfield.store.lock import lock_path, locked

ASK = """
import sys
from pathlib import Path
from mirrorfield.store.lock import locked

with locked(Path(sys.argv[1])):
    pass
"""


def refused(folder: Path) -> str:
    """Return what another process says that asks for the lock of a folder, or an empty string if it gets it."""
    done = subprocess.run([sys.executable, "-c", ASK, folder], capture_output=True, text=True, check=False)
    return done.stderr.splitlines()[-1] if done.returncode else ""


def test_a_folder_that_is_held_is_refused_also_through_a_link_and_before_it_exists(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "x")
    with locked(tmp_path / "x"):
        said = refused(tmp_path / "link")
    assert f"link is in use by process {os.getpid()} on " in said
    assert refused(tmp_path / "x") == ""
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_a_thread_may_enter_again_and_another_may_not(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0)
    said: list[str] = []

    def ask() -> None:
        try:
            with locked(tmp_path / "x"):
                said.append("entered")
        except mf.InputError as error:
            said.append(str(error))

    with locked(tmp_path / "x"), locked(tmp_path / "x"):
        other = Thread(target=ask)
        other.start()
        other.join()
    assert "is in use by process" in said[0]
    ask()
    assert said[1] == "entered"


def test_a_lock_whose_file_was_removed_meanwhile_is_not_taken_for_held(tmp_path: Path, monkeypatch) -> None:
    """The last holder removes the file between the next one's opening it and locking it."""
    path, opened = lock_path(tmp_path / "x"), lock._open

    def removed(place: Path) -> int:
        handle = opened(place)
        if monkeypatch:
            place.unlink()
            monkeypatch.undo()
        return handle

    monkeypatch.setattr(lock, "_open", removed)
    with locked(tmp_path / "x"):
        assert path.exists()
        assert f"process {os.getpid()} on" in refused(tmp_path / "x")
    assert not path.exists()


def test_what_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    lock_path(tmp_path / "x").write_text("process 1 on nowhere since 1970-01-01 00:00:00 UTC\n" * 9)
    (tmp_path / ".x.partial").mkdir()
    (tmp_path / ".x.partial/half").write_text("")
    write_folder(tmp_path / "x", lambda place: (place / "summary.json").write_text("{}"))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["SHA256SUMS", "summary.json", "x"]


def test_a_folder_that_cannot_be_replaced_stays(tmp_path: Path, monkeypatch) -> None:
    def fill(place: Path) -> None:
        (place / "a").write_text("")
        place.rename(place.with_name("gone"))

    (tmp_path / "x").mkdir()
    (tmp_path / "x/mine").write_text("")
    with pytest.raises(mf.StoreError, match="nothing was written"):
        write_folder(tmp_path / "x", fill, overwrite=True, ours=lambda _: True)
    assert (tmp_path / "x/mine").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gone", "x"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("y" * 300, "expected a name of 200 bytes or fewer, got 300"),
        ("a\0b", "expected a name without a zero byte"),
        ("a\udcffb", "expected a name in UTF-8"),
        ("link", "is a symbolic link, which is not replaced; choose --out "),
        ("file/x", "file: cannot write there"),
        ("held", "cannot write there"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_run(name: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").write_text("")
    (tmp_path / ".held.lock").symlink_to("file")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(mf.InputError, match=line):
        mf.simulate(mf.Scenario(users=10, steps=1), out=tmp_path / name, overwrite=True)
    assert sorted(tmp_path.rglob("*")) == before and (tmp_path / "file").read_text() == ""


def test_folders_made_for_the_lock_of_a_refused_run_are_removed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), locked(tmp_path / "a/b/x"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
