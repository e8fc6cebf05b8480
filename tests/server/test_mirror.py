"""The visitor's mirror: the run bit for bit on autopilot, and the loop's equations with a reaction from outside."""

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.cli.settings import build_scenario
from mirrorfield.population.posts import posts
from mirrorfield.population.reference import simulate_reference
from mirrorfield.server.catalogue import pick
from mirrorfield.server.messages import READER
from mirrorfield.server.mirror import Mirror, Settings


def test_autopilot_is_the_run_that_the_page_names_bit_for_bit() -> None:
    mirror = Mirror(Settings(seed=5, intentionality=0.3, learning_rate=0.5))
    steps = [mirror.react() for _ in range(300)]
    words = ["policy.learning_rate=0.5", "population.intentionality.value=0.3"]
    sample = mf.simulate(build_scenario("one-user", words, steps=300, seed=5)).part.sample
    assert sample.logits[:, :, 0].tobytes() == mirror.logits.tobytes()
    assert np.float32(mirror.baseline) == sample.mean_reaction[-1, 0] and mirror.state == sample.state[-1, 0]
    shown = np.bincount([step.category for step in steps], minlength=4)
    assert shown.tolist() == sample.exposures[:, 0].tolist()


def test_an_offer_is_what_comes_and_changes_nothing() -> None:
    mirror, other = Mirror(Settings(seed=2)), Mirror(Settings(seed=2))
    for _ in range(50):
        offered = [mirror.offer() for _ in range(3)]
        assert offered == [mirror.react(0.7).category] * 3
        other.react(0.7)
    assert mirror.logits.tobytes() == other.logits.tobytes()


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
def test_liking_one_kind_moves_the_policy_towards_it(wanted: int, other: int) -> None:
    mirror = Mirror(Settings(seed=4))
    for _ in range(60):
        mirror.react(2.0 if mirror.offer() == wanted else 0.0)
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


def test_arousal_moves_as_the_reference_has_it() -> None:
    settings = Settings(seed=7, intentionality=0.1)
    mirror = Mirror(settings)
    states = [mirror.react().next_state for _ in range(200)]
    reference = simulate_reference(settings.scenario(200), np.arange(1))
    assert states == reference.states[:, 0].tolist()


def test_the_catalogue_has_sixty_posts_or_more_and_picks_the_same_again() -> None:
    written = posts()
    assert len(written) >= 60 and len({post.text for post in written}) == len(written)
    kinds = {(post.category, post.intensity) for post in written}
    assert kinds == {(c.name, i) for c in mf.Scenario().categories for i in range(3)}
    assert pick("depth", 7, 1) == pick("depth", 7, 1)
    assert len({pick("threat", t, 1).text for t in range(200)}) == 15


def test_a_reaction_is_the_shown_formula() -> None:
    def reward(action: str, dwell: float) -> float:
        return READER.validate_python({"type": "react", "action": action, "dwell": dwell}).reward

    assert [reward("skip", 0), reward("skip", 4), reward("like", 8), reward("share", 99)] == [0, 0.5, 1.5, 2.0]
