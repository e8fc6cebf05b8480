"""Embed the posts that come with the package and write the default corpus.

Usage: uv run python scripts/embed_posts.py
Writes src/mirrorfield/population/corpora/posts.npz, embeddings in float16. Needs the extra `text` and the weights
(docs/corpus.md). Quality is 0.8, 1.0 and 1.2 for mild, medium and strong posts.
"""

from pathlib import Path

import numpy as np

from mirrorfield.population.corpus import corpus_bytes, make_corpus
from mirrorfield.population.posts import posts
from mirrorfield.store.durable import write_durable
from mirrorfield.world.text.embed import embed_texts

FILE = Path(__file__).parent.parent / "src/mirrorfield/population/corpora/posts.npz"
QUALITY = (0.8, 1.0, 1.2)


def main() -> None:
    """Embed every post, and write them as a corpus."""
    categories = list(dict.fromkeys(post.category for post in posts()))
    corpus = make_corpus(
        categories,
        [categories.index(post.category) for post in posts()],
        [QUALITY[post.intensity] for post in posts()],
        embed_texts([post.text for post in posts()]),
        [post.text for post in posts()],
    )
    write_durable(FILE, corpus_bytes(corpus, np.float16))


if __name__ == "__main__":
    main()
