"""What the posts of a session are credited with, for one person: returns, baselines and spreads, in float64."""

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.theory.rules import Recipe


def returned(reward: FloatArray, state: IntArray, end: IntArray, value: FloatArray, rule: Recipe) -> FloatArray:
    """Return what every post of a session is credited with, (posts,), rollout after rollout.

    Formula: the reward; sum_{j >= 0} gamma^j r_{h+j} to the end of the rollout; or V(s_h) + sum_j (gamma lambda)^j
    delta_{h+j} with delta_h = r_h + gamma V(s_{h+1}) - V(s_h). Source: docs/rules.md, section 3.
    """
    if rule.returns == "immediate":
        return reward
    found = np.empty_like(reward)
    for rollout in range(rule.group):
        inside = slice(rollout * rule.horizon, (rollout + 1) * rule.horizon)
        r, v = reward[inside], value[state[inside]]
        if rule.returns == "gae":
            after = np.append(v[1:], value[end[rollout]] if rule.bootstrap else 0.0)
            found[inside] = v + _ahead(r + rule.discount * after - v, rule.discount * rule.trace_decay)
        else:
            found[inside] = _ahead(r, rule.discount)
            if rule.baseline in ("group-mean", "leave-one-out"):
                found[inside] = found[inside][0]
    return found


def _ahead(values: FloatArray, fading: float) -> FloatArray:
    n = np.arange(len(values))
    weights = np.triu(float(fading) ** np.abs(n[None] - n[:, None]))
    return np.asarray(weights @ values)


def advantages(
    target: FloatArray, state: IntArray, value: FloatArray, running: float, count: int, rule: Recipe
) -> tuple[FloatArray, float]:
    """Return the advantages, (posts,), and the running mean after the session; `count` returns came before it."""
    after = running
    for n, one in enumerate(target, count + 1):
        weight = rule.exponential_weight if rule.baseline == "exponential" else 1 / n
        after = (1 - weight) * after + weight * one
    by_place = target.reshape(rule.group, rule.horizon)
    if rule.baseline == "none":
        gains = target
    elif rule.baseline == "value":
        gains = target - value[state]
    elif rule.baseline == "group-mean":
        gains = (by_place - by_place.mean(axis=0)).ravel()
    elif rule.baseline == "leave-one-out":
        others = [np.delete(by_place, i, axis=0).mean(axis=0) for i in range(rule.group)]
        gains = (by_place - np.array(others)).ravel()
    else:
        gains = target - (after if rule.baseline == "welford-inclusive" else running)
    return np.asarray(gains), float(after)


def in_spreads(gains: FloatArray, rule: Recipe) -> FloatArray:
    """Return advantages minus their mean, over their standard deviation with the rule's ddof and eps."""
    spread = gains.var(ddof=rule.ddof)
    scale = np.sqrt(spread + rule.eps) if rule.eps_inside_root else np.sqrt(spread) + rule.eps
    return np.asarray((gains - gains.mean()) / scale)


def normalised(gains: FloatArray, rule: Recipe) -> FloatArray:
    """Return advantages in units of their spread, where the rule takes it over a group or over the session."""
    if rule.normalise == "batch":
        return in_spreads(gains, rule)
    if rule.normalise == "group":
        by_place = gains.reshape(rule.group, rule.horizon).copy()
        for h in range(rule.horizon):
            by_place[:, h] = in_spreads(by_place[:, h], rule)
        return np.asarray(by_place.ravel())
    return gains


def push(ratio: float, gain: float, rule: Recipe) -> float:
    """Return what the surrogate multiplies a post's score by: rho A, or 0 where the clip holds it.

    Formula: the derivative by ln rho of min(rho A, clip(rho) A), and of max(., c A) where A < 0.
    Source: Schulman et al. (2017), eq. 7; Ye et al. (2020) for the dual clip.
    """
    if gain >= 0:
        return ratio * gain if ratio <= 1 + rule.clip_high else 0.0
    return ratio * gain if 1 - rule.clip_low <= ratio <= rule.dual_clip else 0.0


def pull(log_ratio: float, ratio: float, rule: Recipe) -> float:
    """Return what the leash in the loss takes off a post's weight, before its coefficient.

    Formula: with x = ln pi - ln pi_ref: x for k2, 1 - exp(-x) for k3, rho x for rho k3.
    """
    if rule.leash == "k2-in-loss":
        return log_ratio
    if rule.leash == "k3-in-loss":
        return 1 - float(np.exp(-log_ratio))
    return ratio * log_ratio if rule.leash.startswith("k3") else 0.0
