"""Random streams: published test vectors, independence of users and purposes, uniformity."""

import numpy as np
from scipy import stats

from mirrorfield import streams

U32, U64 = np.uint32, np.uint64


def words_of(seed: int, users: np.ndarray, purpose: U64, count: int) -> np.ndarray:
    with np.errstate(over="ignore"):
        state = streams.stream(U64(seed), users.astype(U64), purpose)
        out = []
        for _ in range(count):
            word, *state = streams.next_word(*state)
            out.append(word)
    return np.array(out)


def test_xoshiro128_plus_plus_matches_its_published_vector() -> None:
    state = [U32(1), U32(2), U32(3), U32(4)]
    out = []
    with np.errstate(over="ignore"):
        for _ in range(10):
            word, *state = streams.next_word(*state)
            out.append(int(word))
    expected = [641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295]
    assert out == [*expected, 495546011, 621204420]


def test_splitmix64_matches_its_published_vector() -> None:
    golden, state, out = 0x9E3779B97F4A7C15, 1234567, []
    with np.errstate(over="ignore"):
        for _ in range(3):
            state = (state + golden) % 2**64
            out.append(int(streams.mix64(U64(state))))
    assert out == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_uniforms_stay_inside_their_intervals() -> None:
    ends = np.array([0, 0xFFFFFFFF], U32)
    assert streams.uniform(ends).tolist() == [0.0, 1 - 2.0**-24]
    assert streams.uniform_positive(ends).tolist() == [2.0**-24, 1.0]


def test_words_are_uniform_across_neighbouring_users_and_along_a_stream() -> None:
    words = words_of(1, np.arange(20_000), streams.INTERACTION, 8)
    uniforms = streams.uniform(words).astype(float)
    assert stats.kstest(uniforms[0], "uniform").pvalue > 1e-4
    assert stats.kstest(uniforms.ravel(), "uniform").pvalue > 1e-4
    bound = 4 / np.sqrt(uniforms[0].size)
    assert abs(np.corrcoef(uniforms[0][:-1], uniforms[0][1:])[0, 1]) < bound
    assert abs(np.corrcoef(uniforms[0], uniforms[1])[0, 1]) < bound


def test_streams_differ_by_user_seed_and_purpose() -> None:
    users = np.arange(1000)
    seen = [words_of(s, users, p, 1) for s in (1, 2) for p in (streams.INTERACTION, streams.SUSCEPTIBILITY)]
    assert len(np.unique(np.concatenate(seen, axis=None))) > 3990


def test_below_reaches_every_number_and_never_the_bound() -> None:
    largest = np.uint32(0xFFFFFFFF)
    assert all(streams.below(largest, bound) == bound - 1 for bound in [*range(1, 5000), 2**24 - 1, 2**24])
    words = np.arange(0, 2**32, 2**20 + 7, dtype=np.uint64).astype(np.uint32)
    counts = np.bincount(streams.below(words, 7), minlength=7)
    assert len(counts) == 7 and abs(counts - counts.mean()).max() < 2
