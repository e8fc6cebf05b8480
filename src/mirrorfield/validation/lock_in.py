"""Lock-in of users who do not change: how often, on what, and that it does not last for ever."""

from collections.abc import Iterator

import numpy as np

from mirrorfield.theory.experiment import Bandit, policies
from mirrorfield.theory.lock_in import escape_time
from mirrorfield.validation.bandit import courses, learners, share
from mirrorfield.validation.claim import Claim, at_most, below, equal, slope

MEAN, STD = np.array([1, 0.9, 0.5, 0.2]), np.ones(4)
TIMES = (100, 1000, 4000)
TESTED = (0.05, 0.2, 1.0, 5.0)
LEAST_SEEDS, SHARE_OF_SEEDS, ENOUGH = 400, 40, 50_000


def _against_experiment(bandits: dict[str, Bandit], users: int, seed: int) -> Iterator[Claim]:
    """Yield how often each arm leads and locks in, against users with NumPy's luck, simulated by the theory now."""
    times = TIMES if users >= ENOUGH else TIMES[:-1]
    theirs = policies(list(bandits.values()), max(LEAST_SEEDS, users // SHARE_OF_SEEDS), times)
    for place, (name, bandit) in enumerate(bandits.items()):
        policy = {"baseline": bandit.baseline, "learning_rate": bandit.learning_rate}
        std = np.full(4, bandit.std)
        ours = courses(np.array(bandit.mean), std, policy, users, times, seed)
        for steps, own, other in zip(times, ours, theirs[:, place], strict=True):
            text = f"P(arm 1 leads), {name}, t = {steps}"
            yield alike(text, own.argmax(axis=1) == 0, other.argmax(axis=1) == 0)
        yield alike(f"P(pi_1 > .99), {name}, t = {times[-1]}", ours[-1][:, 0] > 0.99, theirs[-1, place, :, 0] > 0.99)
        wrong = [policy[:, 1:].max(axis=1) > 0.99 for policy in (ours[-1], theirs[-1, place])]
        yield alike(f"P(another > .99), {name}, t = {times[-1]}", *wrong)


def alike(text: str, ours: np.ndarray, theirs: np.ndarray) -> Claim:
    """Return the claim that something holds as often in two groups of users, with the error that there is if it does.

    The error is of both groups together, because the smaller one may hold one user where five are expected; it is that
    of one user in the smaller group at least.
    """
    n, m, p = len(ours), len(theirs), float(np.concatenate([ours, theirs]).mean())
    error = np.sqrt(max(p * (1 - p), 1 / min(n, m)) * (1 / n + 1 / m))
    return equal("lock-in", text, float(theirs.mean()), float(ours.mean()), float(error))


def table(users: int) -> Iterator[Claim]:
    """Yield how often each arm leads and locks in at four learning rates."""
    bandits = {f"alpha = {alpha:g}": Bandit(tuple(MEAN), 1.0, alpha) for alpha in TESTED}
    yield from _against_experiment(bandits, users, 1)


def metastability(users: int) -> Iterator[Claim]:
    """Yield that ever fewer users have a wrong arm in the lead, the same users seen later and later."""
    times = (1000, 4000, 16_000, 64_000)
    wrong = courses(MEAN, STD, 0.2, users, times).argmax(axis=2) != 0
    for t, before, after in zip(times[1:], wrong[:-1], wrong[1:], strict=True):
        change = after.astype(float) - before
        error = float(change.std() / np.sqrt(users))
        text = f"change of P(a wrong arm leads) from t = {t // 4} to {t}, alpha = .2"
        yield below("lock-in", text, 0, float(change.mean()), error)


def small_alpha(users: int) -> Iterator[Claim]:
    """Yield that at equal alpha t fewer users are led wrong the smaller alpha is, down to none."""
    runs = [
        learners(MEAN, STD, alpha, users, round(200 / alpha), seed) for seed, alpha in enumerate((0.05, 0.01, 0.005))
    ]
    (large, s1), (small, s2), (least, s3) = (share(policy.argmax(axis=1) != 0) for _, policy in runs)
    text = "P(a wrong arm leads) at alpha t = 200, alpha = {}, against alpha = {}"
    yield below("lock-in", text.format(0.01, 0.05), large, small, float(np.hypot(s1, s2)))
    yield at_most("lock-in", text.format(0.005, 0.01), small, least, float(np.hypot(s2, s3)))


def tied_arms(users: int) -> Iterator[Claim]:
    """Yield that equal arms win equally often, and that collapse depends on alpha**2 t."""
    _, policy = learners(np.ones(4), STD, 1.0, users, 1000)
    for arm in range(4):
        found, error = share(policy.argmax(axis=1) == arm)
        yield equal("lock-in", f"P(arm {arm + 1} leads), alpha = 1, t = 1000", 0.25, found, error)
    slow, fast = (learners(np.ones(4), STD, a, users, t, seed)[1] for a, t, seed in ((0.1, 4000, 2), (0.2, 1000, 3)))
    (one, s1), (two, s2) = share(slow.max(axis=1) > 0.9), share(fast.max(axis=1) > 0.9)
    text = "P(max pi > .9) at alpha^2 t = 40: alpha = .1 against alpha = .2"
    yield equal("lock-in", text, two, one, float(np.hypot(s1, s2)))


def baselines(users: int) -> Iterator[Claim]:
    """Yield how other baselines commit, with noise and without."""
    noisy = {f"baseline none, alpha = {alpha:g}": Bandit(tuple(MEAN), 1.0, alpha, "none") for alpha in TESTED[:3]}
    noisy["baseline welford-inclusive, alpha = 1"] = Bandit(tuple(MEAN), 1.0, 1.0, "welford-inclusive")
    noisy["constant baseline 2, alpha = 0.2"] = Bandit(tuple(MEAN - 2), 1.0, 0.2, "none")
    still = {f"baseline {kind}, no noise, alpha = {alpha:g}": Bandit(tuple(MEAN), 0.0, alpha, kind)
             for kind, alpha in (("welford", 0.2), ("welford", 1.0), ("none", 0.2), ("none", 1.0))}  # fmt: skip
    yield from _against_experiment(noisy | still, users, 4)


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
    yield equal("lock-in", text, 1, slope(rates, away), float(np.std(noisy)), bias=0.2)
    text = f"median of pi_1 when the flow is at one half, from pi_1 = .018, gap .1, alpha = {rates[-1]:g}"
    yield equal("lock-in", text, 0.5, medians[-1], errors[-1], bias=0.02)
