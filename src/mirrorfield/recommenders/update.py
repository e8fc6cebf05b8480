"""A rule of one's own in a few lines: what a post does to each arm's logit, at the speed of the compiled lanes."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import FloatArray, S
from mirrorfield.errors import InputError, nearest
from mirrorfield.kernel import Form
from mirrorfield.kernel.jit import INTERPRETED
from mirrorfield.policy.reinforce import advantage
from mirrorfield.policy.softmax import softmax

GIVEN = ("logit", "policy", "chosen", "advantage", "reward", "propensity")
MOST_MEMORY = 2


class Learned(NamedTuple):
    """Logits and each number of the memory, (n, S, K); the mean of the rewards heard and their count, (n,)."""

    logits: FloatArray
    memory: tuple[FloatArray, ...]
    baseline: FloatArray
    heard: FloatArray


class UpdateRule:
    """A recommender whose policy is the softmax of logits, and whose function says how a post moves them.

    It keeps the contract, so the arrays engine runs it in float64; the compiled lanes run the same function in float32.
    With observe="state" it has logits and memory for each state of arousal; without, one set. Call it to change its
    parameters: `exp3(rate=0.02)`. Made by `update_rule`. Source: docs/contract.md.
    """

    shared = False

    def __init__(
        self,
        function: Callable[..., Any],
        memory: Mapping[str, float],
        parameters: Mapping[str, float],
        start: FloatArray | None = None,
    ) -> None:
        self.function, self.memory, self.parameters, self.begin = function, dict(memory), dict(parameters), start
        self.name, self.__doc__ = function.__name__, function.__doc__

    def __call__(self, **parameters: float) -> "UpdateRule":
        """Return the rule with other parameters; raise InputError for a name that it does not have."""
        for name, value in parameters.items():
            if name not in self.parameters:
                raise InputError(f"{self.name}: it has no parameter {name}.{nearest(name, list(self.parameters))}")
            if not isinstance(value, int | float) or not np.isfinite(value):
                raise InputError(f"{self.name}.{name}: expected a finite number, got {value!r}")
        return UpdateRule(self.function, self.memory, self.parameters | parameters, self.begin)

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value:g}' for name, value in self.parameters.items())})"

    def __reduce__(self) -> Any:
        function = self.function
        return _again, (function.__module__, function.__qualname__, self.memory, self.parameters, self.begin)

    def form(self, by_state: bool) -> Form | None:
        """Return what the compiled lanes need of the rule; None where nothing is compiled."""
        if INTERPRETED:
            return None
        return Form(self.function, tuple(self.memory.values()), tuple(self.parameters.values()), by_state, self.begin)

    def start(self, people: int, categories: int, rng: Any) -> Learned:
        """Return everyone's logits, 0 unless the rule says otherwise, and what their memory starts from."""
        shape = (people, S, categories)
        logits = np.zeros(shape) if self.begin is None else np.broadcast_to(self.begin, shape).copy()
        memory = tuple(np.full(shape, start) for start in self.memory.values())
        return Learned(logits, memory, np.zeros(people), np.zeros(people))

    def _policy(self, state: Learned, seen: Any) -> tuple[Any, FloatArray]:
        place = np.arange(len(state.baseline)), seen.arousal if seen.arousal is not None else 0
        return place, softmax(np.where(seen.allowed, state.logits[place] + seen.context, -np.inf))

    def serve(self, state: Learned, seen: Any) -> FloatArray:
        """Return the policy, (n, K)."""
        return self._policy(state, seen)[1]

    def learn(self, state: Learned, seen: Any, shown: Any, reward: Any, propensity: Any) -> Learned:
        """Move the logits and the memory of the state of everyone who was heard, by the rule's function."""
        place, policy = self._policy(state, seen)
        heard = ~np.isnan(reward)
        reward = np.where(heard, reward, 0.0)
        away = advantage(reward, state.baseline)
        gain = away * policy[np.arange(len(shown)), shown] / propensity
        chosen = (np.arange(policy.shape[1]) == shown[:, None]).astype(float)
        told = (state.logits[place], policy, chosen, gain[:, None], reward[:, None], propensity[:, None])
        kept = tuple(number[place] for number in state.memory)
        found = self.function(*told, *kept, *self.parameters.values())
        for table, value in zip((state.logits, *state.memory), found if kept else (found,), strict=True):
            table[place] = np.where(heard[:, None], value, table[place])
        count = state.heard + heard
        return state._replace(baseline=state.baseline + np.where(heard, away, 0) / np.maximum(count, 1), heard=count)


def update_rule(**memory: float) -> Callable[[Callable[..., Any]], UpdateRule]:
    """Make a recommender of a function that says what a post does to one arm's logit.

    The function takes, in this order: `logit`; `policy`, the arm's probability; `chosen`, 1 for the arm shown and 0 for
    the others; `advantage`, (reward - mean of the rewards before) times policy over propensity of the arm shown;
    `reward`; `propensity`, the probability with which the arm shown was served; a number for each name in `memory`, at
    most two; and its parameters, with their defaults. It returns the new logit, or a tuple of that and the new memory.
    It is called for every arm of every person, with arrays in NumPy and with scalars where it is compiled, so it may
    not branch: use arithmetic and np.where, exp, log, sqrt, abs, maximum, minimum.

    Parameters: memory, what the numbers kept for every arm start from. Raises InputError for a function of another
    form. Source: docs/contract.md.

    >>> @update_rule(value=0.0)
    ... def greedy(logit, policy, chosen, advantage, reward, propensity, value, rate=0.1, sharpness=5.0):
    ...     value = value + rate * chosen * (reward - value)
    ...     return sharpness * value, value
    >>> greedy(rate=0.2)
    greedy(rate=0.2, sharpness=5)
    """

    def make(function: Callable[..., Any]) -> UpdateRule:
        names = list(inspect.signature(function).parameters.values())
        expected = [*GIVEN, *memory]
        found = [each.name for each in names[: len(expected)]]
        if found != expected or len(memory) > MOST_MEMORY:
            raise InputError(
                f"{function.__name__}: expected the arguments {', '.join(expected)} with at most {MOST_MEMORY} numbers "
                f"of memory, got {', '.join(found)}"
            )
        parameters = {each.name: each.default for each in names[len(expected) :]}
        for name, value in parameters.items():
            if not isinstance(value, int | float):
                raise InputError(f"{function.__name__}.{name}: expected a number as its default")
        return UpdateRule(function, memory, parameters)

    return make


def _again(module: str, name: str, *settings: Any) -> UpdateRule:
    """Return the rule of the function that a module holds under a name, as it is or as a rule."""
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return UpdateRule(getattr(found, "function", found), *settings)
