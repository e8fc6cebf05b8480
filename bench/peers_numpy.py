"""The model in vectorised NumPy, float32: every user of a block takes a step at once.

Arrays have users last, so that sums over a few categories are sums of long rows. A block is small enough for the
cache; BLOCK is the best of 1024, 2048, ... 65,536 over K = 4 and 16. SFC64 is NumPy's fastest bit generator.
"""

from collections.abc import Callable

import numpy as np
from peers_model import End, Model, Sums, add_up, figures, long_run

__all__ = ["figures", "prepare"]

BLOCK = 16_384
F32 = np.float32


def draw_users(rng: np.random.Generator, model: Model, users: int) -> End:
    """Draw users and return their tables, each flat from shape (S, K, n)."""
    reactive, intentional = (End(*(table[:, :, None] for table in end)) for end in model.ends)
    susceptibility = np.exp(F32(model.sigma) * rng.standard_normal((model.categories, users), F32))
    intentionality = rng.random(users, F32)
    hit = reactive._replace(mean=reactive.mean * susceptibility)
    return End(
        *(((1 - intentionality) * a + intentionality * b).ravel() for a, b in zip(hit, intentional, strict=True))
    )


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax over the first axis."""
    weight = np.exp(logits - logits.max(axis=0))
    return weight / weight.sum(axis=0)


class Block:
    """Users in the middle of the loop."""

    def __init__(self, rng: np.random.Generator, model: Model, users: int) -> None:
        self.rng, self.users, self.k = rng, np.arange(users), model.categories
        self.learning_rate = F32(model.learning_rate)
        self.tables = draw_users(rng, model, users)
        self.logits = np.zeros(3 * self.k * users, F32)
        self.baseline = np.zeros(users, F32)
        self.state = np.zeros(users, np.intp)
        self.rows = np.arange(self.k)[:, None] * users

    def cells(self) -> np.ndarray:
        """Return where the logits of each user's state are, shape (K, n)."""
        return self.rows + (self.state * (self.k * len(self.users)) + self.users)

    def interact(self, t: int) -> None:
        """Show every user its t-th post."""
        count = len(self.users)
        cells = self.cells()
        logits = self.logits.take(cells)
        policy = softmax(logits)
        choice = (self.rng.random(count, F32) >= policy[:-1].cumsum(axis=0)).sum(axis=0)
        chosen = (self.state * self.k + choice) * count + self.users
        mean, std, fall, rise = (table.take(chosen) for table in self.tables)
        gain = mean + std * self.rng.standard_normal(count, F32) - self.baseline
        self.baseline += gain * F32(1 / t)
        gain *= self.learning_rate
        self.logits[cells] = logits - gain * policy
        self.logits[chosen] += gain
        uniform = self.rng.random(count, F32)
        self.state = (uniform >= fall).astype(np.intp) + (uniform >= rise)

    def fold(self) -> Sums:
        """Return the sums over users as they are now."""
        shape = 3, self.k, len(self.users)
        policies = [softmax(logits) for logits in self.logits.reshape(shape)]
        fall, rise = (
            [(policy * each).sum(axis=0) for policy, each in zip(policies, table.reshape(shape), strict=True)]
            for table in (self.tables.fall, self.tables.rise)
        )
        calm, hooked = np.stack(fall), 1 - np.stack(rise)
        in_state = long_run(calm, 1 - calm - hooked, hooked)
        diet = sum(share * policy for share, policy in zip(in_state, policies, strict=True))
        largest = diet.max(axis=0)
        tied = (diet == largest).cumsum(axis=0)
        category = (tied > self.users % tied[-1]).argmax(axis=0)
        return add_up(diet, 1, largest, category, self.state, self.baseline)


def run_block(rng: np.random.Generator, model: Model, users: int) -> Sums:
    """Run a block of users to the end."""
    block, recorded, folded = Block(rng, model, users), set(model.recorded.tolist()), []
    for t in range(1, model.steps + 1):
        block.interact(t)
        if t in recorded:
            folded.append(block.fold())
    return Sums(*(np.array(values) for values in zip(*folded, strict=True)))


def prepare(model: Model, block: int = BLOCK) -> Callable[[int], Sums]:
    """Return the function that runs the model with a seed."""
    users = model.block(block)

    def run(seed: int) -> Sums:
        rng = np.random.Generator(np.random.SFC64(seed))
        parts = [run_block(rng, model, users) for _ in range(model.users // users)]
        return Sums(*(sum(values) for values in zip(*parts, strict=True)))

    return run
