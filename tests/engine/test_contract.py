"""An object that breaks the contract stops a run with one line, which names the method and the person."""

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.errors import ContractError, InputError
from mirrorfield.recommenders import (
    BPR,
    UCB,
    EpsilonGreedy,
    Popularity,
    Random,
    Reinforce,
    Thompson,
    boltzmann_q,
    exp3,
    tracked_means,
)

SMALL = mf.Scenario(users=30, steps=12, seed=2)
PLATFORM = (Random, EpsilonGreedy, UCB, Thompson, Popularity, BPR)


class Even:
    """A recommender to break: every arm as often."""

    shared = False

    def start(self, people, categories, rng):
        return np.zeros((people, categories))

    def serve(self, state, seen):
        return seen.allowed / seen.allowed.sum(1, keepdims=True)

    def learn(self, state, seen, shown, reward, propensity):
        return state


class Peeks(Even):
    def serve(self, state, seen):
        return np.eye(seen.allowed.shape[1])[seen.state]


class Unnormalised(Even):
    def serve(self, state, seen):
        return np.ones(seen.allowed.shape)


class NotANumber(Even):
    def serve(self, state, seen):
        policy = super().serve(state, seen)
        policy[3] = np.nan
        return policy


class Negative(Even):
    def serve(self, state, seen):
        policy = super().serve(state, seen)
        policy[2, :2] = -0.5, 0.7 + policy[2, 1]
        return policy / policy.sum(1, keepdims=True)


class WrongShape(Even):
    def serve(self, state, seen):
        return np.full(seen.allowed.shape[1], 1 / seen.allowed.shape[1])


class Forbidden(Even):
    def serve(self, state, seen):
        return np.full(seen.allowed.shape, 1 / seen.allowed.shape[1])


class Leaks(Even):
    def learn(self, state, seen, shown, reward, propensity):
        return state + reward.mean()

    def serve(self, state, seen):
        weight = np.exp(0.1 * state * np.arange(state.shape[1])) * seen.allowed
        return weight / weight.sum(1, keepdims=True)


class Draws(Leaks):
    def start(self, people, categories, rng):
        return rng.normal(size=(people, categories))

    def learn(self, state, seen, shown, reward, propensity):
        return state


class Impure(Even):
    def __init__(self):
        self.calls = 0

    def serve(self, state, seen):
        self.calls += 1
        weight = (1 + self.calls * np.arange(seen.allowed.shape[1])) * seen.allowed
        return weight / weight.sum(1, keepdims=True)


class Unpicklable(Even):
    def __init__(self):
        self.function = lambda x: x


class Raises(Even):
    def learn(self, state, seen, shown, reward, propensity):
        raise KeyError("nothing of the kind")


class Nameless:
    shared = False

    def start(self, people, categories, rng):
        return None


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (Peeks, r"^Peeks\.serve: seen\.state is a person's arousal, .*observe=\"state\"$"),
        (Unnormalised, r"^Unnormalised\.serve: the row of person 0 does not sum to 1: \[1, 1, 1, 1\]$"),
        (NotANumber, r"^NotANumber\.serve: the row of person 3 has a number that is not finite"),
        (Negative, r"^Negative\.serve: the row of person 2 has a probability below 0"),
        (WrongShape, r"^WrongShape\.serve: expected an array of shape \(12, 4\), got \(4,\)$"),
        (Leaks, r"^Leaks\.learn: what one person is served depends on who else is there, from post 2 on"),
        (Draws, r"^Draws\.serve: what one person is served depends on who else is there"),
        (Impure, r"^Impure\.serve: two calls on one state give two answers"),
        (Raises, r"^Raises\.learn: KeyError: 'nothing of the kind' \(test_contract\.py, line \d+\)$"),
        (Nameless, r"^Nameless: expected a recommender with the methods start, serve, learn; it has no serve$"),
    ],
)
def test_a_broken_recommender_is_named(broken, line: str) -> None:
    with pytest.raises(InputError, match=line):
        mf.simulate(SMALL, recommender=broken())


def test_what_cannot_be_pickled_runs_here_and_nowhere_else(tmp_path) -> None:
    mf.simulate(SMALL, recommender=Unpicklable())
    for elsewhere in ({"out": tmp_path / "run"}, {"dask": "local:1"}):
        with pytest.raises(InputError, match=r"^Unpicklable: cannot be pickled"):
            mf.simulate(SMALL, recommender=Unpicklable(), **elsewhere)
    assert not (tmp_path / "run").exists()


def test_an_arm_that_may_not_be_shown_gets_nothing() -> None:
    mf.simulate(SMALL, recommender=Forbidden())  # nothing is closed in this scenario
    line = r"^Forbidden\.serve: the row of person 3 gives an arm that may not be shown"
    with pytest.raises(InputError, match=line):
        mf.check_recommender(Forbidden())
    with pytest.raises(InputError, match=line):
        capped = {"intensity": {"rungs": 2}, "intervention": {"at": 3, "intensity_cap": 0.5}}
        mf.simulate(mf.Scenario(users=4, steps=6, **capped), recommender=Forbidden())


def test_a_class_is_no_recommender() -> None:
    with pytest.raises(InputError, match=r"^EpsilonGreedy: expected an object, got a class; call it"):
        mf.simulate(SMALL, recommender=EpsilonGreedy)


@pytest.mark.parametrize("kind", PLATFORM)
def test_the_models_to_copy_keep_the_contract(kind) -> None:
    mf.check_recommender(kind())
    mf.check_recommender(kind(), observe="state")


@pytest.mark.parametrize("rule", [Reinforce(), boltzmann_q, exp3, tracked_means], ids=lambda rule: rule.name)
def test_rules_keep_the_contract(rule) -> None:
    mf.check_recommender(rule)
    mf.check_recommender(rule, observe="state")


class LateNan(Even):
    def serve(self, state, seen):
        policy = super().serve(state, seen)
        if seen.step == 9 and len(policy) > 20:
            policy[17] = np.nan
        return policy


def test_what_breaks_in_the_middle_names_the_person() -> None:
    with pytest.raises(ContractError, match=r"^LateNan\.serve: the row of person 17 "):
        mf.simulate(SMALL, recommender=LateNan())


class Silent:
    def start(self, ids, luck):
        return None

    def react(self, memory, shown, luck):
        return np.full(len(shown), np.nan), memory


class Together(Silent):
    def react(self, memory, shown, luck):
        return luck.noise - luck.noise.mean(), memory


class Halves(Silent):
    def react(self, memory, shown, luck):
        return luck.noise


class Lawless(Silent):
    def react(self, memory, shown, luck):
        return luck.noise, memory

    def law(self, memory, state):
        return np.ones((12, 4, 3))


class FourthState(Lawless):
    law = None

    def arousal(self, memory):
        return np.full(12, 3)


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (Silent, r"^Silent\.react: person 0 has nan$"),
        (Together, r"^Together\.react: what one person does depends on who else is there"),
        (Halves, r"^Halves\.react: expected \(reactions, memory\), got ndarray$"),
        (Lawless, r"^Lawless\.law: expected probabilities of shape \(12, 4, 3\), rows summing to 1$"),
        (FourthState, r"^FourthState\.arousal: expected 0, 1 or 2 for everyone$"),
    ],
)
def test_broken_people_are_named(broken, line: str) -> None:
    with pytest.raises(InputError, match=line):
        mf.simulate(SMALL, people=broken())


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"intervention": {"friction": 0.1}}, "intervention.friction"),
        ({"intervention": {"swap": 0.1}}, "intervention.swap"),
        ({"reward": {"source": "ratings", "rate": 0.5}}, "reward.rate"),
    ],
)
def test_what_cannot_stand_beside_an_own_recommender_is_refused(values, place: str) -> None:
    with pytest.raises(InputError, match=f"^{place}: expected nothing beside a recommender of your own"):
        mf.simulate(mf.Scenario(users=5, steps=3, **values), recommender=Random())


def test_a_metric_that_is_no_number_for_each_person_is_named() -> None:
    with pytest.raises(InputError, match=r"^metrics: mine: expected a finite number for each of 30 people"):
        _ = mf.simulate(SMALL, metrics={"mine": lambda snapshot: 1.0}).summary
    with pytest.raises(InputError, match=r"^metrics: mine: ZeroDivisionError"):
        _ = mf.simulate(SMALL, metrics={"mine": lambda snapshot: 1 // 0}).summary


def test_a_metric_is_a_mean_with_its_standard_error() -> None:
    run = mf.simulate(SMALL, metrics={"hooked": lambda snapshot: snapshot.state == 2})
    hooked = run.part.sample.state[-1] == 2
    found = run.summary["metrics"]["hooked"]
    assert found["mean"] == pytest.approx(run.summary["states"]["hooked"])
    assert found["standard_error"] == pytest.approx(hooked.std(ddof=1) / np.sqrt(30))
