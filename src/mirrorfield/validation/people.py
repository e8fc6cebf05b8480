"""Who is drawn, against the distributions' moments; and the streams, against the theory's and against each other."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from mirrorfield import streams
from mirrorfield.arrays import FloatArray
from mirrorfield.population.run import plan_run, run_block
from mirrorfield.theory.luck import PURPOSE, Luck
from mirrorfield.validation.bandit import equals
from mirrorfield.validation.claim import LIMIT, NINETY_PERCENT, Claim, below, near
from mirrorfield.validation.worlds import uneven

GROUP, KOLMOGOROV = "people", 2.27  # sqrt(n) times the distance is above that once in 15,000 times, as 4 s.e. are


def _moments(text: str, values: FloatArray, mean: float, variance: float) -> Iterator[Claim]:
    yield equals(GROUP, f"mean of {text}", mean, values)
    yield equals(GROUP, f"variance of {text}", variance, (values - mean) ** 2)


def _law(text: str, values: FloatArray, law: Any) -> Iterator[Claim]:
    distance = float(np.sqrt(len(values)) * stats.kstest(values, law.cdf).statistic)
    claim = below(GROUP, f"distance of {text} from its law, in 1/sqrt(n)", KOLMOGOROV, distance)
    yield replace(claim, power=(KOLMOGOROV + NINETY_PERCENT) / np.sqrt(len(values)), power_of="distance of the laws")


def drawn(users: int, susceptibility: dict[str, Any], intentionality: dict[str, Any]) -> tuple[FloatArray, FloatArray]:
    """Return w, (n, K), and lambda, (n,), of the users that the kernel draws."""
    population = {"susceptibility": susceptibility, "intentionality": intentionality}
    scenario = uneven(users=users, steps=1, record={"users": users}, population=population)
    sample = run_block(plan_run(scenario), 0, users).sample
    return sample.susceptibility.T.astype(float), sample.intentionality.astype(float)


def draws(users: int) -> Iterator[Claim]:
    """Yield the moments and laws of everything that a population can be drawn from."""
    sigma, medians = 0.7, (1.5, 0.5, 1.0, 2.0)
    w, lam = drawn(users, {"distribution": "lognormal", "median": medians, "sigma": sigma},
                   {"distribution": "uniform", "low": 0.2, "high": 0.9})  # fmt: skip
    for a, median in enumerate(medians):
        yield from _moments(f"ln w_{a + 1}, lognormal", np.log(w[:, a]), float(np.log(median)), sigma**2)
    yield from _law("ln w_1", np.log(w[:, 0]), stats.norm(np.log(medians[0]), sigma))
    yield from _moments("lambda, uniform", lam, 0.55, 0.7**2 / 12)
    yield from _law("lambda, uniform", lam, stats.uniform(0.2, 0.7))
    shapes, one, other = np.array([0.4, 1.5, 3.0, 1.0]), 0.5, 2.0
    w, lam = drawn(users, {"distribution": "dirichlet", "concentration": tuple(shapes)},
                   {"distribution": "beta", "a": one, "b": other})  # fmt: skip
    total, law = shapes.sum(), stats.beta(one, other)
    for i, shape in enumerate(shapes):
        mean = float(shape / total)
        yield from _moments(f"w_{i + 1} / K, Dirichlet", w[:, i] / 4, mean, mean * (1 - mean) / (float(total) + 1))
    yield from _law("w_1 / K, Dirichlet", w[:, 0] / 4, stats.beta(shapes[0], total - shapes[0]))
    yield from _moments("lambda, beta", lam, float(law.mean()), float(law.var()))
    yield from _law("lambda, beta", lam, law)
    yield equals(GROUP, "product of w_1 / K and lambda, from streams of their own",
                 float(shapes[0] / total * law.mean()), w[:, 0] / 4 * lam)  # fmt: skip


def _uniforms(users: int, purpose: str, seed: int = 1, skip: int = 0) -> FloatArray:
    number = np.uint64(getattr(streams, purpose.upper()))
    with np.errstate(over="ignore"):
        words = [*streams.stream(np.uint64(seed), np.arange(users, dtype=np.uint64), number)]
        for _ in range(skip + 1):
            word, *words = streams.next_word(*words)
    return np.asarray(streams.uniform(word), float)


def streams_apart(pairs: dict[str, tuple[FloatArray, FloatArray]]) -> Claim:
    """Return that the uniforms of all pairs are uncorrelated."""
    scores = [float(np.sqrt(len(x)) * np.corrcoef(x, y)[0, 1]) for x, y in pairs.values()]
    n = len(next(iter(pairs.values()))[0])
    text = f"largest absolute z-score of the correlation of uniforms, {len(scores)} pairs of streams"
    claim = below(GROUP, text, LIMIT + 0.5, max(map(abs, scores)))
    return replace(claim, power=(LIMIT + 0.5 + NINETY_PERCENT) / np.sqrt(n), power_of="correlation")


def streams_of(users: int) -> Iterator[Claim]:
    """Yield that every purpose has a stream of its own: word for word the theory's, even, and apart from the others."""
    words = [_uniforms(3, purpose, 5, skip)[user] - luck for purpose in PURPOSE for user in range(3)
             for skip, luck in enumerate(_first(5, user, purpose))]  # fmt: skip
    yield near(GROUP, "first 4 uniforms of 3 users and every purpose, largest difference", float(np.abs(words).max()))
    uniforms = {purpose: _uniforms(users, purpose) for purpose in PURPOSE}
    for purpose in ("interaction", "label"):
        yield from _moments(f"a uniform of the stream {purpose}", uniforms[purpose], 0.5, 1 / 12)
    yield streams_apart({f"{a} {b}": (uniforms[a], uniforms[b]) for a, b in combinations(PURPOSE, 2)})
    one, later = uniforms["interaction"], _uniforms(users, "interaction", 1, 1)
    other = _uniforms(users, "interaction", 2)
    yield streams_apart({"next user": (one[1:], one[:-1]), "next word": (one, later), "next seed": (one, other)})


def _first(seed: int, user: int, purpose: str) -> list[float]:
    luck = Luck(seed, user, purpose)
    return [luck.uniform() for _ in range(4)]
