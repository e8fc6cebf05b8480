"""People who get bored: a model to copy for people of your own."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.contract import Luck
from mirrorfield.people.markov import Crowd, Markov
from mirrorfield.population.scenario import Scenario


@dataclass(frozen=True)
class Sated(Crowd):
    """People, and how much of each arm they still have in mind, 0 to 1, (n, K)."""

    had: FloatArray


class Satiated(Markov):
    """The people of a scenario, who react less to more of the same: G exp(-boredom h_a).

    Formula: h_a' = h_a + (1[a shown] - h_a) / memory, an exponential memory of what was shown. Parameters: scenario;
    boredom >= 0, 0 for the people of the scenario; memory, in posts, >= 1.
    """

    def __init__(self, scenario: Scenario, boredom: float = 1.0, memory: float = 20.0) -> None:
        super().__init__(scenario)
        self.boredom, self.forget = boredom, 1 / memory

    def start(self, ids: IntArray, luck: Luck | None) -> Sated:
        """Return people who have had nothing yet."""
        return Sated(**vars(super().start(ids, luck)), had=np.zeros((len(ids), self.arms)))

    def react(self, memory: Crowd, shown: IntArray, luck: Luck) -> tuple[FloatArray, Sated]:
        """Return the reaction, dulled by what they have had of this arm, and the people after it."""
        assert isinstance(memory, Sated)
        everyone = np.arange(len(shown))
        observed, after = super().react(memory, shown, luck)
        had = (1 - self.forget) * memory.had
        had[everyone, shown] += self.forget
        dulled = observed * np.exp(-self.boredom * memory.had[everyone, shown])
        return dulled, Sated(**vars(after) | {"had": had})
