"""One visitor's mirror: the compiled loop, one post at a time, with a reaction from outside or from a profile."""

from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from mirrorfield.arrays import F32Array, FloatArray, S
from mirrorfield.kernel import Ready
from mirrorfield.kernel.entries import begin_block, blend_block
from mirrorfield.model.profile import reaction
from mirrorfield.policy.softmax import softmax
from mirrorfield.population.live import Held
from mirrorfield.population.run import plan_run, ready_for
from mirrorfield.population.scenario import Scenario
from mirrorfield.server.parts import Parts
from mirrorfield.streams import U64

COMES_ALONG = ("logits", "shown", "baseline", "baseline_lost", "state")
LANES = 8
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
    learning_rate: float
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

    `straight` says whether this is still a run of its scenario: nobody reacted from outside, and nothing was turned
    after the first post.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.t, self.straight = settings, 0, settings.noise == 1
        self._held: Any = None
        self._install()

    def _install(self) -> None:
        """Put the user into the code that runs its rule; what was learned, its luck and its history come along."""
        settings, before = self.settings, self._held
        scenario = settings.scenario()
        with _compiling:
            plan, ready = plan_run(scenario), self._ready(settings.parts, scenario)
            held = Held(plan, ready)
            if before is not None:
                for name in COMES_ALONG:
                    held.rows[getattr(held.at, name)] = before.rows[getattr(before.at, name)]
                held.words[held.at.luck] = before.words[before.at.luck]
            if not held.plain:
                task, seed = ready.task, U64(settings.seed)
                with np.errstate(over="ignore"):
                    begin_block(
                        held.rows, held.at, held.also, task.before.memory, seed, U64(0), task.before.rule, task.tables
                    )
        self.k, self._profiles, self._task, self._held = scenario.k, plan.profiles, ready.task, held
        self.parts = settings.parts
        self._profile()

    def _ready(self, parts: Parts, scenario: Scenario) -> Ready:
        return ready_for(scenario, LANES, "plain" if parts == Parts() else "sessions")

    def _rows(self, name: str) -> F32Array:
        """Return the visitor's numbers in some rows, to read or to change."""
        held = self._held
        place = getattr(held.at if name in held.at._fields else held.also, name)
        rows: F32Array = held.rows[place if isinstance(place, slice) else slice(place, place + 1), 0]
        return rows

    def turn(self, settings: Settings) -> None:
        """Change lambda, alpha and noise from here on, and the rule from the next session on; the seed stays.

        The code of another rule is compiled here, if it has to be, and not when its first session begins.
        """
        before, self.settings = self.settings, Settings(**vars(settings) | {"seed": self.settings.seed})
        self.straight = self.settings.noise == 1 if self.t == 0 else self.straight and self.settings == before
        running = Settings(**vars(self.settings) | {"parts": self.parts})
        task = self._ready(self.parts, running.scenario()).task
        if self._memory:
            task = task._replace(before=task.before._replace(memory=self._memory))
        self._task = task
        self._profile()
        if self.due:
            Mirror(self.settings).react()
        self._begin_if_due()

    def _begin_if_due(self) -> None:
        if self.due and self.t % max(self.parts.session, self.settings.parts.session) == 0:
            self._install()

    def _profile(self) -> None:
        held, self._rows("intentionality")[:] = self._held, self.settings.intentionality
        blend_block(held.rows, held.at, held.rows[held.at.intentionality], self._profiles)
        self._rows("std")[:] *= np.float32(self.settings.noise)

    @property
    def _memory(self) -> Any:
        """The posts of a session, or None where every post is learned from at once."""
        return getattr(self._task, "before", None) and self._task.before.memory

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
        return int(self._rows("start" if self.parts.grouped and self.place else "state")[0])

    @property
    def policy(self) -> FloatArray:
        """The policy in every state, (S, K)."""
        return np.asarray(softmax(self.logits.astype(float)))

    @property
    def baseline(self) -> float:
        """The running mean of the reactions so far."""
        return float(self._rows("baseline")[0])

    @property
    def logits(self) -> F32Array:
        """The logits, float32 (S, K), bit for bit those of a run."""
        return self._rows("logits").reshape(S, self.k).copy()

    def _advance(self) -> int:
        """Run one post and return its category."""
        self._held.advance(self._task, self.t, self.t + 1)
        return int(self._rows("arm")[0])

    def react(self, reward: float | None = None) -> Step:
        """Run the next post with this reaction, or one drawn from the simulated user's profile; return its numbers."""
        self._begin_if_due()
        state, baseline, before = self.state, self.baseline, self.policy
        if reward is not None:
            self.straight = False
            self._rows("mean")[:], self._rows("std")[:] = reward, 0
        category, cell = self._advance(), int(self._rows("cell")[0])
        felt = reaction(self._rows("mean")[cell], self._rows("std")[cell], self._rows("noise")[0])
        self.t += 1
        if reward is not None:
            self._profile()
        session = self._learned(before) if self._memory and self.place == 0 else None
        return Step(
            t=self.t,
            learning_rate=self.settings.learning_rate,
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
            return float(self._rows("gain")[0])
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
