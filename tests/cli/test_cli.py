"""The command line as a stranger uses it: each call is a process of its own."""

import json
import re
import sys
from pathlib import Path

import pytest
import xarray as xr

import mirrorfield as mf
from mirrorfield.cli.main import main

from .forks import fresh, mirrorfield


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    done = fresh("run", "--users", "500", "--steps", "40", "--out", "result", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout, encoding="utf-8")
    return folder


def test_a_run_prints_the_summary_and_writes_the_folder(small: Path) -> None:
    text = (small / "stdout").read_text(encoding="utf-8")
    assert "\x1b" not in text and "\r" not in text
    for part in ("threat", "They are coming for", "effective categories", "filter-bubble", "calm / engaged", "0.8–1.0"):
        assert part in text
    assert sorted(path.name for path in (small / "result").iterdir()) == [
        "SHA256SUMS", "report.html", "result.zarr", "scenario.toml", "summary.json",
    ]  # fmt: skip


def test_every_variable_has_dims_units_and_a_long_name(small: Path) -> None:
    with xr.open_zarr(small / "result/result.zarr", consolidated=False) as data:
        for name, variable in data.variables.items():
            assert "units" in variable.attrs and variable.attrs["long_name"], name
        assert data.attrs["seed"] == 1 and data.attrs["version"] == mf.__version__
        assert mf.Scenario.from_toml(data.attrs["scenario"]).users == 500


def test_the_folder_s_scenario_makes_the_same_summary_again(small: Path) -> None:
    again = mirrorfield("run", "result/scenario.toml", "--json", "--out", "again", "--threads", "1", cwd=small)
    assert again.stdout == (small / "result/summary.json").read_text(encoding="utf-8")
    assert again.stderr == ""


def test_show_prints_what_run_printed(small: Path) -> None:
    shown = mirrorfield("show", "result", cwd=small).stdout
    assert shown in (small / "stdout").read_text(encoding="utf-8")
    assert json.loads(mirrorfield("show", "result", "--json", cwd=small).stdout)["users"] == 500


def test_the_api_has_the_defaults_of_the_command_line(small: Path) -> None:
    run = mf.simulate(mf.Scenario(users=500, steps=40))
    assert run.summary == json.loads((small / "result/summary.json").read_text(encoding="utf-8"))


def test_settings_reach_the_scenario(tmp_path: Path) -> None:
    words = ("--set", "policy.learning_rate=0.3", "--set", 'population.intentionality={distribution="point",value=0.2}',
             "--set", "categories.0.name=fear")  # fmt: skip
    done = mirrorfield("run", "one-user", "--steps", "5", *words, "--out", "x", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    scenario = mf.Scenario.load(tmp_path / "x/scenario.toml")
    assert scenario.policy.learning_rate == 0.3
    assert scenario.categories[0].name == "fear"


def test_presets_and_version_and_help(tmp_path: Path) -> None:
    listed = mirrorfield("presets", cwd=tmp_path).stdout
    assert all(name in listed for name in ("default", "four-mirrors", "one-user"))
    version, parts = mirrorfield("--version", cwd=tmp_path).stdout.splitlines()
    assert version == f"mirrorfield {mf.__version__}"
    assert re.fullmatch(r"Python \S+, numpy \S+, numba \S+; \S+ with vectors of (128|256|512) bits", parts)
    assert "run" in mirrorfield(cwd=tmp_path).stdout


def test_four_mirrors_end_on_four_posts(tmp_path: Path) -> None:
    summary = json.loads(mirrorfield("run", "four-mirrors", "--users", "400", "--json", cwd=tmp_path).stdout)
    assert all(0.2 < share < 0.3 for share in summary["shares"].values())


BAD = [
    (("run", "--users", "0"), "users: expected greater than or equal to 1, got 0"),
    (("run", "--users", "many"), "integer"),
    (("run", "nope"), '"nope" is neither a preset nor a TOML file'),
    (("run", "--usres", "3"), "--usres"),
    (("run", "--set", "policy.learning_rte=1"), 'Did you mean "learning_rate"'),
    (("run", "--set", "policy"), "expected section.key=value"),
    (("run", "--set", "categories.9.name=x"), "expected a position from 0 to 3"),
    (("run", "--set", "population.intentionality.low=2"), "population.intentionality.low: expected less than or equal"),
    (("run", "--set", "reactive.std=-1"), "reactive.std: expected numbers from 0 to 1000"),
    (("run", "--set", "reactive.mean=nan"), "reactive.mean: expected finite numbers, got nan"),
    (("run", "--threads", "0"), "threads: expected 1 or more"),
    (("run", "--users", "8_000_000_000", "--set", "record.users=8_000_000_000"), "GiB of memory"),
    (("run", "broken.toml"), "broken.toml: not valid TOML"),
    (("run", "--out", "taken"), "exists already"),
    (("run", "--out", "taken", "--overwrite"), "was not written by this command"),
    (("run", "--out", "file/inside"), "cannot write there"),
    (("run", "--population", "taken"), "neither a preset nor a TOML file"),
    (("run", "--out", "y" * 300), "expected a name of 200 bytes or fewer, got 300"),
    (("run", "--out", "\udcff"), "'\\udcff': expected UTF-8; rename the file or folder"),
    (("run", "z" * 300), "File name too long"),
    (("run", "--rule", ""), 'policy: "" is not a preset'),
    (("run", ""), '"" is neither a preset nor a TOML file'),
    (("run", "\x1b[2J.toml"), '"\\u001b[2J.toml" is neither'),
    (("compare", "--change", "policy.beta=0.1", "--out", "nodir/x.html"), "--out: nodir: no such folder"),
    (("rlhf", "--save", "nodir/x.toml"), "--save: nodir: no such folder"),
    (("verify", "--out", "nodir/x.md"), "--out: nodir: no such folder"),
    (("show", "nowhere"), "no such folder"),
    (("show", "taken"), "is not a mirrorfield result"),
    (("fit", "log.csv", "--user", "u", "--category", "c", "--reaction", "r", "--time", "t"), "log.csv"),
    (("fit", "empty.csv", "--user", "u", "--category", "c", "--reaction", "r", "--time", "t"), "empty.csv"),
    (("fit", "header.csv", "--user", "usr", "--category", "c", "--reaction", "r", "--time", "t"), 'mean "user"'),
    (("frobnicate",), "No such command"),
]


def test_a_process_ends_with_the_exit_code_and_its_one_line(tmp_path: Path) -> None:
    done = fresh("run", "--users", "0", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("mirrorfield: scenario: users: expected greater than or equal to 1, got 0")


@pytest.mark.parametrize(("words", "line"), BAD)
def test_bad_input_is_one_clear_line_and_exit_code_2(words, line, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/mine.txt").write_text("keep me")
    (tmp_path / "file").write_text("")
    (tmp_path / "broken.toml").write_text("users = = 3\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("user,c,r,t\n1,a,2,3\n")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["mirrorfield", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert line in said.err
    assert said.err.count("\n") == 1 and said.err.startswith("mirrorfield: ")
    assert said.out == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_overwrite_replaces_a_result(small: Path, tmp_path: Path) -> None:
    for seed in ("1", "2"):
        words = ("run", "--users", "64", "--steps", "5", "--seed", seed, "--out", "x", "--overwrite", "--quiet")
        assert mirrorfield(*words, cwd=tmp_path).returncode == 0
    assert json.loads((tmp_path / "x/summary.json").read_text())["seed"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_corrupt_result_is_named(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "scenario.toml").write_text((small / "result/scenario.toml").read_text(encoding="utf-8"))
    (folder / "summary.json").write_text('{"users": 3')
    done = mirrorfield("show", "x", cwd=tmp_path)
    assert done.returncode == 2
    assert "corrupt" in done.stderr


def test_a_full_disk_leaves_nothing_and_says_so(monkeypatch, tmp_path: Path) -> None:
    from mirrorfield.store import folder

    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(mf.StoreError, match="No space left on device"):
        folder.write_folder(tmp_path / "x", full)
    assert list(tmp_path.iterdir()) == []


def test_fit_then_run_on_the_fitted_users(tmp_path: Path) -> None:
    rows = [f"u{u},{'ab'[(u + e) % 2]},{(u * 7 + e * 3) % 5},{e}" for u in range(12) for e in range(20)]
    (tmp_path / "log.csv").write_text("who,what,stars,when\n" + "\n".join(rows) + "\n")
    words = ("--user", "who", "--category", "what", "--reaction", "stars", "--time", "when", "--out", "people")
    fitted = mirrorfield("fit", "log.csv", *words, cwd=tmp_path)
    assert fitted.returncode == 0, fitted.stderr
    assert "arousal state" in fitted.stdout
    assert json.loads((tmp_path / "people/fit.json").read_text())["log"]["used"] == 240
    done = mirrorfield("run", "--population", "people", "--steps", "30", "--out", "x", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["users"] == 12
    again = mirrorfield("run", "x/scenario.toml", "--json", "--out", "y", cwd=tmp_path)
    assert again.stdout == done.stdout


def test_fit_says_which_rows_it_left_out_and_why_there_is_no_check(tmp_path: Path) -> None:
    rows = [f"u{u},{'ab'[e % 2]},{(u + 2 * e) % 5},{e}" for u in range(9) for e in range(4)]
    (tmp_path / "log.csv").write_text("who,what,stars,when\n" + "\n".join([*rows, "u1,a,many,5"]) + "\n")
    words = ("--user", "who", "--category", "what", "--reaction", "stars", "--time", "when", "--skip-bad-rows")
    done = mirrorfield("fit", "log.csv", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Left out of log.csv, by line:" in done.stdout
    assert "1 (first: 38)" in " ".join(done.stdout.split())
    assert "No held-out check:" in done.stdout
