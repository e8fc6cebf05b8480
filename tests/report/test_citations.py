"""What is cited is what was used."""

import re

from mirrorfield import Scenario
from mirrorfield.cli.main import app
from mirrorfield.policy.presets import PRESETS
from mirrorfield.report.citations import bibtex, entries, keys

BETA = {"distribution": "beta", "a": 2, "b": 2}
LEARNED = {"source": "reward_model", "model": [[0.0, 0.0, 0.0, 1.0]] * 3}
LOGNORMAL = {"distribution": "lognormal", "median": 1, "sigma": 0.3}


def test_gamma_variates_are_cited_only_where_they_are_drawn() -> None:
    assert "marsaglia2000" not in keys(Scenario())
    assert "marsaglia2000" in keys(Scenario(population={"intentionality": BETA, "susceptibility": LOGNORMAL}))


def test_entries_are_whole() -> None:
    everything = Scenario(policy={"rule": "ppo-trl", "entropy": 0.1, "dual_clip": 3.0})
    for entry in bibtex(everything):
        assert re.fullmatch(r"% .+\n@\w+\{\w+,\n(  \w+ = \{.+\},\n)+\}\n", entry)
    for values in entries().values():
        assert re.fullmatch(r"10\.\d{4}/\S+", values.get("doi", "10.0000/x"))
        assert values.get("doi") or values["url"].startswith("http")
        assert {"author", "title", "year", "what", "kind"} <= values.keys()


PLAIN = {"williams1992", "welford1962", "blackman2021", "steele2014", "box1958", "hill1973", "lin1991"}
CITED = {
    "reinforce": set(),
    "a2c": {"mnih2016", "sutton2018", "schulman2016"},
    "ppo": {"sutton2018", "schulman2016", "schulman2017", "williams1991"},
    "ppo-trl": {"sutton2018", "schulman2016", "schulman2017", "schulman2020", "ziegler2019"},
    "grpo": {"shao2024", "schulman2020"},
    "grpo-trl": {"shao2024"},
    "grpo-verl": {"shao2024", "schulman2020"},
    "dr-grpo": {"liu2025"},
    "rloo": {"kool2019", "ahmadian2024", "ziegler2019", "schulman2020"},
    "dapo": {"shao2024", "yu2025"},
}


def test_a_rule_is_cited_by_what_it_does() -> None:
    assert CITED.keys() == PRESETS.keys()
    for name, more in CITED.items():
        assert set(keys(Scenario(policy={"rule": name}))) == PLAIN | more, name
    reused = keys(Scenario(policy={"rule": "dapo", "epochs": 4}))
    assert "schulman2017" in reused and "ye2020" not in reused


def test_every_entry_is_cited_by_some_scenario() -> None:
    policies = [{"rule": name} for name in PRESETS] + [{"rule": "grpo-verl", "epochs": 4}]
    population = {"intentionality": BETA, "susceptibility": LOGNORMAL}
    scenarios = [Scenario(policy=policy, population=population) for policy in policies]
    scenarios += [Scenario(reward=LEARNED), Scenario(retrieval={"corpus": "posts", "retriever": "diverse"})]
    scenarios += [Scenario.load("radicalization"), Scenario(intervention={"quota": 0.6})]
    scenarios += [Scenario(objective={"preset": preset}) for preset in ("x-2026", "twitter-2023")]
    assert set().union(*map(keys, scenarios)) == set(entries())


def test_the_command_prints_them(capsys) -> None:
    app(["cite", "four-mirrors"], standalone_mode=False)
    printed = capsys.readouterr().out
    assert printed.count("@") == 1 + len(keys(Scenario.load("four-mirrors")))
    assert "@article{williams1992," in printed


def test_adaptation_and_interventions_are_cited_only_where_they_act() -> None:
    assert not {"helson1948", "chen2019"} & set(keys(Scenario(intensity={"rungs": 3}, intervention={"friction": 0.5})))
    assert "helson1948" in keys(Scenario.load("radicalization"))
    assert "chen2019" in keys(Scenario(intervention={"exploration": 0.1}))
    assert "shao2024" in keys(Scenario(intervention={"at": 8, "policy": {"rule": "grpo"}}))


def test_what_stands_behind_a_reward_model_is_cited_with_one() -> None:
    behind = {"bradley1952", "christiano2017", "ouyang2022", "rafailov2023", "gao2023"}
    assert set(keys(Scenario(reward=LEARNED))) - set(keys(Scenario())) == behind
    assert not behind & set(keys(Scenario(reward={"source": "ratings"})))


def test_a_retriever_and_the_encoder_of_the_posts_are_cited_where_they_are_used() -> None:
    diverse = keys(Scenario(retrieval={"corpus": "posts", "retriever": "diverse"}))
    assert {"carbonell1998", "reimers2019", "wang2020"} <= set(diverse)
    assert "carbonell1998" not in keys(Scenario(retrieval={"corpus": "posts", "retriever": "history"}))
