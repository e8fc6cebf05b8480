"""The corpus: what its file holds, what the default one is, and the one line that refuses what is not a corpus."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mirrorfield.errors import CorruptError, InputError
from mirrorfield.population.corpus import corpus_bytes, load_corpus, make_corpus, read_corpus
from mirrorfield.population.posts import posts
from mirrorfield.population.scenario import Scenario

GOOD: dict[str, Any] = {
    "categories": ["a", "b"],
    "category": [0, 0, 1],
    "quality": [0.5, 1.5, 1.0],
    "embedding": [[3.0, 4.0], [0.0, 2.0], [-1.0, 0.0]],
    "text": ["x", "y", "z"],
}


def write(path: Path, **changes: Any) -> Path:
    arrays = GOOD | changes
    np.savez(path, **{entry: np.array(value) for entry, value in arrays.items() if value is not None})
    return path


def refusal(source: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_corpus(source)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(str(source))
    return message.removeprefix(f"{source}").removeprefix(": ")


def test_the_default_corpus_holds_the_posts_in_their_order() -> None:
    corpus = load_corpus("posts")
    assert corpus.text == tuple(post.text for post in posts())
    assert [corpus.categories[k] for k in corpus.category] == [post.category for post in posts()]
    assert corpus.categories == tuple(category.name for category in Scenario().categories)
    assert corpus.quality.tolist() == [np.float32((0.8, 1.0, 1.2)[post.intensity]) for post in posts()]
    assert corpus.embedding.dtype == corpus.quality.dtype == np.float32 and corpus.category.dtype == np.int32


def test_the_default_corpus_has_the_same_bits_on_every_machine() -> None:
    embedding = load_corpus("posts").embedding
    assert hashlib.sha256(embedding.astype("<f4").tobytes()).hexdigest() == (
        "a9efe9e6578ce35e5d629e8321b97f551ece107e1dad3cbe4b7e304d0dea435e"
    )


def test_a_sum_of_squares_of_float16_is_exact_in_any_order() -> None:
    with np.load(Path(make_corpus.__code__.co_filename).parent / "corpora/posts.npz") as file:
        stored = file["embedding"].astype(np.float64)
    squares = stored * stored
    np.testing.assert_array_equal(np.cumsum(squares, axis=1)[:, -1], np.cumsum(squares[:, ::-1], axis=1)[:, -1])


def test_a_file_is_read_as_written_and_embeddings_get_unit_length(tmp_path: Path) -> None:
    corpus = load_corpus(write(tmp_path / "own.npz"))
    assert len(corpus) == 3 and corpus.text == ("x", "y", "z")
    assert corpus.embedding.tolist() == [[np.float32(0.6), np.float32(0.8)], [0, 1], [-1, 0]]


def test_reading_what_was_written_gives_the_same_bits() -> None:
    rng = np.random.default_rng(0)
    n = 200
    corpus = make_corpus(["a"], np.zeros(n, int), np.ones(n), rng.standard_normal((n, 48)), ["t"] * n)
    data = corpus_bytes(corpus)
    again = read_corpus(data, "again")
    assert again.embedding.tobytes() == corpus.embedding.tobytes()
    assert corpus_bytes(again) == data
    np.testing.assert_allclose((again.embedding.astype(float) ** 2).sum(axis=1), 1, atol=2e-7)


def test_categories_are_put_in_the_order_of_a_scenario() -> None:
    corpus = make_corpus(**GOOD)
    turned = corpus.in_order(["b", "a"])
    assert turned.categories == ("b", "a") and turned.category.tolist() == [1, 1, 0]
    with pytest.raises(InputError, match=r'^corpus: unknown category "b"\. Known: a, c\.$'):
        corpus.in_order(["a", "c"])
    with pytest.raises(InputError, match='an item or more of every category, got none of "c"'):
        corpus.in_order(["a", "b", "c"])


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"text": None}, 'expected the entries categories, category, quality, embedding, text, got no "text"'),
        ({"category": [0, 0, 2]}, "category: expected an index from 0 to 1, got 2 at item 2"),
        ({"category": [0, -1, 1]}, "category: expected an index from 0 to 1, got -1 at item 1"),
        ({"category": [0, 0, 0], "quality": [1] * 3}, 'categories: expected an item or more of each, got none of "b"'),
        ({"category": [0.0, 0, 1]}, "category: expected one integer per item, got float64 of shape (3,)"),
        ({"category": np.zeros(0, int)}, "category: expected one integer per item, got int64 of shape (0,)"),
        ({"categories": ["a", "a"]}, "categories: expected distinct names, got a, a"),
        ({"categories": [1, 2]}, "categories: expected a row of strings, got int64 of shape (2,)"),
        ({"quality": [0.5, 1.5]}, "quality: expected one number for each of 3 items, got float64 of shape (2,)"),
        ({"quality": [0.0, 2.0, 1]}, "quality: expected a finite number above 0, got 0.0 at item 0"),
        ({"quality": [1, np.nan, 1]}, "quality: expected a finite number above 0, got nan at item 1"),
        ({"quality": [1, 1, 1.1]}, 'quality: expected mean 1 within a category, got 1.1 in "b"'),
        (
            {"embedding": [[1, 0], [0, 0], [1, 1]]},
            "embedding: expected a vector that is not zero, got length 0.0 at item 1",
        ),
        ({"quality": [1e300, 1, 1]}, "quality: expected a finite number above 0, got 1e+300 at item 0"),
        (
            {"embedding": [[1, 0], [1, 0], [1e200, 1]]},
            "embedding: expected finite numbers, not too large, got length inf at item 2",
        ),
        (
            {"embedding": [1.0, 0, 1]},
            "embedding: expected one row of numbers for each of 3 items, got float64 of shape (3,)",
        ),
        ({"text": ["x", "y"]}, "text: expected 3 strings, one per item, got 2"),
    ],
)  # fmt: skip
def test_what_is_not_a_corpus_is_refused_in_one_line(tmp_path: Path, changes: dict[str, Any], line: str) -> None:
    assert refusal(write(tmp_path / "own.npz", **changes)) == line


def test_files_that_are_no_files_or_broken_are_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.npz") == " cannot be read: No such file or directory."
    with pytest.raises(InputError, match=r'^corpus: expected "posts" or a file that ends in \.npz, got "postes"'):
        load_corpus("postes")
    whole = write(tmp_path / "own.npz").read_bytes()
    for name, data in {
        "empty": b"", "text": b"a,b\n", "half": whole[: len(whole) // 2], "flipped": whole[:700] + b"?" + whole[701:],
    }.items():  # fmt: skip
        broken = tmp_path / f"{name}.npz"
        broken.write_bytes(data)
        assert "not a whole .npz file" in refusal(broken), name
        with pytest.raises(CorruptError):
            load_corpus(broken)
    np.savez(tmp_path / "objects.npz", **{entry: np.array([{}, {}]) for entry in GOOD})
    assert "not a whole .npz file" in refusal(tmp_path / "objects.npz")


def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    whole = corpus_bytes(make_corpus(**GOOD))
    for at in range(0, len(whole), 7):
        data = bytearray(whole)
        data[at] ^= 16
        try:
            corpus = read_corpus(bytes(data), "flipped")
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert corpus_bytes(corpus) == whole, at
