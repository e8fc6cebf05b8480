"""Many texts to vectors, side by side."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mirrorfield.arrays import F32Array
from mirrorfield.errors import InputError
from mirrorfield.world.text.minilm import WIDTH
from mirrorfield.world.text.weights import library, load_encoder


def embed_texts(
    texts: Sequence[str], threads: int | None = None, progress: Callable[[int], None] | None = None
) -> F32Array:
    """Return the vectors of texts, each of unit length; the same bytes for any number of threads.

    Every thread embeds one text at a time with the BLAS held to one thread: the matrices of one text are too small to
    be shared, and threads of a BLAS that wait for each other on a busy machine cost twenty times the work.

    Parameters: texts; threads, by default one per processor; progress, called with 1 after every text. Returns float32
    (len(texts), 384). Raises InputError for threads below 1, and where the extra `text` or the weights are missing.

    >>> embed_texts(["Quiet people notice more."]).shape
    (1, 384)
    """
    if threads is not None and threads < 1:
        raise InputError(f"threads: expected 1 or more, got {threads}")
    encoder = load_encoder()
    vectors = np.empty((len(texts), WIDTH), np.float32)
    limits = library("threadpoolctl").threadpool_limits
    with limits(1, user_api="blas"), ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        try:
            for i, vector in enumerate(pool.map(encoder.embed, texts)):
                vectors[i] = vector
                if progress:
                    progress(1)
        finally:
            pool.shutdown(cancel_futures=True)
    return vectors
