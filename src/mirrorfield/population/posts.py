"""The posts of the page and of the default corpus: illustrations of a lure, written for this package, about nobody."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Post:
    """A post of a category at an intensity: 0 mild, 1 medium, 2 strong."""

    category: str
    intensity: int
    text: str


@cache
def posts() -> tuple[Post, ...]:
    """Return the posts that come with the package, by category and intensity: written for it, about nobody.

    >>> len(posts())
    60
    """
    text = (resources.files("mirrorfield.population") / "corpora" / "posts.toml").read_text(encoding="utf-8")
    return tuple(
        Post(category, intensity, post)
        for category, rungs in tomllib.loads(text).items()
        for intensity, written in enumerate(rungs["posts"])
        for post in written
    )
