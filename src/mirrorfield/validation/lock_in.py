"""Lock-in of users who do not change: how often, on what, and that it does not last for ever."""

from collections.abc import Iterator

import numpy as np

from mirrorfield.theory.lock_in import escape_time
from mirrorfield.validation.bandit import learners, share
from mirrorfield.validation.claim import Claim, at_most, below, equal, slope

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
BASELINES = {
    ("none", 0.05): (0.589, 0.813, 0.915),
    ("none", 0.2): (0.589, 0.704, 0.746),
    ("none", 1.0): (0.488, 0.543, 0.565),
    ("welford-inclusive", 1.0): (0.557, 0.622, 0.645),
}
ABOVE_ALL = (0.562, 0.697, 0.747)
NOISELESS = {
    ("welford", 0.2): 1.0,
    ("welford", 1.0): 0.9989,
    ("none", 0.2): 0.879,
    ("none", 1.0): 0.656,
    ("none", 5.0): 0.492,
}


def _against_table(text: str, expected: float, hits: np.ndarray, group: str = "lock-in table") -> Claim:
    found, error = share(hits)
    theirs = np.sqrt(max(expected * (1 - expected), 1 / SEEDS) / SEEDS)
    return equal(group, text, expected, found, float(np.hypot(error, theirs)))


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
    """Yield how other baselines commit, with noise and without, against the same experiment."""
    for (kind, alpha), leads in BASELINES.items():
        for steps, expected in zip(TIMES, leads, strict=True):
            _, policy = learners(MEAN, STD, {"baseline": kind, "learning_rate": alpha}, users, steps, 4)
            text = f"P(arm 1 leads), baseline {kind}, alpha = {alpha:g}, t = {steps}"
            yield _against_table(text, expected, policy.argmax(axis=1) == 0, "committal")
    for steps, expected in zip(TIMES, ABOVE_ALL, strict=True):
        _, policy = learners(MEAN - 2, STD, {"baseline": "none", "learning_rate": 0.2}, users, steps, 4)
        text = f"P(arm 1 leads), constant baseline 2, alpha = 0.2, t = {steps}"
        yield _against_table(text, expected, policy.argmax(axis=1) == 0, "committal")
    for (kind, alpha), expected in NOISELESS.items():
        _, policy = learners(MEAN, 0 * STD, {"baseline": kind, "learning_rate": alpha}, users, TIMES[-1], 5)
        text = f"P(arm 1 leads), baseline {kind}, no noise, alpha = {alpha:g}, t = {TIMES[-1]}"
        yield _against_table(text, expected, policy.argmax(axis=1) == 0, "committal")


def escape(users: int) -> Iterator[Claim]:
    """Yield that half of the users have left the worse of two arms when the flow has, the nearer the smaller alpha."""
    tau, start = escape_time(1 / (1 + np.exp(4.0)), 0.1), ((-2.0, 2.0),)
    rates = np.array([0.2, 0.1, 0.05, 0.025])
    medians, errors = [], []
    for alpha in rates:
        policy = {"learning_rate": float(alpha), "start": start}
        _, found = learners(np.array([1.1, 1.0]), np.full(2, 0.1), policy, users, round(tau / alpha), 6)
        medians.append(float(np.median(found[:, 0])))
        low, high = np.quantile(found[:, 0], [0.5 - 0.5 / np.sqrt(users), 0.5 + 0.5 / np.sqrt(users)])
        errors.append(float(high - low) / 2)
    away, rng = 0.5 - np.array(medians), np.random.default_rng(2)
    text = "slope of log distance from one half against log alpha, of the median user when the flow has escaped"
    noisy = [slope(rates, np.abs(away + errors * rng.standard_normal(4))) for _ in range(200)]
    yield equal("escape", text, 1, slope(rates, away), float(np.std(noisy)), bias=0.2)
    text = f"median of pi_1 when the flow is at one half, from pi_1 = .018, gap .1, alpha = {rates[-1]:g}"
    yield equal("escape", text, 0.5, medians[-1], errors[-1], bias=0.02)
