"""The loop in NumPy and float64, for any recommender and any people that keep the contract.

The engine draws the post from the person's own stream, by the probabilities that `serve` returns. So what-ifs are
paired whoever serves, and every post has its exact propensity. People run CHUNK at a time, so memory does not grow with
their number; one shared model runs them all at once.
"""

from collections.abc import Callable
from copy import copy

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray, S
from mirrorfield.contract import Seen
from mirrorfield.engine.acting import Acting
from mirrorfield.engine.between import start_between
from mirrorfield.engine.calls import call, distribution, react
from mirrorfield.engine.learner import SessionRule
from mirrorfield.engine.luck import ArmLuck, PostLuck
from mirrorfield.engine.meddling import Meddling, served
from mirrorfield.errors import InputError
from mirrorfield.kernel import Trace, empty_notes, persons
from mirrorfield.kernel.entries import fold_people, mix_heights_of, mix_states_of, unsound_among
from mirrorfield.people.markov import Markov
from mirrorfield.policy.learner import learner_of
from mirrorfield.population.change import Intervention
from mirrorfield.population.run import Part, Plan, check_mean_reaction, columns_of, new_totals, new_trace
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.tables import intensities
from mirrorfield.recommenders.reinforce import Reinforce
from mirrorfield.recommenders.update import UpdateRule
from mirrorfield.streams import NUDGE, U64, next_word, stream, uniform

CHUNK = 4096
LEAST = 1e-30
NOTHING = Intervention()


def check_own(plan: Plan) -> None:
    """Raise InputError for parts of a scenario that cannot stand beside a recommender or people of somebody's own."""
    scenario, own, change = plan.scenario, plan.own, plan.scenario.intervention
    missing = {
        "intervention.friction": change.friction > 0,
        "intervention.policy": change.policy is not None,
        "reward.rate": scenario.reward.rate < 1,
    }
    for place, asked in missing.items():
        if asked and own.recommender is not None:
            who = "a recommender of your own, which learns from every post"
            raise InputError(f"{place}: expected nothing beside {who}; leave it out")
    if change.swap > 0:
        who = "a recommender of your own" if own.recommender is not None else "people of your own"
        raise InputError(f"intervention.swap: expected nothing beside {who}; leave it out")
    if own.people is not None and not isinstance(own.people, Markov) and (change.nudge or scenario.lensed):
        raise InputError("nudge, reward, context, retrieval: expected none beside people who are not built on Markov")
    if own.recommender is None and max(rule.group for rule in scenario.rules) > 1:
        raise InputError(
            "policy.group: expected 1 beside people of your own, who would have to be put back before every rollout of "
            f"a group, got {max(rule.group for rule in scenario.rules)}; use another rule, or a recommender of your own"
        )


class Loop:
    """n people and a recommender between two posts.

    After `post`: served and shown, what was served, (n, K), and the arm drawn from it, (n,); propensity, its
    probability; reward, what the recommender learned from, nan where it heard nothing; observed, the reaction. Raises
    InputError, naming the method and the person, for an object that breaks the contract.
    """

    def __init__(self, plan: Plan, ids: IntArray) -> None:
        scenario, own = plan.scenario, plan.own
        self.scenario, self.ids, self.t, self.change = scenario, ids, 0, NOTHING
        n, arms = len(ids), scenario.arms
        self.recommender = own.recommender if own.recommender is not None else built_in(scenario, ids)
        self.observe = own.observe if own.recommender is not None else "state"
        self.people = own.people if own.people is not None else Markov(scenario, plan.population)
        self.luck = PostLuck(scenario.seed, ids)
        self.memory = call(self.people, "start", ids, self.luck)
        self.level = intensities(scenario).astype(float)
        self.between = (
            start_between(scenario, ids, self._of_people("susceptibility", None)) if scenario.lensed else None
        )
        acts = self.between.lens.acts if self.between else None
        self.acting = Acting(acts, scenario.seed, ids) if acts and acts.asked else None
        rng = np.random.Generator(np.random.Philox(key=scenario.seed))
        self.state = call(self.recommender, "start", n, arms, rng)
        self.arm_luck = ArmLuck(scenario.seed, ids, int(getattr(self.recommender, "luck", 0)), arms)
        self.drawn = self.arm_luck.draw()
        self.shown: IntArray = np.full(n, -1)
        nothing: FloatArray = np.zeros(n)
        self.propensity = self.reward = self.observed = self.mean_reaction = nothing
        self.exposures, self._cells = np.zeros(n * arms, np.int32), np.arange(0, n * arms, arms)
        self.allowed = self._allowed()
        self.policy: FloatArray = np.zeros((n, arms))
        self.served: FloatArray = self.policy
        self.meddling: Meddling | None = None

    def _of_people(self, name: str, default: FloatArray | None) -> FloatArray:
        if hasattr(self.people, name):
            return np.asarray(call(self.people, name, self.memory))
        if default is None:
            raise InputError(f"{type(self.people).__name__}.{name}: expected this method beside a lens")
        return default

    @property
    def arousal(self) -> IntArray:
        """The state of everyone, (n,); calm for people who have none."""
        return self._of_people("arousal", np.zeros(len(self.ids), int)).astype(int, copy=False)

    def _allowed(self) -> np.ndarray:
        opened = np.broadcast_to(self.level <= self.change.intensity_cap, (len(self.ids), len(self.level)))
        return np.ascontiguousarray(opened & self.between.opened if self.between else opened)

    def seen(self, arousal: IntArray) -> Seen:
        """Return what the recommender sees of people who are in these states."""
        context = self.between.tilt if self.between else np.zeros(self.allowed.shape)
        state = arousal if self.observe == "state" else None
        return Seen(self.t, self.shown, self.reward, self.allowed, context, self.drawn, state)

    def serve(self, seen: Seen) -> tuple[FloatArray, FloatArray]:
        """Return the recommender's probabilities, and what is served of them under the intervention, (n, K) each."""
        policy = distribution(
            self.recommender, call(self.recommender, "serve", self.state, seen), self.allowed, self.first
        )
        if self.change.quota < 1 or self.change.exploration > 0:
            return policy, served(policy, self.change, self.allowed, self.scenario.intensity.rungs)
        return policy, policy

    @property
    def first(self) -> int:
        """The id of the first person."""
        return int(self.ids[0])

    def post(self) -> None:
        """Show everyone one post, and let the recommender learn from their reactions."""
        if self.t == self.scenario.intervention.at and self.scenario.extended:
            self._intervene()
        if isinstance(self.recommender, SessionRule):
            self._rewind(self.recommender)
        n, arousal = len(self.ids), self.arousal
        self.luck.next_post()
        seen = self.seen(arousal)
        self.policy, self.served = self.serve(seen)
        heard = None
        if self.meddling:
            self.served, heard = self.meddling.meet(self.served)
        shown, propensity = np.empty(n, np.int64), np.empty(n)
        persons.choose(self.served, self.luck.choice, shown, propensity)
        reacted, self.memory = react(self.people, self.memory, shown, self.luck, self.first)
        observed = reward = reacted
        if self.between:
            observed = reacted * self.between.meet(shown)
            self.between.remember(shown, observed)
            reward, labelled = self.between.reward(self._objective(observed, arousal, shown), arousal, shown)
            heard = labelled if heard is None else heard & labelled
        if heard is not None and not heard.all():
            reward = np.where(heard, reward, np.nan)
        self.state = call(self.recommender, "learn", self.state, seen, shown, reward, propensity)
        self.t += 1
        self.shown, self.reward, self.propensity, self.observed = shown, reward, propensity, observed
        self.exposures[self._cells + shown] += 1
        self.mean_reaction = self.mean_reaction + (observed - self.mean_reaction) / self.t
        self.drawn = self.arm_luck.draw()
        if isinstance(self.recommender, SessionRule) and not self._end_rollout(self.recommender):
            return
        if self.between:
            self.between.look_back()
            self.between.fetch(self.t)
            self.allowed = self._allowed()

    def _objective(self, felt: FloatArray, arousal: IntArray, shown: IntArray) -> FloatArray:
        """Return what the platform's objective makes of everyone's post, (n,)."""
        if self.acting is None:
            return felt
        w = self._of_people("susceptibility", None)[np.arange(len(shown)), shown]
        return self.acting.objective(
            felt, arousal * self.scenario.arms + shown, self.memory.leaning, w, self.luck.noise
        )

    def _rewind(self, learner: SessionRule) -> None:
        """Put everyone where the session found them, if another rollout of it begins."""
        rollout, h = divmod(learner.place(self.t), learner.rule.horizon)
        if h == 0 and rollout == 0:
            self._found = self.memory, copy(self.between)
        elif h == 0:
            self.memory, self.between = self._found[0], copy(self._found[1])

    def _end_rollout(self, learner: SessionRule) -> bool:
        """Tell a rule in which states a rollout ended, if it did; return whether the session did."""
        rollout, h = divmod(learner.place(self.t - 1), learner.rule.horizon)
        if h + 1 < learner.rule.horizon:
            return False
        self.state = learner.end_rollout(self.state, rollout, self.arousal)
        return rollout + 1 == learner.rule.group

    def _intervene(self) -> None:
        self.change = self.scenario.intervention
        self.allowed = self._allowed()
        if self.change.friction or self.change.swap:
            self.meddling = Meddling(self.change, self.scenario.seed, self.ids)
        if self.change.policy is not None:
            self.recommender = built_in(self.scenario, self.ids, self.t)
            if isinstance(self.recommender, SessionRule):
                self.state = self.recommender.take_over(self.state)
        if self.change.nudge:
            with np.errstate(over="ignore"):
                word, *_ = next_word(*stream(U64(self.scenario.seed), self.ids.astype(U64), NUDGE))
            nudged = uniform(word) < np.float32(self.change.nudge_share)
            moved = np.clip(self.memory.intentionality + self.change.nudge * nudged, 0, 1)
            self.memory = self.people.lean(self.memory, moved)

    def record(self, trace: Trace, c: int) -> None:
        """Write diets, feeds, states and mean reactions as recorded step c of a trace."""
        state, lawful = self.arousal.astype(np.float32), hasattr(self.people, "law")
        k, rungs, policy = self.scenario.k, self.scenario.intensity.rungs, None
        for s in range(S):
            if policy is None or self.observe == "state":
                policy = self.serve(self.seen(np.full(len(self.ids), s)))[1]
            trace.served[s] = policy.reshape(len(policy), k, rungs).sum(2).T
            trace.moves[s] = np.eye(S)[s][:, None]
            if lawful:
                trace.moves[s] = np.einsum("na,nat->tn", policy, call(self.people, "law", self.memory, s))
            if len(trace.intensity):
                trace.served_intensity[s] = policy @ self.level
            trace.logits[s] = np.log(np.maximum(policy, LEAST)).T
        trace.mean_reaction[c] = self.mean_reaction
        if len(trace.floor):
            trace.floor[c] = self._of_people("floor", np.zeros(len(self.ids)))
        mix_states_of(state, np.empty((S, len(state)), np.float32), np.empty_like(state), trace, c)
        if len(trace.intensity):
            mix_heights_of(state, trace.time_in_state, trace, c, 0)

    def finish(self, trace: Trace) -> None:
        """Write what people are and what they were shown."""
        n = len(self.ids)
        trace.exposures[:] = self.exposures.reshape(n, -1).T
        trace.intentionality[:] = self._of_people("intentionality", np.zeros(n))
        trace.susceptibility[:] = self._of_people("susceptibility", np.ones((n, self.scenario.k))).T
        trace.segment[:] = self._of_people("segment", np.zeros(n, int))


def built_in(scenario: Scenario, ids: IntArray, since: int | None = None) -> UpdateRule | SessionRule:
    """Return the scenario's own rule as a recommender: the one before the intervention, or since it."""
    rule = scenario.rules[since is not None].in_single_precision()
    if learner_of(*scenario.rules) == "plain":
        return Reinforce(rule.learning_rate, rule.start_logits(scenario.arms))
    return SessionRule(rule, scenario.seed, ids, since or 0)


def run_block(plan: Plan, first_user: int, users: int, progress: Callable[[int], None] | None = None) -> Part:
    """Run people first_user ... first_user + users - 1 to the end, as `population.run.run_block` does for lanes."""
    scenario, recorded, end = plan.scenario, len(plan.steps), first_user + users
    totals, momentary = new_totals(scenario, recorded), new_totals(scenario, 1)
    kept_users = np.arange(first_user, end) if plan.keep_all else plan.sample[columns_of(plan.sample, first_user, end)]
    kept = new_trace(scenario, recorded, len(kept_users))
    chunk = users if plan.own.shared else CHUNK
    for first in range(first_user, end, chunk):
        ids = np.arange(first, min(first + chunk, end))
        trace, notes = new_trace(scenario, recorded, len(ids)), empty_notes(scenario.k, len(ids))
        run_people(plan, ids, trace)
        flawed = int(unsound_among(trace, len(ids), notes))
        if flawed >= 0:
            raise InputError(f"person {first + flawed}: expected finite numbers and a feed that sums to 1")
        with np.errstate(over="ignore"):
            worst = fold_people(trace, trace.diet, trace.intensity, 0, U64(first), len(ids), plan.scales, notes, totals)
            last, then = recorded - 1, trace.next_intensity
            fold_people(trace, trace.feed, then, last, U64(first), len(ids), plan.scales, notes, momentary)
        check_mean_reaction(float(worst))
        here = columns_of(kept_users, first, first + len(ids))
        for whole, some in zip(kept, trace, strict=True):
            whole[..., here] = some[..., kept_users[here] - first]
        if progress:
            progress(len(ids))
    if not plan.keep_all:
        return Part(first_user, users, totals, momentary, kept)
    columns = plan.sample[columns_of(plan.sample, first_user, end)] - first_user
    return Part(first_user, users, totals, momentary, Trace._make(array[..., columns] for array in kept), kept)


def run_people(plan: Plan, ids: IntArray, trace: Trace) -> Loop:
    """Run the people with these ids to the end, fill a trace of them, and return the loop as it is then."""
    loop = Loop(plan, ids)
    c = 0
    for t in range(1, plan.scenario.steps + 1):
        loop.post()
        if t == plan.steps[c]:
            loop.record(trace, c)
            c += 1
    loop.finish(trace)
    return loop
