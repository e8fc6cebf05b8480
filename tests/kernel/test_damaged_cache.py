"""What is kept on disk may be damaged, the disk may be full, and the folder may be another's: the run goes on."""

import errno
import importlib.util
import logging
import os
import pickle
import random
import sys
from pathlib import Path

import pytest

from mirrorfield.kernel import jit

SOURCE = "def twice(x):\n    return x + x\n"


class Bomb:
    """What a file of somebody else's could do if it were unpickled."""

    def __reduce__(self) -> tuple:
        return (pytest.fail, ("a damaged file was unpickled",))


DAMAGES = {
    "empty": lambda content: b"",
    "one byte": lambda content: content[:1],
    "truncated": lambda content: content[: len(content) // 2],
    "one byte short": lambda content: content[:-1],
    "longer": lambda content: content + b"\0",
    "garbage": lambda content: random.Random(1).randbytes(len(content)),
    "a pickle that runs": lambda content: pickle.dumps(Bomb()),
    "a flipped bit": lambda content: content[:99] + bytes([content[99] ^ 4]) + content[100:],
}


@pytest.fixture(name="cache")
def own_cache(monkeypatch, tmp_path: Path, caplog):
    """Return a folder of its own for compiled code, with nothing told yet."""
    monkeypatch.setenv("MIRRORFIELD_CACHE_DIR", str(tmp_path / "cache"))
    caplog.set_level(logging.WARNING, "mirrorfield")
    jit.tell.cache_clear()
    jit.cache_folder.cache_clear()
    yield tmp_path / "cache"
    jit.cache_folder.cache_clear()


def answer(source: Path, number: float) -> tuple[float, bool]:
    """Return what the compiled function says, as a new process would get it, and whether it was compiled just now."""
    source.exists() or source.write_text(SOURCE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("small", source)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = jit.entry(module.twice)
    return function(number), not function.stats.cache_hits


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_once_and_compiled_over(damage: str, kind: str, cache, tmp_path, caplog) -> None:
    source = tmp_path / "small.py"
    assert answer(source, 1.5) == (3.0, True)
    assert answer(source, 1.5) == (3.0, False)
    (file,) = cache.rglob(f"*.{kind}")
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    assert answer(source, 1.5) == (3.0, True)
    assert caplog.messages == [f"kernel cache: {file} is damaged; its function is compiled again"]
    assert answer(source, 1.5) == (3.0, False)


def test_no_flipped_bit_is_overlooked(cache, tmp_path) -> None:
    answer(tmp_path / "small.py", 1.5)
    luck = random.Random(2)
    for file in (next(cache.rglob("*.nbi")), next(cache.rglob("*.nbc"))):
        whole = file.read_bytes()
        assert jit.is_whole(file)
        for _ in range(500):
            flipped = bytearray(whole)
            flipped[luck.randrange(len(whole))] ^= 1 << luck.randrange(8)
            file.write_bytes(flipped)
            assert not jit.is_whole(file)


def test_a_file_under_another_name_is_not_taken(cache, tmp_path) -> None:
    answer(tmp_path / "small.py", 1.5)
    file = next(cache.rglob("*.nbc"))
    copy = file.rename(file.with_name("other.nbc"))
    assert not jit.is_whole(copy)


def test_an_index_that_points_to_the_code_for_another_type_is_not_followed(cache, tmp_path) -> None:
    """Two processes that compile for two types at once may number their files alike; the last index wins."""
    source = tmp_path / "small.py"
    answer(source, 1.5)
    index = next(cache.rglob("*.nbi"))
    of_float = index.read_bytes()
    index.unlink()
    answer(source, 2)
    index.write_bytes(of_float)
    assert len(list(cache.rglob("*.nbc"))) == 1
    assert answer(source, 1.5) == (3.0, True)


def test_code_that_cannot_be_linked_is_compiled_again(cache, tmp_path, caplog, monkeypatch) -> None:
    def refuse(*words) -> None:
        raise RuntimeError("from another LLVM")

    answer(tmp_path / "small.py", 1.5)
    monkeypatch.setattr(jit._Place, "rebuild", refuse)
    assert answer(tmp_path / "small.py", 1.5) == (3.0, True)
    (line,) = caplog.messages
    assert line.endswith(" cannot be read (RuntimeError: from another LLVM); it is compiled again")


def test_a_full_disk_means_that_nothing_is_kept(cache, tmp_path, caplog, monkeypatch) -> None:
    def full(*names) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    assert [answer(tmp_path / "small.py", number) for number in (1.5, 2.5)] == [(3.0, True), (5.0, True)]
    (line,) = caplog.messages
    assert "cannot write to" in line and "(No space left on device); compiled code is not kept" in line
    assert not [file for file in cache.rglob("*") if file.is_file()]


def test_a_place_that_cannot_be_used_is_told(cache, tmp_path, caplog) -> None:
    cache.write_text("a file, not a folder", encoding="utf-8")
    assert jit.cache_folder() is None
    assert answer(tmp_path / "small.py", 1.5) == (3.0, True)
    cache.unlink()
    jit.cache_folder.cache_clear()
    folder = jit.cache_folder()
    assert folder is not None
    folder.rmdir()
    folder.write_text("in the way", encoding="utf-8")
    assert answer(tmp_path / "small.py", 1.5) == (3.0, True)
    assert caplog.messages[0].startswith(f"kernel cache: nothing can be kept in {folder} (")
    assert list(tmp_path.rglob("*.nb?")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
@pytest.mark.parametrize("whose", ["others may write", "group may write", "another's", "a link", "replaceable"])
def test_a_folder_that_others_can_change_is_not_read(whose: str, cache, tmp_path, caplog, monkeypatch) -> None:
    folder = jit.cache_folder()
    assert folder is not None and folder.stat().st_mode & 0o777 == 0o700
    jit.cache_folder.cache_clear()
    if whose == "a link":
        folder.symlink_to(folder.rename(tmp_path / "elsewhere"))
    elif whose == "another's":
        monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    elif whose == "replaceable":
        cache.chmod(0o777)
    else:
        folder.chmod(0o702 if whose == "others may write" else 0o720)
    assert jit.cache_folder() is None
    (line,) = caplog.messages
    assert line.startswith(f"kernel cache: {folder} is not used: expected one of this user that nobody else can")
    cache.chmod(0o1777)
