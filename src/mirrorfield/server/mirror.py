"""One visitor's mirror: the compiled loop, one post at a time, with a reaction from outside or from a profile."""

from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from mirrorfield.arrays import F32Array, FloatArray, S
from mirrorfield.kernel.specialise import first_rows, pitch
from mirrorfield.model.profile import reaction
from mirrorfield.policy.softmax import softmax
from mirrorfield.population.live import load_blocks
from mirrorfield.population.run import plan_run, ready_for
from mirrorfield.population.scenario import Scenario
from mirrorfield.server.parts import Parts
from mirrorfield.streams import U64

COMES_ALONG = ("logits", "shown", "baseline", "baseline_lost", "state")
_compiling = Lock()


@dataclass(frozen=True)
class Settings:
    """What a visitor may turn: seed of the luck, lambda of the simulated user, alpha, a factor on the noise, parts."""

    seed: int = 1
    intentionality: float = 0.2
    learning_rate: float = 0.5
    noise: float = 1.0
    parts: Parts = field(default_factory=Parts)

    def scenario(self, steps: int = 1) -> Scenario:
        """Return the scenario of one user with these settings, as `mirrorfield run` takes it; noise 1 only."""
        point = {"distribution": "point", "value": 1.0}
        return Scenario(
            name="mirror",
            description="One simulated user in front of the mirror.",
            users=1,
            steps=steps,
            seed=self.seed,
            policy=self.parts.policy(self.learning_rate),
            population={
                "susceptibility": point,
                "intentionality": {"distribution": "point", "value": self.intentionality},
            },
        )


@dataclass(frozen=True)
class Session:
    """What was learned from at once: each post's category, state and advantage, and the policy (S, K) before and after.

    The advantages are those that the rule weighs posts by: over its baseline, in units of their spread if it asks so.
    """

    categories: list[int]
    states: list[int]
    advantages: list[float]
    before: FloatArray
    after: FloatArray


@dataclass(frozen=True)
class Step:
    """A post with its numbers: baseline, the mean of the reactions before; policy, (K,), in its state before and after.

    `advantage` is what it was learned by; None while a session keeps it. `session` is what its last post brings.
    """

    t: int
    category: int
    state: int
    next_state: int
    reward: float
    baseline: float
    new_baseline: float
    before: FloatArray
    after: FloatArray
    advantage: float | None
    session: Session | None = None


class Mirror:
    """The loop between the recommender and one visitor, in lane 0 of a block of the compiled kernel.

    What the next post is depends on the policy and on luck, not on the reaction to it; so it can be looked up first,
    by running the post and taking it back, and run for good once the reaction is there. `straight` says whether this is
    still a run of its scenario: nobody reacted from outside, and nothing was turned after the first post.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.t, self.straight = settings, 0, settings.noise == 1
        self._scratch: F32Array = np.empty((0, 0), np.float32)
        self._words: Any = None
        self._row: dict[str, int] = {}
        self._install()

    def _install(self) -> None:
        """Put the user into the code that runs its rule; what was learned, its luck and its history come along."""
        settings = self.settings
        scenario, plain = settings.scenario(), settings.parts == Parts()
        learner = "plain" if plain else "sessions"
        with _compiling:
            plan, code = plan_run(scenario), ready_for(scenario, learner=learner)
            ((scratch, words),) = load_blocks(plan, code)
        self.k, row, lanes = scenario.k, first_rows(scenario.k, learner), code.code.LANES
        if self.t > 0:
            for name in COMES_ALONG:
                self._rows(scratch.reshape(-1, lanes), row, name)[:] = self._rows(self._scratch, self._row, name)
            words[::lanes] = self._words[:: self._scratch.shape[1]]
        self._profiles, self._code, self._memory, self._rule = plan.profiles, code.code, code.memory, code.rule
        self._scratch, self._words, self._row = scratch.reshape(-1, lanes), words, row
        self.parts = settings.parts
        self._code.begin(scratch, self._memory, U64(settings.seed), U64(0), self._rule)
        self._profile()

    def _rows(self, scratch: F32Array, row: dict[str, int], name: str) -> F32Array:
        count = {"logits": S * pitch(self.k), "shown": self.k}.get(name, 1)
        return scratch[row[name] : row[name] + count, 0]

    def turn(self, settings: Settings) -> None:
        """Change lambda, alpha and noise from here on, and the rule from the next session on; the seed stays.

        The code of another rule is compiled here, if it has to be, and not when its first session begins.
        """
        before, self.settings = self.settings, Settings(**vars(settings) | {"seed": self.settings.seed})
        self.straight = self.settings.noise == 1 if self.t == 0 else self.straight and self.settings == before
        running = Settings(**vars(self.settings) | {"parts": self.parts})
        self._rule = ready_for(running.scenario(), learner="plain" if self.parts == Parts() else "sessions").rule
        self._profile()
        if self.due:
            Mirror(self.settings).react()
        self._begin_if_due()

    def _begin_if_due(self) -> None:
        if self.due and self.t % max(self.parts.session, self.settings.parts.session) == 0:
            self._install()

    def _profile(self) -> None:
        self._scratch[self._row["intentionality"], 0] = self.settings.intentionality
        self._code.blend_profiles(self._scratch.reshape(-1), self._profiles)
        self._fill("std", self._table("std") * np.float32(self.settings.noise))

    def _fill(self, name: str, table: F32Array) -> None:
        for s in range(S):
            first = self._row[name] + s * pitch(self.k)
            self._scratch[first : first + self.k, 0] = table[s]

    def _table(self, name: str) -> F32Array:
        rows = [self._row[name] + s * pitch(self.k) for s in range(S)]
        return np.array([self._scratch[first : first + self.k, 0] for first in rows])

    def _one(self, name: str) -> np.float32:
        return np.float32(self._scratch[self._row[name], 0])

    @property
    def place(self) -> int:
        """How many posts the session keeps that have not been learned from."""
        return self.t % self.parts.session

    @property
    def due(self) -> bool:
        """Whether a rule was chosen that begins with the next session."""
        return self.parts != self.settings.parts

    @property
    def state(self) -> int:
        """The arousal that the next post is seen in: 0 calm, 1 engaged, 2 hooked; a group's posts all see its first."""
        return int(self._one("start" if self.parts.grouped and self.place else "state"))

    @property
    def policy(self) -> FloatArray:
        """The policy in every state, (S, K)."""
        return np.asarray(softmax(self._table("logits").astype(float)))

    @property
    def baseline(self) -> float:
        """The running mean of the reactions so far."""
        return float(self._one("baseline"))

    @property
    def logits(self) -> F32Array:
        """The logits, float32 (S, K), bit for bit those of a run."""
        return self._table("logits")

    def _advance(self) -> int:
        """Run one post and return its category."""
        first = self._row["shown"]
        shown = self._scratch[first : first + self.k, 0].copy()
        with np.errstate(over="ignore"):
            self._code.advance(
                self._scratch.reshape(-1), self._words, self._memory, self.t, self.t + 1, self._rule, (), ()
            )
        return int((self._scratch[first : first + self.k, 0] - shown).argmax())

    def offer(self) -> int:
        """Return the category of the next post, without running it."""
        held = (self._scratch, self._words, *self._memory)
        copies = [array.copy() for array in held]
        category = self._advance()
        for array, copy in zip(held, copies, strict=True):
            array[:] = copy
        return category

    def react(self, reward: float | None = None) -> Step:
        """Run the next post with this reaction, or one drawn from the simulated user's profile; return its numbers."""
        self._begin_if_due()
        state, baseline, before = self.state, self.baseline, self.policy
        if reward is not None:
            self.straight = False
            self._fill("mean", np.full((S, self.k), reward, np.float32))
            self._fill("std", np.zeros((S, self.k), np.float32))
        category = self._advance()
        felt = reaction(self._one("chosen_mean"), self._one("chosen_std"), self._one("noise"))
        self.t += 1
        if reward is not None:
            self._profile()
        session = self._learned(before) if self._memory and self.place == 0 else None
        return Step(
            t=self.t,
            category=category,
            state=state,
            next_state=self.state,
            reward=float(felt),
            baseline=baseline,
            new_baseline=self.baseline,
            before=before[state],
            after=self.policy[state],
            advantage=self._weighed(session),
            session=session,
        )

    def _weighed(self, session: Session | None) -> float | None:
        if not self._memory:
            return float(self._one("gain"))
        return session.advantages[-1] if session else None

    def _learned(self, before: FloatArray) -> Session:
        """Return the session that the last post ended."""
        cells = self._memory.cell[:, 0]
        return Session(
            categories=(cells % self.k).tolist(),
            states=(cells // self.k).tolist(),
            advantages=self._memory.gain[:, 0].astype(float).tolist(),
            before=before,
            after=self.policy,
        )


def plain(step: Step) -> dict[str, Any]:
    """Return a step as plain values for JSON."""
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in asdict(step).items()
        if name != "session"
    } | {"session": step.session and _plain_session(step.session)}


def _plain_session(session: Session) -> dict[str, Any]:
    return vars(session) | {"before": session.before.tolist(), "after": session.after.tolist()}
