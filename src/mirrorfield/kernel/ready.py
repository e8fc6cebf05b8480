"""Which compiled code runs a rule, and what it needs beside users."""

from dataclasses import replace
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from mirrorfield.kernel.memory import empty_memory, terms_of
from mirrorfield.kernel.specialise import lane_kernel
from mirrorfield.policy.options import Baseline
from mirrorfield.policy.rule import Rule
from mirrorfield.types import F32Array


class Ready(NamedTuple):
    """Compiled code with `run_users`, `run_batch` and LANES; the rule as it reads it; and memory for one thread."""

    code: ModuleType
    rule: Any
    memory: Any
    start: F32Array  # (S, K) logits of every user


def learner_of(rule: Rule) -> str:
    """Return which code runs a rule: `plain` with every bolt-on off, `groups` if posts of a session share a state."""
    if replace(rule, start=()) == Rule(rule.learning_rate):
        return "plain"
    return "groups" if rule.horizon == 1 and rule.baseline != Baseline.VALUE else "sessions"


def ready(rule: Rule, categories: int, lanes: int | None = None, learner: str | None = None) -> Ready:
    """Return what runs a rule for K categories, by the code that fits it best unless one is named."""
    learner = learner or learner_of(rule)
    code, start = lane_kernel(categories, lanes, learner), rule.start_logits(categories).astype(np.float32)
    if learner == "plain":
        return Ready(code, np.float32(rule.learning_rate), (), start)
    return Ready(code, terms_of(rule, categories), empty_memory(rule, code.LANES), start)
