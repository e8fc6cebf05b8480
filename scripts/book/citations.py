"""Citations of the paper, made when the docs are built: a hook that mkdocs.yml names.

The paper cites as the Journal of Open Source Software does, `@key` and `[@key]`, with the entries in `docs/paper.bib`.
On the site a citation is the names, the year and a link to the work. A key that is not there ends the build.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

PAPER = "paper.md"
ENTRY = re.compile(r"^@\w+\{(\w+),\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", re.MULTILINE)
CITED = re.compile(r"\[@(\w+)\]|(?<![\w\[@])@(\w+)")


def entries(bibliography: str) -> dict[str, dict[str, str]]:
    """Return the fields of every entry by key."""
    return {key: dict(FIELD.findall(fields)) for key, fields in ENTRY.findall(bibliography)}


def names(author: str) -> str:
    """Return one to three family names, or the first with "et al."."""
    family = [person.split(",")[0] for person in author.split(" and ")]
    if len(family) > 3:
        return f"{family[0]} et al."
    return " and ".join(filter(None, (", ".join(family[:-1]), family[-1])))


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Return the paper with its citations as links, and any other page as it is."""
    if page.file.src_uri != PAPER:
        return markdown
    known = entries((Path(config.docs_dir) / "paper.bib").read_text(encoding="utf-8"))

    def link(found: re.Match[str]) -> str:
        key = found[1] or found[2]
        if key not in known:
            raise PluginError(f"citation: expected a key of docs/paper.bib, got @{key}")
        entry = known[key]
        address, who = f"https://doi.org/{entry['doi']}", names(entry["author"])
        return f"([{who} {entry['year']}]({address}))" if found[1] else f"[{who} ({entry['year']})]({address})"

    return CITED.sub(link, markdown)
