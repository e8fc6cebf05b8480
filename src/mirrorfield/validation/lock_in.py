"""Lock-in of users who do not change: how often, on what, and that it does not last for ever."""

from collections.abc import Iterator

import numpy as np

from mirrorfield.policy.chain import baseline, chain, reinforce
from mirrorfield.population.rule_reference import simulate_rule
from mirrorfield.validation.bandit import bandit, learners, share
from mirrorfield.validation.claim import Claim, at_most, below, equal

MEAN, STD = np.array([1, 0.9, 0.5, 0.2]), np.ones(4)
TIMES = (100, 1000, 4000)
SEEDS = 20_000
# An independent NumPy experiment with 20,000 seeds: P(argmax = 1) at TIMES, P(locked on arm 1), P(locked on another).
TABLE = {
    0.05: ((0.634, 0.890, 0.976), 0.121, 0.0003),
    0.2: ((0.630, 0.788, 0.852), 0.777, 0.117),
    1.0: ((0.536, 0.602, 0.629), 0.625, 0.3683),
    5.0: ((0.364, 0.404, 0.426), 0.426, 0.574),
}
WITHOUT = {"none": 0.543, "welford-inclusive": 0.622}


def _against_table(text: str, expected: float, hits: np.ndarray) -> Claim:
    found, error = share(hits)
    theirs = np.sqrt(max(expected * (1 - expected), 1 / SEEDS) / SEEDS)
    return equal("lock-in table", text, expected, found, float(np.hypot(error, theirs)))


def table(users: int) -> Iterator[Claim]:
    """Yield how often each arm leads and locks in, against an experiment without this package."""
    for alpha, (leads, best, other) in TABLE.items():
        for steps, expected in zip(TIMES, leads, strict=True):
            _, policy = learners(MEAN, STD, alpha, users, steps)
            text = f"P(arm 1 leads), alpha = {alpha:g}, t = {steps}"
            yield _against_table(text, expected, policy.argmax(axis=1) == 0)
        yield _against_table(f"P(pi_1 > .99), alpha = {alpha:g}, t = {steps}", best, policy[:, 0] > 0.99)
        wrong = policy[:, 1:].max(axis=1) > 0.99
        yield _against_table(f"P(another > .99), alpha = {alpha:g}, t = {steps}", other, wrong)


def metastability(users: int) -> Iterator[Claim]:
    """Yield that ever fewer users have a wrong arm in the lead, the same users seen later and later."""
    wrong = [learners(MEAN, STD, 0.2, users, t)[1].argmax(axis=1) != 0 for t in (1000, 4000, 16_000, 64_000)]
    for t, before, after in zip((4000, 16_000, 64_000), wrong[:-1], wrong[1:], strict=True):
        change = after.astype(float) - before
        error = float(change.std() / np.sqrt(users))
        text = f"change of P(a wrong arm leads) from t = {t // 4} to {t}, alpha = .2"
        yield below("metastability", text, 0, float(change.mean()), error)


def small_alpha(users: int) -> Iterator[Claim]:
    """Yield that at equal alpha t fewer users are led wrong the smaller alpha is, down to none."""
    runs = [
        learners(MEAN, STD, alpha, users, round(200 / alpha), seed) for seed, alpha in enumerate((0.05, 0.01, 0.005))
    ]
    (large, s1), (small, s2), (least, s3) = (share(policy.argmax(axis=1) != 0) for _, policy in runs)
    text = "P(a wrong arm leads) at alpha t = 200, alpha = {}, against alpha = {}"
    yield below("small alpha", text.format(0.01, 0.05), large, small, float(np.hypot(s1, s2)))
    yield at_most("small alpha", text.format(0.005, 0.01), small, least, float(np.hypot(s2, s3)))


def tied_arms(users: int) -> Iterator[Claim]:
    """Yield that equal arms win equally often, and that collapse depends on alpha**2 t."""
    _, policy = learners(np.ones(4), STD, 1.0, users, 1000)
    for arm in range(4):
        found, error = share(policy.argmax(axis=1) == arm)
        yield equal("tied arms", f"P(arm {arm + 1} leads), alpha = 1, t = 1000", 0.25, found, error)
    slow, fast = (learners(np.ones(4), STD, a, users, t, seed)[1] for a, t, seed in ((0.1, 4000, 2), (0.2, 1000, 3)))
    (one, s1), (two, s2) = share(slow.max(axis=1) > 0.9), share(fast.max(axis=1) > 0.9)
    text = "P(max pi > .9) at alpha^2 t = 40: alpha = .1 against alpha = .2"
    yield equal("tied arms", text, two, one, float(np.hypot(s1, s2)))


def baselines(users: int) -> Iterator[Claim]:
    """Yield how other baselines commit, in the NumPy reference of rules, against the same experiment."""
    scenario = bandit(MEAN, STD, 1.0, users, 1000, 4)
    for kind, expected in WITHOUT.items():
        run = simulate_rule(scenario, chain(reinforce(1.0), baseline(kind)), np.arange(users))
        text = f"P(arm 1 leads), baseline {kind}, alpha = 1, t = 1000 (NumPy reference)"
        yield _against_table(text, expected, run.users.logits[:, 0].argmax(axis=1) == 0)
