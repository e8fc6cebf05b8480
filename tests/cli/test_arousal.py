"""`mirrorfield arousal`: what it prints, what it writes, and logs that it refuses in one line with exit code 2."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.cli.main import main

HEADER = "who,visit,seconds,like\n"
WORDS = ("--user", "who", "--session", "visit", "--dwell", "seconds", "--action", "like", "--starts", "2")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that writes a log, runs the command on it, and returns its code and what it said."""
    monkeypatch.chdir(tmp_path)

    def call(log: str, *words: str) -> tuple[int, str, str]:
        (tmp_path / "log.csv").write_text(log)
        monkeypatch.setattr(sys, "argv", ["mirrorfield", "arousal", "log.csv", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def rows(people: int = 6, visits: int = 3, posts: int = 10) -> str:
    """Return a log of people who skip, and sometimes turn to watching for a while."""
    rng = np.random.default_rng(1)
    lines, watches = [], False
    for visit in range(people * visits):
        for _ in range(posts):
            watches = bool(rng.random() < (0.85 if watches else 0.15))
            seconds = float(np.exp((2.5 if watches else 0.0) + 0.4 * rng.standard_normal()))
            lines.append(f"p{visit // visits},{visit},{seconds:.2f},{int(rng.random() < 0.3 * watches)}\n")
    return HEADER + "".join(lines)


def test_the_verdict_comes_first_and_the_moves_are_written(run: Run, tmp_path: Path) -> None:
    code, said, error = run(rows(), *WORDS, "--out", "moves.toml")
    assert code == 0, error
    lines = said.splitlines()
    assert lines[0].startswith("Three states ") and "nats per event" in lines[0]
    assert lines[1] == "6 people, 18 sessions, 180 events"
    assert "seeds 0 to 1" in said and "assumption" in said and "three kinds of session" in said
    scenario = mf.Scenario.load(str(tmp_path / "moves.toml"))
    assert lines[0] in scenario.description
    code, _, error = run(rows(), *WORDS, "--out", "moves.toml")
    assert code == 2 and "moves.toml exists" in error


def test_json_has_what_the_table_has(run: Run) -> None:
    code, said, _ = run(rows(), *WORDS, "--json")
    told = json.loads(said)
    assert code == 0 and [row["state"] for row in told["states"]] == ["calm", "engaged", "hooked"]
    for row in told["states"]:
        assert sum(move["value"] for move in row["moves"].values()) == pytest.approx(1)
    assert told["starts"]["seeds"] == [0, 1] and told["log"]["events"] == 180


GOOD = rows()
BAD = {
    "no rows": (HEADER, WORDS, "holds a header but no rows"),
    "nothing": ("", WORDS, "is empty: expected a header line"),
    "one event a session": (
        HEADER + "".join(f"p{i % 4},{i},{i + 1},0\n" for i in range(12)),
        WORDS,
        "Each of the 12 sessions has one event",
    ),
    "negative dwell": (GOOD + "p0,0,-1,0\n", WORDS, 'line 182: dwell is negative ("-1")'),
    "nan": (GOOD + "p0,0,nan,0\n", WORDS, 'line 182: dwell is not a finite number ("nan")'),
    "no action": (GOOD + "p0,0,1,\n", WORDS, "line 182: like is not a finite number"),
    "no session": (GOOD + "p0,,1,0\n", WORDS, "line 182: empty session"),
    "two people": (rows(people=2), WORDS, "The log has 2 people: expected at least 3"),
    "a column too many": (GOOD + "p0,0,1,0,9\n", WORDS, "line 182: too many fields"),
    "unknown column": (GOOD, (*WORDS[:-2], "--action", "likes"), 'no column "likes"'),
    "neither dwell nor action": (GOOD, ("--session", "visit"), "expected dwell, or actions, or both"),
    "another ending": (GOOD, (*WORDS, "--out", "moves.csv"), "expected a file that ends in .toml"),
}


@pytest.mark.parametrize("log, words, line", BAD.values(), ids=BAD)
def test_bad_input_is_one_line_with_exit_code_2(
    log: str, words: tuple[str, ...], line: str, run: Run, tmp_path: Path
) -> None:
    code, said, error = run(log, *words)
    assert code == 2 and said == "" and line in error, error
    assert error.startswith("mirrorfield: ") and error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
