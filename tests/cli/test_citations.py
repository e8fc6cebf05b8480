"""Citations of the paper: every key has an entry, every entry is cited, and the site shows names, year and address."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
if not (ROOT / "scripts" / "book").is_dir():
    pytest.skip("the docs are not in the source distribution", allow_module_level=True)
PluginError = pytest.importorskip("mkdocs.exceptions").PluginError
sys.path.insert(0, str(ROOT / "scripts" / "book"))
from citations import CITED, entries, names, on_page_markdown  # noqa: E402

PAGE = SimpleNamespace(file=SimpleNamespace(src_uri="paper.md"))
CONFIG = SimpleNamespace(docs_dir=ROOT / "docs")


def test_the_paper_and_its_bibliography_have_the_same_works() -> None:
    text = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
    cited = {one or other for one, other in CITED.findall(text)}
    known = entries((ROOT / "docs" / "paper.bib").read_text(encoding="utf-8"))
    assert cited == set(known)
    assert all({"author", "title", "year", "doi"} <= set(entry) for entry in known.values())


def test_a_citation_becomes_names_year_and_address() -> None:
    made = on_page_markdown("so [@williams1992], and @chaney2018 too; a@b.c", PAGE, CONFIG)
    assert made == (
        "so ([Williams 1992](https://doi.org/10.1007/BF00992696)), and [Chaney, Stewart and Engelhardt (2018)]"
        "(https://doi.org/10.1145/3240323.3240370) too; a@b.c"
    )
    assert names("A, B and C, D and E, F and G, H") == "A et al." and names("A, B and C, D") == "A and C"


def test_an_unknown_key_ends_the_build() -> None:
    with pytest.raises(PluginError, match="got @nobody2020"):
        on_page_markdown("[@nobody2020]", PAGE, CONFIG)
