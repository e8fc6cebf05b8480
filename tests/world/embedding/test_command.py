"""The embedding world as a stranger uses it: run, show, compare, tip, sweep and cite."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xarray as xr

from mirrorfield import EmbeddingScenario, simulate
from mirrorfield.cli.main import main

WORDS = ("embedding", "--users", "300", "--steps", "20", "--set", "items.count=50", "--set", "dimension=8")


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*words: str, command: str = "run") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mirrorfield", command, *words])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    return run


def test_the_command_writes_what_the_door_computes(call, tmp_path: Path) -> None:
    code, out, _ = call(*WORDS, "--json", "--out", "first", "--threads", "1")
    scenario = EmbeddingScenario(users=300, items={"count": 50}, steps=20, dimension=8)
    assert code == 0 and json.loads(out) == simulate(scenario, threads=2).summary
    assert (tmp_path / "first/summary.json").read_text(encoding="utf-8") == out
    again = call("first/scenario.toml", "--json", "--out", "again")[1]
    assert again == out
    with xr.open_zarr(tmp_path / "first/result.zarr", consolidated=False) as data:
        assert EmbeddingScenario.from_toml(data.attrs["scenario"]) == scenario
        assert all("units" in v.attrs and v.attrs["long_name"] for v in data.variables.values())


def test_the_page_says_what_was_run_and_how(call, tmp_path: Path) -> None:
    code, out, _ = call(*WORDS, "--out", "run")
    page = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    assert code == 0 and "By intentionality" in out and "Pictures: run/report.html" in out
    for part in ("mirrorfield run embedding --users 300", "effective", "One policy for all", "seed 1", 'id="world"'):
        assert part in page
    assert page.count("<figure") == 6 and "<script" not in page
    assert call("run", command="show")[1] in out
    (tmp_path / "run/summary.json").write_text("{}", encoding="utf-8")
    code, _, error = call("run", command="show")
    assert code == 2 and "run: corrupt result" in error


def test_a_mistake_is_one_line_and_exit_code_2(call, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("world = 3", encoding="utf-8")
    for words, line in (
        (("embedding", "--set", "policy.memry=1"), 'unknown key "policy.memry". Did you mean "memory"?'),
        (("embedding", "--set", "polcy.memory=1"), 'unknown key "polcy". Did you mean "policy"?'),
        (("nothere.toml",), '"nothere.toml" is neither a preset nor a TOML file'),
        (("other.toml",), 'other.toml: world: expected "embedding", or nothing for people one by one, got 3'),
        (("embedding", "--set", "items.count=1"), "items.count: expected greater than or equal to 2, got 1"),
        (("embedding", "--resume"), "--resume: expected --out"),
        (("embedding", "--block", "3"), "--block, --dask: expected none in the embedding world"),
        (("embedding", "--threads", "0"), "threads: expected 1 or more, got 0"),
    ):
        code, out, error = call(*words)
        assert code == 2 and out == "" and line in error and error.count("\n") == 1


def interrupted(command: list[str], place: Path) -> tuple[int, str]:
    """Send Ctrl-C to a run that has saved a checkpoint; return its exit code and what it said."""
    run = subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while run.poll() is None and not (place / "out.checkpoint").exists():
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    error = run.communicate()[1]
    return run.returncode, error


@pytest.mark.slow(15)
@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_ctrl_c_saves_and_resume_ends_in_the_same_bytes(tmp_path: Path) -> None:
    words = ("--users", "1500", "--set", "items.count=200", "--steps", "400", "--threads", "1", "--json")
    command = [sys.executable, "-m", "mirrorfield", "run", "embedding", *words, "--out", "out"]
    while (ended := interrupted(command, tmp_path))[0] == 0:  # it was faster than the signal
        shutil.rmtree(tmp_path / "out")
    assert ended[0] == 130 and "mirrorfield resume out" in ended[1]
    resume = [sys.executable, "-m", "mirrorfield", "resume", "out"]
    subprocess.run(resume, cwd=tmp_path, check=True, capture_output=True)
    simulate(EmbeddingScenario(users=1500, steps=400, items={"count": 200}), threads=1, out=tmp_path / "whole")
    summaries = [(tmp_path / name / "summary.json").read_bytes() for name in ("out", "whole")]
    assert summaries[0] == summaries[1] and not (tmp_path / "out.checkpoint").exists()


def test_the_studies_of_the_base_model_hold_here(call, tmp_path: Path) -> None:
    words = (*WORDS[1:], "--set", "record.steps=5")
    code, out, _ = call(
        "embedding", *words, "--change", "policy.slate=2", "--against", "random", "--json", command="compare"
    )
    arms = {arm["name"]: {e["metric"]: e for e in arm["effects"]} for arm in json.loads(out)["arms"]}
    small = {"users": 300, "steps": 20, "items": {"count": 50}, "dimension": 8, "record": {"steps": 5}}
    base, slate = (simulate(EmbeddingScenario(**small, policy=policy)).summary for policy in ({}, {"slate": 2}))
    for metric in ("locked_in", "effective_categories", "filter_bubble", "mean_reaction", "effective_items"):
        effect = arms["policy.slate=2"][metric]
        assert effect["base"] == pytest.approx(base[metric], abs=1e-6) and effect["people"] == 300
        assert effect["changed"] == pytest.approx(slate[metric], abs=1e-6)
    assert arms["open loop: random"]["effective_items"]["changed"] == pytest.approx(50, abs=1e-3) and code == 0
    code, out, _ = call(
        "embedding", *words, "--metric", "effective_items", "--over", "policy.learning_rate", "--low", "0", "--high",
        "20", "--level", "40", "--tolerance", "1", "--json", command="tip",
    )  # fmt: skip
    low, high = json.loads(out)["bracket"]
    assert code == 0 and 0 < high - low <= 1
    (tmp_path / "s.toml").write_text(
        'scenario = "embedding"\nset = {users = 50, steps = 5, "items.count" = 20}\n'
        '[over."interest.drift"]\nvalues = [0.0, 0.1]\n', encoding="utf-8",
    )  # fmt: skip
    code, _, _ = call("s.toml", command="sweep")
    with xr.open_zarr(tmp_path / "s/sweep.zarr", consolidated=False) as data:
        assert data["interest_moved"].values[0] == 0 < data["interest_moved"].values[1]
    assert "Top-K Off-Policy Correction" in call("embedding", command="cite")[1]
    for command in ("neighbours", "person"):
        code, _, error = call(*(("3",) if command == "person" else ()), *(("embedding",)), command=command)
        assert code == 2 and error.count("\n") == 1 and "embedding" in error
