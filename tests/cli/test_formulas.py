"""Formulas in the docs: each is one that the converter knows, and the equations that are cited by number are there."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if not (ROOT / "scripts" / "book").is_dir():
    pytest.skip("the docs are not in the source distribution", allow_module_level=True)
pytest.importorskip("latex2mathml")
PluginError = pytest.importorskip("mkdocs.exceptions").PluginError
sys.path.insert(0, str(ROOT / "scripts" / "book"))
from formulas import mathml, on_page_content  # noqa: E402


def test_a_formula_becomes_mathml_with_its_number_and_its_source() -> None:
    made = on_page_content('<div class="arithmatex">\\[a &lt; \\bar b \\tag{4}\\]</div>')
    assert 'id="eq-4"' in made and "(4)</span>" in made and "tag" not in made
    assert 'alttext="a &lt; \\bar b"' in made and "&#x0003C;" in made and "<mover>" in made
    inline = on_page_content('<p>so <span class="arithmatex">\\(x \\sim p\\)</span></p>')
    assert inline.startswith("<p>so <math") and "&#x0223C;" in inline and 'display="inline"' in inline


def test_rows_are_aligned() -> None:
    assert mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}").count("<mtr>") == 2


def test_an_unknown_command_ends_the_build() -> None:
    with pytest.raises(PluginError, match=r"got \\thetta in: a = \\thetta"):
        mathml(r"a = \thetta")


CITED = re.compile(r"docs/([\w-]+)\.md,\s+eqs?\.\s+((?:\d+|to|and|[-,\s])+)")


def cited() -> set[tuple[str, int]]:
    """Return every equation that a docstring names, by page and number."""
    found = set()
    for source in sorted((ROOT / "src").glob("**/*.py")):
        for page, numbers in CITED.findall(source.read_text(encoding="utf-8")):
            for first, last in re.findall(r"(\d+)(?:\s*(?:-|to)\s*(\d+))?", numbers):
                found |= {(page, n) for n in range(int(first), int(last or first) + 1)}
    return found


def test_every_equation_that_a_docstring_cites_is_on_its_page_once() -> None:
    assert {("model", 4), ("model", 5), ("model", 6), ("model", 17)} <= cited()
    for page, number in sorted(cited()):
        text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        there = re.findall(rf"\\tag\{{{number}\}}|^\({number}\) ", text, re.MULTILINE)
        assert len(there) == 1, f"docs/{page}.md, eq. {number}: expected once, found {len(there)} times"
