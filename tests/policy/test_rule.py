"""A rule is a value: frozen, hashable, picklable; what is unsound is refused with a reason."""

import pickle
import re
from dataclasses import FrozenInstanceError, fields, replace
from math import inf, nan

import numpy as np
import pytest

from mirrorfield.errors import InputError
from mirrorfield.policy.chain import baseline, chain, clip, entropy, kl_leash, normalise, reinforce, returns, session
from mirrorfield.policy.options import Aggregate, Baseline, Leash, Normalise, Returns
from mirrorfield.policy.presets import PRESETS, preset
from mirrorfield.policy.rule import Rule

NAMES = ["reinforce", "a2c", "ppo", "ppo-trl", "grpo", "grpo-trl", "grpo-verl", "dr-grpo", "rloo", "dapo"]


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_is_a_value(name: str) -> None:
    rule = preset(name, 0.25)
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert hash(pickle.loads(pickle.dumps(rule))) == hash(rule)
    assert rule == preset(name, 0.25) != preset(name, 0.5)
    assert all(isinstance(getattr(rule, field.name), int | float | tuple) for field in fields(rule))
    assert rule.in_single_precision().in_single_precision() == rule.in_single_precision()
    with pytest.raises(FrozenInstanceError):
        rule.horizon = 2  # type: ignore[misc]


def test_presets_have_their_conventions() -> None:
    assert list(PRESETS) == NAMES
    assert preset("reinforce") == Rule(0.1)
    assert preset("dapo").clip_high == 0.28 and preset("dapo").beta == preset("grpo-trl").beta == 0
    spreads = {name: (preset(name).ddof, preset(name).eps) for name in NAMES if preset(name).normalise}
    assert spreads == {
        "ppo": (1, 1e-8), "ppo-trl": (1, 1e-8), "grpo": (1, 1e-8), "grpo-trl": (1, 1e-4), "grpo-verl": (1, 1e-6),
        "dapo": (1, 1e-6),
    }  # fmt: skip
    leashes = {name: (preset(name).leash, preset(name).beta) for name in NAMES if preset(name).beta}
    assert leashes == {
        "ppo-trl": (Leash.K1_IN_REWARD, 0.05), "grpo": (Leash.K3_IN_LOSS, 0.04),
        "grpo-verl": (Leash.K3_IN_LOSS, 0.001), "rloo": (Leash.K1_IN_REWARD, 0.05),
    }  # fmt: skip
    assert preset("rloo").baseline == Baseline.LEAVE_ONE_OUT and preset("dr-grpo").normalise == Normalise.NONE


def test_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r'"gpro" is not a preset\. Did you mean "grpo"\? Presets: reinforce, a2c'):
        preset("gpro")


def test_a_chain_sets_what_its_parts_say() -> None:
    rule = chain(
        reinforce(0.2),
        session(horizon=4, group=2, epochs=3, minibatches=2, aggregate="sum"),
        kl_leash(0.1, "k1-in-reward", reference=(0, 1, 2, 3), target=0.5, horizon=100),
        returns("session", discount=0.9),
        baseline("leave-one-out"),
        normalise("batch", ddof=0, eps=1e-4),
        clip(0.2, high=0.28, dual=3),
        entropy(0.01),
    )
    assert (rule.posts, rule.aggregate, rule.returns) == (8, Aggregate.SUM, Returns.SESSION)
    assert (rule.leash, rule.reference, rule.kl_horizon) == (Leash.K1_IN_REWARD, ((0.0, 1.0, 2.0, 3.0),), 100)
    assert (rule.clip_low, rule.clip_high, rule.dual_clip, rule.entropy) == (0.2, 0.28, 3, 0.01)
    assert kl_leash(0.1, "k3*rho").settings["leash"] == Leash.K3_TIMES_RHO


def test_reference_logits() -> None:
    assert not Rule(0.1).reference_logits(4).any()
    row = chain(reinforce(0.1), kl_leash(1, reference=(0, 1))).reference_logits(2)
    table = chain(reinforce(0.1), kl_leash(1, reference=((0, 1), (2, 3), (4, 5)))).reference_logits(2)
    assert np.array_equal(row, [[0, 1]] * 3) and np.array_equal(table, [[0, 1], [2, 3], [4, 5]])
    assert row.flags.c_contiguous  # another layout of the start would compile the kernel a second time
    with pytest.raises(InputError, match="expected a reference of 4 logits, one per category, got 2; leave it out"):
        chain(reinforce(0.1), kl_leash(1, reference=(0, 1))).reference_logits(4)


ORDERS = [
    ([], "expected reinforce\\(...\\) first, got nothing"),
    ([baseline(), reinforce(0.1)], "expected reinforce\\(...\\) first, got baseline first; it is the update"),
    (
        [reinforce(0.1), clip(0.2), baseline()],
        "expected baseline before clip, got it after; it is taken off the return",
    ),
    ([reinforce(0.1), normalise(), baseline()], "expected baseline before normalise.*a spread or a clip before it"),
    (
        [reinforce(0.1), baseline(), kl_leash(0.1, "k1-in-reward")],
        "kl_leash in the reward before baseline.*changes the",
    ),
    ([reinforce(0.1), kl_leash(0.1), clip(0.2)], "expected clip before kl_leash in the loss.*bounds the step"),
    ([reinforce(0.1), clip(0.2), clip(0.3)], "expected clip once, got it twice; keep one"),
    ([reinforce(0.1), kl_leash(0.1, "k1-in-reward"), kl_leash(0.1)], "expected one kl_leash, got two; a rule has one"),
]


@pytest.mark.parametrize("parts, message", ORDERS)
def test_unsound_orders_are_refused(parts, message: str) -> None:
    with pytest.raises(InputError, match=f"chain: .*{message}"):
        chain(*parts)


COMBINATIONS = [
    ({"returns": Returns.GAE}, "expected a learned value beside gae.*got baseline welford; add"),
    ({"baseline": Baseline.VALUE}, "value_rate: expected a number above 0 for a learned value, got 0"),
    ({"baseline": Baseline.GROUP_MEAN}, "group of 2 rollouts or more for group-mean, got 1; a rollout alone"),
    ({"baseline": Baseline.LEAVE_ONE_OUT}, "group of 2 rollouts or more for leave-one-out"),
    ({"baseline": Baseline.GROUP_MEAN, "group": 4, "horizon": 3}, "expected session for group-mean.*share a state"),
    ({"normalise": Normalise.BATCH}, "2 advantages or more in a batch, got 1"),
    ({"normalise": Normalise.MINIBATCH, "horizon": 4, "minibatches": 4}, "2 advantages or more in a minibatch"),
    ({"normalise": Normalise.GROUP, "group": 4}, "expected baseline group-mean for a z-score.*got welford"),
    ({"minibatches": 3, "horizon": 4}, "expected a divisor of the session's 4 posts.*got 3"),
    ({"dual_clip": 3.0}, "dual_clip: expected more than 1 \\+ clip_high = inf, got 3"),
    ({"dual_clip": 1.1, "clip_low": 0.2, "clip_high": 0.2}, "dual_clip: expected more than 1 \\+ clip_high = 1.2"),
    ({"kl_horizon": 100.0}, "kl_horizon: expected beta above 0 to adapt, got 0"),
    ({"reference": ((0.0,), (1.0,))}, "reference: expected one row or 3 rows"),
    ({"reference": ((0.0, inf),)}, "reference: expected .* logits within 1000"),
]


@pytest.mark.parametrize("changes, message", COMBINATIONS)
def test_unsound_combinations_are_refused(changes, message: str) -> None:
    with pytest.raises(InputError, match=f"rule: .*{message}"):
        Rule(0.1, **changes)


WRONG = {
    "learning_rate": [-1, inf, nan], "horizon": [0, 1.5], "group": [0], "epochs": [-1], "minibatches": [0],
    "discount": [0, 1.1, nan], "trace_decay": [-0.1, 2], "exponential_weight": [0, 1.1], "value_rate": [-1, inf],
    "ddof": [2], "eps": [0, inf], "clip_low": [0, 1.5, nan], "clip_high": [0, nan], "beta": [-1, inf, nan],
    "kl_target": [0, inf], "kl_horizon": [0, nan], "entropy": [-1, inf],
    "start": [((1.0, inf),), ((0.0,), (1.0,))], "reference": [((1.0, nan),)],
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_numbers_out_of_range_are_refused(name: str) -> None:
    for value in WRONG[name]:
        with pytest.raises(InputError, match=f"rule: {name}: expected .*, got {re.escape(str(value))}"):
            replace(Rule(0.1), **{name: value})


def test_k1_in_the_loss_is_refused_because_it_does_nothing() -> None:
    with pytest.raises(InputError, match="gradient of k1 in the loss is zero, so there would be no leash at all"):
        kl_leash(0.1, "k1-in-loss")


def test_unknown_words_name_the_nearest() -> None:
    with pytest.raises(InputError, match=r'baseline: expected one of welford, .*got "group-mena".* "group-mean"'):
        baseline("group-mena")
    with pytest.raises(InputError, match=r'kl_leash: estimator: expected one of .*got "k4"'):
        kl_leash(0.1, "k4")
