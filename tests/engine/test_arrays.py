"""The arrays engine: the same people and luck as the lanes, in any blocks, threads and processes."""

import json
from pathlib import Path

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.engine import arrays
from mirrorfield.engine.luck import PostLuck
from mirrorfield.engine.own import with_own
from mirrorfield.errors import InputError
from mirrorfield.people import Markov, Satiated
from mirrorfield.population.run import plan_run, run_block
from mirrorfield.recommenders import (
    BPR,
    EpsilonGreedy,
    Random,
    Reinforce,
    Thompson,
    UpdateRule,
    boltzmann_q,
    exp3,
    tracked_means,
)
from mirrorfield.streams import INTERACTION, next_word, stream

WORLDS = {
    "plain": {},
    "start": {"policy": {"start": [[0.3, -0.2, 0.1, 0.0], [0.0, 0.4, 0.0, -0.4], [0.5, 0.0, -0.5, 0.0]]}},
    "rungs": {"intensity": {"rungs": 3, "slope": 0.4, "width": 0.3, "eta": 0.2, "decay": 0.05}},
    "cap": {"intensity": {"rungs": 4, "slope": 0.3, "eta": 0.1}, "intervention": {"at": 12, "intensity_cap": 0.5}},
    "quota": {"intervention": {"at": 10, "quota": 0.6, "exploration": 0.1}},
    "nudge": {"intervention": {"at": 16, "nudge": 0.4, "nudge_share": 0.5}},
    "ratings": {"reward": {"source": "ratings", "noise": 0.7}},
    "context": {"context": {"kappa": 0.7, "memory": 10.0, "priming": 0.3}},
    "retrieval": {"retrieval": {"corpus": "posts", "retriever": "history", "count": 6, "refresh": 8}},
}


def scenario(**values) -> mf.Scenario:
    return mf.Scenario(**({"users": 200, "steps": 40, "seed": 11, "record": {"steps": 5}} | values))


@pytest.mark.parametrize("name", WORLDS)
def test_reinforce_in_arrays_is_reinforce_in_lanes(name: str) -> None:
    """The same posts for everyone, and diets that differ by float32 rounding: a wrong draw or step parts them."""
    world = scenario(**WORLDS[name])
    rule = world.rules[0]
    own = Reinforce(rule.learning_rate, rule.start_logits(world.arms))
    lanes = mf.simulate(world).part.sample
    arrays_ = arrays.run_block(with_own(plan_run(world), own, None, "state"), 0, world.users).sample
    same = (lanes.exposures == arrays_.exposures).all(axis=0)
    assert same.mean() > 0.98  # a post changes where a uniform lies within 1e-6 of a boundary: 200 x 40 posts
    for field in ("diet", "feed", "mean_reaction", "time_in_state", "served"):
        np.testing.assert_allclose(getattr(lanes, field)[..., same], getattr(arrays_, field)[..., same], atol=2e-5)
    for field in ("state", "two_faced", "segment"):
        assert (getattr(lanes, field)[..., same] == getattr(arrays_, field)[..., same]).mean() > 0.999
    assert np.array_equal(lanes.intentionality, arrays_.intentionality)
    assert np.array_equal(lanes.susceptibility, arrays_.susceptibility)


RULES = (Reinforce(), boltzmann_q, tracked_means, exp3)


@pytest.mark.parametrize("observe", ["state", "history"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("world", WORLDS)
def test_rules_in_lanes_do_what_the_arrays_do(world: str, rule: UpdateRule, observe: str) -> None:
    """The same posts for everyone, and diets that differ by float32 rounding: a wrong row, sign or order parts them."""
    plan = with_own(plan_run(scenario(**WORLDS[world])), rule, None, observe)
    assert plan.own.in_lanes
    lanes, numpy = run_block(plan, 0, 200).sample, arrays.run_block(plan, 0, 200).sample
    same = (lanes.exposures == numpy.exposures).all(axis=0)
    assert same.mean() > 0.98  # a post changes where a uniform lies within 1e-6 of a boundary: 200 x 40 posts
    for field in ("diet", "feed", "mean_reaction", "time_in_state", "served"):
        np.testing.assert_allclose(getattr(lanes, field)[..., same], getattr(numpy, field)[..., same], atol=5e-5)


def published(run: mf.Run) -> list[bytes]:
    dataset = run.dataset
    return [
        json.dumps(run.summary).encode(),
        *(np.asarray(dataset[name]).tobytes() for name in sorted(dataset.data_vars)),
    ]


@pytest.mark.parametrize("own", [EpsilonGreedy(), Thompson()])
def test_the_same_bytes_in_any_blocks_and_threads(own, monkeypatch: pytest.MonkeyPatch) -> None:
    world = scenario()
    expected = published(mf.simulate(world, recommender=own, threads=1))
    assert published(mf.simulate(world, recommender=own, threads=2, block=33)) == expected
    monkeypatch.setattr(arrays, "CHUNK", 7)
    assert published(mf.simulate(world, recommender=own, threads=1)) == expected


def test_the_same_bytes_on_processes() -> None:
    pytest.importorskip("distributed")
    world = scenario(users=60)
    expected = published(mf.simulate(world, recommender=EpsilonGreedy()))
    assert published(mf.simulate(world, recommender=EpsilonGreedy(), dask="local:1", block=20)) == expected


class Fragile(EpsilonGreedy):
    """Works until a file says that it should not."""

    def __init__(self, sign: str) -> None:
        super().__init__()
        self.sign = sign

    def serve(self, state, seen):
        if len(seen.last_shown) == 40 and Path(self.sign).exists():
            raise RuntimeError("the model server is down")
        return super().serve(state, seen)


def test_a_recommender_that_raises_leaves_a_run_that_can_be_resumed(tmp_path: Path) -> None:
    world, sign, out = scenario(), tmp_path / "down", tmp_path / "run"
    own = Fragile(str(sign))
    expected = published(mf.simulate(world, recommender=own))
    sign.touch()
    with pytest.raises(InputError, match=r"^Fragile\.serve: RuntimeError: the model server is down"):
        mf.simulate(world, recommender=own, out=out, block=80, threads=1)
    with pytest.raises(InputError, match="recommender or people"):
        mf.simulate(world, out=out, resume=True)
    sign.unlink()
    resumed = mf.simulate(world, recommender=own, out=out, resume=True)
    assert published(resumed) == expected
    with pytest.raises(InputError, match="own recommender or people"):
        mf.simulate(world, recommender=EpsilonGreedy(0.2), out=out, resume=True)


def test_a_shared_recommender_runs_in_one_block() -> None:
    world = scenario()
    with pytest.raises(InputError, match=r"^block: expected no block beside a shared recommender"):
        mf.simulate(world, recommender=BPR(), block=50)
    expected = published(mf.simulate(world, recommender=BPR(), threads=1))
    assert published(mf.simulate(world, recommender=BPR(), threads=2)) == expected


def test_people_who_never_get_bored_are_the_people_of_the_scenario() -> None:
    world = scenario()
    plain = mf.simulate(world, people=Markov)
    assert published(mf.simulate(world, people=Satiated(world, boredom=0.0)))[1:] == published(plain)[1:]
    assert published(mf.simulate(world, people=Satiated))[1:] != published(plain)[1:]


def test_own_people_have_the_luck_of_their_posts() -> None:
    """Under one recommender that ignores them, people of the scenario and bored ones are shown the same posts."""
    world = scenario()
    one = mf.simulate(world, recommender=Random()).part.sample
    other = mf.simulate(world, recommender=Random(), people=Satiated).part.sample
    assert np.array_equal(one.exposures, other.exposures)
    assert np.array_equal(one.state, other.state)
    assert (other.mean_reaction[-1] < one.mean_reaction[-1]).mean() > 0.9


def test_the_luck_of_posts_is_made_of_their_four_words() -> None:
    """In float64, from the words themselves: both engines draw by one compiled function, so it has its own test."""
    ids = np.array([0, 3, 1_000_003])
    luck = PostLuck(7, ids)
    with np.errstate(over="ignore"):
        words = stream(np.uint64(7), ids.astype(np.uint64), INTERACTION)
    for _ in range(40):
        luck.next_post()
        drawn = []
        for _ in range(4):
            with np.errstate(over="ignore"):
                word, *words = next_word(*words)
            drawn.append((word >> 8) / 2**24)
        choice, radius, angle, transition = drawn
        noise = np.sqrt(-2 * np.log(radius + 2**-24)) * np.cos(2 * np.pi * angle)
        assert np.array_equal(luck.choice, choice) and np.array_equal(luck.transition, transition)
        np.testing.assert_allclose(luck.noise, noise, atol=2e-6)


class Coins:
    """People without arousal: what they like is decided by coins of their own."""

    def start(self, ids, luck):
        return luck.uniform() < 0.5

    def react(self, memory, shown, luck):
        return np.where(memory, shown == 0, shown == 1) + 0.1 * luck.normal(), memory


def test_people_without_arousal_have_their_feed_as_their_diet() -> None:
    run = mf.simulate(scenario(steps=200), recommender=EpsilonGreedy(0.1), people=Coins())
    sample, summary = run.part.sample, run.summary
    assert np.array_equal(sample.diet, sample.feed)
    assert summary["people"] == "Coins" and summary["states"]["calm"] == 1
    assert summary["shares"]["threat"] + summary["shares"]["tribal"] > 0.99
    assert abs(summary["shares"]["threat"] - 0.5) < 4 * np.sqrt(0.25 / 200)


def test_groups_are_refused_beside_own_people_and_other_rules_learn_from_them() -> None:
    with pytest.raises(InputError, match=r"^policy.group: expected 1 beside people of your own"):
        mf.simulate(scenario(policy={"rule": "grpo"}), people=Satiated)
    change = {"at": 20, "friction": 0.3}
    for parts in (
        {"policy": {"rule": "ppo", "horizon": 8}},
        {"intervention": change},
        {"reward": {"source": "ratings", "rate": 0.5}},
    ):
        world = scenario(**parts)
        lanes, own = mf.simulate(world).part.sample, mf.simulate(world, people=Satiated(world, boredom=0.0)).part.sample
        same = (lanes.exposures == own.exposures).all(axis=0)
        assert same.mean() > 0.98
        np.testing.assert_allclose(lanes.diet[..., same], own.diet[..., same], atol=1e-4)
