"""Files from somebody else: refused in one line, nothing half written, no code run, nothing unchecked computed with."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mirrorfield as mf
from mirrorfield.cli.compare import parse_change
from mirrorfield.errors import CorruptError, InputError
from mirrorfield.population.lens_tables import reward_models
from mirrorfield.population.run import plan_run
from mirrorfield.population.settings import parse_setting
from mirrorfield.store.arrays import check_group
from mirrorfield.store.folder import read_result
from mirrorfield.store.population import read_population
from mirrorfield.store.ticket import read_ticket
from mirrorfield.study.sweep import Sweep

NAMES = np.array([category.name for category in mf.Scenario().categories], object)
Tables = dict[str, tuple[tuple[str, ...], Any]]
GOOD: Tables = {
    "susceptibility": (("user", "category"), np.ones((6, 4), np.float32)),
    "intentionality": (("user",), np.linspace(0, 1, 6)),
}


class Canary:
    """What makes the file "canary" in the working folder when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("canary",)


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and len(message) < 1000
    return message


def people(folder: Path, **changes: Any) -> Path:
    data = {name: table for name, table in (GOOD | changes).items() if table is not None}
    xr.Dataset(data, {"category": NAMES}).to_zarr(folder / "population.zarr", zarr_format=3, consolidated=False)
    return folder


def retold(folder: Path, array: str, **changes: Any) -> Path:
    file = folder / "population.zarr" / array / "zarr.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return folder


def test_a_good_population_is_read(tmp_path: Path) -> None:
    listed = read_population(people(tmp_path))
    assert (
        listed.categories == tuple(NAMES) and listed.susceptibility.dtype == listed.intentionality.dtype == np.float32
    )


def test_pickles_in_a_population_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zarr format 2 names its filters in the metadata, and one of them unpickles: format 3 alone is opened."""
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "population.zarr"
    array = {"zarr_format": 2, "shape": [1, 4], "chunks": [1, 4], "dtype": "|O", "compressor": None, "order": "C",
             "fill_value": None, "filters": [{"id": "pickle", "protocol": 5}]}  # fmt: skip
    for name in ("susceptibility", "intentionality", "category"):
        (place / name).mkdir(parents=True)
        (place / name / ".zarray").write_text(json.dumps(array))
        (place / name / ".zattrs").write_text('{"_ARRAY_DIMENSIONS": ["user", "category"]}')
        (place / name / "0.0").write_bytes(pickle.dumps(Canary()))
    (place / ".zgroup").write_text('{"zarr_format": 2}')
    assert "zarr.json cannot be read" in refusal(lambda: read_population(tmp_path))
    (place / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    assert "zarr.json cannot be read" in refusal(lambda: read_population(tmp_path))
    np.save(tmp_path / "x.npy", np.array([Canary()], object))
    model = {"source": "reward_model", "model_file": "x.npy"}
    assert "expected numbers or text, got object" in refusal(lambda: reward_models(mf.Scenario(reward=model)))
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"susceptibility": (("user", "category"), np.full((6, 4), 3e38, "f4"))}, "numbers from 0 to 10000, got 3e+38"),
        ({"susceptibility": (("user", "category"), np.full((6, 4), np.nan))}, "from 0 to 10000, got nan at person 0"),
        ({"susceptibility": (("person", "category"), np.ones((10, 4)))}, "dimensions user, category, got ['person'"),
        ({"susceptibility": (("category", "user"), np.ones((4, 6)))}, "expected the dimensions user, category"),
        ({"susceptibility": (("user", "kind"), np.ones((6, 2)))}, "expected the dimensions user, category"),
        ({"susceptibility": (("user", "category"), np.ones((6, 4), complex))}, "expected numbers (int8 to uint64,"),
        ({"susceptibility": (("user", "category"), np.ones((6, 4), "M8[ns]"))}, "got an encoding by calendar"),
        ({"susceptibility": (("user", "category"), np.full((6, 4), "1", object))}, "float64), got string"),
        ({"intentionality": (("user",), np.full(6, 1.5))}, "intentionality: expected numbers from 0 to 1, got 1.5"),
        ({"intentionality": (("user",), np.ones(6), {"scale_factor": 2.0})}, "got an encoding by scale_factor"),
        ({"susceptibility": (("user", "category"), np.ones((0, 4))), "intentionality": None}, "2 lengths above 0"),
        ({"intentionality": None}, "zarr.json cannot be read"),
    ],
)  # fmt: skip
def test_tables_that_are_no_population_are_refused(tmp_path: Path, changes: dict[str, Any], line: str) -> None:
    assert line in refusal(lambda: read_population(people(tmp_path, **changes)))


@pytest.mark.parametrize(
    ("array", "changes", "line"),
    [
        ("intentionality", {"shape": [3_000_000]}, "at most 65,536 chunks"),
        ("intentionality", {"shape": [10**15]}, "expected at most 2,147,483,648 bytes"),
        ("intentionality", {"shape": [12]}, "expected one number for each of 6 people, got shape (12,)"),
        ("susceptibility", {"codecs": [{"name": "numcodecs.pickle"}]}, "expected codecs of result folders"),
        ("susceptibility", {"data_type": "float64"}, "expected a chunk of 192 bytes, got 96"),
        ("category", {"shape": [10**6]}, "expected at most 2,147,483,648 bytes"),
    ],
)  # fmt: skip
def test_metadata_that_lie_are_found_out(tmp_path: Path, array: str, changes: dict[str, Any], line: str) -> None:
    assert line in refusal(lambda: read_population(retold(people(tmp_path), array, **changes)))


def test_a_truncated_chunk_and_deep_metadata_are_refused(tmp_path: Path) -> None:
    folder = people(tmp_path)
    chunk = folder / "population.zarr/susceptibility/c/0/0"
    chunk.write_bytes(chunk.read_bytes()[:-5])
    assert "susceptibility: corrupt:" in refusal(lambda: read_population(folder))
    (folder / "population.zarr/susceptibility/zarr.json").write_text('{"a":' * 5000)
    assert "nested too deep" in refusal(lambda: check_group(folder / "population.zarr"))


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        ((np.ones((10, 4), "f4"), np.zeros(3_000_000, "f4")), "expected one number for each of 10 people, got shape"),
        ((np.ones((10, 2), "f4"), np.zeros(10, "f4")), "expected people by 4 categories, got shape (10, 2)"),
        ((np.full((10, 4), 3e38, "f4"), np.zeros(10, "f4")), "expected numbers from 0 to 10000, got 3e+38 at person 0"),
        ((np.ones((10, 4), "f4"), None), "intentionality: expected one number for each of 10 people"),
        ((np.empty((0, 4), "f4"), np.zeros(0, "f4")), "expected people by 4 categories, got shape (0, 4)"),
    ],
)  # fmt: skip
def test_tables_in_python_are_checked_before_compiled_code_reads_them(tables: tuple[Any, Any], line: str) -> None:
    assert line in refusal(lambda: plan_run(mf.Scenario(users=10), *tables))


def test_a_copy_with_changes_is_checked_before_it_runs() -> None:
    line = refusal(lambda: plan_run(mf.Scenario().model_copy(update={"steps": -3})))
    assert line == "scenario: steps: expected greater than or equal to 1, got -3"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("users = " + "9" * 5000, "not valid TOML: Exceeds the limit"),
        ("users = 0x" + "f" * 5000, "users: expected"),
        ("a = " + "[" * 5000, "not valid TOML: nested too deep"),
        ("x." * 5000 + "x = 1", "not valid TOML: nested too deep"),
        ("users = true", "users: expected a number or text, got true or false"),
        ("[policy]\nlearning_rate = true", "policy: learning_rate: expected a number or text"),
        ("[intervention]\nat = 1e20", "intervention.at: expected"),
        ("[policy]\nepochs = 1e20", "policy.epochs: expected"),
        ("[reactive]\nmean = [[[[[1]]]]]\nstd = 1\nup = 0\ndown = 0", "reactive: mean: expected at most 4 lists"),
        (f'name = "{"x" * 5000}"', "name: expected"),
        (f'{"x" * 5000} = 1', 'unknown key "xxx'),
    ],
)  # fmt: skip
def test_toml_that_is_no_scenario_is_refused(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "x.toml").write_text(text)
    assert line in refusal(lambda: mf.Scenario.load(tmp_path / "x.toml"))


def test_settings_and_changes_that_cannot_be_read_are_refused() -> None:
    assert "--set: users: not a value" in refusal(lambda: parse_setting("users=" + "9" * 5000))
    assert "--set: users: not a value: nested too deep" in refusal(lambda: parse_setting("users=" + "[" * 5000))
    assert "no closing quotation; close the quote" in refusal(lambda: parse_change(mf.Scenario(), "a'"))


def test_sweeps_that_cannot_be_swept_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b'scenario = "\xff"')
    assert "expected a UTF-8 text file" in refusal(lambda: Sweep.load(file))
    axes = {f"policy.start.0.{i}": {"values": list(range(50))} for i in range(7)}
    with pytest.raises(ValueError, match=r"expected at most 100,000 points, got 781,250,000,000; use fewer"):
        Sweep(over=axes)
    spec = Sweep(metrics=("locked",), set={"users": 5}, over={"policy.learning_rate": {"values": [0.1]}})
    assert 'unknown metric "locked"' in refusal(lambda: mf.sweep(spec, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("tolerance", [0.0, -1.0, 1e-300, float("nan")])
def test_a_bracket_that_never_gets_narrow_enough_is_refused(tolerance: float) -> None:
    assert "tip: expected a tolerance of" in refusal(lambda: mf.tip(mf.Scenario(users=5), tolerance=tolerance))


HEADER = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ((HEADER % b"9000000000, 3, 4").ljust(127) + b"\n", "the header announces float32 of shape (9000000000, 3, 4)"),
        ((HEADER % b"-1, -3, 4").ljust(127) + b"\n" + bytes(48), "the header announces"),
        ((HEADER % b"1, 3, 4")[:60], "EOF"),
        (b"\x93NUMPY\x01\x00v\x00".ljust(128, b"("), "cannot be read as a NumPy array"),
        (b"", "cannot be read as a NumPy array"),
    ],
)
def test_arrays_whose_header_lies_are_refused(tmp_path: Path, data: bytes, line: str) -> None:
    (tmp_path / "x.npy").write_bytes(data)
    reward = {"source": "reward_model", "model_file": str(tmp_path / "x.npy")}
    assert line in refusal(lambda: reward_models(mf.Scenario(reward=reward)))


def test_corpora_that_are_none_are_refused(tmp_path: Path) -> None:
    from mirrorfield.population.corpus import is_corpus, load_corpus

    np.save(tmp_path / "x.npy", np.ones(3))
    (tmp_path / "x.npy").rename(tmp_path / "x.npz")
    assert "not a whole .npz file" in refusal(lambda: load_corpus(tmp_path / "x.npz")) and not is_corpus(
        tmp_path / "x.npz"
    )
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_BZIP2) as file:
        file.writestr("text.npy", bytes(10**6))
    assert "stored or deflated" in refusal(lambda: load_corpus(tmp_path / "bomb.npz"))
    assert "null byte" in refusal(lambda: load_corpus("a\0b.npz"))
    (tmp_path / "end.npz").write_bytes(b"PK\x05\x06".ljust(22, b"\xff"))
    assert not is_corpus(tmp_path / "end.npz")


def test_json_that_nothing_here_wrote_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text("")
    for text in ("[" * 5000, "9" * 5000, '{"users": NaN}', '{"users": "\\ud800"}', "[1]", "\ufeff"):
        for name, read in (("summary.json", read_result), ("job.json", read_ticket)):
            (tmp_path / name).write_text(text)
            with pytest.raises(CorruptError):
                read(tmp_path)
