"""The posts of the page: illustrations of a lure, written for this package, about nobody."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from mirrorfield.streams import U64, mix64


@dataclass(frozen=True)
class Post:
    """A post of a category at an intensity: 0 mild, 1 medium, 2 strong."""

    category: str
    intensity: int
    text: str


@cache
def catalogue() -> tuple[Post, ...]:
    """Return all posts, by category and intensity."""
    text = (resources.files("mirrorfield.server") / "posts.toml").read_text(encoding="utf-8")
    return tuple(
        Post(category, intensity, post)
        for category, rungs in tomllib.loads(text).items()
        for intensity, posts in enumerate(rungs["posts"])
        for post in posts
    )


@cache
def billion() -> dict[str, Any]:
    """Return the figures of the recorded run of a billion users, with what made them."""
    text = (resources.files("mirrorfield.server") / "billion.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def pick(category: str, t: int, seed: int) -> Post:
    """Return the post that stands for a category at step t: which one is luck, and has no influence on the loop."""
    fitting = [post for post in catalogue() if post.category == category]
    with np.errstate(over="ignore"):
        word = int(mix64(U64(seed) + mix64(U64(t))))
    return fitting[word % len(fitting)]
