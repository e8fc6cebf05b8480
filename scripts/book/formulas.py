"""Formulas as MathML, made when the docs are built: a hook that mkdocs.yml names.

Pages have LaTeX, between `$` in a line and between lines of `$$`. Browsers render MathML themselves, so a page needs no
script and no other server. A command that the converter does not know ends the build.
"""

import re
from html import escape, unescape
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
DISPLAY = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)
TAG = re.compile(r"\\tag\{(\w+)\}")
PAREN = r"(?:<mrow>)*<mo [^>]*>&#x00028;"
NAMED = re.compile(rf"<mo>([A-Za-z]{{2,}})</mo>(?={PAREN})")
BARE = re.compile(rf"<mi>(?:exp|ln|log|det)</mi>(?!{PAREN}|</)")
UNKNOWN = re.compile(r"\\[A-Za-z]+")


def mathml(latex: str, display: str = "inline") -> str:
    """Return LaTeX as MathML. Raises PluginError, with the formula, for what the converter does not know."""
    text = " ".join(latex.split())
    made = convert(re.sub(r"\b(begin|end)\{aligned\}", r"\1{align*}", text), display=display)
    if unknown := UNKNOWN.search(made):
        raise PluginError(f"formula: expected commands that latex2mathml has, got {unknown[0]} in: {text}")
    made = made.replace("<mi>&#x0007E;</mi>", "<mo>&#x0223C;</mo>")  # the converter takes \sim for the ASCII tilde
    made = BARE.sub(r"\g<0><mspace width='0.167em' />", NAMED.sub(r"<mi>\1</mi>", made))  # max(x), and ln x
    return made.replace("<math ", f'<math alttext="{escape(text)}" ', 1)


def _inline(found: re.Match[str]) -> str:
    return mathml(unescape(found[1]))


def _display(found: re.Match[str]) -> str:
    latex = unescape(found[1])
    tag = TAG.search(latex)
    body = f'<div class="formula-body">{mathml(TAG.sub("", latex), "block")}</div>'
    if not tag:
        return f'<div class="formula">{body}</div>'
    return f'<div class="formula" id="eq-{tag[1]}">{body}<span class="formula-number">({tag[1]})</span></div>'


def on_page_content(html: str, **_: Any) -> str:
    """Return a page with each formula that the Markdown extension arithmatex found as MathML."""
    return DISPLAY.sub(_display, INLINE.sub(_inline, html))
