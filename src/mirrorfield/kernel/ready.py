"""Which compiled code runs a rule, and what it needs beside users."""

from dataclasses import replace
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array
from mirrorfield.kernel import plain
from mirrorfield.kernel.memory import empty_memory, terms_of
from mirrorfield.kernel.specialise import lane_kernel
from mirrorfield.kernel.world import World
from mirrorfield.policy.options import Baseline
from mirrorfield.policy.rule import Rule


class Ready(NamedTuple):
    """Compiled `run_users` and `run_batch`, and what they need beside people: for one thread, since it has memory."""

    run_users: Any
    run_batch: Any
    lanes: int
    task: Any
    start: F32Array  # (S, K I) logits of every user


def _old(code: ModuleType, rule: Any, memory: Any, start: F32Array, world: Any) -> Ready:
    def run_users(seed, first, users, steps, task, start, profiles, population, *rest):
        return code.run_users(seed, first, users, steps, rule, memory, start, profiles, population, world, *rest)

    def run_batch(seed, first, blocks, steps, task, start, profiles, population, trace):
        return code.run_batch(seed, first, blocks, steps, rule, memory, start, profiles, population, world, trace)

    return Ready(run_users, run_batch, code.LANES, (code, rule, memory), start)


def learner_of(*rules: Rule) -> str:
    """Return which code runs these rules: `plain` with no bolt-on, `groups` if a session's posts share a state."""
    if all(replace(rule, start=()) == Rule(rule.learning_rate) for rule in rules):
        return "plain"
    single = all(rule.horizon == 1 and rule.baseline != Baseline.VALUE for rule in rules)
    return "groups" if single else "sessions"


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
    if learner == "plain" and not world:
        task = plain.Plain(lanes or plain.lanes_for(arms), np.float32(rule.learning_rate))
        start = rule.start_logits(arms).astype(np.float32)
        return Ready(plain.run_users, plain.run_batch, task.lanes, task, start)
    code, start = lane_kernel(arms, lanes, learner, rungs, lens), rule.start_logits(arms).astype(np.float32)
    if learner == "plain":
        numbers: tuple[Any, ...] = tuple(np.float32(each.learning_rate) for each in rules)
        memory: tuple[Any, ...] = ()
    else:
        numbers = tuple(terms_of(each, arms) for each in rules)
        memory = tuple(empty_memory(each, code.LANES) for each in rules)
    if world is None:
        return _old(code, numbers[0], memory and memory[0], start, ())
    if not world.switched:
        numbers, memory = (numbers[0],) * 2, memory and (memory[0],) * 2
    return _old(code, numbers, memory or ((), ()), start, world)
