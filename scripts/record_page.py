"""Record what the page replays: crowds as bytes, and figures as JSON, in page/public/recorded.

Usage: uv run python scripts/record_page.py [PART ...]
Parts: crowd, opening, and those of story.json: neighbours, billion, tipping, scenes, twins, bolts, labels. Without a
name, all of them, in some minutes. The page's build copies the folder into the package.
"""

import argparse
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from page_frames import crowd_frames, crowd_story, opening
from page_neighbours import neighbours
from page_scenes import scenes
from page_story import billion, bolts, labels, tipping, twins
from rich.console import Console
from rich.progress import track

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
        content = json.dumps(rounded(content), separators=(",", ":"), allow_nan=False).encode() + b"\n"
    PLACE.mkdir(parents=True, exist_ok=True)
    (PLACE / name).write_bytes(content)
    print(f"{name}: {len(content):,} bytes, {len(gzip.compress(content, 9)):,} compressed")


def record_crowd() -> None:
    """Record twenty thousand people, and what stands beside them."""
    frames, figures = crowd_frames()
    write("crowd.bin", frames)
    write("crowd.json", crowd_story(figures))


def record_opening() -> None:
    """Record the opening, with two seeds."""
    for name, seed in (("opening.bin", 1), ("opening2.bin", 2)):
        write(name, opening(seed))


STORY: dict[str, Callable[[], dict[str, Any]]] = {
    part.__name__: part for part in (neighbours, billion, tipping, scenes, twins, bolts, labels)
}
PARTS: dict[str, Callable[[], None]] = {"crowd": record_crowd, "opening": record_opening}


def record_story(name: str) -> None:
    """Record one part of the story, and keep the others as they are."""
    place = PLACE / "story.json"
    before = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    found = before | {name: STORY[name]()}
    write(place.name, {part: found[part] for part in STORY if part in found})


def main() -> None:
    """Record the named parts, or all."""
    parser = argparse.ArgumentParser()
    known = [*PARTS, *STORY]
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(known))
    chosen = parser.parse_args().parts or known
    if unknown := sorted({*chosen} - {*known}):
        parser.error(f"expected some of {', '.join(known)}, got {', '.join(unknown)}")
    for name in track(chosen, "recording", console=Console(stderr=True)):
        print(f"{name} ...")
        PARTS[name]() if name in PARTS else record_story(name)


if __name__ == "__main__":
    main()
