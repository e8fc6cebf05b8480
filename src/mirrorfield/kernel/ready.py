"""Which compiled code runs a rule, and what it needs beside users."""

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array
from mirrorfield.kernel.memory import empty_memory, terms_of
from mirrorfield.kernel.specialise import lane_kernel
from mirrorfield.kernel.world import World
from mirrorfield.policy.learner import learner_of
from mirrorfield.policy.rule import Rule


class Ready(NamedTuple):
    """Compiled code with `run_users`, `run_batch` and LANES; the rule as it reads it; and memory for one thread."""

    code: ModuleType
    rule: Any
    memory: Any
    start: F32Array  # (S, K I) logits of every user
    world: Any


def ready(
    rule: Rule,
    categories: int,
    lanes: int | None = None,
    learner: str | None = None,
    world: World | None = None,
    after: Rule | None = None,
) -> Ready:
    """Return what runs a rule for K categories, by the code that fits it best unless one is named.

    In a world, `after` is the rule from its intervention on; without one, there is neither intensity nor intervention.
    """
    arms, rungs = (len(world.level), len(world.level) // categories) if world else (categories, 0)
    rules = (rule, after or rule) if world else (rule,)
    learner, lens = learner or learner_of(*rules), bool(world and world.lens)
    code, start = lane_kernel(arms, lanes, learner, rungs, lens), rule.start_logits(arms).astype(np.float32)
    if learner == "plain":
        numbers: tuple[Any, ...] = tuple(np.float32(each.learning_rate) for each in rules)
        memory: tuple[Any, ...] = ()
    else:
        numbers = tuple(terms_of(each, arms) for each in rules)
        memory = tuple(empty_memory(each, code.LANES) for each in rules)
    if world is None:
        return Ready(code, numbers[0], memory and memory[0], start, ())
    if not world.switched:
        numbers, memory = (numbers[0],) * 2, memory and (memory[0],) * 2
    return Ready(code, numbers, memory or ((), ()), start, world)
