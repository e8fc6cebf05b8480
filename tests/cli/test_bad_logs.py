"""Logs that cannot be used: one line that says why, exit code 2, and nothing written."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mirrorfield.cli.main import main

HEADER = "who,what,score,when\n"
GOOD = "".join(f"{who},{what},{i % 5},{i}\n" for i in range(12) for who in ("ann", "bob") for what in ("a", "b"))
WORDS = ("--user", "who", "--category", "what", "--reaction", "score", "--time", "when")


@pytest.fixture
def refused(tmp_path: Path, monkeypatch, capsys) -> Callable[..., str]:
    """Return a function that writes a log, fits it, and returns the line it is refused with."""
    monkeypatch.chdir(tmp_path)

    def call(data: str | bytes, *words: str) -> str:
        (tmp_path / "log.csv").write_bytes(data if isinstance(data, bytes) else data.encode())
        monkeypatch.setattr(sys, "argv", ["mirrorfield", "fit", "log.csv", *(words or WORDS)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert ended.value.code == 2 and said.out == "", said
        assert said.err.startswith("mirrorfield: ") and said.err.count("\n") == 1 and len(said.err) < 1000
        assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
        return said.err

    return call


def rows(*lines: str) -> str:
    return HEADER + GOOD + "\n".join(lines) + "\n"


BAD = {
    "mixed time zones": (
        HEADER + "ann,a,1,2026-01-01T00:00+01:00\nbob,b,2,2026-01-01T00:00\n",
        'column "when" mixes dates with and without an offset from UTC',
    ),
    "numbers and dates": (HEADER + "ann,a,1,2026-01-01\nbob,b,2,7\n", "mixes numbers and dates"),
    "nan": (rows("ann,a,nan,3"), 'line 50: reaction is not a finite number ("nan")'),
    "infinity": (rows("ann,a,-inf,3"), 'line 50: reaction is not a finite number ("-inf")'),
    "infinite time": (rows("ann,a,1,inf"), 'line 50: time is neither a number nor an ISO date ("inf")'),
    "duplicated column": ("who,what,score,score,when\nann,a,1,2,3\n", 'more than one column "score"'),
    "utf-16": (rows().encode("utf-16"), "line 1: not UTF-8 text. Save the file as UTF-8."),
    "utf-16 without a mark": (rows().encode("utf-16-le"), 'has no column "who"'),
    "huge field": (rows(f"ann,{'x' * 200_000},1,2"), "line 50: not well-formed CSV (field larger than field limit"),
    "no rows": (HEADER, "holds a header but no rows"),
    "nothing": ("", "is empty: expected a header line"),
    "only a byte order mark": ("\ufeff", "is empty: expected a header line"),
    "one person": (HEADER + GOOD.replace("bob", "ann"), 'The log has one person ("ann")'),
    "one category": (HEADER + GOOD.replace(",b,", ",a,"), "only one category found (a)"),
    "one reaction": (
        HEADER + "".join(f"{who},{what},1,1\n" for who in "xy" for what in "abab"),
        "Every reaction in the",
    ),
    "short row": (rows("ann,a,1"), "line 50: missing field"),
    "unclosed quote": (rows('"ann,a,1,2'), "line 50: not well-formed CSV"),
    "the wrong delimiter": (rows().replace(",", ";"), 'has no column "who"'),
}


@pytest.mark.parametrize(("data", "line"), BAD.values(), ids=BAD)
def test_a_log_that_cannot_be_used_is_one_line(refused: Callable[..., str], data: str | bytes, line: str) -> None:
    assert line in refused(data)


@pytest.mark.parametrize(
    ("reaction", "line"),
    [
        ("like + log1p(dwell)", 'line 3: reaction is not a finite number ("1, -4")'),
        ("0*like", "Every reaction in the log is 0: there is nothing to learn"),
        ("like + share", 'has no column "share"'),
        ("like + __import__('os')", "The reaction has \"__import__('os')\", which is not allowed"),
        ("like +", "is neither a column nor an expression"),
        ("dwell / like", 'line 2: reaction is not a finite number ("3, 0")'),
    ],
)
def test_an_expression_that_cannot_be_used_is_one_line(refused: Callable[..., str], reaction: str, line: str) -> None:
    data = "who,what,like,dwell\nann,a,0,3\nann,b,1,-4\nbob,a,0,3\nbob,a,1,5\n"
    assert line in refused(data, "--user", "who", "--category", "what", "--reaction", reaction)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--delimiter", "::"), '--delimiter: expected one character, or "tab"'),
        (("--delimiter", '"'), "--delimiter: expected one character"),
        (("--transform", "square"), '--transform: expected "log", "rank" or "clip:Q"'),
        (("--session", "visit"), 'has no column "visit"'),
        (("--deliberate", "stars"), 'has no column "stars"'),
        (("--deliberate", "who"), 'line 2: deliberate is neither empty nor a finite number ("ann")'),
        (("--no-header",), 'has no column "who". Its columns: c1, c2, c3, c4.'),
        (("--items", "log.csv"), "--items TABLE and --item COLUMN go together"),
    ],
)
def test_words_that_cannot_be_used_are_one_line(refused: Callable[..., str], words: tuple[str], line: str) -> None:
    assert line in refused(rows(), *WORDS, *words)


def test_log_of_a_negative_reaction_is_one_line(refused: Callable[..., str]) -> None:
    assert "--transform log: expected reactions of 0 or more, got -3" in refused(
        rows("ann,a,-3,1"), *WORDS, "--transform", "log"
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("\ufeff" + rows(), id="byte order mark"),
        pytest.param(rows().replace("\n", "\r\n"), id="CRLF"),
        pytest.param(rows().replace("\n", "\r"), id="CR"),
        pytest.param(rows().replace("ann", '"an\nn"'), id="a name over two lines"),
    ],
)
def test_marks_and_line_ends_of_other_systems_are_read(data: str, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "log.csv").write_bytes(data.encode())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["mirrorfield", "fit", "log.csv", *WORDS, "--quiet"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None), capsys.readouterr().err
