"""What tests of the command line share."""

import sys
from collections.abc import Callable

import pytest

from mirrorfield.cli.main import main

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command_line(monkeypatch, capsys) -> Call:
    """Return a function that runs a command line in the working folder: exit code, output, errors."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mirrorfield", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call
