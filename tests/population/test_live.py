"""A crowd held between posts is a run of as many posts, bit for bit."""

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.errors import InputError
from mirrorfield.population.live import LiveCrowd


@pytest.mark.parametrize("users", [100, 1000])
def test_a_crowd_is_a_run_bit_for_bit_whatever_the_pace(users: int) -> None:
    crowd = LiveCrowd(mf.Scenario(users=users, seed=4))
    for posts in (1, 2, 30, 67):
        crowd.advance(posts)
    trace = crowd.look()
    sample = mf.simulate(mf.Scenario(users=users, seed=4, steps=100, record={"users": users})).part.sample
    for name in ("feed", "state", "mean_reaction"):
        assert getattr(trace, name)[0][..., :users].tobytes() == getattr(sample, name)[-1].tobytes(), name
    for name in ("logits", "exposures", "susceptibility", "intentionality"):
        assert getattr(trace, name)[..., :users].tobytes() == getattr(sample, name).tobytes(), name


def test_looking_changes_nothing_and_turning_is_a_nudge() -> None:
    crowd, other = LiveCrowd(mf.Scenario(users=64)), LiveCrowd(mf.Scenario(users=64))
    crowd.advance(50)
    crowd.look()
    crowd.turn(0.1, 0.3)
    crowd.advance(50)
    nudged = mf.Scenario(users=64, steps=100, intervention={"at": 50, "nudge": 0.3})
    sample = mf.simulate(nudged).part.sample
    assert crowd.look().logits[..., :64].tobytes() == sample.logits.tobytes()
    other.turn(0.0)
    other.advance(20)
    assert not other.look().logits.any() and (other.look().exposures.sum(axis=0) == 20).all()


def test_what_it_does_not_hold_is_refused() -> None:
    for part in ({"policy": {"rule": "grpo"}}, {"intensity": {"rungs": 2}}):
        with pytest.raises(InputError, match="expected plain REINFORCE"):
            LiveCrowd(mf.Scenario(users=10, **part))


def test_a_past_is_told_as_it_was_turns_and_all() -> None:
    crowd, kept = LiveCrowd(mf.Scenario(users=200, seed=3)), {}
    for posts, rate, shift in ((20, 0.1, 0.0), (30, 0.4, 0.2), (1, 0.4, -0.3), (40, 0.0, -0.3)):
        crowd.turn(rate, shift)
        crowd.advance(posts)
        kept[crowd.t] = crowd.look()
    past = crowd.retell(130, list(kept))
    for c, seen in enumerate(kept.values()):
        for name in ("feed", "state", "mean_reaction"):
            assert (getattr(past, name)[c, ..., 0] == getattr(seen, name)[0, ..., 130]).all(), (name, c)
    assert (past.exposures[:, 0] == crowd.one(130).exposures[:, 0]).all() and past.exposures.sum() == 91
    assert not crowd.straight and crowd.learning_rate == 0


@pytest.mark.parametrize("users", [100, 1000])
def test_a_survey_sees_everyone(users: int) -> None:
    crowd = LiveCrowd(mf.Scenario(users=users))
    crowd.advance(40)
    whole, seen = crowd.look(), [(first, n, trace.feed[0, :, :n].copy()) for first, n, trace in crowd.survey(256)]
    assert sum(n for _, n, _ in seen) == users and [first for first, _, _ in seen] == list(range(0, users, 256))
    assert (np.concatenate([feed for _, _, feed in seen], axis=1) == whole.feed[0, :, :users]).all()
