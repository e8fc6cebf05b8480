"""The model in vectorised NumPy as it is usually written: one user per row, all users at once, float32.

Arrays are (n, S, K) and (n, K), as in the package's own float64 reference; the default bit generator.
"""

from collections.abc import Callable

import numpy as np
from peers_model import End, Model, Sums, add_up, figures, long_run

__all__ = ["figures", "prepare"]

F32 = np.float32


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis."""
    weight = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weight / weight.sum(axis=-1, keepdims=True)


class Users:
    """All users in the middle of the loop."""

    def __init__(self, rng: np.random.Generator, model: Model) -> None:
        n, k = model.users, model.categories
        self.rng, self.everyone, self.k = rng, np.arange(n), k
        susceptibility = np.exp(F32(model.sigma) * rng.standard_normal((n, 1, k), F32))
        intentionality = rng.random((n, 1, 1), F32)
        reactive, intentional = model.ends
        hit = reactive._replace(mean=reactive.mean * susceptibility)
        self.tables = End(
            *((1 - intentionality) * a + intentionality * b for a, b in zip(hit, intentional, strict=True))
        )
        self.logits = np.zeros((n, 3, k), F32)
        self.baseline = np.zeros(n, F32)
        self.state = np.zeros(n, np.intp)
        self.learning_rate = F32(model.learning_rate)

    def interact(self, t: int) -> None:
        """Show every user its t-th post."""
        n = len(self.everyone)
        policy = softmax(self.logits[self.everyone, self.state])
        choice = (self.rng.random((n, 1), F32) >= policy[:, :-1].cumsum(axis=1)).sum(axis=1)
        mean, std, fall, rise = (table[self.everyone, self.state, choice] for table in self.tables)
        gain = mean + std * self.rng.standard_normal(n, F32) - self.baseline
        self.baseline += gain / F32(t)
        chosen = np.eye(self.k, dtype=F32)[choice]
        self.logits[self.everyone, self.state] += self.learning_rate * gain[:, None] * (chosen - policy)
        uniform = self.rng.random(n, F32)
        self.state = (uniform >= fall).astype(np.intp) + (uniform >= rise)

    def fold(self) -> Sums:
        """Return the sums over users as they are now."""
        policy = softmax(self.logits)
        calm, hooked = (policy * self.tables.fall).sum(axis=2).T, (policy * (1 - self.tables.rise)).sum(axis=2).T
        in_state = np.stack(long_run(calm, 1 - calm - hooked, hooked), axis=1)
        diet = (in_state[:, :, None] * policy).sum(axis=1)
        largest = diet.max(axis=1)
        tied = (diet == largest[:, None]).cumsum(axis=1)
        category = (tied > (self.everyone % tied[:, -1])[:, None]).argmax(axis=1)
        return add_up(diet, 0, largest, category, self.state, self.baseline)


def prepare(model: Model) -> Callable[[int], Sums]:
    """Return the function that runs the model with a seed."""
    recorded = set(model.recorded.tolist())

    def run(seed: int) -> Sums:
        users, folded = Users(np.random.default_rng(seed), model), []
        for t in range(1, model.steps + 1):
            users.interact(t)
            if t in recorded:
                folded.append(users.fold())
        return Sums(*(np.array(values) for values in zip(*folded, strict=True)))

    return run
