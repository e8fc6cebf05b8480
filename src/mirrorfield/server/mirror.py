"""One visitor's mirror: the compiled loop, one post at a time, with a reaction from outside or from a profile."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mirrorfield.kernel.specialise import first_rows, pitch
from mirrorfield.policy.softmax import softmax
from mirrorfield.population.live import load_blocks
from mirrorfield.population.run import plan_run, ready_for
from mirrorfield.population.scenario import Scenario
from mirrorfield.types import F32Array, FloatArray, S


@dataclass(frozen=True)
class Settings:
    """What a visitor may turn: seed of the luck, lambda of the simulated user, alpha, and a factor on the noise."""

    seed: int = 1
    intentionality: float = 0.2
    learning_rate: float = 0.5
    noise: float = 1.0

    def scenario(self, steps: int = 1) -> Scenario:
        """Return the scenario of one user with these settings, as `mirrorfield run` takes it; noise 1 only."""
        point = {"distribution": "point", "value": 1.0}
        return Scenario(
            name="mirror",
            description="One simulated user in front of the mirror.",
            users=1,
            steps=steps,
            seed=self.seed,
            policy={"learning_rate": self.learning_rate},
            population={
                "susceptibility": point,
                "intentionality": {"distribution": "point", "value": self.intentionality},
            },
        )


@dataclass(frozen=True)
class Step:
    """One update with its numbers: A = G - baseline; policy, (K,), in the post's state before and after."""

    t: int
    category: int
    state: int
    next_state: int
    reward: float
    baseline: float
    advantage: float
    new_baseline: float
    before: FloatArray
    after: FloatArray


class Mirror:
    """The loop between the recommender and one visitor, in lane 0 of a block of the compiled kernel.

    What the next post is depends on the policy and on luck, not on the reaction to it; so it can be looked up first,
    by running the post and taking it back, and run for good once the reaction is there.
    """

    def __init__(self, settings: Settings) -> None:
        scenario = settings.scenario()
        plan, code = plan_run(scenario), ready_for(scenario)
        self.settings, self.k, self.t = settings, scenario.k, 0
        self._profiles, self._code = plan.profiles, code.code
        self._row, self._pitch = first_rows(self.k), pitch(self.k)
        ((scratch, self._words),) = load_blocks(plan, code)
        self._scratch = scratch.reshape(code.code.ROWS, code.code.LANES)
        self.turn(settings)

    def turn(self, settings: Settings) -> None:
        """Change lambda, alpha and noise from here on; the seed stays what it was."""
        self.settings = settings
        self._scratch[self._row["intentionality"], 0] = settings.intentionality
        self._code.blend_profiles(self._scratch.reshape(-1), self._profiles)
        self._fill("std", self._table("std") * np.float32(settings.noise))

    def _fill(self, name: str, table: F32Array) -> None:
        for s in range(S):
            first = self._row[name] + s * self._pitch
            self._scratch[first : first + self.k, 0] = table[s]

    def _table(self, name: str) -> F32Array:
        rows = [self._row[name] + s * self._pitch for s in range(S)]
        return np.array([self._scratch[first : first + self.k, 0] for first in rows])

    def _one(self, name: str) -> float:
        return float(self._scratch[self._row[name], 0])

    @property
    def state(self) -> int:
        """The user's arousal: 0 calm, 1 engaged, 2 hooked."""
        return int(self._one("state"))

    @property
    def policy(self) -> FloatArray:
        """The policy in every state, (S, K)."""
        return np.asarray(softmax(self._table("logits").astype(float)))

    @property
    def baseline(self) -> float:
        """The running mean of the reactions so far."""
        return self._one("baseline")

    @property
    def logits(self) -> F32Array:
        """The logits, float32 (S, K), bit for bit those of a run."""
        return self._table("logits")

    def _advance(self) -> int:
        """Run one post and return its category."""
        first = self._row["shown"]
        shown = self._scratch[first : first + self.k, 0].copy()
        rate = np.float32(self.settings.learning_rate)
        with np.errstate(over="ignore"):
            self._code.advance(self._scratch.reshape(-1), self._words, (), self.t, self.t + 1, rate, (), ())
        return int((self._scratch[first : first + self.k, 0] - shown).argmax())

    def offer(self) -> int:
        """Return the category of the next post, without running it."""
        scratch, words = self._scratch.copy(), self._words.copy()
        category = self._advance()
        self._scratch[:], self._words[:] = scratch, words
        return category

    def react(self, reward: float | None = None) -> Step:
        """Run the next post with this reaction, or one drawn from the simulated user's profile; return the update."""
        state, baseline, before = self.state, self.baseline, self.policy
        if reward is not None:
            self._fill("mean", np.full((S, self.k), reward, np.float32))
            self._fill("std", np.zeros((S, self.k), np.float32))
        category = self._advance()
        advantage = self._one("gain")
        self.t += 1
        if reward is not None:
            self.turn(self.settings)
        return Step(
            t=self.t,
            category=category,
            state=state,
            next_state=self.state,
            reward=advantage + baseline,
            baseline=baseline,
            advantage=advantage,
            new_baseline=self.baseline,
            before=before[state],
            after=self.policy[state],
        )


def plain(step: Step) -> dict[str, Any]:
    """Return a step as plain values for JSON."""
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(step).items()}
