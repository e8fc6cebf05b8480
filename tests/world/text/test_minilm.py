"""The encoder: its vectors are the published ones, and depend on nothing but the text."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mirrorfield.population.corpus import load_corpus
from mirrorfield.world.text.embed import embed_texts
from mirrorfield.world.text.minilm import LONGEST, Encoder, attention, mean_pool
from mirrorfield.world.text.weights import load_encoder

GOLDEN = Path(__file__).parents[2] / "golden" / "minilm.json"


@pytest.fixture(scope="module")
def encoder() -> Iterator[Encoder]:
    with threadpool_limits(1, user_api="blas"):
        yield load_encoder()


def cosine(encoder: Encoder, one: str, other: str) -> float:
    return float(encoder.embed(one) @ encoder.embed(other))


def test_vectors_are_those_of_another_program(encoder: Encoder) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for text, vector in zip(golden["texts"], golden["vectors"], strict=True):
        np.testing.assert_allclose(encoder.embed(text), vector, rtol=0, atol=5e-7)


def test_a_vector_has_384_numbers_and_unit_length(encoder: Encoder) -> None:
    for text in ("", "a", "Why bread goes stale.", "word " * 1000):
        vector = encoder.embed(text)
        assert vector.shape == (384,) and vector.dtype == np.float32
        assert float(vector.astype(float) @ vector.astype(float)) == pytest.approx(1, abs=2e-7)


def test_near_duplicates_are_nearer_than_strangers(encoder: Encoder) -> None:
    same = cosine(encoder, "Why bread goes stale in the fridge.", "The reason bread turns stale in a refrigerator.")
    other = cosine(encoder, "Why bread goes stale in the fridge.", "Lock your doors tonight. I am not joking.")
    assert same > 0.8 and other < 0.2
    assert cosine(encoder, "Quiet people", "quiet PEOPLE") == pytest.approx(1, abs=1e-6)


def test_a_text_s_vector_depends_on_no_other_text(encoder: Encoder) -> None:
    short, long = "Quiet people notice more.", "How a lock lifts a barge: the sums, with a bathtub. " * 5
    alone = [encoder.embed(short).tobytes(), encoder.embed(long).tobytes()]
    assert [encoder.embed(text).tobytes() for text in (long, short)] == alone[::-1]


def test_padding_that_is_masked_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    query, key, value = rng.standard_normal((3, 2, 5, 4))
    padded = np.concatenate([key, np.zeros((2, 3, 4))], axis=1), np.concatenate([value, np.ones((2, 3, 4))], axis=1)
    weight = np.exp(query @ padded[0].transpose(0, 2, 1) / 2) * (np.arange(8) < 5)
    masked = weight / weight.sum(axis=-1, keepdims=True) @ padded[1]
    np.testing.assert_allclose(attention(query, key, value), masked, atol=1e-12)


def test_a_long_text_is_cut_to_256_pieces_and_a_short_one_is_not_padded(encoder: Encoder) -> None:
    assert len(encoder.pieces("word " * 1000)) == LONGEST
    assert encoder.pieces("word " * 1000)[-1] == encoder.pieces("word")[-1] == 102
    assert len(encoder.pieces("word")) == 3
    assert encoder.embed("word " * 254).tobytes() == encoder.embed("word " * 1000).tobytes()
    assert encoder.embed("word " * 253).tobytes() != encoder.embed("word " * 254).tobytes()


def test_the_mean_is_over_every_piece() -> None:
    assert mean_pool(np.arange(6.0).reshape(3, 2)).tolist() == [2.0, 3.0]


def test_the_shipped_embeddings_are_these_within_the_rounding_of_float16() -> None:
    corpus = load_corpus("posts")
    computed = embed_texts(corpus.text)
    assert np.abs(computed - corpus.embedding).max() < 2.0**-13
    assert (computed * corpus.embedding).sum(axis=1).min() > 1 - 1e-6


def test_side_by_side_is_one_by_one_and_each_is_counted(encoder: Encoder) -> None:
    texts = ["Quiet people notice more.", "word " * 300, "", "Why concrete cracks."]
    counted: list[int] = []
    vectors = embed_texts(texts, threads=3, progress=counted.append)
    assert vectors.tobytes() == b"".join(encoder.embed(text).tobytes() for text in texts)
    assert counted == [1] * 4 and embed_texts([]).shape == (0, 384)


def test_an_interruption_does_not_wait_for_the_texts_that_are_left() -> None:
    done = 0

    def interrupt(texts: int) -> None:
        nonlocal done
        done += texts
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_texts(["a"] * 3_000, threads=1, progress=interrupt)
    assert done == 1


SCRIPT = """
import sys
from mirrorfield.world.text.weights import load_encoder
for text in ("Quiet people notice more.", "Why concrete cracks, and how a joint decides where."):
    sys.stdout.write(load_encoder().embed(text).tobytes().hex())
"""


@pytest.mark.slow
@pytest.mark.parametrize("changed", [{"OPENBLAS_NUM_THREADS": "2"}, {"OPENBLAS_CORETYPE": "Prescott"}])
def test_a_blas_with_more_threads_or_other_instructions_gives_the_same_bytes(changed: dict[str, str]) -> None:
    def vectors(settings: dict[str, str]) -> str:
        command = [sys.executable, "-c", SCRIPT]
        return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=True).stdout

    assert vectors({"OPENBLAS_NUM_THREADS": "1"} | changed) == vectors({"OPENBLAS_NUM_THREADS": "1"}) != ""
