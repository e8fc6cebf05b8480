"""RLHF, whole: the chain against an independent way to run it, its door on the command line, its page."""

import json
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.arrays import S
from mirrorfield.cli.main import app
from mirrorfield.errors import InputError
from mirrorfield.kernel import empty_trace
from mirrorfield.population.distributions import PointSusceptibility
from mirrorfield.report.rlhf import page
from mirrorfield.study.goodhart import BETAS, measure, over_draws
from mirrorfield.world.rlhf.fitted import scenario_with_reward_model
from mirrorfield.world.rlhf.labellers import draw_labellers
from mirrorfield.world.rlhf.overoptimisation import goodhart_curve
from mirrorfield.world.rlhf.preferences import collect
from mirrorfield.world.rlhf.reward_model import RewardModel, fit_reward_model

SMALL = mf.Scenario(users=600, steps=400, record={"steps": 4})
ASKED = mf.Asked(labellers=60, pairs=3000)


@pytest.fixture(scope="module")
def found() -> mf.Rlhf:
    return mf.rlhf(SMALL, ASKED, draws=3)


def effects(found: mf.Rlhf):
    return {effect.metric: effect for effect in found.effects}


def judged(profile: mf.Profile, rows) -> mf.Profile:
    return profile.model_copy(update={"mean": rows, "std": 0.0})


def test_a_learned_reward_is_people_who_feel_it(found: mf.Rlhf) -> None:
    """The same run without `[reward]`: both profiles feel r_phi, nobody scales it, and posts move people as before."""
    rows = found.fitted.reward.model
    people = found.clicks.population.model_copy(update={"susceptibility": PointSusceptibility()})
    change = {name: judged(getattr(found.clicks, name), rows) for name in ("reactive", "intentional")}
    felt = mf.simulate(found.clicks.model_copy(update={**change, "population": people})).part.sample
    learned = mf.simulate(found.fitted).part.sample
    assert (felt.state == learned.state).all() and (felt.exposures == learned.exposures).all()
    np.testing.assert_allclose(felt.feed, learned.feed, atol=1e-5)
    assert abs(felt.mean_reaction - learned.mean_reaction).max() > 0.1  # people still feel what they felt


def test_effects_are_those_of_two_runs(found: mf.Rlhf) -> None:
    summaries = [mf.simulate(scenario).summary for scenario in (found.clicks, found.fitted)]
    for metric in ("locked_in", "effective_categories", "mean_reaction"):
        effect = effects(found)[metric]
        assert (effect.base, effect.changed) == pytest.approx([summary[metric] for summary in summaries], abs=1e-5)
    assert found.weight == pytest.approx(list(summaries[1]["states"].values()))


def test_deliberate_labels_make_feeds_worth_more_and_reactive_ones_less(found: mf.Rlhf) -> None:
    assert effects(found)["deliberate_value"].low > 0 > effects(found)["hooked"].high
    reactive = effects(mf.rlhf(SMALL, replace(ASKED, intentionality=0.0), draws=0))
    assert reactive["deliberate_value"].high < 0 < reactive["hooked"].low


def test_the_optimum_is_that_of_dpo(found: mf.Rlhf) -> None:
    np.testing.assert_allclose(found.policy, found.dpo, atol=1e-5)
    np.testing.assert_allclose(found.policy.sum(axis=1), 1)


def test_the_result_does_not_depend_on_threads(found: mf.Rlhf) -> None:
    again = mf.rlhf(SMALL, ASKED, draws=3, threads=1)
    assert again.effects == found.effects and again.measured == found.measured
    assert (again.curves[0].mean["deliberate"] == found.curves[0].mean["deliberate"]).all()


def test_the_same_labels_are_collected_whatever_is_simulated(found: mf.Rlhf) -> None:
    assert (collect(draw_labellers(SMALL, 60), 3000).wins() == found.wins).all()
    assert [curve.pairs for curve in found.curves] == [3000, 300, 30]
    assert len(mf.rlhf(SMALL, replace(ASKED, ridge=0.0), draws=2).curves) == 1


def test_few_labels_promise_more_than_they_hold() -> None:
    """Without a leash, what 30 labels promise exceeds what is true by more than 4 standard errors over 40 draws."""

    def draw(number: int) -> tuple[RewardModel, object]:
        people = draw_labellers(mf.Scenario(seed=number + 1), 10)
        return fit_reward_model(collect(people, 30), ridge=0.1), people

    curve = over_draws(draw, 30, 40, np.full((S, 4), 0.25), np.full(S, 1 / 3), lambda done: None)
    proxy, true = curve.mean["proxy"], curve.mean["deliberate"]
    assert proxy[-1] - 2 * curve.half["proxy"][-1] > true[-1] + 2 * curve.half["deliberate"][-1]
    assert len(BETAS) == len(proxy) and (np.diff(proxy) > 0).all() and (np.diff(curve.kl) > 0).all()


def test_few_labels_lead_a_good_policy_astray() -> None:
    """From a policy that mostly serves depth, over 100 draws of 100 labels: a leash of 0.35 beats none of 1/64."""
    reference = np.tile(np.exp([-2.0, -2, -1, 1]) / np.exp([-2.0, -2, -1, 1]).sum(), (S, 1))
    falls = []
    for seed in range(1, 101):
        people = draw_labellers(mf.Scenario(seed=seed), 10)
        model, truth = fit_reward_model(collect(people, 100), ridge=0.1), {"deliberate": people.deliberate[0]}
        curve = goodhart_curve(model.score, reference, truth, np.full(S, 1 / 3), np.array([0.35, 1 / 64]))
        assert curve.gain["proxy"][1] > curve.gain["proxy"][0]
        falls.append(curve.gain["deliberate"][0] - curve.gain["deliberate"][1])
    assert np.mean(falls) > 4 * np.std(falls, ddof=1) / np.sqrt(len(falls))


def test_measured_by_hand() -> None:
    sample = empty_trace(1, 4, 2)
    sample.served[:] = np.array([[0.25, 0.5], [0.25, 0.5], [0.25, 0.0], [0.25, 0.0]])
    sample.time_in_state[:] = [[1, 0], [0, 0], [0, 1]]
    value = np.array([[0, 0, 0, 0], [9, 9, 9, 9], [1, 3, 0, 0]])
    leashed = mf.Scenario(users=2, policy={"beta": 0.3})
    came = measure(leashed, sample, np.full((S, 4), 0.25), {"proxy": value})
    assert came.beta == 0.3 and came.kl == pytest.approx(np.log(2) / 2, abs=1e-6)
    assert came.mean["proxy"] == pytest.approx((0 + 2 - 1) / 2, abs=1e-6)
    own = measure(leashed, sample, np.full((S, 4), 0.25), {"proxy": np.stack([value + 1, 3 * value])})
    assert own.mean["proxy"] == pytest.approx(3 * came.mean["proxy"], abs=1e-6)


@pytest.mark.parametrize("model", ["per-user", "hierarchical"])
def test_a_table_for_each_labeller_is_kept_beside_the_scenario(tmp_path: Path, model: str) -> None:
    place = tmp_path / "fitted.toml"
    found = mf.rlhf(SMALL, replace(ASKED, model=model), draws=0, save=place)
    tables = np.load(tmp_path / "fitted.npy")
    np.testing.assert_allclose(tables, found.model.score, atol=1e-6)
    assert found.fitted.reward.model_file == str(tmp_path / "fitted.npy") and tables.shape == (60, S, 4)
    assert mf.simulate(found.fitted).summary["users"] == 600


def test_the_fitted_scenario_is_read_back(found: mf.Rlhf) -> None:
    assert mf.Scenario.from_toml(found.fitted.to_toml()) == found.fitted
    again = scenario_with_reward_model(found.clicks, found.model.score, Path("unused"))
    assert again == found.fitted and again.name == "default, reward model"


def test_the_command_prints_saves_and_draws(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["rlhf", "--users", "300", "--steps", "50", "--labellers", "20", "--pairs", "900", "--draws", "2"]
    app([*words, "--save", "fitted.toml", "--out", "page.html"], standalone_mode=False)
    printed = capsys.readouterr().out
    for part in ("r_phi, shared, nats", "held out, ", "deliberate_value", "900 labels: without a leash", "fitted.toml"):
        assert part in printed
    assert mf.Scenario.load("fitted.toml").reward.source == "reward_model"
    assert "What became of people" in Path("page.html").read_text(encoding="utf-8")
    app([*words, "--json"], standalone_mode=False)
    values = json.loads(capsys.readouterr().out)
    assert values["score"][0][3] > 0.3 and values["held_out"]["labels"] > 100 and len(values["curves"]) == 3


def test_the_page_says_what_it_shows(found: mf.Rlhf) -> None:
    html = page(found, 'mirrorfield rlhf --set "x"')
    for part in ("preferred to", "Held-out labels by", "reaction", "KL(pi || pi_ref) in nats", "DPO on the same pairs"):
        assert escape(part) in html
    assert html.count("<svg") == 4 and "nan" not in html and escape('--set "x"') in html


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--lambda-label", "often"], 'expected a number from 0 to 1, or own, got "often"'),
        (["--lambda-label", "2"], "lambda-label: expected a number from 0 to 1, got 2"),
        (["--save", "x.json"], "--save: expected a file that ends in .toml"),
        (["--out", "x.pdf"], "--out: expected a file that ends in .html"),
        (["--selection", "radnom"], 'Did you mean "random"'),
        (["--model", "own"], 'model: unknown reward model "own"'),
        (["--beta", "0"], "without a leash there is no optimum"),
        (["--draws", "1"], "draws: expected 0, or 2 or more"),
        (["--pairs", "20", "--ridge", "0"], "collect more labels, or use a ridge above 0"),
        (["--rule", "gropo"], 'Did you mean "grpo"'),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(words, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        app(["rlhf", "--users", "100", "--steps", "10", *words], standalone_mode=False)
    assert "\n" not in str(caught.value)
