"""Plain REINFORCE with a running-mean baseline, as a recommender: the rule of the compiled lanes in NumPy."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import FloatArray, S
from mirrorfield.policy.reinforce import advantage, logit_step
from mirrorfield.policy.softmax import softmax


class Learned(NamedTuple):
    """Logits by person, state and arm, (n, S, K), and the mean reward of every person, (n,)."""

    logits: FloatArray
    baseline: FloatArray


class Reinforce:
    """Softmax policy gradient with the mean of the rewards so far as its baseline; a table of logits for every state.

    Formula: theta[s, b] += alpha (G - m) pi(a | s) / b(a | s) (1[b = a] - pi(b | s)), m the mean of earlier rewards,
    b(a | s) the propensity. Run it with observe="state", or with one table for all states (`states=1`). Parameters:
    learning_rate alpha; start, logits (S, K), default 0. Source: docs/model.md, eq. 4 to 6.
    """

    shared = False

    def __init__(self, learning_rate: float = 0.1, start: FloatArray | None = None, states: int = S) -> None:
        self.learning_rate, self.before, self.states = learning_rate, start, states

    def start(self, people: int, categories: int, rng: Any) -> Learned:
        """Return the starting logits of everyone."""
        logits = np.zeros((people, self.states, categories))
        return Learned(logits if self.before is None else logits + self.before, np.zeros(people))

    def _policy(self, state: Learned, seen: Any) -> tuple[Any, FloatArray]:
        s = seen.state if self.states > 1 else 0
        logits = state.logits[np.arange(len(state.baseline)), s] + seen.context
        return s, softmax(np.where(seen.allowed, logits, -np.inf))

    def serve(self, state: Learned, seen: Any) -> FloatArray:
        """Return the policy, (n, K)."""
        return self._policy(state, seen)[1]

    def learn(self, state: Learned, seen: Any, shown: Any, reward: Any, propensity: Any) -> Learned:
        """Take one step on the logits of everyone's state."""
        everyone = np.arange(len(shown))
        s, policy = self._policy(state, seen)
        away = advantage(reward, state.baseline)
        gain = away * (policy[everyone, shown] / propensity)
        chosen = np.arange(policy.shape[1]) == shown[:, None]
        state.logits[everyone, s] += logit_step(self.learning_rate, gain[:, None], chosen, policy)
        return Learned(state.logits, state.baseline + away / (seen.step + 1))
