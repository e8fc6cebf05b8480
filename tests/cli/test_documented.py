"""Every command line in README and docs names a command and options that there are."""

import re
import shlex
from pathlib import Path

import pytest

from mirrorfield.cli.main import COMMANDS, loaded

ROOT = Path(__file__).parents[2]
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))) if page.is_file()]
CODE = re.compile(r"^```.*?^```|^    [^\n]*$|`mirrorfield [^`]+`", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"(?:^|`|\$ |&& |time |do )(?:uv run (?:--\S+ )*)?mirrorfield ([a-z][^\n`]*)", re.MULTILINE)


def command_lines(text: str) -> list[list[str]]:
    """Return the words after `mirrorfield` of every command line in a page's code, up to a comment, a pipe or `;`."""
    pieces = [piece.replace("\n", " ") if piece[1] == "m" else piece for piece in CODE.findall(text)]
    code = "\n".join(line.removeprefix("    ") for line in "\n".join(pieces).split("\n"))
    lines = [re.split(r" \| |;| && | #", line)[0] for line in LINE.findall(re.sub(r"\\\n\s*", "", code))]
    return [shlex.split(line) for line in lines]


def test_command_lines_are_found_in_every_form() -> None:
    text = """Run `mirrorfield show
DIR`; mirrorfield is no command here, and neither is `mirrorfield.api`.

    mirrorfield run --users 2    # two
    pip install uv && uv run --no-dev mirrorfield run

```console
$ mirrorfield fit a --separator "|" \\
    --user b
610 users
$ time uv run mirrorfield cite | tail
```
"""
    told = ["show DIR", "run --users 2", "run", "fit a --separator | --user b", "cite"]
    assert [" ".join(words) for words in command_lines(text)] == told


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documented_commands_and_options_exist(page: Path) -> None:
    for words in command_lines(page.read_text(encoding="utf-8")):
        assert words[0] in COMMANDS, words
        known = {option for parameter in loaded(words[0]).params for option in parameter.opts} | {"--help"}
        used = {word.strip("[]").split("=")[0] for word in words[1:] if word.strip("[").startswith("--")}
        assert used <= known, (words, used - known)


@pytest.mark.skipif(not (ROOT / "docs" / "gallery.md").is_file(), reason="the docs are not in the source distribution")
def test_every_picture_of_the_docs_is_in_the_gallery() -> None:
    shown = re.findall(r"\]\(assets/([\w-]+\.png)\)", (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(picture.name for picture in (ROOT / "docs" / "assets").glob("*.png"))
