"""The page as one file: what is inside, and that nothing else is asked for."""

import base64
import gzip
import json
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from mirrorfield.server.about import about_this
from mirrorfield.server.standalone import page_file

MOST = 1_500_000


def run(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "mirrorfield", "page", *words], capture_output=True, text=True)


def test_the_file_has_all_that_the_story_needs_and_fits() -> None:
    text = page_file()
    assert len(text.encode()) <= MOST
    inside = json.loads(re.search(r"mirrorfieldRecorded = (\{.*?\});", text)[1])  # type: ignore[index]
    recorded = resources.files("mirrorfield.server") / "static" / "recorded"
    assert sorted(inside) == sorted(entry.name for entry in recorded.iterdir())
    for name, packed in inside.items():
        assert gzip.decompress(base64.b64decode(packed)) == (recorded / name).read_bytes()
    about = re.search(r"mirrorfieldAbout = (\{.*\});\n", text)[1]  # type: ignore[index]
    assert json.loads(about) == json.loads(about_this().model_dump_json())
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)[^\"]", text) and "url(./" not in text
    assert text.count("</script>") == 2


def test_the_command_writes_it_once_and_says_what_it_refuses(tmp_path: Path) -> None:
    out = tmp_path / "mirror.html"
    assert run("--static", out).returncode == 0 and out.read_text(encoding="utf-8") == page_file()
    for words, told in (
        (("--static", out), "pass --overwrite"),
        (("--static", tmp_path / "mirror.txt"), "expected a file that ends in .html"),
        (("--static", tmp_path / "none" / "mirror.html"), "cannot write it"),
    ):
        refused = run(*words)
        assert refused.returncode == 2 and told in refused.stderr and refused.stderr.count("\n") == 1
    out.write_text("old")
    assert run("--static", out, "--overwrite").returncode == 0 and out.stat().st_size > 1000
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.slow
def test_it_runs_from_a_disk_and_asks_for_nothing(browser: Any, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    out = tmp_path / "mirror.html"
    out.write_text(page_file(), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url.split(":")[0]))
    page.on("console", lambda message: said.append(message.text) if "GL Driver" not in message.text else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(out.as_uri() + "#mirror=3.BmBBgB")
    expect(page.locator(".twenty .ribbon .tile")).to_have_count(6)
    page.locator(".phone").hover()
    page.keyboard.press("s")
    expect(page.locator(".twenty .ribbon .tile")).to_have_count(7)
    page.locator(".later").first.scroll_into_view_if_needed()
    for chapter in ("crowd", "neighbours", "square", "twins", "bolted"):
        page.locator(f"#{chapter} >> xpath=ancestor::section").locator("button.dots").first.wait_for(state="attached")
    page.get_by_text("After 1,500 posts").wait_for(state="attached")
    assert said == [] and set(asked) <= {"file", "data", "blob"} and page.locator("#sandbox").count() == 0
    page.close()


EXAMPLE = Path(__file__).parents[2] / "examples/mirror.html"


@pytest.mark.skipif(not EXAMPLE.exists(), reason="a source distribution has no examples")
def test_the_example_is_the_page_as_it_is() -> None:
    """Compressed bytes may differ from one zlib to another, so the recordings are compared unpacked."""

    def parts(text: str) -> tuple[str, dict[str, bytes]]:
        before, packed, after = re.split(r"(?<=mirrorfieldRecorded = )(\{.*?\})(?=;)", text, maxsplit=1)
        inside = {name: gzip.decompress(base64.b64decode(value)) for name, value in json.loads(packed).items()}
        return before + after, inside

    assert parts(EXAMPLE.read_text(encoding="utf-8")) == parts(page_file()), (
        "write it again: mirrorfield page --static examples/mirror.html --overwrite"
    )
