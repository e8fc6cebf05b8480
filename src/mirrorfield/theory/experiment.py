"""Users with one state and one profile, many at once, in NumPy with NumPy's own luck: where no closed form is known."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mirrorfield.arrays import FloatArray


class Bandit(NamedTuple):
    """Mean and standard deviation of the reactions, learning rate, and "none", "welford" or "welford-inclusive"."""

    mean: tuple[float, ...]
    std: float
    learning_rate: float
    baseline: str = "welford"


def policies(bandits: Sequence[Bandit], users: int, times: Sequence[int], seed: int = 1) -> FloatArray:
    """Return the policies of `users` users of each bandit after some numbers of posts.

    Formula: a ~ softmax(theta), G = mu_a + sigma n, theta += alpha (G - b)(1[a] - pi), with b = 0, the mean of the
    reactions before, or that with this one.

    Parameters: bandits, of K arms each; users n; times, ascending; seed of NumPy's generator. Returns float64
    (times, bandits, n, K). Source: docs/model.md, eqs. 3 to 6.

    >>> policies([Bandit((1.0, 0.0), 0.0, 0.1)], 3, [2]).shape
    (1, 1, 3, 2)
    """
    rng, shape = np.random.default_rng(seed), (len(bandits), users)
    mean = np.array([bandit.mean for bandit in bandits])[:, None]
    std, alpha = (np.array([getattr(b, name) for b in bandits])[:, None] for name in ("std", "learning_rate"))
    before, after = (np.array([[float(b.baseline == name)] for b in bandits]) for name in ("welford", INCLUSIVE))
    logits, running, kept = np.zeros((*shape, mean.shape[-1])), np.zeros(shape), []
    for t in range(1, times[-1] + 1):
        policy = _softmax(logits)
        arm = (rng.random(shape)[..., None] >= np.cumsum(policy, axis=-1)[..., :-1]).sum(axis=-1)
        chosen = arm[..., None] == np.arange(mean.shape[-1])
        reaction = (mean * chosen).sum(axis=-1) + std * rng.standard_normal(shape)
        later = running + (reaction - running) / t
        logits += (alpha * (reaction - before * running - after * later))[..., None] * (chosen - policy)
        running = later
        if t in times:
            kept.append(_softmax(logits))
    return np.array(kept)


INCLUSIVE = "welford-inclusive"


def _softmax(logits: FloatArray) -> FloatArray:
    weight = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))
