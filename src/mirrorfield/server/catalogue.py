"""What the page shows: a post for every step, and the figures of a recorded run."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from mirrorfield.population.posts import Post, posts
from mirrorfield.streams import U64, mix64


@cache
def billion() -> dict[str, Any]:
    """Return the figures of the recorded run of a billion users, with what made them."""
    text = (resources.files("mirrorfield.server") / "billion.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def pick(category: str, t: int, seed: int) -> Post:
    """Return the post that stands for a category at step t: which one is luck, and has no influence on the loop."""
    fitting = [post for post in posts() if post.category == category]
    with np.errstate(over="ignore"):
        word = int(mix64(U64(seed) + mix64(U64(t))))
    return fitting[word % len(fitting)]
