"""Which compiled code runs a rule, and what it needs beside users."""

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from mirrorfield.kernel.memory import empty_memory, terms_of
from mirrorfield.kernel.specialise import lane_kernel
from mirrorfield.policy.rule import Rule


class Ready(NamedTuple):
    """Compiled code with `run_users`, `run_batch` and LANES; the rule as it reads it; and memory for one thread."""

    code: ModuleType
    rule: Any
    memory: Any


def ready(rule: Rule, categories: int, lanes: int | None = None, learner: str | None = None) -> Ready:
    """Return what runs a rule for K categories: `plain` code where every bolt-on is off, else `sessions`."""
    learner = learner or ("plain" if rule == Rule(rule.learning_rate) else "sessions")
    code = lane_kernel(categories, lanes, learner)
    if learner == "plain":
        return Ready(code, np.float32(rule.learning_rate), ())
    return Ready(code, terms_of(rule, categories), empty_memory(rule, code.LANES))
