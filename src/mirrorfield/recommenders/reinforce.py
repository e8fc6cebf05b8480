"""Plain REINFORCE with a running-mean baseline, as a recommender."""

from mirrorfield.arrays import FloatArray
from mirrorfield.policy.reinforce import reinforce
from mirrorfield.recommenders.update import UpdateRule


class Reinforce(UpdateRule):
    """Softmax policy gradient with the mean of the rewards so far as its baseline.

    Formula: theta[s, b] += alpha (G - m) pi(a | s) / b(a | s) (1[b = a] - pi(b | s)), m the mean of earlier rewards,
    b(a | s) the propensity. Run it with observe="state" for a table of logits in every state, or with "history" for one
    for all. Parameters: learning_rate alpha; start, logits (S, K), default 0. Source: docs/model.md, eq. 4 to 6.

    >>> Reinforce()
    reinforce(learning_rate=0.1)
    """

    def __init__(self, learning_rate: float = 0.1, start: FloatArray | None = None) -> None:
        super().__init__(reinforce, {}, {"learning_rate": learning_rate}, start)
