"""Which compiled code runs a rule, and what it needs beside people."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array, S
from mirrorfield.kernel import extended, plain
from mirrorfield.kernel.beyond import layout_beyond
from mirrorfield.kernel.memory import empty_memory, terms_of
from mirrorfield.kernel.rows import lanes_for, layout
from mirrorfield.kernel.task import NO_LENS, Lens, Mechanisms, Phase, Task, no_mechanisms, unaltered
from mirrorfield.kernel.updates import Form, built_in, update_of
from mirrorfield.policy.learner import learner_of
from mirrorfield.policy.rule import Rule


class Ready(NamedTuple):
    """Compiled `run_users`, and what it needs beside people: for one thread, since it has memory."""

    run_users: Any
    task: Any  # a Plain or a Task
    start: F32Array  # (S, K I) logits of everyone

    @property
    def lanes(self) -> int:
        """How many people share a block."""
        return int(self.task.lanes)


TABLES = {"plain": 0, "groups": 1, "sessions": S}


def ready(
    rule: Rule,
    categories: int,
    lanes: int | None = None,
    learner: str | None = None,
    mechanisms: Mechanisms | None = None,
    lens: Lens | None = None,
    serving: Any = None,
    after: Rule | None = None,
    own: Form | None = None,
) -> Ready:
    """Return what runs a rule for K categories, by the code that fits it best unless a learner is named.

    With mechanisms, `after` is the rule from their intervention on, and `serving` how both phases serve; without, there
    is neither intensity nor intervention. A rule of somebody's `own` learns in place of both. Raises InputError for one
    that cannot be compiled.
    """
    arms = len(mechanisms.level) if mechanisms else categories
    rules = (rule, after or rule) if mechanisms else (rule, rule)
    learner = learner or learner_of(*rules)
    first = rule.start_logits(arms) if own is None or own.start is None else np.broadcast_to(own.start, (S, arms))
    start = np.ascontiguousarray(first, np.float32)
    lanes = lanes or lanes_for(arms)
    at = layout(arms, categories)
    if learner == "plain" and not mechanisms:
        update = update_of(own, at, lanes) if own else built_in(at, at.end)
        task = plain.Plain(lanes, at, np.float32(rule.learning_rate), update)
        return Ready(plain.run_users, task, start)
    mechanisms = mechanisms or no_mechanisms(arms)
    before = Phase(terms_of(rule, arms), empty_memory(rule, lanes), unaltered(0))
    later = (
        Phase(terms_of(rules[1], arms), empty_memory(rules[1], lanes), unaltered(0)) if mechanisms.switched else before
    )
    if serving:
        before, later = before._replace(serving=serving[0]), later._replace(serving=serving[1])
    if lens is None:
        lens = NO_LENS._replace(prompt=np.zeros(arms, np.float32), model=np.empty((0, S, categories), np.float32))
    also = layout_beyond(arms, categories, len(lens.kind), at)
    update = update_of(own, at, lanes, also) if own else built_in(at, also.end)
    whole = Task(lanes, at, also, TABLES[learner], before, later, mechanisms, lens, update)
    return Ready(extended.run_users, whole, start)
