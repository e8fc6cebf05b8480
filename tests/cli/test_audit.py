"""`mirrorfield audit` on the command line: what it prints, what it leaves, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mirrorfield.cli.fit import fit
from mirrorfield.cli.main import loaded


def write_log(file: Path, spread: float) -> None:
    """Write 30 reactions of each of 60 people to three kinds of posts."""
    rng = np.random.default_rng(5)
    taste = 0.5 + spread * rng.standard_normal((60, 3))
    who, what = np.repeat(np.arange(60), 30), rng.integers(3, size=1800)
    score = taste[who, what] + 0.15 * rng.standard_normal(1800)
    pd.DataFrame({"who": who, "what": np.array(["news", "sport", "pets"])[what], "score": score}).to_csv(
        file, index=False
    )


def test_it_takes_every_option_of_fit() -> None:
    options = {name: {o for p in loaded(name).params for o in p.opts} for name in ("fit", "audit")}
    assert options["fit"] - {"--quiet"} <= options["audit"]
    assert fit.__kwdefaults__ is None  # the command itself is as it was


def options(command: str) -> list[str]:
    """Return every option of a command that takes a value."""
    return [p.opts[-1] for p in loaded(command).params if p.opts[-1].startswith("--") and not getattr(p, "is_flag", 0)]


@pytest.mark.parametrize(
    ("command", "option"), [(command, option) for command in ("fit", "audit") for option in options(command)]
)
def test_an_empty_value_is_refused_in_one_line(
    command_line: Callable[..., tuple[int, str, str]],
    command: str,
    option: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_log(Path("log.csv"), 0.12)
    words = {"--user": "who", "--category": "what", "--reaction": "score"}
    words |= {"--change": "intervention.quota=0.6"} if command == "audit" else {}
    words |= {"--items": "log.csv"} if option == "--item" else {"--item": "who"} if option == "--items" else {}
    code, told, said = command_line(command, "log.csv", *(w for pair in (words | {option: ""}).items() for w in pair))
    assert code == 2 and not told and said.startswith("mirrorfield: ") and said.count("\n") == 1, said
    assert [file.name for file in tmp_path.iterdir()] == ["log.csv"]


def test_the_command_says_how_it_ends(command_line: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    file, out = tmp_path / "log.csv", str(tmp_path / "audit")
    write_log(file, 0.12)
    words = ["audit", str(file), "--user", "who", "--category", "what", "--reaction", "score", "--out", out]
    common = ["--set", "steps=30", "--change", "intervention.exploration=0.5"]
    code, told, said = command_line(*words, *common, "--fail-if", "mean_reaction<-0.5")
    assert code == 0 and not said and "The profiles predict held-out reactions better" in told.splitlines()[0]
    assert "Published facts that the model contradicts: forgetting" in told
    code, told, said = command_line(
        *words, *common, "--overwrite", "--json", "--fail-if", "effective_categories>+0.0001"
    )
    assert code == 1 and said.startswith("mirrorfield: audit: intervention.exploration=0.5: effective_categories +")
    assert json.loads(told) == json.loads((Path(out) / "audit.json").read_text())
    for wrong, line in (
        (common, "exists already"),
        ([*common, "--overwrite", "--fail-if", "locked>1"], "--fail-if: expected METRIC"),
        ([*common, "--overwrite", "--set", "steps"], "--set: expected section.key=value"),
        (["--overwrite"], "Missing option '--change'"),
        (["--overwrite", "--change", "intervention.quota"], "--set: expected section.key=value"),
        ([*common, "--overwrite", "--delimiter", "xx"], "delimiter"),
    ):
        code, _, said = command_line(*words, *wrong)
        assert code == 2 and line in said and said.count("\n") == 1, said
    write_log(file, 0.0)
    code, _, said = command_line(*words, *common, "--overwrite")
    assert code == 1 and said.startswith("mirrorfield: The log shows no differences between people")
    assert (Path(out) / "audit.html").is_file()  # what was there is untouched
