"""Run what README and docs show: command lines and Python, page by page, in a temporary folder.

    python scripts/documented.py                    # every line, with its seconds
    python scripts/documented.py --page rules.md    # one page
    python scripts/documented.py --long             # also those that take many minutes each

What a page prints below a command or a Python block has to be in its output. `documented.toml` names the lines that
are slow, those that end with another code than 0, those that are interrupted, and those that cannot be run, with the
reason. A line that is in none of its lists is quick, and `tests/cli/test_documented.py` runs it too. A line with a
placeholder (`DIR`, `[OPTIONS]`) is a form, and a command that stands alone in a sentence is a mention; neither is run.
The Python of tutorials runs when the docs are built.
"""

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
CLASSES = tomllib.loads((ROOT / "scripts" / "documented.toml").read_text(encoding="utf-8"))

BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$|((?:^    [^\n]*\n)+)|`(mirrorfield [^`]+)`", re.MULTILINE | re.DOTALL)
PROMPT = re.compile(r"^(?:.*&& )?(?:time |.*; do )?(?:uv run (?:--\S+ )*)?(mirrorfield [a-z-]|python examples/)")
FORM = re.compile(r"\[(?:[A-Z]|--)|\b(?:DIR|FILE|LOG|ID|COLUMN|STEPS|COMMAND)\b|\.\.\.")


@dataclass
class Shown:
    """One thing to run. `line` is its name in `documented.toml`, `printed` what the page shows of its output."""

    page: str
    line: str
    code: str
    printed: list[str] = field(default_factory=list)

    @property
    def python(self) -> bool:
        """Return whether it is Python, and not a command line."""
        return self.line.startswith(f"{self.page}: ")

    @property
    def skipped(self) -> str | None:
        """Return why it cannot be run, or None."""
        if self.line.startswith("`"):
            return "a mention"
        if not self.python and FORM.search(self.line):
            return "a form with a placeholder"
        reason: str | None = CLASSES["skipped"].get(self.line)
        return reason

    @property
    def slow(self) -> bool:
        """Return whether the tests leave it to this script."""
        return any(self.line in CLASSES[name] for name in ("slow", "long", "interrupted"))


def command_lines(block: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the command lines of a block, each with the lines printed below it. Without prompts, nothing is printed."""
    lines = re.sub(r" *\\\n\s*", " ", block).splitlines()
    prompts = any(line.startswith("$ ") for line in lines)
    found: tuple[str, list[str]] | None = None
    for line in lines:
        asked = line.removeprefix("$ ")
        if prompts and asked == line:
            if found:
                found[1].append(line)
            continue
        if found:
            yield found
        found = None
        if begun := PROMPT.match(asked):
            found = re.split(r" \| |;| && | #", asked[begun.start(1) :])[0].strip(), []
    if found:
        yield found


def name_of(page: Path) -> str:
    """Return a page's name: its path below docs."""
    return page.relative_to(ROOT / "docs").as_posix() if page.is_relative_to(ROOT / "docs") else page.name


def shown_on(page: Path) -> list[Shown]:
    """Return what a page shows to be run, in its order, each line once."""
    text, name, end = page.read_text(encoding="utf-8"), name_of(page), 0
    made: list[Shown] = []
    for block in BLOCK.finditer(text):
        kind, fenced, indented, inline = block.groups()
        follows = made and made[-1].python and not text[end : block.start()].strip()
        if kind == "python" and not name.startswith("tutorials/"):
            number = 1 + sum(item.python for item in made)
            made.append(Shown(name, f"{name}: Python {number}", fenced))
        elif kind == "text" and follows:
            made[-1].printed += fenced.splitlines()
        elif inline:
            words = " ".join(inline.split())
            made.append(Shown(name, words if words.count(" ") > 1 else f"`{words}`", words))
        elif indented or kind in ("", "console", "sh", "text"):
            lines = fenced or re.sub(r"^    ", "", indented, flags=re.MULTILINE)
            made += [Shown(name, line, line, printed) for line, printed in command_lines(lines)]
        end = block.end()
    return list({item.line: item for item in reversed(made)}.values())[::-1]


def missing(item: Shown, output: str) -> list[str]:
    """Return the lines that a page prints and an output lacks; blanks, rules of tables and `...` do not count."""
    there = {" ".join(line.split()) for line in output.splitlines()}
    lines = (" ".join(line.split()) for line in item.printed)
    return [line for line in lines if line.strip("─. ") and not line.startswith("^C") and line not in there]


def write_log(folder: Path) -> None:
    """Write a made-up log in the form of MovieLens, `ratings.csv` and `movies.csv`: 40 people, 60 films, 3 genres."""
    films = [
        (film, "|".join(g for i, g in enumerate(("Comedy", "Drama", "War")) if (film >> i) % 2 or film % 3 == i))
        for film in range(60)
    ]
    ratings = (
        (who, film, 1 + (who * film + who % 4 + film % 3) % 5, 100 * who + film)
        for who in range(40)
        for film in range(who % 7, 60, 3)
    )
    tables = {
        "movies.csv": (("movieId", "genres"), films),
        "ratings.csv": (("userId", "movieId", "rating", "timestamp"), ratings),
    }
    for name, (header, rows) in tables.items():
        lines = (",".join(str(value) for value in row) for row in (header, *rows))
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def prepare(page: Path, folder: Path) -> None:
    """Write the files that a page names into a folder: the made-up log, and blocks of the page itself."""
    write_log(folder)
    for name, block in CLASSES["files"].get(name_of(page), {}).items():
        kind, number = block.split()
        blocks = re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        (folder / name).write_text(blocks[int(number) - 1], encoding="utf-8")


def words_of(item: Shown, folder: Path) -> list[str]:
    """Return the words that run an item in a process of its own."""
    if item.python:
        (folder / "block.py").write_text(item.code, encoding="utf-8")
        return [sys.executable, "block.py"]
    program, *words = shlex.split(item.code)
    return [
        sys.executable,
        *(("-m", "mirrorfield") if program == "mirrorfield" else (str(ROOT / words.pop(0)),)),
        *words,
    ]


def run(item: Shown, folder: Path) -> tuple[int, str]:
    """Run an item in a process, and return its exit code and what it printed. An interrupted one gets Ctrl-C."""
    process = subprocess.Popen(
        words_of(item, folder),
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "MPLBACKEND": "agg"},
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if seconds := CLASSES["interrupted"].get(item.line):
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
    output, _ = process.communicate()
    return process.returncode, output


def told(item: Shown, code: int, output: str) -> str | None:
    """Return what is wrong with how an item ended, or None."""
    if code != (expected := CLASSES["ends"].get(item.line, 0)):
        return f"{item.page}: {item.line}: expected exit code {expected}, got {code}: {output.strip()[-300:]}"
    lines = [] if item.line in CLASSES["other_figures"] else missing(item, output)
    return f"{item.page}: {item.line}: the page shows what is not printed: {lines[0]}" if lines else None


def main() -> None:
    """Run the pages and print a line for each thing that was run; exit code 1 if one does not end as its page says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", action="append", help="a page's name, such as rules.md; may be repeated")
    parser.add_argument("--long", action="store_true", help="also run lines that take many minutes each")
    chosen = parser.parse_args()
    wrong = []
    for page in (page for page in PAGES if not chosen.page or name_of(page) in chosen.page):
        with tempfile.TemporaryDirectory() as place:
            prepare(page, Path(place))
            for item in shown_on(page):
                if reason := item.skipped or ("long" if item.line in CLASSES["long"] and not chosen.long else None):
                    print(f"   not run  {item.page}: {item.line} ({reason})", flush=True)
                    continue
                begun = time.monotonic()
                problem = told(item, *run(item, Path(place)))
                print(f"{time.monotonic() - begun:8.1f} s  {item.page}: {item.line}", flush=True)
                if problem:
                    wrong.append(problem)
                    print(f"            {problem}", flush=True)
    print(f"{len(wrong)} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
