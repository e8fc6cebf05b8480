"""Studies ask the same questions of a recommender and people of one's own."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mirrorfield as mf
from mirrorfield.cli.main import app
from mirrorfield.cli.table import stdout, summary_view
from mirrorfield.errors import InputError
from mirrorfield.people import Satiated
from mirrorfield.recommenders import EpsilonGreedy, Random, Thompson

SMALL = mf.Scenario(users=120, steps=30, seed=3)


def largest(snapshot) -> np.ndarray:
    return snapshot.exposures.max(axis=1) / snapshot.exposures.sum(axis=1)


def test_settings_scenarios_and_recommenders_are_arms() -> None:
    quota = mf.Scenario(users=120, steps=30, seed=3, intervention={"quota": 0.6})
    arms = {"cap": {"intervention.quota": 0.6}, "same": quota, "thompson": Thompson(), "random": Random()}
    found = mf.compare(SMALL, arms, {"largest share of posts": largest})
    by_name = {arm.name: {effect.metric: effect for effect in arm.effects} for arm in found.arms}
    assert by_name["cap"] == by_name["same"]
    run = mf.simulate(SMALL, recommender=Thompson())
    assert by_name["thompson"]["locked_in"].changed == pytest.approx(run.summary["locked_in"])
    assert by_name["random"]["locked_in"].changed == 0
    frame = found.to_frame()
    assert set(frame["arm"]) == set(arms)
    mine = frame[(frame["arm"] == "random") & (frame["metric"] == "largest share of posts")].iloc[0]
    shown = mf.simulate(SMALL, recommender=Random()).part.sample.exposures
    assert mine["changed"] == pytest.approx((shown.max(axis=0) / shown.sum(axis=0)).mean())
    assert mine["low"] < mine["difference"] < mine["high"]


def test_an_arm_of_other_people_is_refused() -> None:
    with pytest.raises(InputError, match=r"^compare: more: expected the base's users"):
        mf.compare(SMALL, {"more": {"users": 7}})
    with pytest.raises(InputError, match=r"unknown key"):
        mf.compare(SMALL, {"typo": {"intervension.quota": 0.6}})
    with pytest.raises(InputError, match=r"^str: expected a recommender"):
        mf.compare(SMALL, {"text": "intervention.quota=0.6"})


def test_people_of_ones_own_hold_in_every_arm() -> None:
    found = mf.compare(SMALL, {"thompson": Thompson()}, ["mean_reaction"], people=Satiated)
    (effect,) = found.arms[0].effects
    assert effect.base == pytest.approx(mf.simulate(SMALL, people=Satiated).summary["mean_reaction"], abs=1e-5)
    own = mf.simulate(SMALL, recommender=Thompson(), people=Satiated)
    assert effect.changed == pytest.approx(own.summary["mean_reaction"], abs=1e-5)


def test_a_population_under_ones_own_recommender_tips() -> None:
    found = mf.tip(SMALL, tolerance=0.2, warm=False, recommender=EpsilonGreedy())
    assert found.bracket[1] - found.bracket[0] <= 0.2
    assert found.value[0] < 0.5 < found.value[-1]


def test_neighbours_under_ones_own_recommender() -> None:
    world = mf.Scenario(steps=20)
    found = mf.neighbours(world, (0.0,), pairs=60, recommender=EpsilonGreedy())
    assert found.distances[0].same_luck.value == 0
    with pytest.raises(InputError, match="built on Markov"):
        mf.neighbours(world, (0.0,), pairs=10, people=Strangers())


class Strangers:
    def start(self, ids, luck):
        return None

    def react(self, memory, shown, luck):
        return luck.noise, memory


def test_a_sweep_is_of_one_recommender(tmp_path: Path) -> None:
    spec = mf.Sweep(set={"users": 40, "steps": 10}, over={"policy.learning_rate": {"values": [0.1, 0.2]}})
    found = mf.sweep(spec, tmp_path / "s", recommender=EpsilonGreedy())
    assert (
        float(found["locked_in"][0])
        == mf.simulate(mf.Scenario(users=40, steps=10), recommender=EpsilonGreedy()).summary["locked_in"]
    )
    with pytest.raises(InputError, match="holds another sweep"):
        mf.sweep(spec, tmp_path / "s", recommender=EpsilonGreedy(0.3))


MINE = """
import numpy as np

class Mine:
    shared = False
    def start(self, people, categories, rng):
        return None
    def serve(self, state, seen):
        return seen.allowed / seen.allowed.sum(1, keepdims=True)
    def learn(self, state, seen, shown, reward, propensity):
        return state
"""


def test_the_command_line_runs_what_module_and_name_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_feed.py").write_text(MINE)
    words = ["run", "--users", "40", "--steps", "10", "--recommender", "my_feed:Mine", "--out", "r", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0 and json.loads(done.stdout)["recommender"] == "Mine"
    again = CliRunner().invoke(app, [*words, "--resume"])
    assert again.exit_code == 0 and again.stdout == done.stdout
    done = CliRunner().invoke(
        app, ["compare", "--users", "40", "--steps", "10", "--recommender", "my_feed:Mine", "--metric", "locked_in"]
    )
    assert done.exit_code == 0 and "my_feed:Mine: 40 users" in done.stdout


def test_a_rule_beside_a_recommender_is_refused() -> None:
    words = ["run", "--users", "4", "--steps", "2", "--rule", "ppo", "--recommender", "mirrorfield.recommenders:UCB"]
    done = CliRunner().invoke(app, words)
    assert str(done.exception).startswith("--rule: expected none beside --recommender")


def test_whoever_serves_is_named_in_every_title(capsys) -> None:
    run = mf.simulate(SMALL, recommender=Thompson(), people=Satiated)
    assert "recommender Thompson, people Satiated" in repr(run) and "recommender Thompson" in run._repr_html_()
    assert "seed 3 · recommender Thompson · people Satiated" in run.report_html()
    stdout().print(summary_view(run.scenario, run.summary))
    assert "seed 3, recommender Thompson, people Satiated" in capsys.readouterr().out
    assert "recommender" not in repr(mf.simulate(SMALL))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("nothing", "--recommender: expected module:name, such as mirrorfield.recommenders:Thompson"),
        ("not_there:Mine", "--recommender: not_there does not import: ModuleNotFoundError"),
        ("mirrorfield.recommenders:Tompson", 'has no "Tompson". Did you mean "Thompson"?'),
    ],
)
def test_words_that_name_nothing_are_one_line(words: str, line: str) -> None:
    done = CliRunner().invoke(app, ["run", "--users", "4", "--steps", "2", "--recommender", words, "--quiet"])
    assert line in str(done.exception) and isinstance(done.exception, InputError)
