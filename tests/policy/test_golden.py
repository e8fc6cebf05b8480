"""Numbers computed by other packages' own functions, reproduced to 1e-6.

`tests/golden/golden_pg.json` names for each number where it came from. Keys that do not apply to `policy/`:
`rlax_qpg_exact_gradient`, `exact_pg_markov_user` and `kl_regularised_optimum` are expectations, which `theory/` owns;
`reward_model_bt`, `bt_mle_4arms` and `dpo` are in `tests/world/rlhf`, `context_soft_constraint` in another world;
`grpo_advantage_single` is a group of one, which a Rule refuses; `value_loss` and `verl_value_loss` apply in their
unclipped form only, and `trl_grpo_loss.cispo_epshigh0.28` not at all, because value clipping and CISPO are not offered;
`kl_estimators.verl_k3_plus` is a sentence, and `openrlhf_float32` repeats the numbers beside it in float32.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from mirrorfield.policy import leash
from mirrorfield.policy.baseline import group_mean, leave_one_out, value_step, welford
from mirrorfield.policy.entropy import entropy_gradient
from mirrorfield.policy.normalise import variance, whiten, z_score
from mirrorfield.policy.reinforce import advantage, logit_step
from mirrorfield.policy.returns import discounted, gae, td_error
from mirrorfield.policy.softmax import log_softmax, softmax
from mirrorfield.policy.surrogate import surrogate, surrogate_weight

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "golden_pg.json").read_text(encoding="utf-8"))
INPUTS = {name: np.array(values) for name, values in GOLDEN["inputs"].items()}
ACTIONS = INPUTS["actions"].astype(int)
INF = np.inf


def near(actual, expected) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-6)


def scores(theta, actions):
    return np.eye(len(theta))[actions] - softmax(theta)


def loss_and_gradient(theta, old, actions, adv, low=INF, high=INF, cap=INF):
    """Return the mean surrogate as a loss, and its gradient with respect to the logits."""
    ratio = np.exp(log_softmax(theta)[actions] - np.log(old)[actions])
    weight = surrogate_weight(ratio, adv, low, high, cap)
    steps = logit_step(1.0, weight[:, None], np.eye(len(theta))[actions], softmax(theta))
    return -surrogate(ratio, adv, low, high, cap).mean(), -steps.mean(axis=0)


def check(case, *arguments) -> None:
    loss, gradient = loss_and_gradient(*arguments)
    near(loss, case["loss"])
    near(gradient, case["grad"])


@pytest.mark.parametrize("name", ["before", "inclusive"])
def test_reinforce_with_a_running_mean(name: str) -> None:
    theta, mean, squares = np.zeros(4), 0.0, 0.0
    for n, step in enumerate(GOLDEN[f"reinforce_welford_baseline_{name}"]["steps"], 1):
        before = mean
        difference = advantage(step["r"], before)
        mean, _ = welford(before, 0.0, difference, 1 / n)
        squares += difference * (step["r"] - mean)
        gain = difference if name == "before" else advantage(step["r"], mean)
        chosen = np.eye(4)[step["a"]]
        near(gain, step["adv"])
        near(logit_step(1.0, gain, chosen, softmax(theta)), step["ascent_grad"])
        theta = theta + logit_step(0.1, gain, chosen, softmax(theta))
        near(theta, step["theta_after"])
        near([mean, squares, variance(squares, n, 0)], [step["welford"][key] for key in ("mean", "M2", "var_pop")])
        if n > 1:
            near(variance(squares, n, 1), step["welford"]["var_sample"])


def test_plain_policy_gradient_is_the_surrogate_at_ratio_one() -> None:
    case, theta = GOLDEN["rlax_policy_gradient_loss"], INPUTS["theta"]
    _, gradient = loss_and_gradient(theta, softmax(theta), ACTIONS, np.array(case["adv"]))
    near(gradient, case["grad"])
    near(gradient, case["torch_grad"])
    loss = -(np.array(case["adv"]) * log_softmax(theta)[ACTIONS]).mean()
    near([loss, loss], [case["loss"], case["torch_loss"]])


def test_entropy() -> None:
    case, p, log_p = GOLDEN["rlax_entropy_loss"], INPUTS["pi"], INPUTS["logpi"]
    near(softmax(INPUTS["theta"]), p)
    near(log_softmax(INPUTS["theta"]), log_p)
    entropy = -(p * log_p).sum()
    near(-entropy, case["loss"])
    near(-entropy_gradient(p, log_p, entropy), case["grad"])


PEERS = ["rlax_clipped_surrogate", "verl_policy_loss_sym", "openrlhf_policy_loss", "verl_policy_loss_clip_higher"]


@pytest.mark.parametrize("name", PEERS)
def test_clipped_surrogate(name: str) -> None:
    adv = np.array(GOLDEN["rlax_clipped_surrogate"]["adv"])
    high = 0.28 if name.endswith("higher") else 0.2
    cap = 3.0 if name.startswith("verl") else INF
    check(GOLDEN[name], INPUTS["theta"], INPUTS["pi_old"], ACTIONS, adv, 0.2, high, cap)


def test_clip_higher_where_it_matters() -> None:
    case = GOLDEN["clip_higher_discriminating"]
    inputs = np.array(case["theta"]), np.full(4, 0.25), np.array(case["actions"]).astype(int), np.array(case["adv"])
    check(case["sym_0.2"], *inputs, 0.2, 0.2)
    check(case["clip_higher_0.2_0.28"], *inputs, 0.2, 0.28)


def test_dual_clip_where_it_matters() -> None:
    case = GOLDEN["dual_clip_discriminating"]
    actions, adv = np.array(case["actions"]).astype(int), np.array(case["adv"])
    inputs = np.array(case["theta"]), np.array(case["old_probs"]), actions, adv
    check(case["dual_c3"], *inputs, 0.2, 0.2, 3.0)
    check(case["dual_off_c1e9"], *inputs, 0.2, 0.2, INF)


@pytest.mark.parametrize("name", ["raw", "normalised"])
def test_ppo_with_minibatch_advantages(name: str) -> None:
    case, raw = GOLDEN["ppo_clip_sb3_cleanrl"], np.array(GOLDEN["rlax_clipped_surrogate"]["adv"])
    adv = raw if name == "raw" else z_score(raw, raw.mean(), raw.std(ddof=1), 1e-8)
    near(adv, case[name]["adv"])
    check(case[name], INPUTS["theta"], INPUTS["pi_old"], ACTIONS, adv, 0.2, 0.2)


def test_whitening() -> None:
    case = GOLDEN["trl_masked_whiten"]
    x = np.array(case["x"])
    out = whiten(x, x.mean(), variance(((x - x.mean()) ** 2).sum(), len(x), 1), 1e-8)
    near(out, case["out"])
    near(out + x.mean(), case["out_no_shift"])


def session_gae(rewards, values, last):
    later, out, following = 0.0, [], last
    for reward, value in zip(rewards[::-1], values[::-1], strict=True):
        later = gae(td_error(reward, value, following, 0.99), later, 0.99, 0.95)
        following = value
        out.append(later)
    return np.array(out[::-1])


def test_generalised_advantages() -> None:
    case, peer = GOLDEN["rlax_gae"], GOLDEN["sb3_gae"]
    rewards, values = np.array(case["r"]), np.array(case["values"][:4])
    going_on, ended = session_gae(rewards, values, case["values"][4]), session_gae(rewards, values, 0.0)
    near(going_on, case["adv"])
    near(going_on, peer["adv_not_done"])
    near(going_on + values, peer["returns_not_done"])
    near(ended, peer["adv_done"])
    near(ended + values, peer["returns_done"])
    near(ended + values, GOLDEN["verl_gae_whitened"]["returns"])
    spread = variance(((ended - ended.mean()) ** 2).sum(), 4, 1)
    near(whiten(ended, ended.mean(), spread, 1e-8), GOLDEN["verl_gae_whitened"]["adv_whitened"])


def test_discounted_return_is_gae_without_values() -> None:
    rewards = np.array(GOLDEN["rlax_gae"]["r"])
    later, other = 0.0, 0.0
    for reward in rewards[::-1]:
        later = discounted(reward, later, 0.99)
        other = gae(td_error(reward, 0.0, 0.0, 0.99), other, 0.99, 1.0)
        near(later, other)


def test_value_step_descends_half_the_squared_error() -> None:
    case = GOLDEN["value_loss"]
    errors = value_step(1.0, np.array(case["ret"]), np.array(case["vnew"]))
    near((errors**2).mean(), case["sb3_unclipped_mse"])
    near((errors**2 / 2).mean(), case["cleanrl_noclip"])


def group_z(rewards, eps, ddof):
    return np.array([z_score(r, r.mean(), r.std(ddof=ddof), eps) for r in rewards]).ravel()


def test_group_advantages() -> None:
    case = GOLDEN["grpo_advantage"]
    flat = np.array(case["rewards"])
    rewards = flat.reshape(-1, case["K"])
    near(group_z(rewards, 1e-4, 1), case["trl_group_eps1e_4"])
    near(group_z(rewards, 1e-6, 1), case["verl_eps1e_6"])
    near(group_z(rewards, 1e-9, 1), case["openrlhf_group_norm_eps1e_9"])
    near(group_z(rewards, 0, 0), case["ddof0_eps0_for_contrast"])
    total = rewards.sum(axis=1, keepdims=True)
    centred = advantage(rewards, group_mean(total, 1 / 4))
    near(centred.ravel(), case["trl_none_DrGRPO"])
    near(centred.ravel(), case["verl_DrGRPO"])
    near(z_score(centred, 0.0, flat.std(ddof=1), 1e-4).ravel(), case["trl_batch"])
    left_out = advantage(rewards, leave_one_out(total, rewards, 1 / 3))
    near(left_out.ravel(), GOLDEN["rloo_advantage"]["verl"])
    near(left_out.ravel(), GOLDEN["rloo_advantage"]["trl"])
    near(left_out / centred, GOLDEN["rloo_advantage"]["ratio_to_mean_baseline"])


def test_group_of_equal_rewards_has_no_advantage() -> None:
    case = GOLDEN["grpo_advantage_zero_std"]
    rewards = np.array([case["rewards"]])
    near(group_z(rewards, 1e-6, 1), case["verl"])
    near(group_z(rewards, 1e-4, 1), case["trl"])


def test_group_of_one_category_has_no_gradient() -> None:
    rewards, score = np.array([0.3, 1.2, -0.4, 0.9]), scores(INPUTS["theta"], np.zeros(4, int))
    z = z_score(rewards, rewards.mean(), rewards.std(ddof=1), 1e-4)
    near((z[:, None] * score).mean(axis=0), GOLDEN["grpo_homogeneous_group"]["grad"])
    near((advantage(rewards, rewards.mean())[:, None] * score).sum(axis=0), np.zeros(4))


P, REFERENCE = INPUTS["pi"], INPUTS["pi_ref"]
X, E = np.log(P / REFERENCE), REFERENCE / P
EACH = scores(INPUTS["theta"], np.arange(4))


def test_kl_estimators() -> None:
    case = GOLDEN["kl_estimators"]
    values = {"k1": leash.k1(X), "k2": leash.k2(X), "k3": leash.k3(X, E)}
    weights = {"k1": np.ones(4), "k2": leash.k2_weight(X), "k3": leash.k3_weight(E)}
    for name, value in values.items():
        near(value, case[name]["per_action"])
        near(value, case[name]["openrlhf_float32"])
        near(P @ value, case[name]["expectation_under_pi"])
        near(P @ (weights[name][:, None] * EACH), case[name]["expected_grad_of_sampled_loss"])
    near(P @ values["k1"], case["exact_KL_pi_ref"])


def test_forces_of_the_leashes() -> None:
    case = GOLDEN["kl_estimators"]
    expected = {name: P @ (weight[:, None] * EACH) for name, weight in {
        "k2": leash.k2_weight(X), "k3": leash.k3_weight(E), "k3*rho": leash.k3_rho_weight(X, 1.0),
        "reward": leash.shaped_reward(0.0, X, 1.0),
    }.items()}  # fmt: skip
    near(expected["k2"], case["exact_KL_grad"])
    near(expected["k3"], case["forward_KL_ref_pi_grad"])
    near(expected["k3*rho"], case["k3_IS_corrected_expected_grad(TRL use_bias_correction_kl)"])
    near(expected["reward"], case["kl_in_reward_expected_ascent_grad(no baseline)"])


def test_adaptive_coefficient() -> None:
    case, beta = GOLDEN["adaptive_kl"], 0.2
    for kl, after in zip(case["current_kl"], case["value_after"], strict=True):
        beta = leash.adapt(beta, kl, 6.0, 256 / 10_000)
        near(beta, after)


VARIANTS = {
    "grpo_beta0": (0.0, 0.2, INF), "grpo_beta0.04": (0.04, 0.2, INF), "grpo_beta0.04_biascorr": (0.04, 0.2, INF),
    "grpo_on_policy_old_none_beta0.04": (0.04, 0.2, INF), "dapo_clip_higher_0.28": (0.0, 0.28, INF),
    "grpo_delta1.5": (0.0, 0.2, 1.5), "dr_grpo": (0.0, 0.2, INF),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_grpo_losses(name: str) -> None:
    case, (beta, high, cap) = GOLDEN["trl_grpo_loss"], VARIANTS[name]
    actions = np.array(case["actions"]).astype(int)
    adv = np.array(case["adv"] if name != "dr_grpo" else GOLDEN["grpo_advantage"]["trl_none_DrGRPO"])
    old = P if "old_none" in name else INPUTS["pi_old"]
    ratio, x, e = (P / old)[actions], X[actions], E[actions]
    corrected = name.endswith("biascorr")
    value = leash.k3(x, e) * (ratio if corrected else 1.0)
    weight = leash.k3_rho_weight(x, ratio) if corrected else leash.k3_weight(e)
    loss, gradient = loss_and_gradient(INPUTS["theta"], old, actions, adv, 0.2, high, cap)
    near(loss + beta * value.mean(), case[name]["loss"])
    near(gradient + beta * (weight[:, None] * scores(INPUTS["theta"], actions)).mean(axis=0), case[name]["grad"])
