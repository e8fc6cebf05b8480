"""Bounds at the door: one line for a number that float32 or the totals could not hold."""

import pytest

from mirrorfield import Scenario
from mirrorfield.errors import InputError
from mirrorfield.policy.presets import preset
from mirrorfield.population.bounds import strongest_reaction
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.settings import apply_setting, parse_setting

REFUSED = {
    "policy.start=[[1e300, 0, 0, 0]]": r"policy: start: expected .* logits within 1000 of zero, got",
    "policy.reference=[[0, 0, 0, -1001]]": r"policy: reference: expected .* logits within 1000",
    "policy.value_rate=3": r"policy: value_rate: expected a number from 0 to 1, .* got 3",
    "policy.eps=1e-50": r"policy: eps: expected a number from 1e-12 to 1000",
    "policy.beta=1e9": r"policy: beta: expected a number from 0 to 1000",
    "policy.entropy=1e30": r"policy: entropy: expected a number from 0 to 1000",
    "policy.kl_target=1e-300": r"policy: kl_target: expected a number from 0.000001",
    "policy.exponential_weight=1e-40": r"policy: exponential_weight: expected a number from 0.000001",
    "policy.epochs=100000000000000000000": r"policy\.epochs: expected less than or equal to 1000",
    "intensity.width=1e-300": r"intensity.width: expected greater than or equal to",
    "intervention.at=100000000000000000000": r"intervention.at: expected less than or equal to 10000000",
    "context.blur=1e-300": r"context.blur: expected greater than or equal to",
    "reward.rate=1e-300": r"reward.rate: expected greater than or equal to",
    "retrieval.count=10000000": r"retrieval.count",
}


def changed(*settings: str) -> Scenario:
    values = Scenario().model_dump(mode="json", exclude_none=True)
    for setting in settings:
        apply_setting(values, *parse_setting(setting))
    return Scenario.from_values(values)


@pytest.mark.parametrize("setting", REFUSED)
def test_a_number_that_float32_cannot_hold_is_refused(setting: str) -> None:
    with pytest.raises(InputError, match=REFUSED[setting]) as told:
        changed(setting)
    assert "\n" not in str(told.value)


SESSION = ("policy.horizon=8", "policy.baseline=value", "policy.returns=session")


def test_a_value_whose_steps_add_up_past_its_target_is_refused() -> None:
    with pytest.raises(InputError, match=r'value_rate: expected at most 1 / 8 .* got 0.5; .* Use aggregate = "mean"'):
        changed(*SESSION, "policy.value_rate=0.5", "policy.aggregate=sum")
    assert changed(*SESSION, "policy.value_rate=0.5", "policy.aggregate=mean").policy.value_rate == 0.5


def test_a_number_on_its_bound_is_on_it_in_single_precision_too() -> None:
    policy = changed("policy.horizon=3", *SESSION[1:], "policy.aggregate=sum", f"policy.value_rate={1 / 3}").policy
    assert policy.to_rule().in_single_precision().value_rate > 1 / 3
    small = changed("policy.eps=1e-12", "policy.exponential_weight=1e-6", "policy.kl_target=1e-6").policy
    assert small.to_rule().in_single_precision().eps < 1e-12


def test_a_leash_that_adapts_within_a_session_is_refused() -> None:
    with pytest.raises(InputError, match="kl_horizon: expected the session's 8 posts or more, got 4; the coefficient"):
        changed("policy.horizon=8", "policy.beta=0.1", "policy.kl_horizon=4")


def test_the_presets_value_never_steps_past_its_target() -> None:
    assert [preset(name, 100.0).value_rate for name in ("a2c", "ppo", "ppo-trl")] == [1, 1, 1]
    assert preset("ppo", 0.1).value_rate == 0.05


@pytest.mark.parametrize(
    "settings",
    [
        ('population.susceptibility={distribution="point", value=1000}',),
        ('population.susceptibility={distribution="lognormal", median=1000}',),
        ("reactive.mean=600", "context.priming=1"),
        ("reactive.mean=100", "intensity.rungs=2", "intensity.slope=100"),
    ],
)
def test_reactions_beyond_the_totals_are_refused_before_the_run(settings) -> None:
    with pytest.raises(InputError, match=r"expected mean reactions within 1024 of zero, got .*; use a smaller unit"):
        changed(*settings)


def test_the_strongest_reaction_is_that_of_the_category_that_hits_hardest() -> None:
    assert strongest_reaction(Scenario()) == pytest.approx(1.65)
    assert strongest_reaction(changed("intensity.slope=1")) == pytest.approx(1.65)
    assert strongest_reaction(changed("intensity.slope=1", "intensity.rungs=2")) == pytest.approx(3.3)


@pytest.mark.parametrize("field", ["exploration", "cap", "temperature", "learning_rate", "memory"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e-300 * -1])
def test_the_embedding_world_refuses_numbers_that_are_none(field: str, value: float) -> None:
    with pytest.raises(InputError, match=f"policy.{field}: expected"):
        EmbeddingScenario(policy={field: value})
