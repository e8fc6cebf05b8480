"""Every wrong formula of scripts/mutants.toml still fits the tree, and none goes unasked."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MUTANTS = tomllib.loads((ROOT / "scripts/mutants.toml").read_text(encoding="utf-8"))["mutants"]
PARTS = {
    "luck", "people", "loop", "baseline", "returns", "normalise", "clip", "rule", "leash", "entropy", "intensity",
    "intervention", "lens", "embedding", "figures", "measures", "diet", "job", "engine",
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant["what"])
def test_a_formula_that_moves_takes_its_mutant_along(mutant: dict[str, str]) -> None:
    assert (ROOT / mutant["file"]).read_text(encoding="utf-8").count(mutant["old"]) == 1
    assert mutant["new"] != mutant["old"] and mutant["test"]
    for node in mutant["test"].split(" | "):
        assert (ROOT / node.split("::")[0]).is_file()


def test_every_part_has_mutants_and_every_formula_its_claims() -> None:
    assert {mutant["part"] for mutant in MUTANTS} == PARTS and len(MUTANTS) >= 40
    assert {mutant["part"] for mutant in MUTANTS if not mutant["claims"]} <= {"job", "engine"}
    assert len({mutant["what"] for mutant in MUTANTS}) == len(MUTANTS)
