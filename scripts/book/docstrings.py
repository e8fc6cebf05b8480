"""Docstrings as Markdown, for the reference: a griffe extension that mkdocs.yml names.

The docstrings of the package are running text for an editor's pop-up, with labels ("Formula:", "Parameters:", "Raises",
"Source:") and doctests in it. On a page each label starts a paragraph, parameters are a list, doctests are code, and
what Markdown would take for markup stays as written. Fields of a pydantic model are listed as they are declared.
"""

import re
from pathlib import Path
from typing import Any

import griffe

DOCS = Path(__file__).parents[2] / "docs"
CODE = re.compile(r"(`[^`]+`)")
LABEL = re.compile(r"(?:^|(?<=[.)]) )((?:Formula|Reaction|Parameters|Fields|Source)(?=: )|Returns|Raises):? ")
LISTS = ("Parameters", "Fields")
NAME = re.compile(r"([a-z_]\w*)(, and |, | and |(?=[^\w.])|$)")
PAGE = re.compile(r"\bdocs/([\w/-]+)\.md(, eqs?\. (\d+))?")
ADDRESS = re.compile(r"https?://[^\s,;)]*[^\s,;).]")
MODELS = ("Frozen", "Written")
NO_NAMES: frozenset[str] = frozenset()


def escaped(text: str) -> str:
    """Return text in which Markdown finds no markup but code, web addresses and pages of these docs."""
    pieces = CODE.split(text)
    for i in range(0, len(pieces), 2):
        plain = re.sub(r"[\\*_\[\]<>|#$]", r"\\\g<0>", pieces[i])
        plain = PAGE.sub(_linked, plain)
        pieces[i] = ADDRESS.sub(lambda found: f"<{found[0].replace(chr(92), '')}>", plain)
    return "".join(pieces)


def _linked(found: re.Match[str]) -> str:
    name = found[1].replace("\\", "")
    if not (DOCS / f"{name}.md").is_file():
        return found[0]
    place = f"#eq-{found[3]}" if found[3] else ""
    return f"[docs/{name}.md{found[2] or ''}](../{name}.md{place})"


def listed(text: str, known: frozenset[str]) -> str:
    """Return "a, what it is; b and c, what they are. More." as a list and a paragraph; `known` names become code."""
    text, _, more = text.partition(". ") if re.search(r"\. [A-Z]", text) else (text.removesuffix("."), "", "")
    items = [_item(item, known) for item in re.split(r"; (?![^(]*\))", text)]
    return "\n".join(f"- {item}" for item in items) + f"\n\n{escaped(more)}"


def _item(text: str, known: frozenset[str]) -> str:
    """Return one item of a list, the names that it begins with as code."""
    at, names = 0, []
    while (found := NAME.match(text, at)) and found[1] in known:
        names.append(f"`{found[1]}`{found[2]}")
        at = found.end()
    return "".join(names) + escaped(text[at:])


def paragraph(text: str, known: frozenset[str]) -> str:
    """Return one paragraph of a docstring as Markdown, with each label in a paragraph of its own."""
    first, *labelled = LABEL.split(" ".join(text.split()))
    done = [_fields_told(first, known)]
    for label, said in zip(labelled[::2], labelled[1::2], strict=True):
        lead = f"**{label}**{{ .label }}"
        done.append(f"{lead}\n\n{listed(said, known)}" if label in LISTS else f"{lead} {escaped(said)}")
    return "\n\n".join(part.strip() for part in done if part.strip())


def _fields_told(text: str, known: frozenset[str]) -> str:
    """Return text as it is, or as a list where it tells fields one by one, "step: the number of posts. reward: ..."."""
    first, *told = re.split(r"(?:^|(?<=[.;]) )([a-z_]\w*(?:, [a-z_]\w*)*): ", text)
    if len(told) < 4 or not {name for names in told[::2] for name in names.split(", ")} <= known:
        return escaped(text)
    items = [f"- `{names}`: {escaped(said)}" for names, said in zip(told[::2], told[1::2], strict=True)]
    return "\n".join([escaped(first), "", *items])


def as_markdown(text: str, known: frozenset[str] = NO_NAMES) -> str:
    """Return a docstring as Markdown."""
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(
        f"```pycon\n{block}\n```" if block.lstrip().startswith(">>>") else paragraph(block, known) for block in blocks
    )


class Docstrings(griffe.Extension):
    """Rewrites every docstring of the package once it is loaded."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Visit the package, from its modules down to its methods."""
        self._visit(pkg)

    def _visit(self, thing: griffe.Object) -> None:
        if thing.docstring:
            thing.docstring.value = as_markdown(thing.docstring.value, _names(thing))
        if isinstance(thing, griffe.Class) and (fields := _fields(thing)):
            head = thing.docstring.value + "\n\n" if thing.docstring else ""
            thing.docstring = griffe.Docstring(f"{head}```python\n{fields}\n```", parent=thing)
        for member in thing.members.values():
            if not member.is_alias:
                self._visit(member)


def _names(thing: griffe.Object) -> frozenset[str]:
    """Return the names that a docstring may list: parameters of a function, and of a class its fields as well."""
    function = thing if isinstance(thing, griffe.Function) else thing.members.get("__init__")
    parameters = function.parameters if isinstance(function, griffe.Function) else ()
    return frozenset([*thing.members, *(parameter.name for parameter in parameters)])


def _fields(thing: griffe.Class) -> str:
    """Return the fields of a pydantic model as they are declared, or nothing for any other class."""
    if not any(str(base).split(".")[-1] in MODELS for base in thing.bases):
        return ""
    given = [m for m in thing.members.values() if isinstance(m, griffe.Attribute) and m.annotation]
    fields = [m for m in given if "property" not in m.labels]
    return "\n".join(f"{f.name}: {f.annotation}" + (f" = {f.value}" if f.value else "") for f in fields)
