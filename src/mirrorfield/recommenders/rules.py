"""Rules in six lines, which run at the speed of the compiled lanes: models to copy."""

from typing import Any

import numpy as np

from mirrorfield.recommenders.update import update_rule


@update_rule(value=0.0)
def boltzmann_q(
    logit: Any, policy: Any, chosen: Any, advantage: Any, reward: Any, propensity: Any, value: Any,
    rate: float = 0.1, sharpness: float = 5.0,
) -> Any:  # fmt: skip
    """Boltzmann Q-learning: the value of each arm follows its rewards, and the policy is the softmax of the values.

    Formula: Q_a += rate 1[a = a_t] (G - Q_a); logit_a = sharpness Q_a. Source: Sutton and Barto (2018), eq. 2.5;
    docs/contract.md.
    """
    value = value + rate * chosen * (reward - value)
    return sharpness * value, value


@update_rule(value=0.0, count=0.0)
def tracked_means(
    logit: Any, policy: Any, chosen: Any, advantage: Any, reward: Any, propensity: Any, value: Any, count: Any,
    keep: float = 0.99, sharpness: float = 5.0,
) -> Any:  # fmt: skip
    """Means of each arm's rewards that forget: a post n posts ago counts keep^n; the policy is their softmax.

    Formula: N_a = keep N_a + 1[a = a_t]; Q_a += 1[a = a_t] (G - Q_a) / N_a; logit_a = sharpness Q_a. Source:
    the discounted means of Lattimore and Szepesvari (2020), section 31.3; docs/contract.md.
    """
    count = keep * count + chosen
    value = value + chosen * (reward - value) / np.where(chosen > 0, count, 1)
    return sharpness * value, value, count


@update_rule()
def exp3(logit: Any, policy: Any, chosen: Any, advantage: Any, reward: Any, propensity: Any, rate: float = 0.02) -> Any:
    """EXP3, the exponential-weight bandit: an arm's logit grows by its reward over the probability that it had.

    Formula: logit_a += rate 1[a = a_t] G / b(a_t). In expectation every logit grows by rate G_a at every post, so its
    limit of small steps is the replicator equation. Source: Lattimore and Szepesvari (2020), eq. 11.7, with
    the reward over its propensity; mixing with the even policy is `intervention.exploration`. docs/contract.md.
    """
    return logit + rate * chosen * reward / propensity
