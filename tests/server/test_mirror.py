"""The visitor's mirror: the run bit for bit on autopilot, and the loop's equations with a reaction from outside."""

import json
import shlex
from collections.abc import Callable

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.cli.settings import build_scenario
from mirrorfield.engine.rerun import rerun
from mirrorfield.population.posts import posts
from mirrorfield.population.run import plan_run
from mirrorfield.server.again import mirror_again
from mirrorfield.server.catalogue import pick
from mirrorfield.server.messages import READER
from mirrorfield.server.mirror import Mirror, Settings
from mirrorfield.server.parts import PRESETS, Parts
from mirrorfield.server.replay import Reaction
from mirrorfield.server.talk import read

Coming = Callable[[Mirror], int]


def test_autopilot_is_the_run_that_the_page_names_bit_for_bit() -> None:
    mirror = Mirror(Settings(seed=5, intentionality=0.3, learning_rate=0.5))
    steps = [mirror.react() for _ in range(300)]
    words = ["policy.learning_rate=0.5", "population.intentionality.value=0.3"]
    sample = mf.simulate(build_scenario("one-user", words, steps=300, seed=5)).part.sample
    assert sample.logits[:, :, 0].tobytes() == mirror.logits.tobytes()
    assert np.float32(mirror.baseline) == sample.mean_reaction[-1, 0] and mirror.state == sample.state[-1, 0]
    shown = np.bincount([step.category for step in steps], minlength=4)
    assert shown.tolist() == sample.exposures[:, 0].tolist()


def test_a_reaction_from_outside_moves_the_policy_by_the_equations() -> None:
    mirror = Mirror(Settings(seed=3, learning_rate=0.4))
    mean = 0.0
    for t, reward in enumerate([1.5, 0.0, 2.0, 0.25, 1.0], 1):
        before = mirror.logits[mirror.state].astype(float)
        step = mirror.react(reward)
        advantage = reward - mean
        chosen = np.eye(4)[step.category]
        expected = np.exp(before + 0.4 * advantage * (chosen - step.before))
        mean += advantage / t
        assert step.reward == pytest.approx(reward, abs=1e-6) and step.advantage == pytest.approx(advantage, abs=1e-6)
        assert step.after == pytest.approx(expected / expected.sum(), abs=1e-6)
        assert step.new_baseline == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize(("wanted", "other"), [(3, 0), (0, 3)])
def test_liking_one_kind_moves_the_policy_towards_it(coming: Coming, wanted: int, other: int) -> None:
    mirror = Mirror(Settings(seed=4))
    for _ in range(60):
        mirror.react(2.0 if coming(mirror) == wanted else 0.0)
    served = mirror.policy[mirror.state]
    assert served[wanted] > 0.6 and served[wanted] > 5 * served[other]


def test_turning_goes_on_with_the_same_luck() -> None:
    mirror = Mirror(Settings(seed=6))
    straight = [mirror.react().category for _ in range(20)]
    turned = Mirror(Settings(seed=6))
    first = [turned.react().category for _ in range(10)]
    turned.turn(Settings(seed=6, intentionality=1.0, noise=0.0, learning_rate=0.0))
    held = turned.logits.copy()
    later = [turned.react() for _ in range(10)]
    assert first == straight[:10] and turned.t == 20 and (turned.logits == held).all()
    assert {round(step.reward, 6) for step in later} <= {0.1, 0.2, 1.0}


def test_arousal_moves_as_the_arrays_engine_has_it() -> None:
    settings = Settings(seed=7, intentionality=0.1)
    mirror = Mirror(settings)
    states = [mirror.react().next_state for _ in range(200)]
    again = rerun(plan_run(settings.scenario(200)), np.arange(1))
    assert states == again.state[1:, 0].tolist()


def test_the_catalogue_has_sixty_posts_or_more_and_picks_the_same_again() -> None:
    written = posts()
    assert len(written) >= 60 and len({post.text for post in written}) == len(written)
    kinds = {(post.category, post.intensity) for post in written}
    assert kinds == {(c.name, i) for c in mf.Scenario().categories for i in range(3)}
    assert pick("depth", 7, 1) == pick("depth", 7, 1)
    assert len({pick("threat", t, 1).text for t in range(200)}) == 15


def test_a_reaction_is_the_shown_formula() -> None:
    told = [("skip", 0.0), ("skip", 4.0), ("like", 8.0), ("share", 99.0)]
    assert [Reaction(*one).reward for one in told] == [0, 0.5, 1.5, 2.0]


RULES = {
    **PRESETS,
    "leash": Parts(beta=0.3),
    "passes": Parts(epochs=4, clip=0.2),
    "value": Parts(session=4, baseline="value"),
    "spread": Parts(session=2, epochs=2, z_score=True),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_on_autopilot_is_the_run_and_the_python_that_the_page_shows_bit_for_bit(name: str, capsys) -> None:
    mirror = Mirror(Settings(seed=5, intentionality=0.3, learning_rate=0.5, parts=RULES[name]))
    for _ in range(203):
        mirror.react()
    assert mirror.straight
    again = mirror_again(mirror.settings, mirror.t)
    words = [word for word in shlex.split(again["command"])[3:] if "=" in word]
    sample = mf.simulate(build_scenario("one-user", words, steps=203, seed=5)).part.sample
    assert sample.logits[:, :, 0].tobytes() == mirror.logits.tobytes()
    assert np.float32(mirror.baseline) == sample.mean_reaction[-1, 0]
    shown: dict = {}
    exec(again["python"], shown)
    assert shown["policy"].tobytes() == mirror.policy.tobytes() and capsys.readouterr().out


def test_parts_that_are_off_are_plain_reinforce_bit_for_bit() -> None:
    plain = Mirror(Settings(seed=8))
    mirror = Mirror(Settings(seed=8))
    for parts in (Parts(), Parts(clip=0.2), Parts()):  # a clip does nothing to a post that is learned from once
        mirror.turn(Settings(seed=8, parts=parts))
        for _ in range(40):
            step, other = plain.react(), mirror.react()
            assert (step.reward, step.advantage, step.category) == (other.reward, other.advantage, other.category)
    assert plain.logits.tobytes() == mirror.logits.tobytes() and plain.straight and not mirror.straight


def test_a_rule_begins_with_the_next_session_and_keeps_its_posts_until_the_last() -> None:
    mirror = Mirror(Settings(seed=9))
    for _ in range(5):
        mirror.react(1.0)
    mirror.turn(Settings(parts=PRESETS["GRPO"]))
    assert mirror.due and [mirror.react(0.5).advantage is None for _ in range(3)] == [False] * 3
    held, states = mirror.policy, set()
    for place in range(8):
        states.add(mirror.state)
        step = mirror.react(2.0 if place == 7 else 0.0)
        assert not mirror.due and (step.session is None) == (place < 7) and (step.advantage is None) == (place < 7)
        assert place == 7 or (mirror.policy == held).all()
    assert states == {step.state} and step.session is not None and set(step.session.states) == states
    spread = (np.array([0.0] * 7 + [2.0]) - 0.25) / np.std([0.0] * 7 + [2.0], ddof=1)
    assert step.session.advantages == pytest.approx(spread.tolist(), abs=1e-5)
    assert mirror.policy[step.state, step.category] > held[step.state, step.category]


def test_parts_that_the_docs_refuse_are_refused_in_one_line() -> None:
    for wrong in ({"baseline": "group-mean"}, {"z_score": True}, {"session": 3}, {"clip": 0.0}):
        said = read(READER, json.dumps({"type": "turn"} | wrong))
        assert (isinstance(said, str) and "\n" not in said and "expected" in said.lower()) or "should" in said
