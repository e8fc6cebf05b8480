"""Episodes of n people: an agent chooses their posts, and they react with the luck that is theirs in any run."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import F32Array, FloatArray, IntArray
from mirrorfield.contract import Observe, Seen
from mirrorfield.engine.calls import call, react
from mirrorfield.engine.checks import check_people
from mirrorfield.engine.history import History
from mirrorfield.engine.luck import PostLuck
from mirrorfield.engine.own import made_people
from mirrorfield.errors import InputError
from mirrorfield.people.markov import Markov
from mirrorfield.population.scenario import Scenario

MOST_PEOPLE = 2**31


class Episode:
    """n people from their first post to the last, whose posts somebody else chooses."""

    def __init__(self, scenario: Scenario, people: Any, observe: Observe, ids: IntArray) -> None:
        self.people, self.observe, self.ids, self.t = people, observe, ids, 0
        self.arms, n = scenario.arms, len(ids)
        self.luck, self.history = PostLuck(scenario.seed, ids), History(n, scenario.arms, scenario.steps, observe)
        self.memory = call(people, "start", ids, self.luck)
        self.shown: IntArray = np.full(n, -1)
        self.reward: FloatArray = np.zeros(n)
        self.allowed: NDArray[np.bool_] = np.ones((n, scenario.arms), bool)

    def observation(self) -> F32Array:
        """Return everyone's observation, float32 (n, size)."""
        arousal = None
        if self.observe == "state":
            states = hasattr(self.people, "arousal")
            arousal = np.asarray(call(self.people, "arousal", self.memory) if states else np.zeros(len(self.ids), int))
        context = np.zeros(self.allowed.shape)
        return self.history.observation(
            Seen(self.t, self.shown, self.reward, self.allowed, context, np.empty((0, 0, 0)), arousal)
        )

    def show(self, arms: Any) -> FloatArray:
        """Show everyone an arm, 0 to K - 1, (n,), and return their reactions; raise InputError for another arm."""
        shown = np.asarray(arms)
        whole = shown.shape == self.shown.shape and shown.dtype.kind in "iu"
        if not whole or (shown < 0).any() or (shown >= self.arms).any():
            raise InputError(f"action: expected {len(self.ids)} whole numbers from 0 to {self.arms - 1}, got {arms}")
        self.luck.next_post()
        self.reward, self.memory = react(self.people, self.memory, shown, self.luck, int(self.ids[0]))
        self.shown, self.t = shown, self.t + 1
        self.history.add(shown, self.reward)
        return self.reward


def scenario_of_an_environment(scenario: Scenario | None) -> Scenario:
    """Return the scenario of an environment; raise InputError for parts in which the recommender is not the agent."""
    scenario = scenario or Scenario()
    if scenario.lensed or scenario.intervention.at or scenario.intervention.meddles:
        raise InputError("gym: expected a scenario without labels, context, retrieval and intervention")
    return scenario


def people_of(scenario: Scenario, people: Any) -> Any:
    """Return the people of an environment: the scenario's, or somebody's own, checked."""
    if people is None:
        return Markov(scenario)
    made = made_people(people, scenario)
    check_people(made, categories=scenario.arms)
    return made
