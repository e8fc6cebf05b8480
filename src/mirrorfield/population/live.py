"""Users held between posts: the steps of a run, a few at a time, with a look in between."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mirrorfield.arrays import F32Array
from mirrorfield.errors import InputError
from mirrorfield.kernel import Ready, Trace
from mirrorfield.kernel.specialise import first_rows
from mirrorfield.population.run import Plan, new_trace, plan_run, ready_for
from mirrorfield.population.scenario import Scenario
from mirrorfield.streams import U64


def load_block(plan: Plan, ready: Ready, first: int) -> tuple[F32Array, Any]:
    """Return a block of users before their first post: a scratch array, and the words of their luck."""
    code, lanes = ready.code, ready.code.LANES
    scratch, words = np.zeros(code.ROWS * lanes, np.float32), np.zeros(code.WORDS * lanes, np.uint32)
    with np.errstate(over="ignore"):
        seed = U64(plan.scenario.seed)
        code.load_users(scratch, words, seed, U64(first), ready.start, plan.profiles, plan.population)
    return scratch, words


def load_blocks(plan: Plan, ready: Ready) -> list[tuple[F32Array, Any]]:
    """Return the plan's users before their first post, block by block."""
    return [load_block(plan, ready, first) for first in range(0, plan.scenario.users, ready.code.LANES)]


class Crowd:
    """A population of plain REINFORCE between two posts, in the compiled kernel's own blocks.

    After t posts its users are, bit for bit, those of a run of t posts. Raises InputError for other rules, intensity
    and interventions.

    >>> crowd = Crowd(Scenario(users=100))
    >>> crowd.advance(5)
    >>> crowd.look().feed.shape
    (1, 4, 128)
    """

    def __init__(self, scenario: Scenario) -> None:
        if scenario.extended or scenario.rules[0].posts != 1:
            raise InputError("crowd: expected plain REINFORCE without intensity or intervention; use `mirrorfield run`")
        self.scenario, self.t = scenario, 0
        self.plan, self._ready = plan_run(scenario), ready_for(scenario, learner="plain")
        self._code, self._row = self._ready.code, first_rows(scenario.k)
        self._blocks = load_blocks(self.plan, self._ready)
        self.turns: list[tuple[int, float, float]] = [(0, scenario.policy.learning_rate, 0.0)]

    @property
    def learning_rate(self) -> float:
        """The rate that is learned at now."""
        return self.turns[-1][1]

    @property
    def straight(self) -> bool:
        """Whether this is a run with its learning rate: nothing was turned after the first post, nor any lambda."""
        return len(self.turns) == 1 and self.turns[0][2] == 0

    def advance(self, posts: int) -> None:
        """Show every user some posts."""
        for block in self._blocks:
            self._show(block, self.t, self.t + posts, self.learning_rate)
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
            for scratch, _ in self._blocks:
                self._lean(scratch, shift)

    def _show(self, block: tuple[F32Array, Any], first: int, last: int, rate: float) -> None:
        with np.errstate(over="ignore"):
            self._code.advance(*block, (), first, last, np.float32(rate), (), ())

    def _lean(self, scratch: F32Array, shift: float) -> None:
        lanes, row = self._code.LANES, self._row["intentionality"]
        place = scratch[row * lanes : (row + 1) * lanes]
        began = place.copy()
        place[:] = np.clip(began + np.float32(shift), 0, 1)
        self._code.blend_profiles(scratch, self.plan.profiles)
        place[:] = began

    def look(self, users: int | None = None) -> Trace:
        """Return all users, or the first so many, as they are: a trace of one step, up to a block wider than asked."""
        blocks = self._blocks[: -(-(users or self.scenario.users) // self._code.LANES)]
        trace = new_trace(self.scenario, 1, len(blocks) * self._code.LANES)
        for block, (scratch, _) in enumerate(blocks):
            self._code.record(scratch, trace, 0, block * self._code.LANES, ())
            self._code.finish(scratch, trace, block * self._code.LANES)
        return trace

    def survey(self, width: int) -> Iterator[tuple[int, int, Trace]]:
        """Yield first user, how many, and their feed, state and mean reaction, `width` at a time in one trace."""
        lanes, users = self._code.LANES, self.scenario.users
        trace = new_trace(self.scenario, 1, width)
        trace.intentionality[:] = 0
        for first in range(0, users, width):
            for start in range(0, min(width, users - first), lanes):
                self._code.record(self._blocks[(first + start) // lanes][0], trace, 0, start, ())
            yield first, min(width, users - first), trace

    def one(self, user: int) -> Trace:
        """Return one user as it is: a trace of one step and one user."""
        scratch, _ = self._blocks[user // self._code.LANES]
        trace = new_trace(self.scenario, 1, self._code.LANES)
        self._code.record(scratch, trace, 0, 0, ())
        self._code.finish(scratch, trace, 0)
        return self._lane(trace, user)

    def retell(self, user: int, steps: Sequence[int]) -> Trace:
        """Return one user as it was after each of these posts, ascending, none after now.

        Nothing of the past is kept: a user's id and the turns say what it went through, so it is run again.
        """
        lanes = self._code.LANES
        block = load_block(self.plan, self._ready, user // lanes * lanes)
        trace, t, rate, turns = new_trace(self.scenario, len(steps), lanes), 0, 0.0, [*self.turns]
        for c, step in enumerate(steps):
            while turns and turns[0][0] < step:
                at, then, shift = turns.pop(0)
                self._show(block, t, at, rate)
                self._lean(block[0], shift)
                t, rate = at, then
            self._show(block, t, step, rate)
            self._code.record(block[0], trace, c, 0, ())
            t = step
        self._code.finish(block[0], trace, 0)
        return self._lane(trace, user)

    def _lane(self, trace: Trace, user: int) -> Trace:
        lane = user % self._code.LANES
        return Trace._make(values[..., lane : lane + 1] for values in trace)
