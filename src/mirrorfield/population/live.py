"""Users held between posts: the steps of a run, a few at a time, with a look in between."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mirrorfield.arrays import F32Array
from mirrorfield.errors import InputError
from mirrorfield.kernel import Ready, Trace, entries
from mirrorfield.kernel.beyond import WORDS, layout_beyond
from mirrorfield.kernel.crowd import advance_crowd, finish_crowd, lean_crowd, load_crowd, record_crowd
from mirrorfield.kernel.plain import Plain
from mirrorfield.population.run import Plan, new_trace, plan_run, ready_for
from mirrorfield.population.scenario import Scenario
from mirrorfield.streams import U64


class Held:
    """A block of people between two posts, under any rule; its rows may be read and changed.

    `ready` is the code that runs them and `first_user` the id of the first; they come before their first post.
    """

    def __init__(self, plan: Plan, ready: Ready, first_user: int = 0) -> None:
        arms, k = ready.start.shape[1], plan.scenario.k
        self.plain = isinstance(ready.task, Plain)
        self.at = ready.task.at
        self.also = layout_beyond(arms, k, 0, self.at) if self.plain else ready.task.also
        self.rows = np.zeros((self.also.end, ready.lanes), np.float32)
        self.words = np.zeros((WORDS, ready.lanes), np.uint32)
        with np.errstate(over="ignore"):
            who = U64(plan.scenario.seed), U64(first_user)
            entries.load_block(self.rows, self.words, self.at, *who, ready.start, plan.profiles, plan.population)
            if not self.plain:
                entries.enter_block(self.rows, self.words, *who, plan.profiles, ready.task)

    def advance(self, task: Any, first: int, last: int) -> None:
        """Run posts first + 1 ... last by the rule of the first phase."""
        with np.errstate(over="ignore"):
            if self.plain:
                entries.advance_plain_block(
                    self.rows, self.words, self.at, first, last, task.learning_rate, task.update
                )
            else:
                entries.advance_block(self.rows, self.words, first, last, task.before, task)


class LiveCrowd:
    """A population of plain REINFORCE between two posts, in the compiled kernel's own blocks.

    After t posts its users are, bit for bit, those of a run of t posts. Raises InputError for other rules, intensity
    and interventions.

    >>> crowd = LiveCrowd(Scenario(users=100))
    >>> crowd.advance(5)
    >>> crowd.look().feed.shape
    (1, 4, 128)
    """

    def __init__(self, scenario: Scenario) -> None:
        if scenario.extended or scenario.rules[0].posts != 1:
            raise InputError("crowd: expected plain REINFORCE without intensity or intervention; use `mirrorfield run`")
        self.scenario, self.t = scenario, 0
        self.plan, self._ready = plan_run(scenario), ready_for(scenario, learner="plain")
        self._lanes, self._at, self._update = self._ready.lanes, self._ready.task.at, self._ready.task.update
        self._rows, self._words = self._load(0, -(-scenario.users // self._lanes))
        self.turns: list[tuple[int, float, float]] = [(0, scenario.policy.learning_rate, 0.0)]

    @property
    def learning_rate(self) -> float:
        """The rate that is learned at now."""
        return self.turns[-1][1]

    @property
    def straight(self) -> bool:
        """Whether this is a run with its learning rate: nothing was turned after the first post, nor any lambda."""
        return len(self.turns) == 1 and self.turns[0][2] == 0

    def _load(self, first: int, blocks: int) -> tuple[F32Array, Any]:
        """Return some blocks before their first post: their rows, and the words of their luck."""
        rows = np.zeros((blocks, self._at.end, self._lanes), np.float32)
        words = np.zeros((blocks, 4, self._lanes), np.uint32)
        with np.errstate(over="ignore"):
            load_crowd(
                rows, words, self._at, U64(self.scenario.seed), U64(first), self._ready.start, self.plan.profiles,
                self.plan.population,
            )  # fmt: skip
        return rows, words

    def advance(self, posts: int) -> None:
        """Show every user some posts."""
        self._show(self._rows, self._words, self.t, self.t + posts, self.learning_rate)
        self.t += posts

    def turn(self, learning_rate: float, shift: float = 0.0) -> None:
        """Learn at another rate from here on, with everyone's lambda moved by `shift` from its start, within [0, 1]."""
        before = self.turns[-1]
        if (learning_rate, shift) == before[1:]:
            return
        if before[0] == self.t:
            self.turns.pop()
        self.turns.append((self.t, learning_rate, shift))
        if shift != before[2]:
            self._lean(self._rows, shift)

    def _show(self, rows: F32Array, words: Any, first: int, last: int, rate: float) -> None:
        with np.errstate(over="ignore"):
            advance_crowd(rows, words, self._at, first, last, np.float32(rate), self._update)

    def _lean(self, rows: F32Array, shift: float) -> None:
        lean_crowd(rows, self._at, np.float32(shift), self.plan.profiles)

    def look(self, users: int | None = None) -> Trace:
        """Return all users, or the first so many, as they are: a trace of one step, up to a block wider than asked."""
        return self._look(0, -(-(users or self.scenario.users) // self._lanes))

    def _look(self, first: int, blocks: int) -> Trace:
        some, trace = slice(first, first + blocks), new_trace(self.scenario, 1, blocks * self._lanes)
        record_crowd(self._rows[some], self._at, trace, 0, self._update)
        finish_crowd(self._rows[some], self._at, trace)
        return trace

    def survey(self, width: int) -> Iterator[tuple[int, int, Trace]]:
        """Yield first user, how many, and their feed, state and mean reaction, `width` at a time in one trace."""
        lanes, users = self._lanes, self.scenario.users
        trace = new_trace(self.scenario, 1, width)
        trace.intentionality[:] = 0
        for first in range(0, users, width):
            some = slice(first // lanes, -(-min(first + width, users) // lanes))
            record_crowd(self._rows[some], self._at, trace, 0, self._update)
            yield first, min(width, users - first), trace

    def one(self, user: int) -> Trace:
        """Return one user as it is: a trace of one step and one user."""
        return self._lane(self._look(user // self._lanes, 1), user)

    def retell(self, user: int, steps: Sequence[int]) -> Trace:
        """Return one user as it was after each of these posts, ascending, none after now.

        Nothing of the past is kept: a user's id and the turns say what it went through, so it is run again.
        """
        lanes = self._lanes
        rows, words = self._load(user // lanes * lanes, 1)
        trace, t, rate, turns = new_trace(self.scenario, len(steps), lanes), 0, 0.0, [*self.turns]
        for c, step in enumerate(steps):
            while turns and turns[0][0] < step:
                at, then, shift = turns.pop(0)
                self._show(rows, words, t, at, rate)
                self._lean(rows, shift)
                t, rate = at, then
            self._show(rows, words, t, step, rate)
            record_crowd(rows, self._at, trace, c, self._update)
            t = step
        finish_crowd(rows, self._at, trace)
        return self._lane(trace, user)

    def _lane(self, trace: Trace, user: int) -> Trace:
        lane = user % self._lanes
        return Trace._make(values[..., lane : lane + 1] for values in trace)
