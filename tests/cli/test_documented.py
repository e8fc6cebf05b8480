"""What README and docs show to be run: commands, options and scripts are there, and every quick line runs."""

import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from mirrorfield.cli.main import COMMANDS, loaded

ROOT = Path(__file__).parents[2]
if not (ROOT / "scripts" / "documented.py").is_file():
    pytest.skip("the docs are not in the source distribution", allow_module_level=True)
sys.path.insert(0, str(ROOT / "scripts"))
from documented import CLASSES, PAGES, Shown, missing, name_of, prepare, shown_on, told  # noqa: E402

TEXT = """Run `mirrorfield show
x --json`; `mirrorfield run` is a mention, and mirrorfield is no command here.

    mirrorfield run --users 2    # two
    pip install uv && uv run --no-dev mirrorfield run

```console
$ mirrorfield fit a --separator "|" \\
    --user b
610 users
...
$ time uv run mirrorfield cite | tail
```

```python
print(2)
```

```text
2
```
"""
QUICK = {
    page: items for page in PAGES if (items := [item for item in shown_on(page) if not (item.skipped or item.slow)])
}
SCRIPT = re.compile(r"python ((?:scripts|bench|examples)/\w+\.py)([^\n`|<]*)")


def test_lines_are_found_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(TEXT, encoding="utf-8")
    found = shown_on(tmp_path / "a.md")
    assert [item.line for item in found] == [
        "mirrorfield show x --json",
        "`mirrorfield run`",
        "mirrorfield run --users 2",
        "mirrorfield run",
        'mirrorfield fit a --separator "|" --user b',
        "mirrorfield cite",
        "a.md: Python 1",
    ]
    assert [item.printed for item in found[4:]] == [["610 users", "..."], [], ["2"]]


def test_what_a_page_shows_and_a_command_does_not_print_is_found() -> None:
    item = Shown("a.md", "mirrorfield x", "mirrorfield x", ["  locked in    9.4%", "────", "..."])
    assert told(item, 0, "locked in 9.4%\n") is None
    assert "locked in 9.4%" in str(told(item, 0, "locked in 9.5%\n"))
    assert "expected exit code 0, got 2" in str(told(item, 2, "locked in 9.4%\n"))
    assert missing(item, "") == ["locked in 9.4%"]


def test_every_line_that_is_classed_is_on_a_page() -> None:
    lines = {item.line for page in PAGES for item in shown_on(page)}
    for name in ("slow", "long", "other_figures", "interrupted", "ends", "skipped"):
        assert set(CLASSES[name]) <= lines, name
    assert set(CLASSES["files"]) <= {name_of(page) for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_documented_commands_and_options_exist(page: Path) -> None:
    for item in shown_on(page):
        words = [] if item.python else shlex.split(item.code)[1:]
        if item.code.startswith("mirrorfield ") and not words[0].startswith("-"):
            assert words[0] in COMMANDS, item.line
            known = {option for parameter in loaded(words[0]).params for option in parameter.opts} | {"--help"}
            used = {word.strip("[]").split("=")[0] for word in words[1:] if word.strip("[").startswith("--")}
            assert used <= known, (item.line, used - known)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_documented_scripts_and_their_options_exist(page: Path) -> None:
    for name, words in SCRIPT.findall(page.read_text(encoding="utf-8").replace("\\\n", " ")):
        source = (ROOT / name).read_text(encoding="utf-8")
        for option in re.findall(r"--[a-z0-9-]+", words):
            assert f'"{option}"' in source, f"{page.name}: {name} has no {option}"


@pytest.mark.parametrize("page", list(QUICK), ids=name_of)
def test_quick_lines_run_and_print_what_the_page_shows(
    page: Path, tmp_path: Path, command_line, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(page, tmp_path)
    for item in QUICK[page]:
        words = shlex.split(item.code) if not item.python else []
        if words[:1] == ["mirrorfield"]:
            code, output, errors = command_line(*words[1:])
        else:
            script = ROOT / words[1] if words else tmp_path / "block.py"
            if item.python:
                script.write_text(item.code, encoding="utf-8")
            runpy.run_path(str(script), run_name="__main__")
            code, (output, errors) = 0, capsys.readouterr()
        assert not (problem := told(item, code, output + errors)), problem


def test_every_picture_of_the_docs_is_in_the_gallery() -> None:
    shown = re.findall(r"\]\(assets/([\w-]+\.png)\)", (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(picture.name for picture in (ROOT / "docs" / "assets").glob("*.png"))
