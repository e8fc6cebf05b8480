"""One update on average, and the limit of a small learning rate."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mirrorfield.theory.flow import flow_with_spread
from mirrorfield.theory.gradient import expected_update
from mirrorfield.validation.bandit import learners
from mirrorfield.validation.claim import LIMIT, NINETY_PERCENT, Claim, below, equal, slope

MEAN, STD = np.array([1, 0.9, 0.5, 0.2]), np.full(4, 0.5)
PROFILES, TAU = 50, 10.0
RATES = (0.2, 0.1, 0.05, 0.025)


def mean_update(users: int) -> Iterator[Claim]:
    """Yield that one update moves the logits by alpha pi (mu - J) on average, for random users."""
    rng, alpha, worst = np.random.default_rng(50), 0.1, 0.0
    for seed in range(PROFILES):
        mean, std = rng.normal(0, 1, 4), rng.uniform(0.1, 1, 4)
        logits, _ = learners(mean, std, alpha, users, 1, seed)
        error = logits.std(axis=0) / np.sqrt(users)
        worst = max(
            worst, float(np.abs((logits.mean(axis=0) - alpha * expected_update(np.zeros(4), mean)) / error).max())
        )
    claim = below(
        "update", f"largest absolute z-score of the mean update, {PROFILES} random profiles x 4 logits", LIMIT, worst
    )
    yield replace(claim, power=LIMIT + NINETY_PERCENT, power_of="s.e. of a mean update")


def flow_limit(users: int) -> Iterator[Claim]:
    """Yield that the mean follows the flow up to O(alpha), and the spread alpha C up to O(alpha**2)."""
    flow, spread = flow_with_spread(np.zeros(4), MEAN, STD, np.array([TAU]))
    rates, rng = np.array(RATES), np.random.default_rng(1)
    runs = [learners(MEAN, STD, alpha, users, round(TAU / alpha), seed)[0] for seed, alpha in enumerate(RATES, 10)]
    away = np.array([logits.mean(axis=0) - flow[0] for logits in runs])
    error = np.array([logits.std(axis=0) / np.sqrt(users) for logits in runs])
    norms = [np.linalg.norm(away + error * rng.standard_normal(error.shape), axis=1) for _ in range(200)]
    fitted = slope(rates, np.linalg.norm(away, axis=1))
    scatter = float(np.std([slope(rates, norm) for norm in norms]))
    yield equal("flow", "slope of log error of the mean against log alpha", 1, fitted, scatter, bias=0.2)
    variances = np.array([logits.var(axis=0).sum() for logits in runs])
    scatter = float(np.sqrt(2 / users))
    yield equal("flow", "slope of log variance against log alpha", 1, slope(rates, variances), scatter, bias=0.1)
    ratio = float(variances[-1] / (RATES[-1] * np.trace(spread[0])))
    yield equal("flow", f"variance over alpha trace C at alpha = {RATES[-1]}", 1, ratio, scatter, bias=0.05)
