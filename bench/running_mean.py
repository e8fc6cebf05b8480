"""Measure how far a float32 running mean is from the exact one, plain and compensated.

Usage: uv run python bench/running_mean.py

One person's reactions: one of three means at random, plus noise. The exact mean is a float64 sum of the same float32
reactions, whose own error is below 1e-9 here.
"""

import numpy as np

from mirrorfield.kernel.jit import compiled, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.maths import F32, ONE, ZERO, normal
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.reinforce import advantage
from mirrorfield.streams import INTERACTION, U64, next_word, stream, uniform, uniform_positive

shared(*LINKED)
MEANS = np.array([0.75, 1.2, 1.65], np.float32)


@compiled
def means(posts: int, seed: int, spread: float, level: np.ndarray) -> tuple[float, float, float]:
    """Return the plain float32 mean, the compensated one, and the exact one."""
    a, b, c, d = stream(U64(seed), U64(0), INTERACTION)
    plain, mean, lost, total = ZERO, ZERO, ZERO, 0.0
    for t in range(posts):
        which, a, b, c, d = next_word(a, b, c, d)
        radius, a, b, c, d = next_word(a, b, c, d)
        angle, a, b, c, d = next_word(a, b, c, d)
        place = np.int64(uniform(which) * F32(len(level)))
        reaction = level[place] + F32(spread) * normal(uniform_positive(radius), uniform(angle))
        share = ONE / F32(t + 1)
        plain = plain + advantage(reaction, plain) * share
        mean, lost = welford(mean, lost, advantage(reaction, mean), share)
        total += reaction
    return plain, mean, total / posts


def main() -> None:
    """Print the largest relative error over seeds."""
    print("| posts | std | plain float32 | compensated |\n|---|---|---|---|")
    for posts in (10**5, 10**6, 10**7):
        for spread in (0.0, 0.6):
            with np.errstate(over="ignore"):
                found = [means(posts, seed, spread, MEANS) for seed in range(1, 6)]
            plain, kept = (max(abs(row[i] / row[2] - 1) for row in found) for i in (0, 1))
            print(f"| {posts:,} | {spread:g} | {plain:.1e} | {kept:.1e} |")


if __name__ == "__main__":
    main()
