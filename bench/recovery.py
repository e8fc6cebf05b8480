"""How often the intervals of `mirrorfield arousal` and of lambda in `mirrorfield fit` cover the truth, on made logs.

    uv run python bench/recovery.py arousal --logs 200
    uv run python bench/recovery.py lambda --logs 200

draws logs from the model that is fitted, fits each, and prints for every number how far the estimates are from the
truth on average, in standard deviations of the estimates, and how many of the 95% intervals hold it. Of that share, the
standard error is sqrt(0.95 * 0.05 / logs), and of a mean in standard deviations 1 / sqrt(logs).
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from mirrorfield.calibration.hidden import Chains, fit_chain
from mirrorfield.calibration.information import covariance, intervals, to_vector
from mirrorfield.calibration.intentionality import Cells, Law, estimate, mean_interval, people_of, plausible
from mirrorfield.calibration.sessions import Sessions, sessions_of

Array = NDArray[np.float64]

PEOPLE, VISITS, POSTS = 20, 3, 40
CHAIN = Chains(
    start=np.array([[0.6, 0.3, 0.1]]),
    moves=np.array([[[0.85, 0.12, 0.03], [0.1, 0.8, 0.1], [0.04, 0.16, 0.8]]]),
    mean=np.array([[0.0, 1.5, 3.0]]),
    sd=np.array([[0.4, 0.5, 0.6]]),
    acts=np.array([[[0.02], [0.1], [0.4]]]),
)
RATERS, REACTIONS, RATINGS, NOISE = 150, 8, 3, (0.15, 0.2)
LAW = Law(
    r=np.array([0.6, 0.7, 0.5, 0.4, 0.3, 0.55]), d=np.array([0.3, 0.25, 0.4, 0.6, 0.8, 0.5]),
    zero=0.05, unit=0.8, tau=0.15, t=0.18, a=2.0, b=3.0,
)  # fmt: skip


def sessions(rng: np.random.Generator) -> Sessions:
    """Draw the sessions of people whose state moves by the chain."""
    n = PEOPLE * VISITS
    state = np.empty((n, POSTS), np.int64)
    state[:, 0] = rng.choice(3, size=n, p=CHAIN.start[0])
    for t in range(1, POSTS):
        odds = np.cumsum(CHAIN.moves[0][state[:, t - 1]], axis=1)[:, :2]
        state[:, t] = (rng.random(n)[:, None] > odds).sum(axis=1)
    dwell = np.exp(CHAIN.mean[0][state] + CHAIN.sd[0][state] * rng.standard_normal(state.shape))
    like = rng.random(state.shape) < CHAIN.acts[0, :, 0][state]
    person, visit = np.repeat(np.arange(PEOPLE), VISITS * POSTS), np.repeat(np.arange(n), POSTS)
    return sessions_of(person, visit, np.tile(np.arange(POSTS), n).astype(float), dwell.ravel(), {"like": like.ravel()})


def arousal(logs: int) -> None:
    """Print what fits of three states find in so many logs."""
    names = [f"{what}, {state}" for what in ("mean ln dwell", "sd ln dwell", "like") for state in "123"]
    names += [f"move {i} to {j}" for i in "123" for j in "123"]
    estimates, inside, region, refused = [], [], 0, 0
    for seed in range(logs):
        found = sessions(np.random.default_rng(seed))
        best = fit_chain(found, 3, seeds=range(3)).chains
        spread = covariance(found, best)
        if spread is None:
            refused += 1
            continue
        wide = intervals(best, spread)
        truth = np.concatenate([CHAIN.mean[0] - found.centre, CHAIN.sd[0], CHAIN.acts.ravel(), CHAIN.moves.ravel()])
        low, high = np.concatenate([wide[key].reshape(2, -1) for key in ("mean", "sd", "acts", "moves")], axis=1)
        value = np.concatenate([best.mean[0], best.sd[0], best.acts.ravel(), best.moves.ravel()])
        estimates.append(value - truth)
        inside.append((low <= truth) & (truth <= high))
        centred = Chains(CHAIN.start, CHAIN.moves, CHAIN.mean - found.centre, CHAIN.sd, CHAIN.acts)
        away = to_vector(best) - to_vector(centred)
        region += bool(away @ np.linalg.solve(spread, away) <= chi2.ppf(0.95, len(away)))
    table(names, np.array(estimates), np.array(inside))
    print(f"region of all at once: {region} of {len(inside)}; without an interval: {refused} of {logs}")


def cells(rng: np.random.Generator) -> tuple[Array, Cells]:
    """Draw lambda and the two signals of people from the law."""
    shape = RATERS, len(LAW.r)
    lam = rng.beta(LAW.a, LAW.b, RATERS)
    r, d = LAW.r + LAW.tau * rng.standard_normal(shape), LAW.d + LAW.t * rng.standard_normal(shape)
    means = (1 - lam[:, None]) * r + lam[:, None] * (LAW.zero + LAW.unit * d)
    y = means[:, :, None] + NOISE[0] * rng.standard_normal((*shape, REACTIONS))
    z = d[:, :, None] + NOISE[1] * rng.standard_normal((*shape, RATINGS))
    noise = float(y.var(axis=2, ddof=1).mean()), float(z.var(axis=2, ddof=1).mean())
    return lam, Cells(np.full(shape, float(REACTIONS)), y.mean(2), np.full(shape, float(RATINGS)), z.mean(2), noise)


def intentionality(logs: int) -> None:
    """Print what fits of lambda's law find in so many logs."""
    names = ["mean of lambda", "unit", "tau", "t"]
    truth = np.array([LAW.mean, LAW.unit, LAW.tau, LAW.t])
    estimates, inside, people, related, refused = [], [], [], [], 0
    for seed in range(logs):
        lam, found = cells(np.random.default_rng(seed))
        law, spread = estimate(found)
        if spread is None:
            refused += 1
            continue
        mean, low, high = mean_interval(law, spread)
        error = np.sqrt(np.diag(spread)[-5:-2])
        logs_ = np.log([law.unit, law.tau, law.t])
        lows, highs = np.exp(logs_ - 1.96 * error), np.exp(logs_ + 1.96 * error)
        estimates.append(np.array([mean, law.unit, law.tau, law.t]) - truth)
        inside.append((np.append(low, lows) <= truth) & (truth <= np.append(high, highs)))
        each, low_u, high_u, _ = people_of(found, plausible(law, spread))
        people.append(((low_u <= lam) & (lam <= high_u)).mean())
        related.append(np.corrcoef(each, lam)[0, 1])
    table(names, np.array(estimates), np.array(inside))
    print(f"intervals of people that hold their lambda: {np.mean(people):.1%}, by log {np.std(people):.1%} apart")
    print(f"correlation of lambda with its estimate: {np.mean(related):.2f}")
    print(f"not identified: {refused} of {logs}")


def table(names: list[str], estimates: Array, inside: NDArray[np.bool_]) -> None:
    """Print for every number the mean error, the spread of estimates and the coverage."""
    print(f"{'':18} mean error  spread  in spreads  covered")
    for i, name in enumerate(names):
        bias, spread = estimates[:, i].mean(), estimates[:, i].std(ddof=1)
        print(f"{name:18} {bias:+10.4f}  {spread:6.4f}  {bias / spread:+10.2f}  {inside[:, i].mean():7.1%}")


def main() -> None:
    """Read the words and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("arousal", "lambda"))
    parser.add_argument("--logs", type=int, default=200)
    asked = parser.parse_args()
    (arousal if asked.what == "arousal" else intentionality)(asked.logs)


if __name__ == "__main__":
    main()
