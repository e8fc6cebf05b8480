"""Reading interaction logs: what is accepted, and the one line that refuses what is not."""

from pathlib import Path

import numpy as np
import pytest

from mirrorfield.calibration import table
from mirrorfield.calibration.log import LogColumns, read_log
from mirrorfield.errors import InputError

COLUMNS = LogColumns("user", "kind", "score", "when")
HEADER = "user,kind,score,when\n"
GOOD = "ann,news,1,10\nbob,sport,2,20\n"


def write(folder: Path, text: str, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def refusal(path: Path, columns: LogColumns = COLUMNS, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        read_log(path, columns, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_columns_may_come_in_any_order_among_others(tmp_path: Path) -> None:
    path = write(tmp_path, "when,x,kind,user,score\n10,?,news,ann,1\n20,?,b,c,2\n")
    log = read_log(path, COLUMNS)
    assert log.user_names == ("ann", "c")
    assert log.category_names == ("b", "news")
    assert log.user.tolist() == [0, 1]
    assert log.category.tolist() == [1, 0]
    assert log.reaction.tolist() == [1.0, 2.0]
    assert log.time.tolist() == [10.0, 20.0]
    assert log.user.dtype == log.event.dtype == log.category.dtype == np.int64


def test_labels_share_the_weight_of_their_event_and_a_repeated_label_counts_once(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "ann,news| sport|news,1,1\nbob,sport,2,2\nann,a|news|sport,3,3\n")
    log = read_log(path, LogColumns("user", "kind", "score", "when", separator="|"))
    assert log.category_names == ("a", "news", "sport")
    assert log.event.tolist() == [0, 0, 1, 2, 2, 2]
    assert log.category.tolist() == [1, 2, 2, 0, 1, 2]
    np.testing.assert_allclose(log.weight, [1 / 2, 1 / 2, 1, 1 / 3, 1 / 3, 1 / 3])
    np.testing.assert_allclose(np.bincount(log.event, weights=log.weight), 1)


def test_byte_order_mark_quotes_blank_lines_and_unicode(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff" + HEADER + '\n"ann, ""the"" first","néws",1,1\r\n\n"b\nob",sport,2,2\n\n')
    log = read_log(path, COLUMNS)
    assert log.user_names == ('ann, "the" first', "b\nob")
    assert log.category_names == ("néws", "sport")
    assert log.report["rows"] == log.report["used"] == 2


def test_iso_dates_become_seconds_and_utc_is_assumed(tmp_path: Path) -> None:
    rows = "ann,a,1,1970-01-02\nann,b,1,1970-01-01T00:00:01\nann,b,1,1970-01-01 01:00\n"
    assert read_log(write(tmp_path, HEADER + rows), COLUMNS).time.tolist() == [86400.0, 1.0, 3600.0]
    rows = "ann,a,1,1970-01-01T02:00+02:00\nann,b,1,1970-01-01T00:00:01Z\nann,b,1,1969-12-31T20:00-05:00\n"
    assert read_log(write(tmp_path, HEADER + rows), COLUMNS).time.tolist() == [0.0, 1.0, 3600.0]


def test_numbers_and_dates_in_one_log_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + GOOD + "ann,news,1,1970-01-02\n")
    assert refusal(path) == f'{path}: column "when" mixes numbers and dates, which cannot be put in order.'


BAD_ROWS = {
    "ann,news,1": "missing field",
    "ann,news,1,1,9": "too many fields",
    " ,news,1,1": "empty user",
    "ann, ,1,1": "empty category",
    "ann,news,high,1": 'reaction is not a finite number ("high")',
    'ann,news,"so\nhigh",1': 'reaction is not a finite number ("so high")',
    "ann,news,,1": 'reaction is not a finite number ("")',
    "ann,news,nan,1": 'reaction is not a finite number ("nan")',
    "ann,news,1e999,1": 'reaction is not a finite number ("1e999")',
    "ann,news,1,noon": 'time is neither a number nor an ISO date ("noon")',
    "ann,news,1,inf": 'time is neither a number nor an ISO date ("inf")',
}


@pytest.mark.parametrize(("row", "reason"), BAD_ROWS.items())
def test_a_bad_row_is_refused_by_physical_line_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    path = write(tmp_path, HEADER + GOOD + "\n" + row + "\n")
    assert refusal(path) == (
        f"{path}: 1 of 3 rows cannot be used: line 5: {reason}. "
        "Correct them, or leave them out and have them counted with --skip-bad-rows."
    )


def test_many_bad_rows_make_one_line(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + GOOD + ",news,1,1\n" * 30)
    message = refusal(path)
    assert "30 of 32 rows cannot be used: line 4: empty user; line 5: empty user; " in message
    assert "line 8: empty user; ..." in message
    assert "line 9" not in message


def test_skipped_rows_are_counted_by_reason(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + ",news,1,1\n" * 25 + GOOD + "ann,news,x,1\n")
    log = read_log(path, COLUMNS, skip_bad_rows=True)
    assert (log.report["rows"], log.report["used"], len(log.user)) == (28, 2, 2)
    assert log.report["bad"] == {
        "empty user": {"count": 25, "first": list(range(2, 22))},
        "reaction is not a finite number": {"count": 1, "first": [29]},
    }


def test_nothing_usable_is_refused_even_when_skipping(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + ",news,1,1\n")
    assert refusal(path, skip_bad_rows=True) == f"{path}: none of its 1 rows can be used: line 2: empty user."


def test_empty_logs(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    assert refusal(path) == f"{path} is empty: expected a header line and one row per record."
    path = write(tmp_path, HEADER)
    assert refusal(path) == f"{path} holds a header but no rows: expected one row per reaction."


def test_unknown_column_names_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + GOOD)
    message = refusal(path, LogColumns("users", "kind", "score", "when"))
    assert message == f'{path} has no column "users". Did you mean "user"? Its columns: user, kind, score, when.'


def test_repeated_column_is_ambiguous(tmp_path: Path) -> None:
    path = write(tmp_path, "user,kind,score,when,user\n" + "ann,a,1,1,ann\n")
    assert refusal(path) == f'{path} has more than one column "user"; rename all but one.'


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv") == f"{tmp_path / 'none.csv'} cannot be read: No such file or directory."
    path = tmp_path / "latin.csv"
    path.write_bytes((HEADER + GOOD).encode() + "zoé,news,1,1\n".encode("latin-1"))
    assert refusal(path) == f"{path}, line 4: not UTF-8 text. Save the file as UTF-8."
    path = write(tmp_path, HEADER + GOOD + '"ann,news,1,1\nbob,news,1,1\n')
    assert refusal(path) == (
        f"{path}, line 4: not well-formed CSV (unexpected end of data). "
        "Check the quotes of the record that begins there."
    )


def many(kinds: int) -> str:
    return HEADER + "".join(f"ann,k{i:02d},1,1\n" * (kinds - i) for i in range(kinds))


def test_more_than_32_categories_need_a_limit(tmp_path: Path) -> None:
    path = write(tmp_path, many(33))
    assert refusal(path) == (
        f'{path}, column "kind": 33 categories found, at most 32 can be simulated. --max-categories N merges the '
        'rarest into "other"; if a field lists several labels, name what separates them with --separator.'
    )
    assert len(read_log(write(tmp_path, many(32)), COLUMNS).category_names) == 32


def test_the_rarest_categories_are_merged_and_reported(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, many(5)), COLUMNS, max_categories=3)
    assert log.category_names == ("k00", "k01", "other")
    assert log.report["merged"] == {"k02": 3, "k03": 2, "k04": 1}
    assert np.bincount(log.category).tolist() == [5, 4, 6]


def test_merged_labels_of_one_event_count_once_and_join_a_category_called_other(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "ann,a|b|c|other,1,1\n" + "ann,a,1,1\n" * 2)
    log = read_log(path, LogColumns("user", "kind", "score", "when", separator="|"), max_categories=2)
    assert log.category_names == ("a", "other")
    assert log.category.tolist() == [0, 1, 0, 0]
    assert log.weight.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert log.report["merged"] == {"b": 1, "c": 1, "other": 1}


def test_category_limits(tmp_path: Path) -> None:
    path = write(tmp_path, many(3))
    assert refusal(path, max_categories=33) == "--max-categories must be from 2 to 32, got 33."
    path = write(tmp_path, many(1))
    assert refusal(path) == f'{path}, column "kind": only one category found (k00); a feed needs at least 2.'


JOINED = LogColumns("user", "kind", "score", "when", separator="|", item="id")


def test_categories_from_an_items_table(tmp_path: Path) -> None:
    path = write(tmp_path, "id,user,score,when\n7,ann,1,1\n8,ann,2,2\n9,ann,3,3\n")
    items = write(tmp_path, 'id,title,kind\n7,"A, B",x|y\n8,C,y\n', "items.csv")
    message = refusal(path, JOINED, items=items)
    assert message.startswith(f'{path}: 1 of 3 rows cannot be used: line 4: item is not in the items table ("9").')
    log = read_log(path, JOINED, items=items, skip_bad_rows=True)
    assert log.category.tolist() == [0, 1, 1]
    assert log.report["items"]["used"] == 2


def test_bad_rows_of_the_items_table(tmp_path: Path) -> None:
    path = write(tmp_path, "id,user,score,when\n7,ann,1,1\n8,ann,2,2\n")
    items = write(tmp_path, "id,kind\n7,x\n8,y\n,x\n7,y\n7,x\n", "items.csv")
    message = refusal(path, JOINED, items=items)
    assert "2 of 5 rows cannot be used: line 4: empty item; line 5: item listed before with another cat" in message
    log = read_log(path, JOINED, items=items, skip_bad_rows=True)
    assert log.report["items"]["bad"]["empty item"] == {"count": 1, "first": [4]}
    assert log.category.tolist() == [0, 1]


def test_items_and_item_go_together(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + GOOD)
    expected = "--items TABLE and --item COLUMN go together: the table, and the column both tables share."
    assert refusal(path, JOINED) == expected
    assert refusal(path, items=path) == expected


def test_parquet_reads_as_csv_does(tmp_path: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {
        "user": [1, 2, None],
        "kind": ["a", "b", "a"],
        "score": [True, False, True],
        "when": pa.array([0, 10**9, 5], pa.timestamp("ns")),
        "tags": [["a"], ["b"], []],
    }
    path = tmp_path / "log.parquet"
    parquet.write_table(pa.table(columns), path)
    assert "1 of 3 rows cannot be used: row 3: empty user." in refusal(path)
    log = read_log(path, COLUMNS, skip_bad_rows=True)
    assert log.user_names == ("1", "2")
    assert log.reaction.tolist() == [1.0, 0.0]
    assert log.time.tolist() == [0.0, 1.0]
    assert 'column "tags" holds list' in refusal(path, LogColumns("user", "tags", "score", "when"))
    assert 'has no column "usr". Did you mean "user"?' in refusal(path, LogColumns("usr", "kind", "score", "when"))
    path.write_text("no parquet")
    assert f"{path} cannot be read: " in refusal(path)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(table, "import_module", missing)
    assert refusal(tmp_path / "a.parquet") == 'Reading Parquet needs pyarrow: pip install "mirrorfield[parquet]"'
