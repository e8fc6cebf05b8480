"""What a terminal gets: text in which a name cannot move the cursor, set a colour or stop the output."""

import codecs
import sys
import unicodedata

ESCAPES = "mirrorfield.escapes"
TURNS_TEXT = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def printable(text: str) -> str:
    r"""Return a text with an escape in place of every character that acts on a terminal; lines and tabs stay.

    >>> printable("a\x1b[31m b")
    'a\\u001b[31m b'
    """
    if text.isprintable():
        return text
    acts = ("Cc", "Cs", "Zl", "Zp")
    return "".join(
        _escaped(c) if c not in "\n\t" and (unicodedata.category(c) in acts or c in TURNS_TEXT) else c for c in text
    )


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_escaped, error.object[error.start : error.end])), error.end


def escape_what_stdout_cannot_show() -> None:
    """Let standard output write what its encoding lacks as JSON escapes it, so that no output stops half-way."""
    codecs.register_error(ESCAPES, _escape)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors=ESCAPES)
