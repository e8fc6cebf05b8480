"""Tutorials, run when the docs are built: a hook that mkdocs.yml names.

A tutorial is a Markdown page under docs/tutorials/, whose Python blocks are the cells of one notebook. The build runs
them in order in one Jupyter kernel, puts what they print and draw below them, and lays the notebook beside the page. A
cell that fails ends the build. The first comment of a cell that draws is the description of its picture.
"""

import re
import tempfile
from functools import cache
from html import escape
from typing import Any

import nbformat
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

PLACE = "tutorials/"
CELL = re.compile(r"^```python\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
PAGE_LINK = re.compile(r"\]\((?!https?:)([^)#]+)\.md")
TIMEOUT = 600  # seconds that a cell may take: a first run compiles


def notebook_of(markdown: str) -> nbformat.NotebookNode:
    """Return a page as a notebook: text and Python blocks in their order."""
    pieces = CELL.split(markdown)
    makers = (nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell)
    cells = [makers[i % 2](piece.strip("\n"), id=f"cell-{i}") for i, piece in enumerate(pieces) if piece.strip()]
    return nbformat.v4.new_notebook(cells=cells)


@cache
def executed(markdown: str) -> nbformat.NotebookNode:
    """Return the notebook of a page with its outputs. Raises PluginError, with the error, for a cell that fails."""
    notebook = notebook_of(markdown)
    with tempfile.TemporaryDirectory() as place:
        client = NotebookClient(
            notebook, timeout=TIMEOUT, coalesce_streams=True, resources={"metadata": {"path": place}}
        )
        try:
            client.execute()
        except CellExecutionError as error:
            failed = error.traceback.split("------------------")[1].strip()
            raise PluginError(f"tutorial: got {error.ename}: {error.evalue}, from the cell:\n{failed}") from None
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran
    return notebook


def shown(output: Any, description: str) -> str:
    """Return an output as HTML that Markdown leaves as it is: a picture, a table, or text."""
    data = output.get("data", {"text/plain": output.get("text", "")})
    if picture := data.get("image/png"):
        made = f'<img alt="{escape(description)}" src="data:image/png;base64,{picture.strip()}">'
    elif table := data.get("text/html"):
        made = re.sub(r"<style.*?</style>|\n\s*(?=\n)", "", table, flags=re.DOTALL)
    else:
        made = f"<pre><code>{escape(data['text/plain'].rstrip())}</code></pre>".replace("\n", "&#10;")
    return f'<div class="output">{made}</div>'


def described(source: str) -> str:
    """Return the first comment of a cell."""
    comment = re.search(r"^# (.+)$", source, re.MULTILINE)
    return comment[1] if comment else "What this cell draws"


def page_of(notebook: nbformat.NotebookNode) -> str:
    """Return a notebook that has run as Markdown, each output below its cell."""
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        else:
            parts += [f"```python\n{cell.source}\n```", *(shown(out, described(cell.source)) for out in cell.outputs)]
    return "\n\n".join(parts) + "\n"


def on_files(files: Files, config: Any) -> Files:
    """Run every tutorial and add its notebook to the site, with the pages that it links to by their web address."""
    for file in list(files.documentation_pages()):
        if file.src_uri.startswith(PLACE):
            notebook = executed(file.content_string)
            text = PAGE_LINK.sub(r"](\1.html", nbformat.writes(notebook))
            files.append(File.generated(config, file.src_uri.removesuffix(".md") + ".ipynb", content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return a tutorial with its outputs, and any other page as it is."""
    return page_of(executed(page.file.content_string)) if page.file.src_uri.startswith(PLACE) else markdown
