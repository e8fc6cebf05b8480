"""Answers as JSON, limits for pipelines, and settings of the commands that answer a question."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

import mirrorfield as mf
from mirrorfield.cli.main import app, main
from mirrorfield.kernel import empty_trace
from mirrorfield.metrics.outcomes import outcome_names, user_outcomes
from mirrorfield.metrics.paired import Effect
from mirrorfield.study.limit import Limit, LimitError, check_limits, parse_limit
from mirrorfield.study.whatif import metric_names

FEW = ("--users", "200", "--steps", "40")
ARM = ("--change", "policy.learning_rate=0.4")


def answer(*words: str) -> dict[str, object]:
    """Return what a command prints, read as JSON that has neither NaN nor infinity."""
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exception is None, done.exception

    def refuse(name: str) -> None:
        raise AssertionError(name)

    found: dict[str, object] = json.loads(done.stdout, parse_constant=refuse)
    return found


def test_compare_prints_what_python_returns() -> None:
    told = answer("compare", *FEW, *ARM, "--change", "description=same", "--set", "policy.learning_rate=0.2")
    base = mf.Scenario(users=200, steps=40, policy={"learning_rate": 0.2})
    found = mf.compare(base, {"a": {"policy.learning_rate": 0.4}, "b": {"description": "same"}})
    assert told["pairs"] == 200 and told["base"] == base.model_dump(mode="json", exclude_none=True)
    for arm, expected in zip(told["arms"], found.arms, strict=True):  # type: ignore[call-overload]
        assert arm["moves"] == expected.moves.tolist()
        assert [e["difference"] for e in arm["effects"]] == [e.difference for e in expected.effects]
    assert {e["variance_ratio"] for e in told["arms"][1]["effects"]} == {None}  # type: ignore[index]


def test_tip_and_neighbours_print_what_python_returns() -> None:
    base = mf.Scenario(users=200, steps=40)
    tipping = answer("tip", *FEW, "--cold", "--tolerance", "0.2")
    assert tipping["bracket"] == list(mf.tip(base, tolerance=0.2, warm=False).bracket) and tipping["hysteresis"] is None
    pairs = answer("neighbours", "--pairs", "100", "--steps", "40", "--eps", "0.1")
    found = mf.neighbours(mf.Scenario(steps=40), (0.1,), pairs=100)
    assert pairs["distances"][0]["other_luck"]["value"] == found.distances[0].other_luck.value  # type: ignore[index]


def test_sweep_prints_its_figures(tmp_path: Path) -> None:
    file = tmp_path / "rates.toml"
    file.write_text(
        'metrics = ["locked_in"]\nset = {users = 100, steps = 20}\n'
        '[over]\n"policy.learning_rate" = {values = [0.1, 0.4]}\n'
    )
    told = answer("sweep", str(file))
    figures = mf.load_table(tmp_path / "rates", "sweep.zarr")
    assert told["figures"]["locked_in"]["data"] == figures["locked_in"].values.tolist()  # type: ignore[index]


@pytest.mark.parametrize("rungs", [0, 2])
def test_outcome_names_are_those_of_the_outcomes(rungs: int) -> None:
    sample, names = empty_trace(2, 2, 3, rungs), ["one", "two"]
    for array in sample:
        array[:] = 0
    sample.diet[:] = 0.5
    found = user_outcomes(sample, np.array([1, 2]), np.arange(3), names)
    assert list(found) == outcome_names(names, rungs > 0)


def test_metric_names_are_those_that_a_comparison_reports() -> None:
    base = mf.Scenario(users=9, steps=4)
    assert [e.metric for e in mf.compare(base, {"same": {}}).arms[0].effects] == metric_names(base)


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ("locked_in>+0.02", Limit("locked_in", ">", 0.02)),
        (" share:depth <= -1e-2 ", Limit("share:depth", "<=", -0.01)),
        ("hooked>=+0", Limit("hooked", ">=", 0.0)),
    ],
)
def test_a_limit_is_a_metric_a_comparison_and_a_signed_difference(words: str, limit: Limit) -> None:
    assert parse_limit(words, ["locked_in", "share:depth", "hooked"]) == limit


@pytest.mark.parametrize(
    "words", ["", "locked_in", "locked_in>0.02", "locked_in=+1", ">+1", "a>+", "a>+nan", "a>+1e999", "a>+1-2", "a>>+1"]
)
def test_words_that_are_no_limit_are_one_line(words: str) -> None:
    with pytest.raises(mf.InputError, match="--fail-if: expected METRIC"):
        parse_limit(words, ["a", "locked_in"])


@pytest.mark.parametrize(
    ("relation", "bound", "breaks"),
    [(">", 0.1, False), (">=", 0.1, True), (">", 0.09, True), ("<", 0.1, False), ("<=", 0.1, True), ("<", 0.2, True)],
)
def test_a_limit_is_broken_by_the_difference_itself(relation: str, bound: float, breaks: bool) -> None:
    effect = Effect("hooked", 0.2, 0.3, 0.1, 0.05, 0.15, 2.0, 1000)
    found = SimpleNamespace(arms=[SimpleNamespace(name="arm", effects=[effect])])
    if breaks:
        with pytest.raises(LimitError, match=r"arm: hooked \+0\.1000 \[\+0\.0500, \+0\.1500\]"):
            check_limits(found, [Limit("hooked", relation, bound)])  # type: ignore[arg-type]
    else:
        check_limits(found, [Limit("hooked", relation, bound)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limits", "code", "line"),
    [
        (("effective_categories<-0.01", "hooked>+0.9"), 1, "compare: policy.learning_rate=0.4: effective_categories -"),
        (("effective_categories>+0.5",), 0, ""),
        (("locked>+0.1",), 2, '--fail-if: unknown metric "locked". Did you mean "locked_in"?'),
        (("locked_in>0.1",), 2, "--fail-if: expected METRIC"),
    ],
)
def test_a_pipeline_sees_a_limit_in_the_exit_code(limits, code, line, monkeypatch, capsys) -> None:
    asked = [word for limit in limits for word in ("--fail-if", limit)]
    monkeypatch.setattr("sys.argv", ["mirrorfield", "compare", *FEW, *ARM, *asked])
    with pytest.raises(SystemExit) as ended:
        main()
    err = capsys.readouterr().err
    assert ended.value.code == code and err.count("\n") == (1 if line else 0) and line in err


def test_people_of_a_folder_are_compared(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["mirrorfield", "compare", *FEW, *ARM, "--population", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2 and "none" in capsys.readouterr().err
