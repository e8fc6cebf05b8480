"""Every post of some people, run again from their ids in the arrays engine."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.engine.arrays import Loop
from mirrorfield.population.run import Plan


@dataclass(frozen=True)
class Rerun:
    """T posts of n people, and the loop as it is after the last.

    state, 0 to 2, (T + 1, n), before every post and after the last; shown (T, n); propensity and reaction (T, n);
    feeds, what they would be served next after some of the posts, (recorded, n, K I).
    """

    loop: Loop
    state: IntArray
    shown: IntArray
    propensity: FloatArray
    reaction: FloatArray
    feeds: FloatArray


def rerun(plan: Plan, ids: IntArray, recorded: tuple[int, ...] = ()) -> Rerun:
    """Return the posts of the people with these ids, (n,); raise InputError under swap for people without partners.

    >>> from mirrorfield.population.run import plan_run
    >>> from mirrorfield.population.scenario import Scenario
    >>> rerun(plan_run(Scenario(steps=3)), np.arange(2)).shown.shape
    (3, 2)
    """
    loop, steps, n = Loop(plan, ids), plan.scenario.steps, len(ids)
    state, shown = np.zeros((steps + 1, n), np.int8), np.empty((steps, n), np.int8)
    propensity, reaction, feeds = np.empty((steps, n)), np.empty((steps, n)), []
    for t in range(steps):
        loop.post()
        state[t + 1], shown[t], propensity[t], reaction[t] = loop.arousal, loop.shown, loop.propensity, loop.observed
        if t + 1 in recorded:
            feeds.append(loop.serve(loop.seen(loop.arousal))[1])
    return Rerun(loop, state, shown, propensity, reaction, np.array(feeds))
