"""Tutorials: a page's Python blocks run in order in one kernel, and what they print and draw stands below them."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if not (ROOT / "scripts" / "book").is_dir():
    pytest.skip("the docs are not in the source distribution", allow_module_level=True)
pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
PluginError = pytest.importorskip("mkdocs.exceptions").PluginError
sys.path.insert(0, str(ROOT / "scripts" / "book"))
from tutorials import executed, notebook_of, page_of, shown  # noqa: E402

PAGE = """# Two

One.

```python
a = 1
print('<b>')
```

Then:

```python
a + 1
```

```console
$ no cell
```
"""


def test_a_page_becomes_text_and_cells() -> None:
    kinds = [(cell.cell_type, cell.source.splitlines()[0]) for cell in notebook_of(PAGE).cells]
    text, code = (
        [first for kind, first in kinds if kind == "markdown"],
        [first for kind, first in kinds if kind == "code"],
    )
    assert text == ["# Two", "Then:", "```console"] and code == ["a = 1", "a + 1"]
    assert [kind for kind, _ in kinds] == ["markdown", "code", "markdown", "code", "markdown"]


def test_cells_run_in_one_kernel_and_outputs_stand_below_them() -> None:
    made = page_of(executed(PAGE))
    printed = '```\n\n<div class="output"><pre><code>&lt;b&gt;</code></pre></div>\n\nThen:'
    assert printed in made and '```\n\n<div class="output"><pre><code>2</code></pre></div>' in made
    assert made.endswith("```console\n$ no cell\n```\n")


def test_a_cell_that_fails_ends_the_build_with_its_error() -> None:
    with pytest.raises(PluginError, match="ZeroDivisionError: division by zero, from the cell:\n1 / 0"):
        executed("```python\n1 / 0\n```\n")


def test_a_picture_has_a_description_and_a_table_no_style() -> None:
    picture = {"data": {"image/png": "QQ==\n", "text/plain": "<Figure>"}}
    assert shown(picture, 'a "b"') == (
        '<div class="output"><img alt="a &quot;b&quot;" src="data:image/png;base64,QQ=="></div>'
    )
    table = {"data": {"text/html": "<style>\na\n</style>\n\n<table></table>"}}
    assert shown(table, "") == '<div class="output">\n<table></table></div>'


def test_every_cell_that_draws_is_described() -> None:
    for page in sorted((ROOT / "docs" / "tutorials").glob("*.md")):
        for cell in notebook_of(page.read_text(encoding="utf-8")).cells:
            if cell.cell_type == "code" and ".plot." in cell.source:
                assert cell.source.startswith("# "), f"{page.name}: expected a comment first, in: {cell.source}"
