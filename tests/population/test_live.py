"""A crowd held between posts is a run of as many posts, bit for bit."""

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.errors import InputError
from mirrorfield.population.live import Crowd


@pytest.mark.parametrize("users", [100, 1000])
def test_a_crowd_is_a_run_bit_for_bit_whatever_the_pace(users: int) -> None:
    crowd = Crowd(mf.Scenario(users=users, seed=4))
    for posts in (1, 2, 30, 67):
        crowd.advance(posts)
    trace = crowd.look()
    sample = mf.simulate(mf.Scenario(users=users, seed=4, steps=100, record={"users": users})).part.sample
    for name in ("feed", "state", "mean_reaction"):
        assert getattr(trace, name)[0][..., :users].tobytes() == getattr(sample, name)[-1].tobytes(), name
    for name in ("logits", "exposures", "susceptibility", "intentionality"):
        assert getattr(trace, name)[..., :users].tobytes() == getattr(sample, name).tobytes(), name


def test_looking_changes_nothing_and_turning_is_a_nudge() -> None:
    crowd, other = Crowd(mf.Scenario(users=64)), Crowd(mf.Scenario(users=64))
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
            Crowd(mf.Scenario(users=10, **part))


def test_frames_hold_where_everyone_stands() -> None:
    from mirrorfield.report.geometry import corners
    from mirrorfield.server.crowd import REACH, figures, frame, new_crowd, person

    crowd = new_crowd(1, 0.1)
    crowd.advance(300)
    told, n = frame(crowd, crowd.look()), 20_000
    assert len(told) == 4 + 5 * n and np.frombuffer(told, "<u4", 1)[0] == 300
    spots = np.frombuffer(told, "<i2", 2 * n, 4).reshape(2, n).T / REACH
    feed = crowd.look().feed[0, :, :n].T.astype(float)
    assert np.abs(spots - feed @ corners(4) * np.sqrt(2)).max() <= 0.5 / REACH + 1e-9
    category = np.frombuffer(told, np.uint8, n, 4 + 4 * n)
    said = figures(crowd, crowd.look())
    assert (np.bincount(category, minlength=4) / n).tolist() == said["shares"]
    summary = mf.simulate(mf.Scenario(users=n, steps=300)).summary
    assert said["locked_in"] == summary["locked_in"] and said["shares"] == list(summary["shares"].values())
    assert said["filter_bubble"] == pytest.approx(summary["filter_bubble"], abs=1e-6)
    one = person(crowd, crowd.look(), 7)
    assert sum(one["shown"]) == 300 and sum(one["feed"]) == pytest.approx(1, abs=1e-5)
