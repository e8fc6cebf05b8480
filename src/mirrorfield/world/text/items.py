"""Items in a table, CSV or Parquet, and the corpus that they make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mirrorfield.arrays import F32Array, FloatArray, IntArray
from mirrorfield.calibration.log import parse_number
from mirrorfield.calibration.table import BadRows, read_table
from mirrorfield.errors import InputError
from mirrorfield.population.corpus import Corpus, make_corpus
from mirrorfield.world.text.embed import embed_texts

KEPT = 1000
"""Characters of a text that a corpus keeps to be shown; all of it is embedded."""


@dataclass(frozen=True)
class ItemColumns:
    """The column of each role; without a quality column all items of a category are equally good."""

    text: str
    category: str
    quality: str | None = None


@dataclass
class Items:
    """The usable rows of a table in file order; report is plain data on what was read, used and left out."""

    text: list[str] = field(default_factory=list)
    category: list[str] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)


def read_items(path: Path, columns: ItemColumns, skip_bad_rows: bool = False) -> Items:
    """Read items from CSV or Parquet, refusing rows that cannot be used or counting them.

    Parameters: path; columns; skip_bad_rows, leave bad rows out and count them in the report instead of refusing.
    Returns Items. Raises InputError, in one line that names file and rows, for anything that cannot be used.
    """
    bad, items = BadRows(path), Items()
    wanted = [columns.text, columns.category, *([columns.quality] if columns.quality else [])]
    for place, fields, fault in read_table(path, wanted):
        bad.rows += 1
        problem = (fault, None) if fault else _take(fields, items)
        if problem:
            bad.add(place, *problem)
    if not skip_bad_rows:
        bad.refuse()
    if not items.text:
        raise InputError(f"{path}: expected one item per row, got none that can be used, of {bad.rows} rows.")
    items.report = bad.report()
    return items


def _take(fields: Sequence[str], items: Items) -> tuple[str, str | None] | None:
    text, category = fields[0].strip(), fields[1].strip()
    quality = parse_number(fields[2]) if len(fields) > 2 else 1.0
    if not text:
        return "empty text", None
    if not category:
        return "empty category", None
    if quality is None or not 1e-6 <= quality <= 1e6:
        return "quality is not a number from 1e-6 to 1e6", fields[2]
    items.text.append(text)
    items.category.append(category)
    items.quality.append(quality)
    return None


def relative_quality(quality: FloatArray, category: IntArray) -> F32Array:
    """Return every item's quality divided by the mean quality of its category.

    Parameters: quality, (M,), above 0; category, (M,), from 0. Returns float32 (M,).

    >>> relative_quality(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 1])).tolist()
    [0.5, 1.5, 1.0]
    """
    mean = np.bincount(category, weights=quality) / np.bincount(category)
    return (quality / mean[category]).astype(np.float32)


def embed_items(items: Items, threads: int | None = None, progress: Callable[[int], None] | None = None) -> Corpus:
    """Return the corpus of items, categories numbered by first appearance; it keeps 1,000 characters of each text.

    Parameters: items, as read; threads, by default one per processor; progress, called with 1 after every item. Returns
    a Corpus. Raises InputError where the extra `text` or the weights are missing.
    """
    names = list(dict.fromkeys(items.category))
    number = {name: k for k, name in enumerate(names)}
    category = np.array([number[name] for name in items.category], np.int32)
    quality = relative_quality(np.array(items.quality), category)
    embedding = embed_texts(items.text, threads, progress)
    return make_corpus(names, category, quality, embedding, [text[:KEPT] for text in items.text])
