"""What a release states in several places is the same in all of them."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = {"matplotlib": "matplotlib-base"}
RECIPE = ROOT / "conda" / "recipe.yaml"


def test_the_citation_and_the_changelog_have_the_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    released = re.search(
        rf"^## \[{PROJECT['version']}\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert released, f"CHANGELOG.md has no section of {PROJECT['version']}"
    assert f"\nversion: {PROJECT['version']}\ndate-released: {released[1]}\n" in citation


@pytest.mark.skipif(not RECIPE.is_file(), reason="the recipe is not in the source distribution")
def test_the_recipe_has_the_version_and_the_requirements() -> None:
    yaml = pytest.importorskip("yaml")
    recipe = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    assert recipe["context"]["version"] == PROJECT["version"]
    least, most = PROJECT["requires-python"].removeprefix(">=").split(",")
    assert recipe["context"]["python_min"] == least
    names = [re.split(r"(?=[<>=])", words, maxsplit=1) for words in PROJECT["dependencies"]]
    wanted = [f"{CONDA.get(name, name)} {bound}" for name, bound in names]
    assert recipe["requirements"]["run"] == [f"python >=${{{{ python_min }}}},{most}", *wanted]
    assert recipe["build"]["python"]["entry_points"] == [f"{name} = {at}" for name, at in PROJECT["scripts"].items()]
    assert recipe["about"]["summary"] == PROJECT["description"]
    assert all((ROOT / name).is_file() for name in recipe["about"]["license_file"])
