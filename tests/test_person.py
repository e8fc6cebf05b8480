"""One person, run again from their id, is who they are in the run of everybody."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import mirrorfield as mf
from mirrorfield.cli.main import app

SMALL = {"users": 40, "steps": 120, "record": {"users": 40, "steps": 12}}


@pytest.fixture(scope="module")
def everybody() -> mf.Run:
    return mf.simulate(mf.Scenario(**SMALL))


@pytest.mark.parametrize("who", [0, 1, 17, 39])
def test_a_person_is_who_they_are_among_everybody(who: int, everybody: mf.Run) -> None:
    found, sample = mf.person(everybody.scenario, who), everybody.part.sample
    for name in ("diet", "served", "susceptibility", "exposures", "time_in_state", "state"):
        assert np.array_equal(getattr(found, name), getattr(sample, name)[..., who]), name
    assert found.intentionality == sample.intentionality[who] and found.two_faced == bool(sample.two_faced[-1, who])
    locked = np.flatnonzero(sample.diet[:, :, who].max(axis=1) > 0.9)
    assert found.locked_in_at == (everybody.plan.steps[locked[0]] if len(locked) else None)


def test_posts_agree_with_the_lanes_and_with_the_logs(everybody: mf.Run) -> None:
    logs = everybody.logs(40).to_frame()
    for who in (3, 22):
        found = mf.person(everybody.scenario, who)
        frame, logged = found.to_frame(), logs[logs["person"] == who]
        assert frame["shown"].tolist() == logged["shown"].astype(str).tolist()
        assert np.bincount(found.posts.shown, minlength=4).tolist() == found.exposures.tolist()
        assert frame["reaction"].mean() == pytest.approx(found.mean_reaction, abs=1e-5)
        inner = found.step[found.step < 120]
        assert found.posts.state[inner].tolist() == found.state[: len(inner)].tolist()
        assert sum(found.posts_in_state.values()) == 120


def test_a_person_is_told_shortly() -> None:
    found = mf.person(mf.Scenario(**SMALL), 5)
    assert 2 <= len(repr(found).splitlines()) <= 5 and f"lambda {found.intentionality:.3f}" in repr(found)
    assert f"{found.intentionality:.3f}" in found._repr_html_()


@pytest.mark.parametrize("who", [-1, 40, 1.5, True, "3"])
def test_somebody_who_is_not_there_is_refused(who: object) -> None:
    with pytest.raises(mf.InputError, match="expected an id from 0 to 39"):
        mf.person(mf.Scenario(**SMALL), who)  # type: ignore[arg-type]


def test_the_command_tells_the_same() -> None:
    words = ["person", "7", "--users", "40", "--steps", "120"]
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    found = mf.person(mf.Scenario(users=40, steps=120), 7)
    assert told["intentionality"] == found.intentionality and told["exposures"] == found.exposures.tolist()
    text = CliRunner().invoke(app, words).stdout
    assert "Person 7 of default" in text and f"{found.intentionality:.3f}" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    "parts", [{"policy": {"rule": "ppo"}}, {"policy": {"rule": "grpo"}}, {"intervention": {"swap": 0.5}}]
)
def test_a_person_has_their_posts_under_any_rule_and_among_partners(parts) -> None:
    base = mf.Scenario(**SMALL, **parts)
    found, sample = mf.person(base, 11), mf.simulate(base).part.sample
    assert np.array_equal(found.diet, sample.diet[..., 11])
    assert np.bincount(found.posts.shown, minlength=4).tolist() == sample.exposures[:, 11].tolist()
