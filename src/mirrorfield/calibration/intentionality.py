"""Lambda from two kinds of signal of the same people: how they react, and what they say on purpose.

In category a, person u is pulled by r_ua ~ Normal(r_a, tau^2) and values it at d_ua ~ Normal(d_a, t^2), independently:

    reaction     y = (1 - lambda_u) r_ua + lambda_u (zero + unit d_ua) + error,   error ~ Normal(0, sigma^2)
    deliberate   z = d_ua + error,                                                error ~ Normal(0, s^2)

and lambda_u ~ Beta(a, b). What is deliberate has a unit and a zero of its own. docs/lambda.md proves that these signals
tell lambda, and from which other logs nothing can.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from mirrorfield.calibration.designs import sum_by
from mirrorfield.calibration.log import EventLog, InteractionLog
from mirrorfield.calibration.scaling import Scaling
from mirrorfield.errors import InputError

Array = NDArray[np.float64]

GRID = (np.arange(51) + 0.5) / 51
"""Values of lambda that integrals are taken over."""
MOST_PEOPLE, BLOCK = 2000, 1 << 22
"""People from whom the law of lambda is estimated; numbers by person, category and lambda that are held at a time."""
WIDEST = 0.25
"""Half of the widest 95% interval of the mean lambda with which lambda is written."""
LEAST, STEP, NORMAL = 1e-6, 1e-4, 1.96
SHORT, MOST, DRAWS = 15, 500, 16
"""Steps from each start, and of the best of them on to the end; laws drawn for the intervals of people."""
BOUNDS = {"tau": (-7.0, 2.0), "t": (-7.0, 2.0), "unit": (-5.0, 5.0), "a": (-2.0, 6.0), "b": (-2.0, 6.0)}
"""Of the logarithms of these parameters, reactions and deliberate signals being scaled to 0 to 1."""
ASSUMES = (
    "within a category, what pulls people does not depend on what they value; if it leans on it by the share b, lambda "
    "is (lambda - b) / (1 - b)"
)


@dataclass(frozen=True)
class Cells:
    """Sums over the events of U people in K categories, float64 (U, K): how many, and the mean, of each signal.

    n, y of reactions; k, z of deliberate signals; means are 0 where there are none. noise: variances of one reaction
    and one deliberate signal within a cell.
    """

    n: Array
    y: Array
    k: Array
    z: Array
    noise: tuple[float, float]

    def rows(self, chosen: slice | NDArray[np.int64]) -> "Cells":
        """Return the cells of some people."""
        return Cells(self.n[chosen], self.y[chosen], self.k[chosen], self.z[chosen], self.noise)


@dataclass(frozen=True)
class Law:
    """The numbers that all people have in common: r, d (K,), zero, unit, tau, t, and a and b of lambda's law."""

    r: Array
    d: Array
    zero: float
    unit: float
    tau: float
    t: float
    a: float
    b: float

    @classmethod
    def of(cls, vector: Array) -> "Law":
        """Return the law with these free numbers (2 K + 6,): r, d, zero, and the logarithms of the others."""
        k = (len(vector) - 6) // 2
        return cls(vector[:k], vector[k : 2 * k], float(vector[2 * k]), *map(float, np.exp(vector[2 * k + 1 :])))

    @property
    def vector(self) -> Array:
        """The free numbers."""
        return np.concatenate(
            [self.r, self.d, [self.zero], np.log([self.unit, self.tau, self.t, self.a, self.b])]
        )  # fmt: skip

    @property
    def mean(self) -> float:
        """The mean of lambda."""
        return self.a / (self.a + self.b)

    @property
    def value(self) -> Array:
        """What is valued by category (K,), in the unit of reactions."""
        return self.zero + self.unit * self.d


@dataclass(frozen=True)
class Others:
    """Other people that the log leaves open: the mean lambda of their law, and what goes with it.

    lam (U,) and pull (U, K): lambda_u and r_ua; value (K,): what is valued, in units of reactions.
    """

    mean: float
    lam: Array
    pull: Array
    value: Array

    def rows(self, chosen: NDArray[np.integer[Any]]) -> "Others":
        """Return some of the people."""
        return replace(self, lam=self.lam[chosen], pull=self.pull[chosen])


@dataclass(frozen=True)
class Intent:
    """What a log says of lambda: identified or not and the line on it; if so, the law with its interval, and people.

    mean, spread: of lambda, value, low and high; lam, low, high (U,): posterior mean and 95% interval of each person;
    pull (U, K): posterior mean of r_ua; value (K,): zero + unit d_a, what is valued, in the unit of reactions; others:
    "lower" and "upper", these people at both ends of the interval of the mean, and "drawn", drawn from the posterior.
    None, or no others, where lambda is not identified.
    """

    identified: bool
    line: str
    law: Law | None = None
    mean: tuple[float, float, float] | None = None
    lam: Array | None = None
    low: Array | None = None
    high: Array | None = None
    pull: Array | None = None
    others: Mapping[str, Others] = field(default_factory=dict)

    @property
    def value(self) -> Array:
        """What is valued by category (K,), in the unit of reactions."""
        assert self.law is not None
        return self.law.value

    def summary(self) -> dict[str, Any]:
        """Return all but the people as plain data that json.dumps accepts."""
        told: dict[str, Any] = {"identified": self.identified, "line": self.line}
        if self.law is None or self.mean is None:
            return told
        value, low, high = self.mean
        law = {name: getattr(self.law, name) for name in ("a", "b", "unit", "zero", "tau", "t")}
        mean = {"value": value, "low": low, "high": high}
        leans = {str(b): max((value - b) / (1 - b), 0.0) for b in (0.1, 0.25, 0.5)}
        return told | {"mean": mean, "law": law, "assumes": ASSUMES, "mean_if_pulls_lean_by": leans}


def cells_of(log: InteractionLog, y: Array, z: Array) -> Cells:
    """Return the cells of a log with one category per event, from reactions y and deliberate signals z (E,), NaN where
    none is given; the noise is pooled within cells, NaN where no cell has two.
    """
    shape = len(log.user_names), len(log.category_names)
    cell = log.user * shape[1] + log.category
    size = shape[0] * shape[1]
    found: list[Array] = []
    noise: list[float] = []
    for values in (y, z):
        given = ~np.isnan(values)
        count = np.bincount(cell[given], minlength=size).astype(np.float64)
        mean = sum_by(cell[given], values[given], size) / np.maximum(count, 1)
        rest, free = ((values[given] - mean[cell[given]]) ** 2).sum(), np.maximum(count - 1, 0).sum()
        noise.append(float(rest / free) if free else np.nan)
        found += [count.reshape(shape), mean.reshape(shape)]
    n, mean_y, k, mean_z = found
    return Cells(n, mean_y, k, mean_z, (noise[0], noise[1]))


def _parts(cells: Cells, law: Law) -> tuple[Array, Array, Array]:
    """Return the weight B of the own deliberate mean, and mean and variance of d_ua given it, each (U, K)."""
    with np.errstate(divide="ignore"):
        of_mean = law.t**2 + cells.noise[1] / cells.k
    share = law.t**2 / of_mean
    return share, law.d + share * (cells.z - law.d), law.t**2 * (1 - share)


def _by_lambda(cells: Cells, law: Law, known: Array, doubt: Array) -> tuple[Array, Array]:
    """Return error and variance (U, K, G) of the mean reactions by lambda; 0 and 1 for a cell without reactions."""
    lam, seen = GRID, (cells.n > 0)[:, :, None]
    value = (law.zero + law.unit * known)[:, :, None]
    noise = cells.noise[0] / np.maximum(cells.n, 1)
    error = cells.y[:, :, None] - (1 - lam) * law.r[:, None] - lam * value
    spread = (1 - lam) ** 2 * law.tau**2 + lam**2 * (law.unit**2 * doubt)[:, :, None] + noise[:, :, None]
    return (error, spread) if seen.all() else (np.where(seen, error, 0.0), np.where(seen, spread, 1.0))


def _log_prior(law: Law) -> Array:
    weight = (law.a - 1) * np.log(GRID) + (law.b - 1) * np.log1p(-GRID)
    return np.asarray(weight - logsumexp(weight))


def _posterior(cells: Cells, law: Law, error: Array, spread: Array) -> tuple[Array, Array]:
    """Return the posterior of lambda (U, G) and the log-likelihood (U,) of the reactions given what is deliberate."""
    joint = _log_prior(law) - (np.log(spread) + error**2 / spread).sum(axis=1) / 2
    total = logsumexp(joint, axis=1)
    return np.exp(joint - total[:, None]), np.asarray(total)


def log_likelihood(cells: Cells, vector: Array) -> tuple[float, Array]:
    """Return the log-likelihood of both signals, up to a constant, and its gradient (2 K + 6,) by the free numbers.

    Formula: sum_u ln sum_g p(lambda_g) prod_a f(y_ua | z_ua, lambda_g) + sum_ua ln f(z_ua), lambda_g on a grid of 51
    points. Given z, d_ua is Normal(d_a + B (z - d_a), t^2 (1 - B)), B = t^2 / (t^2 + s^2 / k). The gradient is that of
    the logarithms under the posterior of lambda (Fisher's identity).
    """
    law = Law.of(vector)
    share, known, doubt = _parts(cells, law)
    error, spread = _by_lambda(cells, law, known, doubt)
    weight, told = _posterior(cells, law, error, spread)
    precise = weight[:, None, :] / spread
    by_mean = precise * error
    by_spread = (by_mean * error / spread - precise) / 2
    on_pull, on_value = by_mean @ (1 - GRID), by_mean @ GRID
    on_tau, on_doubt = (np.where(cells.n > 0, by_spread @ side**2, 0.0) for side in (1 - GRID, GRID))
    rated = cells.k > 0
    of_mean = np.where(rated, law.t**2 + cells.noise[1] / np.maximum(cells.k, 1), 1.0)
    away = np.where(rated, cells.z - law.d, 0.0)
    total = told.sum() - 0.5 * (rated * np.log(of_mean) + away**2 / of_mean).sum()
    unit, t2 = law.unit, law.t**2
    by_t = on_value * unit * away * (cells.noise[1] / np.maximum(cells.k, 1)) / of_mean**2
    by_t += on_doubt * unit**2 * (1 - share) ** 2 + 0.5 * rated * (away**2 / of_mean - 1) / of_mean
    prior, expected = np.exp(_log_prior(law)), weight.sum(axis=0)
    slopes = [(expected - prior * len(weight)) @ np.log(side) for side in (GRID, 1 - GRID)]
    gradient = np.concatenate(
        [
            on_pull.sum(axis=0),
            (on_value * unit * (1 - share) + away / of_mean).sum(axis=0),
            [
                on_value.sum(),
                unit * (on_value * known + 2 * unit * on_doubt * doubt).sum(),
                2 * law.tau**2 * on_tau.sum(),
                2 * t2 * by_t.sum(),
                law.a * slopes[0],
                law.b * slopes[1],
            ],
        ]
    )
    return float(total), gradient


def _first(cells: Cells) -> list[Law]:
    """Return laws to start from: moments of the cells, for three units of what is deliberate."""
    r, d = ((m * x).sum(axis=0) / np.maximum(m.sum(axis=0), 1) for m, x in ((cells.n, cells.y), (cells.k, cells.z)))
    wide = [max(float(x[m > 0].std()), 1e-2) for m, x in ((cells.n, cells.y), (cells.k, cells.z))]
    unit = wide[0] / wide[1]
    return [
        Law(r, d, float(r.mean() - c * unit * d.mean()), c * unit, wide[0] / 2, wide[1] / 2, 1.5, 1.5)
        for c in (0.5, 1.0, 2.0)
    ]


def estimate(cells: Cells) -> tuple[Law, Array | None]:
    """Return the law that maximises the likelihood, and the covariance of its free numbers, None if it has none.

    The covariance is the inverse of the observed information, by differences of the gradient; there is none where a
    number ends at a bound, or an eigenvalue of the information, scaled to a unit diagonal, is below 10^-6.
    """
    k = cells.y.shape[1]
    names = ("unit", "tau", "t", "a", "b")
    bounds = [(-np.inf, np.inf)] * (2 * k + 1) + [BOUNDS[name] for name in names]

    def goal(vector: Array) -> tuple[float, Array]:
        value, gradient = log_likelihood(cells, vector)
        return -value, -gradient

    def best(start: Array, steps: int) -> tuple[float, Array]:
        found = minimize(
            goal, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps, "ftol": 1e-11}
        )
        return float(found.fun), np.asarray(found.x, np.float64)

    _, theta = min((best(law.vector, SHORT) for law in _first(cells)), key=lambda found: found[0])
    _, theta = best(theta, MOST)
    law = Law.of(theta)
    ends = np.array([BOUNDS[name] for name in names])
    if (abs(theta[2 * k + 1 :, None] - ends) < 1e-3).any():
        return law, None
    steps = STEP * np.eye(len(theta))
    matrix = np.array([goal(theta + step)[1] - goal(theta - step)[1] for step in steps]) / (2 * STEP)
    matrix = (matrix + matrix.T) / 2
    scale = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    if np.linalg.eigvalsh(matrix / np.outer(scale, scale))[0] < LEAST:
        return law, None
    return law, np.asarray(np.linalg.inv(matrix), np.float64)


def mean_interval(law: Law, spread: Array) -> tuple[float, float, float]:
    """Return the mean of lambda with its 95% interval: m -+ 1.96 sqrt(g' C g), m = a / (a + b), within 0 and 1."""
    m = law.mean
    turn = m * (1 - m) * np.array([1.0, -1.0])
    half = NORMAL * float(np.sqrt(turn @ spread[-2:, -2:] @ turn))
    return m, max(m - half, 0.0), min(m + half, 1.0)


def plausible(law: Law, spread: Array) -> list[Law]:
    """Return 16 laws drawn from the normal law of the estimate, whose spread the intervals of people have to include.

    Source: Kass & Steffey (1989), https://doi.org/10.2307/2289653, on the uncertainty of an estimated law.
    """
    drawn = np.random.default_rng(0).multivariate_normal(law.vector, spread, DRAWS, method="cholesky")
    return [Law.of(vector) for vector in drawn]


def moved(law: Law, spread: Array, mean: float) -> Law:
    """Return a law moved to another mean of lambda, with everything that the estimate ties to it.

    Formula: theta + C h (logit m - h' theta) / (h' C h), with h' theta = ln a - ln b, the logit of the mean. Of all
    laws with the mean m this is the most likely one, as far as the log-likelihood is quadratic; at the ends of the 95%
    interval it is lower by 1.92. Parameters: law; spread C, the covariance of their free numbers; mean m, above 0 and
    below 1.
    """
    h = np.zeros(len(spread))
    h[-2:] = 1.0, -1.0
    along = spread @ h / (h @ spread @ h)
    return Law.of(law.vector + along * (np.log(mean / (1 - mean)) - h @ law.vector))


def people_of(cells: Cells, laws: Sequence[Law]) -> tuple[Array, Array, Array, Array]:
    """Return the posterior mean of lambda and its 95% interval (U,), and that of the pulls r_ua (U, K).

    The posterior is the mean of those under every one of the laws.
    """
    people, k = cells.y.shape
    lam, low, high, pull = np.empty(people), np.empty(people), np.empty(people), np.empty((people, k))
    for part in _some(people, max(1, BLOCK // (k * len(GRID)))):
        own = cells.rows(part)
        weights, pulls = np.zeros((len(own.y), len(GRID))), np.zeros(own.y.shape)
        for law in laws:
            _, known, doubt = _parts(own, law)
            error, spread = _by_lambda(own, law, known, doubt)
            weight, _ = _posterior(own, law, error, spread)
            weights += weight / len(laws)
            pulls += (law.r + law.tau**2 * ((weight[:, None, :] * error / spread) @ (1 - GRID))) / len(laws)
        lam[part], pull[part] = weights @ GRID, pulls
        low[part], high[part] = (_quantile(weights, q) for q in (0.025, 0.975))
    return lam, low, high, pull


def draw(cells: Cells, law: Law, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return lambda (U,) and the pulls r_ua (U, K) of people drawn from their posterior under a law.

    Formula: lambda_u from its posterior on the grid, spread evenly over the part of its point; given lambda, r_ua is
    Normal(r_a + tau^2 (1 - lambda) e / s, tau^2 - tau^4 (1 - lambda)^2 / s), with e and s the error of the mean
    reaction and its variance; without reactions Normal(r_a, tau^2).
    """
    people, k = cells.y.shape
    lam, pull = np.empty(people), np.empty((people, k))
    for part in _some(people, max(1, BLOCK // (k * len(GRID)))):
        own = cells.rows(part)
        _, known, doubt = _parts(own, law)
        error, spread = _by_lambda(own, law, known, doubt)
        weight, _ = _posterior(own, law, error, spread)
        each = np.arange(len(weight))
        at = (np.cumsum(weight, axis=1) < rng.random((len(weight), 1))).sum(axis=1).clip(max=len(GRID) - 1)
        gain = np.where(own.n > 0, law.tau**2 * (1 - GRID[at])[:, None] / spread[each, :, at], 0.0)
        left = law.tau**2 - gain * law.tau**2 * (1 - GRID[at])[:, None]
        pull[part] = law.r + gain * error[each, :, at] + np.sqrt(left) * rng.standard_normal(left.shape)
        lam[part] = GRID[at] + (rng.random(len(weight)) - 0.5) / len(GRID)
    return lam, pull


def _some(people: int, at_once: int) -> Iterator[slice]:
    return (slice(i, min(i + at_once, people)) for i in range(0, people, at_once))


def _quantile(weight: Array, q: float) -> Array:
    """Return quantiles (U,) of laws on the grid (U, G), each point spread evenly over its part of 0 to 1."""
    below = np.cumsum(weight, axis=1)
    at = (below < q).sum(axis=1).clip(max=len(GRID) - 1)
    row = np.arange(len(weight))
    inside = (q - (below[row, at] - weight[row, at])) / np.maximum(weight[row, at], 1e-300)
    return np.asarray((at + np.clip(inside, 0, 1)) / len(GRID))


def _why_not(cells: Cells) -> str:
    """Return why these signals cannot tell lambda, before anything is estimated; empty if they may."""
    if np.isnan(cells.noise[0]) or np.isnan(cells.noise[1]):
        return "nobody gave two deliberate signals in one category, so noise and values cannot be told apart"
    if ((cells.k > 0) & (cells.n > 0)).sum(axis=0).max() < 2:
        return "no category has deliberate signals of two people"
    return ""


def intentionality(log: InteractionLog | EventLog, scaling: Scaling) -> Intent:
    """Return what a log with reactions and deliberate signals says of lambda.

    lambda is identified if the likelihood has one maximum that its numbers are known at, and the 95% interval of the
    mean lambda is at most 0.5 wide. The law is estimated from 2,000 people spread evenly over a log of more; everybody
    then has the posterior of their own signals. Raises InputError for deliberate signals that are all equal, and for
    events of several categories.
    """
    seen = log if isinstance(log, InteractionLog) else log.sample(MOST_PEOPLE)
    given = seen.deliberate
    assert given is not None
    if len(seen.event) > len(seen.user):
        raise InputError("deliberate: expected one category per event, got several; leave out --separator.")
    rated = given[~np.isnan(given)]
    if not len(rated):
        raise InputError("deliberate: expected numbers in some rows, got none; leave it out.")
    least, most = float(rated.min()), float(rated.max())
    if least == most:
        raise InputError(f"deliberate: every signal is {least:g}: expected some that differ, or leave it out.")
    whole = [(0, seen)] if isinstance(log, InteractionLog) else log.blocks(BLOCK // len(log.category_names))
    cells = cells_of(seen, scaling.to_unit(seen.reaction), (given - least) / (most - least))
    reason = _why_not(cells)
    if reason:
        return Intent(False, f"Lambda is not identified: {reason}. It is set to 0.")
    law, spread = estimate(cells)
    if spread is None:
        return Intent(False, "Lambda is not identified: other lambdas explain these signals as well. It is set to 0.")
    mean = mean_interval(law, spread)
    told = f"mean {mean[0]:.3f} [{mean[1]:.3f}, {mean[2]:.3f}]"
    if mean[2] - mean[1] > 2 * WIDEST:
        return Intent(False, f"Lambda is not known well enough to be used: {told}. It is set to 0.", mean=mean)
    found: list[tuple[Array, ...]] = []
    laws, rng = plausible(law, spread), np.random.default_rng(0)
    ends = [moved(law, spread, float(np.clip(end, GRID[0], GRID[-1]))) for end in mean[1:]]
    for _, part in whole:
        assert part.deliberate is not None
        own = cells_of(part, scaling.to_unit(part.reaction), (part.deliberate - least) / (most - least))
        own = replace(own, noise=cells.noise)
        there = [people_of(own, [end])[::3] for end in ends]
        found.append((*people_of(own, laws), *(array for pair in (*there, draw(own, law, rng)) for array in pair)))
    lam, low, high, pull, *rest = (np.concatenate(parts) for parts in zip(*found, strict=True))
    kinds = zip((*ends, law), rest[::2], rest[1::2], strict=True)
    others = [Others(of.mean, at, pulls, of.value) for of, at, pulls in kinds]
    named = dict(zip(("lower", "upper", "drawn"), others, strict=True))
    return Intent(True, f"Lambda is identified: {told}.", law, mean, lam, low, high, pull, named)
