"""How a command ends when a word, a name, a signal or standard output is not what it should be; in this process."""

import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import mirrorfield as mf
import mirrorfield_main
from mirrorfield.api import execute, job_for, prepare
from mirrorfield.cli.ending import end_as_told

SCENARIO = mf.Scenario(users=256, steps=5)


@pytest.fixture
def mirrorfield(tmp_path: Path, monkeypatch, command_line) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs a command line in a folder of its own: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    return command_line


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """Return a run folder in which some blocks are saved."""
    plan = prepare(SCENARIO, None, None, None)
    with pytest.raises(mf.StoppedError), job_for(plan, tmp_path / "x", block=64) as job:
        execute(plan, 1, job=job, stopped=lambda: len(job.done) >= 1)
    return tmp_path / "x"


WORDS = [
    (("--seed", "0"), "holds another run: users: 256 there, 100000 asked for;"),
    (("--users", "256", "--steps", "5", "--seed", "0"), "holds another run: seed: 1 there, 0 asked for;"),
    (("--users", "0"), "users: expected greater than or equal to 1, got 0"),
    (("--keep", "all"), "holds another run: --keep: sample there, all asked for;"),
    (("--block", "512"), "holds another run: --block: 64 there, 512 asked for;"),
    (("--block", "0"), "block: expected 1 user or more, got 0"),
    (("--rule", ""), 'policy: "" is not a preset'),
]


def test_every_word_beside_resume_is_honoured_or_refused(begun: Path, mirrorfield) -> None:
    """Before, 0 counted as no word, --keep and --block alone were not looked at, and the run went on as it was."""
    for words, line in WORDS:
        code, out, error = mirrorfield("run", "--resume", "--out", "x", *words)
        assert (code, out, error.count("\n")) == (2, "", 1) and line in error, (words, error)
    same = ("--keep", "sample", "--block", "64", "--quiet")
    assert mirrorfield("run", "--resume", "--out", "x", *same)[0] == 0
    assert (begun / "summary.json").is_file()
    for words, line in ((("--keep", "all"), "--keep: sample there, all asked for"), (("--seed", "0"), "seed: 1 there")):
        code, _, error = mirrorfield("run", "--resume", "--out", "x", "--users", "256", "--steps", "5", *words)
        assert code == 2 and line in error, error
    assert mirrorfield("run", "--resume", "--out", "x", "--keep", "all")[0] == 2
    assert "x is finished" in mirrorfield("run", "--resume", "--out", "x")[1]


def test_names_neither_act_on_a_terminal_nor_are_read_as_markup(tmp_path: Path, mirrorfield) -> None:
    """Before, [/b] was a traceback after the run, and an escape in a post moved the reader's cursor."""
    values = SCENARIO.model_dump(mode="json", exclude_none=True)
    values["categories"][0] |= {"name": "[/b]", "post": "a\x1b[2J\u202eb :smile:"}
    (tmp_path / "evil.toml").write_text(mf.Scenario.from_values(values).to_toml(), encoding="utf-8")
    code, out, error = mirrorfield("run", "evil.toml", "--out", "[red]x")
    assert code == 0, error
    assert "[/b]" in out and ":smile:" in out and "Pictures: [red]x/report.html" in out
    assert "\\u001b[2J\\u202eb" in out and not {"\x1b", "\u202e"} & set(out + error)


@pytest.mark.parametrize("words", [("show", "x"), ("show", "x", "--json"), ("presets",)])
def test_an_output_that_takes_ascii_alone_gets_escapes(words, begun: Path, mirrorfield, monkeypatch) -> None:
    mf.simulate(mf.Scenario(users=256, steps=5, name="Größe"), out=begun, overwrite=True)
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream, encoding="ascii", write_through=True))
    assert mirrorfield(*words)[0] == 0
    text = stream.getvalue().decode("ascii")
    if "--json" in words:
        assert json.loads(text) == json.loads((begun / "summary.json").read_text(encoding="utf-8"))
    elif "show" in words:
        assert "Gr\\u00f6\\u00dfe" in text and "##" in text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_an_output_that_is_full_is_one_line(mirrorfield, monkeypatch) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        code, _, error = mirrorfield("presets")
    assert (code, error) == (1, "mirrorfield: standard output: No space left on device\n")


def test_a_reader_that_has_gone_ends_the_command_quietly(mirrorfield, monkeypatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        assert mirrorfield("presets")[::2] == (1, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_a_population_is_written_leaves_nothing(
    number: int, code: int, tmp_path: Path, mirrorfield, monkeypatch
) -> None:
    """Before, SIGTERM left a hidden folder behind."""
    rows = [f"{user},{category},{user + 1},{time}" for user in range(4) for time, category in enumerate("abab")]
    (tmp_path / "log.csv").write_text("\n".join(["u,c,r,t", *rows]))
    monkeypatch.setattr("xarray.Dataset.to_zarr", lambda *_, **__: signal.raise_signal(number))
    words = ("--user", "u", "--category", "c", "--reaction", "r", "--time", "t", "--out", "people")
    found, _, error = mirrorfield("fit", "log.csv", *words)
    assert found == code and error.endswith("; nothing was written\n") and error.count("\n") == 1, error
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_inside_a_destructor_is_not_dropped(number: int, code: int, capsys) -> None:
    """Before, Python dropped what the handler raised there, with a traceback, and the command went on."""

    class Sly:
        def __del__(self) -> None:
            signal.raise_signal(number)
            for _ in range(1000):
                pass

    def command() -> int:
        Sly()
        for _ in range(3000):
            time.sleep(0.01)
        return 0

    with pytest.raises(SystemExit) as ended:
        end_as_told(command)
    assert ended.value.code == code
    assert capsys.readouterr().err.count("\n") == 1


def test_an_interrupt_while_the_package_is_loaded_is_one_line(monkeypatch, capsys) -> None:
    class Interrupted:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "mirrorfield.cli.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "mirrorfield.cli.main")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        mirrorfield_main.main()
    assert (ended.value.code, capsys.readouterr().err) == (130, "mirrorfield: interrupted; nothing was begun\n")
