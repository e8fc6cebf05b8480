"""Does lock-in last? A user whose interests grow with what is shown, against one who does not change.

Usage: uv run python scripts/persistence.py

One state, four categories with means 1, 0.9, 0.5 and 0.2 and unit noise, REINFORCE with a running mean; 20,000 users,
seed 1. The adaptive user's mean of a category rises by eta every time the category is shown. Plain NumPy, apart from
the kernel: the question is about the mathematics. Prints Markdown.
"""

import numpy as np

from mirrorfield.policy.baseline import welford
from mirrorfield.policy.reinforce import advantage, logit_step
from mirrorfield.policy.softmax import softmax

USERS, STEPS = 20_000, 8000
MEAN = np.array([1.0, 0.9, 0.5, 0.2])
LOOKS = (500, 1000, 2000, 4000, 8000)


def feeds(rate: float, eta: float, seed: int = 1) -> dict[int, np.ndarray]:
    """Return the policies, (users, 4), at some steps."""
    rng, everyone = np.random.default_rng(seed), np.arange(USERS)
    logits, mean, baseline = np.zeros((USERS, 4)), np.tile(MEAN, (USERS, 1)), np.zeros(USERS)
    found = {}
    for t in range(1, STEPS + 1):
        policy = softmax(logits)
        choice = (rng.random(USERS)[:, None] >= policy.cumsum(axis=1)[:, :-1]).sum(axis=1)
        gain = advantage(mean[everyone, choice] + rng.normal(size=USERS), baseline)
        baseline, _ = welford(baseline, 0.0, gain, 1 / t)
        chosen = np.eye(4)[choice]
        logits += logit_step(rate, gain[:, None], chosen, policy)
        mean[everyone, choice] += eta
        if t in LOOKS:
            found[t] = softmax(logits)
    return found


def main() -> None:
    """Print how many users have the wrong category first, and how many of those locked in early still have it."""
    print(
        "| alpha | eta | "
        + " | ".join(f"wrong first, t = {t}" for t in LOOKS)
        + " | locked in wrong at 1,000 | still at 8,000 |"
    )
    print("|---" * (len(LOOKS) + 4) + "|")
    for rate in (0.05, 0.2):
        for eta in (0.0, 0.0001, 0.001):
            found = feeds(rate, eta)
            wrong = [float((found[t].argmax(axis=1) > 0).mean()) for t in LOOKS]
            early = found[1000]
            held = (early.max(axis=1) > 0.9) & (early.argmax(axis=1) > 0)
            still = (found[STEPS].argmax(axis=1) == early.argmax(axis=1))[held]
            spread = 1.96 * np.sqrt(still.mean() * (1 - still.mean()) / max(held.sum(), 1)) if held.any() else np.nan
            last = f"{still.mean():.3f} ± {spread:.3f}" if held.any() else "none"
            print(
                f"| {rate:g} | {eta:g} | " + " | ".join(f"{w:.4f}" for w in wrong) + f" | {held.mean():.4f} | {last} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
