"""The people of a scenario, as the arrays engine holds them: Markov chains of three states with a reaction profile."""

from dataclasses import dataclass, replace

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray, S
from mirrorfield.contract import Luck
from mirrorfield.kernel import persons
from mirrorfield.model.draw import PopulationTables
from mirrorfield.model.profile import blend, reaction
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.tables import intensities, population_tables, profile_tables
from mirrorfield.streams import U64


@dataclass(frozen=True)
class Crowd:
    """n people: profiles flattened over persons, states and arms, (n S K I,), and what changes with posts, (n,)."""

    ids: IntArray
    intentionality: FloatArray  # (n,) as drawn
    leaning: FloatArray  # (n,) as it is now: an intervention may move it
    susceptibility: FloatArray  # (n, K)
    segment: IntArray  # (n,)
    mean: FloatArray
    std: FloatArray
    calm_to: FloatArray  # P[s, a, calm]
    hooked_at: FloatArray  # 1 - P[s, a, hooked]
    state: IntArray
    floor: FloatArray


class Markov:
    """The people of a scenario, who keep the contract `People`; a class of your own may start from them.

    Reaction: G = (1 + c i) exp(-max(0, h - i) / width) (mu[s, a] + sigma[s, a] n); the next state is calm if
    u < P[s, a, calm], hooked if u >= 1 - P[s, a, hooked]. Parameters: scenario; population, the tables of a plan with
    listed people, default the scenario's. Source: docs/model.md, eq. 1-3, 8 and 9.

    >>> people = Markov(Scenario())
    >>> people.start(np.arange(3), None).state.tolist()
    [0, 0, 0]
    """

    def __init__(self, scenario: Scenario, population: PopulationTables | None = None) -> None:
        self.scenario, self.arms, self.rungs = scenario, scenario.arms, scenario.intensity.rungs
        self.population = population or population_tables(scenario)
        self.profiles = profile_tables(scenario)
        self.level = intensities(scenario).astype(float)

    def start(self, ids: IntArray, luck: Luck | None) -> Crowd:
        """Return the people with these ids, calm, before their first post."""
        n, k = len(ids), self.scenario.k
        drawn, w, segment = np.empty(n, np.float32), np.empty((n, k), np.float32), np.empty(n, np.int32)
        with np.errstate(over="ignore"):
            seed, users = U64(self.scenario.seed), ids.astype(np.uint64)
            persons.draw_persons(seed, users, self.population, drawn, w, segment)
        none, nothing = np.empty(0), np.zeros(n)
        crowd = Crowd(
            ids, drawn.astype(float), none, w.astype(float), segment, none, none, none, none, np.zeros(n, int), nothing
        )
        return self.lean(crowd, crowd.intentionality)

    def lean(self, crowd: Crowd, intentionality: FloatArray) -> Crowd:
        """Return people whose profiles are those of another intentionality, (n,)."""
        lam, w = intentionality[:, None, None], crowd.susceptibility[:, None, :]
        one, other = self.profiles.reactive, self.profiles.intentional

        def every_arm(table: FloatArray) -> FloatArray:
            return np.broadcast_to(table, (len(lam), S, self.scenario.k)).repeat(self.rungs, 2).ravel()

        return replace(
            crowd,
            leaning=intentionality,
            mean=every_arm(blend(lam, w * one.mean, other.mean.astype(float))),
            std=every_arm(blend(lam, one.std.astype(float), other.std.astype(float))),
            calm_to=every_arm(blend(lam, one.transition[..., 0].astype(float), other.transition[..., 0].astype(float))),
            hooked_at=every_arm(
                1 - blend(lam, one.transition[..., 2].astype(float), other.transition[..., 2].astype(float))
            ),
        )

    def react(self, memory: Crowd, shown: IntArray, luck: Luck) -> tuple[FloatArray, Crowd]:
        """Return the reaction to the arm shown, (n,), and the people after it."""
        part, n = self.scenario.intensity, len(memory.ids)
        cell = (np.arange(0, n * S, S) + memory.state) * self.arms + shown
        observed = reaction(memory.mean.take(cell), memory.std.take(cell), luck.noise)
        state = (luck.transition >= memory.calm_to.take(cell)).astype(int) + (
            luck.transition >= memory.hooked_at.take(cell)
        )
        if self.rungs == 1 and not (part.slope or part.eta or part.decay):
            return observed, replace(memory, state=state)
        i = self.level[shown]
        observed = observed * (1 + part.slope * i) * np.exp(-np.clip(memory.floor - i, 0, None) / part.width)
        floor = memory.floor + np.where(i > memory.floor, part.eta, part.decay) * (i - memory.floor)
        return observed, replace(memory, state=state, floor=floor)

    def arousal(self, memory: Crowd) -> IntArray:
        """Return everyone's state, (n,): 0 calm, 1 engaged, 2 hooked."""
        return memory.state

    def law(self, memory: Crowd, state: int) -> FloatArray:
        """Return the law of the next state after each arm in a state, (n, K I, 3)."""
        shape = (len(memory.ids), S, self.arms)
        calm_to, hooked_at = (
            memory.calm_to.reshape(shape)[:, state],
            memory.hooked_at.reshape(shape)[:, state],
        )
        return np.stack([calm_to, np.maximum(hooked_at - calm_to, 0), 1 - hooked_at], axis=-1)

    def intentionality(self, memory: Crowd) -> FloatArray:
        """Return everyone's lambda as drawn, (n,)."""
        return memory.intentionality

    def susceptibility(self, memory: Crowd) -> FloatArray:
        """Return how hard each category hits everyone, (n, K)."""
        return memory.susceptibility

    def floor(self, memory: Crowd) -> FloatArray:
        """Return everyone's floor of intensity, (n,)."""
        return memory.floor

    def segment(self, memory: Crowd) -> IntArray:
        """Return the index of everyone's segment of the population, (n,)."""
        return memory.segment
