"""Rules as plain numbers: the presets, written down anew from docs/rules.md, and what a scenario changes in them."""

from dataclasses import dataclass, replace
from math import inf
from typing import Any

from mirrorfield.theory.people import Values

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Recipe:
    """A rule: every part off is REINFORCE with a running mean. Words and numbers are those of a scenario."""

    learning_rate: float
    horizon: int = 1
    group: int = 1
    epochs: int = 1
    minibatches: int = 1
    aggregate: str = "sum"
    returns: str = "immediate"
    discount: float = 1.0
    trace_decay: float = 1.0
    bootstrap: bool = True
    baseline: str = "welford"
    exponential_weight: float = 1.0
    value_rate: float = 0.0
    normalise: str = "none"
    ddof: int = 1
    eps: float = 1e-8
    eps_inside_root: bool = False
    clip_low: float = inf
    clip_high: float = inf
    dual_clip: float = inf
    leash: str = "k2-in-loss"
    beta: float = 0.0
    reference: Rows = ()
    start: Rows = ()
    kl_target: float = 1.0
    kl_horizon: float = inf
    entropy: float = 0.0

    @property
    def posts(self) -> int:
        """The number of posts in a session."""
        return self.group * self.horizon

    @property
    def plain(self) -> bool:
        """Whether it is REINFORCE with a running mean, which learns from every post at once."""
        return replace(self, start=()) == Recipe(self.learning_rate)


ACTOR = {"aggregate": "mean", "returns": "gae", "discount": 0.99, "baseline": "value"}
GROUP = {"aggregate": "mean", "group": 8, "baseline": "group-mean"}
CLIP = {"clip_low": 0.2, "clip_high": 0.2}
PRESETS: dict[str, dict[str, Any]] = {
    "reinforce": {},
    "a2c": ACTOR | {"horizon": 5},
    "ppo": ACTOR | CLIP | {"horizon": 32, "epochs": 4, "minibatches": 4, "trace_decay": 0.95, "normalise": "minibatch",
                           "entropy": 0.01},
    "ppo-trl": ACTOR | CLIP | {"horizon": 32, "epochs": 4, "discount": 1.0, "trace_decay": 0.95, "bootstrap": False,
                               "normalise": "batch", "eps_inside_root": True, "leash": "k1-in-reward", "beta": 0.05},
    "grpo": GROUP | CLIP | {"normalise": "group", "leash": "k3-in-loss", "beta": 0.04},
    "grpo-trl": GROUP | CLIP | {"normalise": "group", "eps": 1e-4, "leash": "k3-in-loss"},
    "grpo-verl": GROUP | CLIP | {"normalise": "group", "eps": 1e-6, "dual_clip": 3.0, "leash": "k3-in-loss",
                                 "beta": 0.001},
    "dr-grpo": GROUP | CLIP,
    "rloo": GROUP | CLIP | {"group": 2, "baseline": "leave-one-out", "leash": "k1-in-reward", "beta": 0.05},
    "dapo": GROUP | {"normalise": "group", "eps": 1e-6, "clip_low": 0.2, "clip_high": 0.28},
}  # fmt: skip
VALUE_RATES = {"a2c": 1.0, "ppo": 0.5, "ppo-trl": 0.1}


def recipe(policy: Values) -> Recipe:
    """Return the rule that the values of `[policy]` stand for.

    >>> recipe({"rule": "rloo", "learning_rate": 0.1}).group
    2
    """
    name, alpha = policy["rule"], policy["learning_rate"]
    made = Recipe(alpha, value_rate=VALUE_RATES.get(name, 0.0) * alpha)
    changes = {key: value for key, value in policy.items() if key != "rule" and value is not None}
    return replace(made, **(PRESETS[name] | changes))
