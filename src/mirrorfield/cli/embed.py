"""`mirrorfield embed`: from a table of items to a corpus."""

import math
import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from mirrorfield.cli.asked import Threads
from mirrorfield.cli.table import left_out, stdout
from mirrorfield.errors import InputError, StoreError
from mirrorfield.population.corpus import Corpus, corpus_bytes, is_corpus


def embed(
    items: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or .parquet file, one item a row.")],
    text: Annotated[str, typer.Option(help="Column with the text.")],
    category: Annotated[str, typer.Option(help="Column with the category.")],
    quality: Annotated[str | None, typer.Option(help="Column with the quality, above 0; default all equal.")] = None,
    skip_bad_rows: Annotated[bool, typer.Option("--skip-bad-rows", help="Go on without unusable rows.")] = False,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("corpus.npz"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing corpus.")] = False,
    threads: Threads = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON and nothing else.")] = False,
) -> None:
    """Embed the texts of items and write the corpus that they make."""
    from mirrorfield.store.folder import check_place, summary_text
    from mirrorfield.world.text.items import ItemColumns, embed_items, read_items
    from mirrorfield.world.text.weights import load_encoder

    if out.suffix != ".npz":
        raise InputError(f'--out: expected a file that ends in .npz, got "{out}"')
    check_place(out, overwrite, is_corpus)
    encoder = load_encoder()
    read = read_items(items, ItemColumns(text, category, quality), skip_bad_rows)
    with _progress(quiet or json_) as progress:
        task = progress.add_task("embedding", total=len(read.text))
        corpus = embed_items(read, threads, lambda done: progress.advance(task, done))
    _write(out, corpus, overwrite)
    cut = sum(map(encoder.is_cut, read.text))
    summary = corpus_summary(corpus) | {"cut": cut, "table": read.report}
    if json_:
        sys.stdout.write(summary_text(summary))
    elif not quiet:
        stdout().print(corpus_view(summary))
        stdout().print(f"Corpus: {out}", highlight=False, soft_wrap=True)


def _progress(hidden: bool) -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal)


def _write(out: Path, corpus: Corpus, overwrite: bool) -> None:
    from mirrorfield.store.durable import write_durable
    from mirrorfield.store.folder import check_place
    from mirrorfield.store.lock import locked

    try:
        with locked(out):
            check_place(out, overwrite, is_corpus)
            write_durable(out, corpus_bytes(corpus))
    except OSError as error:
        raise StoreError(
            f"{out}: cannot write it ({error.strerror}); make room there, or choose another --out"
        ) from None


def corpus_summary(corpus: Corpus) -> dict[str, Any]:
    """Return the size of a corpus and how alike its items are, as plain data; None for what one item cannot tell."""
    from mirrorfield.metrics.similarity import mean_cosine

    cosine = mean_cosine(corpus.embedding, corpus.category, len(corpus.categories))
    count = np.bincount(corpus.category, minlength=len(corpus.categories))
    return {
        "items": len(corpus),
        "dimensions": corpus.embedding.shape[1],
        "categories": dict(zip(corpus.categories, count.tolist(), strict=True)),
        "mean_cosine": [[None if math.isnan(x) else x for x in row] for row in cosine.tolist()],
    }


def corpus_view(summary: dict[str, Any]) -> RenderableType:
    """Return what was read and how alike the items are, for a terminal."""
    read = summary["table"]
    lines = [f"{summary['items']:,} items, {len(summary['categories'])} categories, {summary['dimensions']} dimensions"]
    if read["bad"]:
        lines.append(left_out(read))
    if summary["cut"]:
        lines.append(f"Texts longer than 256 word pieces, of which the rest was not read: {summary['cut']:,}")
    table = Table(box=box.SIMPLE_HEAD, title="Mean cosine of two different items", title_justify="left")
    table.add_column("category", no_wrap=True)
    table.add_column("items", justify="right")
    table.add_column("to its own", justify="right")
    table.add_column("to the others", justify="right")
    for k, (name, items) in enumerate(summary["categories"].items()):
        table.add_row(name, f"{items:,}", _cosine(summary["mean_cosine"][k][k]), _cosine(_to_others(summary, k)))
    return Group(*(Text(line) for line in lines), table)


def _to_others(summary: dict[str, Any], k: int) -> float | None:
    pairs = [
        pair
        for a, pair in enumerate(zip(summary["categories"].values(), summary["mean_cosine"][k], strict=True))
        if a != k
    ]
    return sum(items * cosine for items, cosine in pairs) / sum(items for items, _ in pairs) if pairs else None


def _cosine(x: float | None) -> str:
    return "–" if x is None else f"{x:.3f}"
