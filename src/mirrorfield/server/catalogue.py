"""What the page shows: a post for every step."""

import numpy as np

from mirrorfield.population.posts import Post, posts
from mirrorfield.streams import U64, mix64


def pick(category: str, t: int, seed: int) -> Post:
    """Return the post that stands for a category at step t: which one is luck, and has no influence on the loop."""
    fitting = [post for post in posts() if post.category == category]
    with np.errstate(over="ignore"):
        word = int(mix64(U64(seed) + mix64(U64(t))))
    return fitting[word % len(fitting)]
