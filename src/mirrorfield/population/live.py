"""Users held between posts: the steps of a run, a few at a time, with a look in between."""

from typing import Any

import numpy as np

from mirrorfield.errors import InputError
from mirrorfield.kernel import Ready, Trace
from mirrorfield.kernel.specialise import first_rows
from mirrorfield.population.run import Plan, new_trace, plan_run, ready_for
from mirrorfield.population.scenario import Scenario
from mirrorfield.streams import U64
from mirrorfield.types import F32Array


def load_blocks(plan: Plan, ready: Ready) -> list[tuple[F32Array, Any]]:
    """Return the plan's users before their first post: a scratch array and the words of their luck for every block."""
    code, lanes, found = ready.code, ready.code.LANES, []
    with np.errstate(over="ignore"):
        for first in range(0, plan.scenario.users, lanes):
            scratch, words = np.zeros(code.ROWS * lanes, np.float32), np.zeros(code.WORDS * lanes, np.uint32)
            seed = U64(plan.scenario.seed)
            code.load_users(scratch, words, seed, U64(first), ready.start, plan.profiles, plan.population)
            found.append((scratch, words))
    return found


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
        self._plan, ready = plan_run(scenario), ready_for(scenario, learner="plain")
        self._code, self._rate = ready.code, ready.rule
        lanes, self._row = ready.code.LANES, first_rows(scenario.k)
        self._blocks, self._shift = load_blocks(self._plan, ready), 0.0
        self._trace = new_trace(scenario, 1, len(self._blocks) * lanes)

    def advance(self, posts: int) -> None:
        """Show every user some posts."""
        with np.errstate(over="ignore"):
            for scratch, words in self._blocks:
                self._code.advance(scratch, words, (), self.t, self.t + posts, self._rate, (), ())
        self.t += posts

    def turn(self, learning_rate: float, shift: float = 0.0) -> None:
        """Learn at another rate from here on, with everyone's lambda moved by `shift` from its start, within [0, 1]."""
        self._rate = np.float32(learning_rate)
        if shift == self._shift:
            return
        self._shift = shift
        lanes, row = self._code.LANES, self._row["intentionality"]
        for scratch, _ in self._blocks:
            place = scratch[row * lanes : (row + 1) * lanes]
            began = place.copy()
            place[:] = np.clip(began + np.float32(shift), 0, 1)
            self._code.blend_profiles(scratch, self._plan.profiles)
            place[:] = began

    def look(self) -> Trace:
        """Return the users as they are: a trace of one step, up to a block wider than they are, used again."""
        lanes = self._code.LANES
        for block, (scratch, _) in enumerate(self._blocks):
            self._code.record(scratch, self._trace, 0, block * lanes, ())
            self._code.finish(scratch, self._trace, block * lanes)
        return self._trace
