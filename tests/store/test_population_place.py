"""Where the people of `population.file` are looked for: beside the TOML that names them."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mirrorfield as mf
from mirrorfield.store.folder import read_result
from mirrorfield.store.population import write_population

SMALL = {"users": 6, "steps": 4}


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with people in it and a TOML that names them; the working folder is another one."""
    names = np.array([category.name for category in mf.Scenario().categories], dtype=object)
    users = xr.Dataset(
        {
            "susceptibility": (("user", "category"), np.linspace(0.5, 2, 12, dtype=np.float32).reshape(3, 4)),
            "intentionality": (("user",), np.array([0, 0.5, 1], np.float32)),
        },
        coords={"category": names},
    )
    (tmp_path / "study").mkdir()
    (tmp_path / "elsewhere").mkdir()
    write_population(tmp_path / "study/people", mf.Scenario(population={"file": "."}, **SMALL), {}, users)
    (tmp_path / "study/mine.toml").write_text('users = 6\nsteps = 4\n[population]\nfile = "people"\n')
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "study"


def test_a_toml_finds_the_people_beside_it_from_any_folder(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from_afar = mf.simulate(mf.Scenario.load(study / "mine.toml")).summary
    assert mf.simulate(mf.Scenario.load("../study/people/scenario.toml")).summary == from_afar
    monkeypatch.chdir(study)
    assert mf.simulate(mf.Scenario.load("mine.toml")).summary == from_afar
    assert from_afar != mf.simulate(mf.Scenario(**SMALL)).summary


@pytest.mark.parametrize("as_job", [True, False])
def test_a_run_folder_finds_its_people_from_any_folder(
    study: Path, as_job: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = mf.Scenario(population={"file": "../study/people"}, **SMALL)
    run = mf.simulate(scenario, out="run" if as_job else None)
    if not as_job:
        run.save("run")
    assert 'file = "../../study/people"' in Path("run/scenario.toml").read_text(encoding="utf-8")
    assert mf.simulate(scenario, out="run", resume=True).summary == run.summary
    absolute = mf.Scenario(population={"file": str(study / "people")}, **SMALL)
    assert mf.simulate(absolute, out="run", resume=True).summary == run.summary
    monkeypatch.chdir(study)
    again, _ = read_result(Path("../elsewhere/run"))
    assert Path(again.population.file or "").resolve() == study / "people"
    assert mf.simulate(mf.Scenario.load("../elsewhere/run/scenario.toml")).summary == run.summary


def test_people_that_are_not_there_are_named_by_their_path(study: Path) -> None:
    (study / "mine.toml").write_text('[population]\nfile = "nobody"\n')
    with pytest.raises(mf.InputError, match=r"study/nobody is not a population"):
        mf.simulate(mf.Scenario.load(study / "mine.toml"))
