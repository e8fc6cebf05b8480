"""Scenarios: validated, frozen, TOML in and out; each mistake is one clear line."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorfield import InputError, Scenario
from mirrorfield.policy.presets import PRESETS, preset
from mirrorfield.population.scenario import presets
from mirrorfield.recommenders import Random

MOVES = {"up": 0.1, "down": 0.1}
BAD = [
    ({"users": 0}, "users: expected greater than or equal to 1, got 0"),
    ({"usrs": 3}, 'unknown key "usrs". Did you mean "users"?'),
    ({"policy": {"lerning_rate": 1}}, 'unknown key "policy.lerning_rate". Did you mean "learning_rate"?'),
    ({"policy": {"learning_rate": float("nan")}}, "policy.learning_rate: expected"),
    ({"population": {"intentionality": {"distribution": "point", "value": 1.5}}},
     "population.intentionality.value: expected less than or equal to 1, got 1.5"),
    ({"population": {"intentionality": {"distribution": "uniform", "low": 0.5, "high": 0.2}}}, "expected low <= high"),
    ({"population": {"segments": [{"name": "x", "weigth": 3}]}}, 'Did you mean "weight"?'),
    ({"population": {"susceptibility": {"distribution": "point", "value": [1, 2]}}},
     "population.susceptibility.value: expected one number or 4 (one per category), got 2"),
    ({"reactive": {"mean": [1, 2, 3], "std": 1, **MOVES}},
     "reactive.mean: expected one number, 4 (one per category) or 3 rows of 4, got 3"),
    ({"reactive": {"mean": float("nan"), "std": 1, **MOVES}}, "reactive.mean: expected finite numbers, got nan"),
    ({"reactive": {"mean": 1, "std": -1, **MOVES}}, "reactive.std: expected numbers from 0 to 1000, got -1"),
    ({"reactive": {"mean": 1, "std": 1, "transition": [[[0.5, 0.4, 0.2]] * 4] * 3}},
     "expected rows of probabilities that sum to 1, got [0.5, 0.4, 0.2] (sum 1.1) for state calm, category 0"),
    ({"reactive": {"mean": 1, "std": 1, "transition": [[[float("nan"), 0.5, 0.5]] * 4] * 3}}, "sum to 1"),
    ({"reactive": {"mean": 1, "std": 1, "transition": [[[1, 0, 0]] * 3] * 3}}, "expected 3 x 4 x 3 numbers"),
    ({"reactive": {"mean": 1, "std": 1}}, "expected either up and down, or transition"),
    ({"reactive": {"mean": 1, "std": 1, "up": 0, "transition": [[[1, 0, 0]] * 4] * 3}}, "got up and transition"),
    ({"reactive": {"mean": 1, **MOVES}}, "reactive.std: expected a value, got none"),
    ({"record": {"users": 0}}, "record.users: expected greater than or equal to 1, got 0"),
    ({"reactive": {"mean": 1, "std": 1, "up": 0.7, "down": 0.7}}, "up + down <= 1"),
    ({"categories": [{"name": "one", "color": "#000000"}]}, "categories: expected"),
    ({"categories": [{"name": "a", "color": "#000000"}] * 4}, "expected distinct names"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "line"), BAD)
def test_each_mistake_is_one_line_that_says_what_to_do(values, line) -> None:
    with pytest.raises(InputError) as caught:
        Scenario(**values)
    message = str(caught.value)
    assert line in message
    assert "\n" not in message


@pytest.mark.parametrize("name", presets())
def test_presets_load_and_survive_toml(name: str) -> None:
    scenario = Scenario.load(name)
    assert scenario.name == name
    assert Scenario.from_toml(scenario.to_toml()) == scenario


def test_the_default_preset_is_the_default() -> None:
    assert Scenario.load("default") == Scenario()


def test_a_scenario_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Scenario().users = 3  # type: ignore[misc]


@given(
    users=st.integers(1, 8 * 10**9), seed=st.integers(0, 2**63 - 1), rate=st.floats(1e-6, 100),
    a=st.floats(0.05, 100), w=st.lists(st.floats(0, 100), min_size=4, max_size=4),
)  # fmt: skip
def test_toml_is_lossless(users, seed, rate, a, w) -> None:
    scenario = Scenario(
        users=users, seed=seed, policy={"learning_rate": rate},
        population={"intentionality": {"distribution": "beta", "a": a, "b": 1},
                    "susceptibility": {"distribution": "point", "value": w}},
    )  # fmt: skip
    assert Scenario.from_toml(scenario.to_toml()) == scenario


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r'"defualt" is neither a preset nor a TOML file. Did you mean "default"'):
        Scenario.load("defualt")


def test_a_toml_mistake_names_the_file_and_the_line(tmp_path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("users = 3\nsteps = = 4\n")
    with pytest.raises(InputError, match=r"broken.toml: not valid TOML: .*line 2"):
        Scenario.load(file)


def test_default_tables_are_those_of_the_model_page() -> None:
    scenario = Scenario()
    mean = scenario.reactive.table("mean", 4)
    for s, gain in enumerate((0.6, 1.0, 1.5)):
        for a, potency in enumerate((1.0, 1.1, 0.8, 0.3)):
            assert mean[s, a] == pytest.approx(gain * potency)
    law = scenario.reactive.transition_table(4)
    assert law[0, 0].tolist() == pytest.approx([0.6, 0.4, 0])
    assert law[1, 0].tolist() == pytest.approx([0.08, 0.52, 0.4])
    assert law[2, 3].tolist() == pytest.approx([0, 0.38, 0.62])


@pytest.mark.parametrize("name", PRESETS)
def test_a_rule_or_the_name_of_a_preset_is_a_policy(name: str) -> None:
    rule = replace(preset(name, 0.2), entropy=0.01, eps=1e-6)
    assert Scenario(policy=rule).rules[0] == rule
    assert Scenario(policy=name).policy == Scenario(policy={"rule": name}).policy
    assert Scenario.from_toml(Scenario(policy=rule).to_toml()).rules[0] == rule
    assert Scenario(intervention={"at": 5, "policy": rule}).rules[1] == rule


def test_the_name_of_no_preset_is_one_line() -> None:
    with pytest.raises(InputError, match=r'"grop" is not a preset\. Did you mean "?grpo'):
        Scenario(policy="grop")


def test_a_recommender_in_the_place_of_a_rule_is_told_where_it_belongs() -> None:
    line = r"policy: expected the name of a rule, its parts or a Rule, got Random; .* simulate\(scenario, recommender="
    with pytest.raises(InputError, match=line):
        Scenario(policy=Random())
