"""Items that can be shown: each has a category, a quality, a place among the others, and a text."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mirrorfield.arrays import F32Array, FloatArray, IntArray
from mirrorfield.errors import CorruptError, InputError, nearest
from mirrorfield.reading import read_bytes, read_npz
from mirrorfield.seal import check_bytes, seal_zip

ENTRIES = ("categories", "category", "quality", "embedding", "text")
TOLERANCE = 2.0**-20
MEAN_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Corpus:
    """M items in K categories.

    categories: K names. category: int32 (M,), index into them. quality: float32 (M,), above 0, with mean 1 within each
    category: how much better or worse an item is received than its category. embedding: float32 (M, d), of unit length,
    so that the product of two is their cosine. text: M strings.
    """

    categories: tuple[str, ...]
    category: NDArray[np.int32]
    quality: F32Array
    embedding: F32Array
    text: tuple[str, ...]

    def __len__(self) -> int:
        """The number of items."""
        return len(self.category)

    def in_order(self, names: Sequence[str]) -> "Corpus":
        """Return the corpus with categories numbered as in `names`; raise InputError unless both name the same.

        >>> load_corpus("posts").in_order(["depth", "validation", "tribal", "threat"]).category[0]
        np.int32(3)
        """
        for name in self.categories:
            if name not in names:
                hint = nearest(name, names) or f" Known: {', '.join(names)}."
                raise InputError(f'corpus: unknown category "{name}".{hint}')
        for name in names:
            if name not in self.categories:
                raise InputError(f'corpus: expected an item or more of every category, got none of "{name}"')
        number = np.array([names.index(name) for name in self.categories], np.int32)
        return replace(self, categories=tuple(names), category=number[self.category])


def load_corpus(source: str | Path) -> Corpus:
    """Return the corpus that comes with the package, "posts", or one from an .npz file (docs/corpus.md).

    Raises InputError, in one line, for a file that cannot be read or does not hold a corpus.

    >>> corpus = load_corpus("posts")
    >>> len(corpus), corpus.embedding.shape, corpus.categories
    (60, (60, 384), ('threat', 'tribal', 'validation', 'depth'))
    """
    if source == "posts":
        data = (resources.files("mirrorfield.population") / "corpora" / "posts.npz").read_bytes()
        return read_corpus(data, "posts")
    if Path(source).suffix != ".npz":
        raise InputError(f'corpus: expected "posts" or a file that ends in .npz, got "{source}"')
    return read_corpus(read_bytes(Path(source)), str(source))


def read_corpus(data: bytes, name: str) -> Corpus:
    """Return the corpus that the bytes of an .npz file hold; `name` is what to call the file in an InputError."""
    check_bytes(data, name)
    try:
        arrays = read_npz(data, ENTRIES)
    except ValueError as error:
        raise CorruptError(f"{name}: not a whole .npz file ({error}). Write it again.") from None
    for entry in ENTRIES:
        if entry not in arrays:
            raise InputError(f'{name}: expected the entries {", ".join(ENTRIES)}, got no "{entry}"')
    try:
        return make_corpus(**arrays)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def is_corpus(path: Path) -> bool:
    """Tell whether a file has the entries of a corpus."""
    try:
        with zipfile.ZipFile(path) as file:
            return {f"{entry}.npy" for entry in ENTRIES} <= set(file.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def corpus_bytes(corpus: Corpus, precision: DTypeLike = np.float32) -> bytes:
    """Return the .npz file of a corpus, embeddings in a precision; in float32, reading gives the same bits again.

    Its comment is the SHA-256 of all before it.

    >>> read_corpus(corpus_bytes(load_corpus("posts")), "again").embedding.shape
    (60, 384)
    """
    file = io.BytesIO()
    np.savez_compressed(
        file,
        categories=np.array(corpus.categories),
        category=corpus.category,
        quality=corpus.quality,
        embedding=corpus.embedding.astype(precision),
        text=np.array(corpus.text),
    )
    return seal_zip(file.getvalue())


def make_corpus(categories: Any, category: Any, quality: Any, embedding: Any, text: Any) -> Corpus:
    """Return a corpus of these arrays, each checked; embeddings are brought to unit length.

    Parameters: categories, K distinct names; category, (M,) integers from 0 to K - 1, each met; quality, (M,) numbers
    above 0 with mean 1 within a category; embedding, (M, d) numbers, of which the direction counts; text, M strings.
    Returns a Corpus. Raises InputError, in one line that names the first item at fault, counted from 0.

    >>> make_corpus(["a"], [0, 0], [0.5, 1.5], [[3, 4], [1, 0]], ["x", "y"]).embedding.tolist()
    [[0.6000000238418579, 0.800000011920929], [1.0, 0.0]]
    """
    names, texts = _strings("categories", categories), _strings("text", text)
    index, weight, place = (np.asarray(array) for array in (category, quality, embedding))
    _check_shapes(names, index, weight, place, texts)
    _check_categories(names, index)
    with np.errstate(over="ignore"):
        quality32 = weight.astype(np.float32)
    _first("quality", weight, ~(np.isfinite(quality32) & (quality32 > 0)), "a finite number above 0")
    for k, name in enumerate(names):
        mean = float(quality32[index == k].mean(dtype=np.float64))
        if abs(mean - 1) > MEAN_TOLERANCE:
            raise InputError(f'quality: expected mean 1 within a category, got {mean:.6g} in "{name}"')
    return Corpus(names, index.astype(np.int32), quality32, unit_rows(place), texts)


def unit_rows(x: FloatArray) -> F32Array:
    """Return every row divided by its length, float32; a row whose length is 1 to within 2^-20 is left as it is.

    The exception makes reading what was written give the same bits. Raises InputError for a row that is not finite or
    has no direction.
    """
    wide = x.astype(np.float64)
    with np.errstate(over="ignore"):
        length = np.sqrt((wide * wide).sum(axis=1, keepdims=True))
    _first("embedding", length[:, 0], ~np.isfinite(length[:, 0]), "finite numbers, not too large", "length")
    _first("embedding", length[:, 0], length[:, 0] < 1e-30, "a vector that is not zero", "length")
    return np.where(abs(length - 1) <= TOLERANCE, wide, wide / length).astype(np.float32)


def _strings(entry: str, values: Any) -> tuple[str, ...]:
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "UT":
        raise InputError(f"{entry}: expected a row of strings, got {array.dtype} of shape {array.shape}")
    try:
        texts = tuple(map(str, array.tolist()))
        "".join(texts).encode()
    except ValueError:
        raise InputError(f"{entry}: expected text, got characters that do not exist") from None
    return texts


def _check_shapes(names: Sequence[str], index: Any, quality: Any, embedding: Any, texts: Sequence[str]) -> None:
    items = index.shape[0] if index.ndim == 1 else 0
    if not items or index.dtype.kind not in "iu":
        raise InputError(f"category: expected one integer per item, got {index.dtype} of shape {index.shape}")
    for entry, array, each in (("quality", quality, "number"), ("embedding", embedding, "row of numbers")):
        fits = array.ndim == (1 if each == "number" else 2) and len(array) == items and array.size
        if not fits or array.dtype.kind not in "fiu":
            got = f"{array.dtype} of shape {array.shape}"
            raise InputError(f"{entry}: expected one {each} for each of {items:,} items, got {got}")
    if len(texts) != items:
        raise InputError(f"text: expected {items:,} strings, one per item, got {len(texts):,}")


def _check_categories(names: Sequence[str], index: IntArray) -> None:
    if len(set(names)) < len(names):
        raise InputError(f"categories: expected distinct names, got {', '.join(names)}")
    _first("category", index, (index < 0) | (index >= len(names)), f"an index from 0 to {len(names) - 1}")
    empty = np.flatnonzero(np.bincount(index, minlength=len(names)) == 0)
    if empty.size:
        raise InputError(f'categories: expected an item or more of each, got none of "{names[empty[0]]}"')


def _first(entry: str, values: Any, wrong: Any, expected: str, what: str = "") -> None:
    if wrong.any():
        item = int(np.flatnonzero(wrong)[0])
        got = f"{what} {values[item]}".strip()
        raise InputError(f"{entry}: expected {expected}, got {got} at item {item}")
