"""A rule in a few lines: the lanes do what the arrays engine does, and each rule does what its closed form says."""

import itertools
import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.contract import Own
from mirrorfield.engine import arrays
from mirrorfield.engine.own import load_recommender, with_own
from mirrorfield.errors import InputError
from mirrorfield.policy.softmax import softmax
from mirrorfield.population.run import plan_run, run_block
from mirrorfield.recommenders import Reinforce, UpdateRule, boltzmann_q, exp3, tracked_means, update_rule
from mirrorfield.validation.bandit import bandit


def scenario(**values) -> mf.Scenario:
    return mf.Scenario(**({"users": 200, "steps": 40, "seed": 11, "record": {"steps": 5}} | values))


def test_reinforce_as_a_rule_is_the_loop_that_is_built_in_bit_for_bit() -> None:
    world = scenario(policy={"learning_rate": 0.2, "start": [[0.3, -0.2, 0.1, 0.0]] * 3})
    plan = plan_run(world)
    own = with_own(plan, Reinforce(0.2, world.rules[0].start_logits(4)), None, "state")
    for one, other in zip(run_block(plan, 0, 200).sample, run_block(own, 0, 200).sample, strict=True):
        assert one.tobytes() == other.tobytes()


def feeds(rule: UpdateRule, mean, users: int, steps: int, engine=run_block):
    """Return the feeds (users, K) and exposures (users, K) of equal people whose rewards are `mean`, without noise."""
    world = bandit(np.array(mean), np.zeros(len(mean)), 0.1, users, steps, seed=3)
    trace = engine(with_own(plan_run(world), rule), 0, users).sample
    return trace.feed[-1].T.astype(float), trace.exposures.T


def test_boltzmann_q_has_the_closed_form_of_its_exposures() -> None:
    """Without noise Q_a = r_a (1 - (1 - rate)^n) after n posts of arm a, whatever their order."""
    mean, rate, sharpness = np.array([0.9, 0.4, -0.3]), 0.15, 3.0
    served, shown = feeds(boltzmann_q(rate=rate, sharpness=sharpness), mean, 500, 60)
    expected = softmax(sharpness * mean * (1 - (1 - rate) ** shown))
    np.testing.assert_allclose(served, expected, atol=2e-6)


def test_exp3_in_expectation_moves_every_logit_by_its_own_reward() -> None:
    """E[sum of rate 1[a] r_a / b] = rate t r_a: the mean of the log-ratios over people, within 4 standard errors."""
    mean, rate, steps = np.array([0.8, 0.5, 0.1]), 0.02, 50
    served, _ = feeds(exp3(rate=rate), mean, 40_000, steps)
    ratio = np.log(served[:, :2] / served[:, 2:])
    z = (ratio.mean(0) - rate * steps * (mean[:2] - mean[2])) / (ratio.std(0) / np.sqrt(len(ratio)))
    assert np.abs(z).max() < 4, z


def test_the_limit_of_small_steps_of_exp3_is_the_replicator_equation() -> None:
    """At rate x steps held at 3, feeds close in on pi_a(t) ~ exp(3 r_a), the replicator's solution, as sqrt(rate)."""
    mean = np.array([0.8, 0.5, 0.1])
    replicator = softmax(3 * mean)
    away = [np.sqrt(((feeds(exp3(rate=3 / t), mean, 2000, t)[0] - replicator) ** 2).mean()) for t in (100, 400, 1600)]
    assert away[0] < 0.12
    assert all(1.6 < one / other < 2.5 for one, other in itertools.pairwise(away)), away


def test_tracked_means_are_the_discounted_means_of_the_log() -> None:
    """From every post shown and its reward: sum keep^(T - t) G 1[a] / sum keep^(T - t) 1[a]."""
    keep, sharpness, steps = 0.9, 3.0, 30
    world = scenario(users=50, steps=steps)
    run = mf.simulate(world, recommender=tracked_means(keep=keep, sharpness=sharpness))
    log, names = run.logs(50).to_frame(), [category.name for category in world.categories]
    for person, posts in log.groupby("person"):
        weight = keep ** (steps - 1 - np.arange(steps))
        chosen = posts["shown"].to_numpy()[:, None] == np.array(names)
        count = (weight[:, None] * chosen).sum(0)
        value = (weight[:, None] * chosen * posts["reward"].to_numpy()[:, None]).sum(0) / np.where(count, count, 1)
        np.testing.assert_allclose(run.part.sample.feed[-1][:, person], softmax(sharpness * value), atol=5e-6)


def test_the_same_bytes_in_any_blocks_threads_and_processes(tmp_path) -> None:
    pytest.importorskip("distributed")
    world = scenario(users=300)
    expected = [each.tobytes() for each in mf.simulate(world, recommender=exp3, threads=1).part.sample]
    for how in ({"threads": 2, "block": 33}, {"dask": "local:1", "block": 100}, {"out": tmp_path / "run"}):
        run = mf.simulate(world, recommender=exp3, **how)
        assert [each.tobytes() for each in run.part.sample] == expected
        assert run.summary["recommender"] == "exp3"


def test_a_run_goes_on_with_the_same_rule_only(tmp_path) -> None:
    mf.simulate(scenario(), recommender=exp3, out=tmp_path / "run")
    with pytest.raises(InputError, match="own recommender or people"):
        mf.simulate(scenario(), recommender=exp3(rate=0.03), out=tmp_path / "run", resume=True)


def test_parameters_are_changed_by_a_call_and_travel() -> None:
    rule = exp3(rate=0.5)
    assert repr(rule) == repr(pickle.loads(pickle.dumps(rule))) == "exp3(rate=0.5)"
    assert exp3.parameters == {"rate": 0.02}
    with pytest.raises(InputError, match=r"^exp3: it has no parameter rat\. Did you mean \"?rate"):
        exp3(rat=1)
    with pytest.raises(InputError, match=r"^exp3\.rate: expected a finite number, got nan"):
        exp3(rate=math.nan)


def test_a_function_of_another_form_is_one_line() -> None:
    with pytest.raises(InputError, match=r"^odd: expected the arguments logit, policy, .* got logit, reward"):

        @update_rule()
        def odd(logit, reward):
            return logit

    with pytest.raises(InputError, match=r"^odd\.rate: expected a number as its default"):

        @update_rule()
        def odd(logit, policy, chosen, advantage, reward, propensity, rate):
            return logit


FACTOR = 0.5


def halved(value):
    return np.minimum(value, 9) * FACTOR


@update_rule()
def by_a_global(logit, policy, chosen, advantage, reward, propensity):
    return logit + halved(advantage) * chosen


@update_rule()
def with_a_library(logit, policy, chosen, advantage, reward, propensity):
    return logit + math.exp(policy) * chosen


@update_rule()
def with_tan(logit, policy, chosen, advantage, reward, propensity):
    return logit + np.tan(policy) * chosen


@update_rule(value=0.0)
def with_too_little(logit, policy, chosen, advantage, reward, propensity, value):
    return logit


@update_rule(level=1.0)
def with_everything(logit, policy, chosen, advantage, reward, propensity, level, rate=1):
    level = np.where(chosen > 0, np.minimum(level * 1.1, 3), np.maximum(level * 0.99, 0.2))
    return logit + rate * np.sqrt(level) * np.abs(advantage) * (chosen - policy) * np.exp(-level) * np.log(
        level + 2
    ), level


def test_numbers_are_float32_and_numpy_is_the_package_s_own() -> None:
    for rule in (by_a_global, with_everything):
        plan = with_own(plan_run(scenario()), rule)
        lanes, numpy = run_block(plan, 0, 200).sample, arrays.run_block(plan, 0, 200).sample
        same = (lanes.exposures == numpy.exposures).all(axis=0)
        assert same.mean() > 0.98
        np.testing.assert_allclose(lanes.feed[..., same], numpy.feed[..., same], atol=5e-5)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (with_tan, r"^with_tan: expected one of NumPy's abs, exp, .*, got tan"),
        (with_a_library, r"^with_a_library(\.learn)?: "),
        (with_too_little, r"^with_too_little\.learn: ValueError"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_cannot_be_compiled_is_one_line(rule: UpdateRule, words: str) -> None:
    with pytest.raises(InputError, match=words):
        mf.simulate(scenario(), recommender=rule)


def test_a_library_s_last_bit_is_refused_where_it_is_compiled() -> None:
    plan = plan_run(scenario())
    with pytest.raises(InputError, match=r"^with_a_library: .*got exp, which is not the same to the bit"):
        run_block(replace(plan, own=Own(with_a_library)), 0, 1)


def test_the_command_line_takes_every_rule_by_name() -> None:
    for words, name in (("Reinforce", "reinforce"), ("exp3", "exp3")):
        assert load_recommender(f"mirrorfield.recommenders:{words}").name == name
