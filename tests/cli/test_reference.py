"""The reference has every public name, and what it makes of a docstring is what the docstring says."""

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mirrorfield

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "docs" / "reference"
if not PLACE.is_dir():
    pytest.skip("the docs are not in the source distribution", allow_module_level=True)
pytest.importorskip("griffe")
sys.path.insert(0, str(ROOT / "scripts" / "book"))
from docstrings import as_markdown  # noqa: E402

SHOWN = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in sorted(PLACE.glob("*.md")))


def public(module: str) -> list[str]:
    return [f"{module}.{name}" for name in import_module(module).__all__]


@pytest.mark.parametrize("module", ["mirrorfield", "mirrorfield.recommenders", "mirrorfield.people", "mirrorfield.gym"])
def test_every_public_name_is_in_the_reference(module: str) -> None:
    shown = set(SHOWN.findall(TEXT))
    missing = [name for name in public(module) if name not in shown and f"`{name}`" not in TEXT]
    assert not missing, f"docs/reference lacks {', '.join(missing)}"


def test_the_contract_is_in_the_reference() -> None:
    contract = import_module("mirrorfield.contract")
    own = [
        name
        for name, thing in vars(contract).items()
        if isinstance(thing, type) and thing.__module__ == contract.__name__ and name != "Own"
    ]
    assert {f"mirrorfield.contract.{name}" for name in [*own, "Metric", "Observe"]} <= set(SHOWN.findall(TEXT))


def test_every_name_in_the_reference_exists() -> None:
    for shown in SHOWN.findall(TEXT):
        place, _, name = shown.rpartition(".")
        assert hasattr(import_module(place), name), shown
    assert mirrorfield.__version__


def test_labels_of_a_docstring_become_paragraphs_and_lists() -> None:
    text = """Find where a figure crosses a level.

    It pays G_t. Formula: a_t = b[s][a] * c. Parameters: low and high, between which to look; odd, a thing (one; two).
    More of it. Returns a Tipping. Raises InputError otherwise. Source: docs/model.md, eqs. 3 and 4, https://doi.org/10.1/X_y.

    >>> 1 + 1
    2
    """
    made = as_markdown(text, frozenset({"low", "high"})).split("\n\n")
    assert made == [
        "Find where a figure crosses a level.",
        r"It pays G\_t.",
        r"**Formula**{ .label } a\_t = b\[s\]\[a\] \* c.",
        "**Parameters**{ .label }",
        "- `low` and `high`, between which to look\n- odd, a thing (one; two)",
        "More of it.",
        "**Returns**{ .label } a Tipping.",
        "**Raises**{ .label } InputError otherwise.",
        "**Source**{ .label } [docs/model.md, eqs. 3](../model.md#eq-3) and 4, <https://doi.org/10.1/X_y>.",
        "```pycon\n    >>> 1 + 1\n    2\n```",
    ]


def test_a_docstring_that_tells_its_fields_becomes_a_list() -> None:
    made = as_markdown("What is seen.\n\nstep: the number. a, b: two arrays.", frozenset({"step", "a", "b"}))
    assert made == "What is seen.\n\n- `step`: the number.\n- `a, b`: two arrays."
