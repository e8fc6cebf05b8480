"""Record what the page replays: crowds as bytes, and figures as JSON, in page/public/recorded.

Usage: uv run python scripts/record_page.py [crowd] [opening] [story]
Without a name, all of them. The page's build copies the folder into the package.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from page_frames import crowd_frames, crowd_story, opening

PLACE = Path(__file__).parent.parent / "page" / "public" / "recorded"
DIGITS = 6


def rounded(value: Any) -> Any:
    """Return plain values with every number to six significant digits, which is more than a page shows."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def write(name: str, content: bytes | dict[str, Any]) -> None:
    """Write a file, and print its size and its size compressed."""
    if isinstance(content, dict):
        content = json.dumps(rounded(content), separators=(",", ":")).encode() + b"\n"
    PLACE.mkdir(parents=True, exist_ok=True)
    (PLACE / name).write_bytes(content)
    print(f"{name}: {len(content):,} bytes, {len(gzip.compress(content, 9)):,} compressed")


def say(what: str) -> None:
    """Say on standard error what is being computed."""
    print(f"  {what} ...", file=sys.stderr, flush=True)


def record_crowd() -> None:
    """Record twenty thousand people, and what stands beside them."""
    say("the crowd")
    frames, figures = crowd_frames()
    write("crowd.bin", frames)
    write("crowd.json", crowd_story(figures, say))


def record_opening() -> None:
    """Record the opening, with two seeds."""
    for name, seed in (("opening.bin", 1), ("opening2.bin", 2)):
        say(name)
        write(name, opening(seed))


PARTS: dict[str, Callable[[], None]] = {"crowd": record_crowd, "opening": record_opening}


def main() -> None:
    """Record the named parts, or all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=" ".join(PARTS))
    for name in parser.parse_args().parts or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
