"""Which logs can tell lambda: the Fisher information of what a log shows, kind of log by kind of log.

What a log shows of a person are mean reactions by category, with normal errors. Person u is pulled by category a with
r_ua and values it at d_ua; they react with (1 - lambda_u) r_ua + lambda_u d_ua, as in equation 1 of docs/model.md with
r = w mu_reactive and d = mu_intentional. A kind of log is identified if no other parameters give the same law of what
it shows; its information then has full rank. docs/lambda.md has the proofs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Moments = Callable[[Array], tuple[Array, Array]]

STEP, LEAST = 1e-5, 1e-7
"""Half of the difference that derivatives are taken over; the least eigenvalue, of those of a matrix with a unit
diagonal, that is not rounding."""
K, ERROR = 5, 0.05
"""Categories of the examples, and the standard error of a mean reaction."""


def information(moments: Moments, theta: Array) -> Array:
    """Return the Fisher information (P, P) at theta (P,) of one observation of a normal vector.

    Formula: I_ij = m_i' V^-1 m_j + 1/2 tr(V^-1 V_i V^-1 V_j), m_i and V_i the derivatives of mean and covariance.

    >>> information(lambda theta: (theta[:1], np.diag(theta[1:])), np.array([0.0, 2.0])).round(6)
    array([[0.5  , 0.   ],
           [0.   , 0.125]])
    """
    mean, inverse = moments(theta)[0], np.linalg.inv(moments(theta)[1])
    by_mean, by_spread = np.empty((len(theta), len(mean))), np.empty((len(theta), len(mean), len(mean)))
    for i, step in enumerate(STEP * np.eye(len(theta))):
        up, down = moments(theta + step), moments(theta - step)
        by_mean[i], by_spread[i] = (up[0] - down[0]) / (2 * STEP), inverse @ (up[1] - down[1]) / (2 * STEP)
    found: Array = by_mean @ inverse @ by_mean.T + np.einsum("iab,jba->ij", by_spread, by_spread) / 2
    return found


def rank(matrix: Array) -> int:
    """Return the rank of an information matrix: eigenvalues above 10^-7, once its diagonal is scaled to 1.

    >>> rank(np.array([[1.0, 2.0], [2.0, 4.0]]))
    1
    """
    scale = np.sqrt(np.diag(matrix))
    scale = np.where(scale > 0, scale, 1.0)
    return int((np.linalg.eigvalsh(matrix / np.outer(scale, scale)) > LEAST).sum())


@dataclass(frozen=True)
class Log:
    """A kind of log: its parameters, an example of them, what it shows, and others under which it shows the same.

    theta (P,): the example; people: how many lambdas it begins with; moments: mean and covariance of what is shown, by
    theta; twin(theta, g): parameters with the same moments and (1 - lambda) / g for 1 - lambda, or None if there are
    none.
    """

    parameters: str
    theta: Array
    people: int
    moments: Moments
    twin: Callable[[Array, float], Array] | None = None

    @property
    def rank(self) -> int:
        """The rank of the information at the example."""
        return rank(information(self.moments, self.theta))


def _joined(*parts: object) -> Array:
    return np.concatenate([np.atleast_1d(np.asarray(part, float)) for part in parts])


_RNG = np.random.default_rng(20)
PULL, VALUE = _RNG.uniform(0.3, 0.9, K), _RNG.uniform(0.1, 0.9, K)
LAMBDA, LAMBDAS = 0.4, np.array([0.15, 0.35, 0.6, 0.8])
UNIT, ZERO, TASTE, VALUES = 0.7, 0.1, 0.2, 0.15
"""Examples: unit and zero of the second signal, spread of pulls and of values between people."""


def _blend(lam: Array | float, pull: Array, value: Array) -> Array:
    return np.asarray((1 - lam) * pull + lam * value)


def _less(lam: Array, g: float) -> Array:
    return np.asarray(1 - (1 - lam) / g)


def one_signal() -> Log:
    """One signal of one person, all else known: its unit is c and r = w mu_reactive."""

    def moments(theta: Array) -> tuple[Array, Array]:
        return np.exp(theta[-1]) * _blend(theta[0], theta[1:-1] * PULL, VALUE), ERROR**2 * np.eye(K)

    def twin(theta: Array, g: float) -> Array:
        w, rise = theta[1:-1], (g - 1) * VALUE / PULL
        return _joined(_less(theta[:1], g), g * w - rise, theta[-1])

    return Log("λ, w (K), ln c", _joined(LAMBDA, np.exp(TASTE * _RNG.standard_normal(K)), 0.3), 1, moments, twin)


def clicks() -> Log:
    """Clicks of one person, 400 in each category: the means are probabilities."""
    signal = one_signal()

    def moments(theta: Array) -> tuple[Array, Array]:
        p = signal.moments(_joined(theta, 0.0))[0]
        return p, np.diag(p * (1 - p) / 400)

    def twin(theta: Array, g: float) -> Array:
        assert signal.twin is not None
        return signal.twin(_joined(theta, 0.0), g)[:-1]

    return Log("λ, w (K)", signal.theta[:-1], 1, moments, twin)


def two_signals_of_one() -> Log:
    """Two signals of one person: y in the unit of reactions, and z = d, of which kappa is a unit of reactions."""

    def moments(theta: Array) -> tuple[Array, Array]:
        r, d, unit = theta[1 : K + 1], theta[K + 1 : -1], np.exp(theta[-1])
        return np.concatenate([_blend(theta[0], r, unit * d), d]), ERROR**2 * np.eye(2 * K)

    def twin(theta: Array, g: float) -> Array:
        r, d, unit = theta[1 : K + 1], theta[K + 1 : -1], np.exp(theta[-1])
        return _joined(_less(theta[:1], g), g * r + (1 - g) * unit * d, d, theta[-1])

    return Log("λ, r (K), d (K), ln κ", _joined(LAMBDA, PULL, VALUE, np.log(UNIT)), 1, moments, twin)


def prompt_of_one() -> Log:
    """One signal of one person, before a prompt and after one that makes all of their reactions deliberate."""
    both = two_signals_of_one()

    def twin(theta: Array, g: float) -> Array:
        assert both.twin is not None
        return both.twin(_joined(theta, 0.0), g)[:-1]

    return Log("λ, r (K), d (K)", both.theta[:-1], 1, lambda theta: both.moments(_joined(theta, 0.0)), twin)


def one_signal_of_many() -> Log:
    """One signal of many people, whose pulls differ at random, r_ua ~ Normal(r_a, tau^2), and whose values are d_a."""
    n = len(LAMBDAS)

    def moments(theta: Array) -> tuple[Array, Array]:
        lam, r, d, tau = theta[:n, None], theta[n : n + K], theta[n + K : -1], np.exp(theta[-1])
        spread = np.repeat((1 - theta[:n]) ** 2 * tau**2 + ERROR**2, K)
        return _blend(lam, r, d).ravel(), np.diag(spread)

    def twin(theta: Array, g: float) -> Array:
        r, d = theta[n : n + K], theta[n + K : -1]
        return _joined(_less(theta[:n], g), g * r + (1 - g) * d, d, theta[-1] + np.log(g))

    return Log("λ (n), r (K), d (K), ln τ", _joined(LAMBDAS, PULL, VALUE, np.log(TASTE)), n, moments, twin)


def _pairs(lam: Array, r: Array, d: Array, zero: float, unit: float, logs: Array, lean: float) -> tuple[Array, Array]:
    """Return the moments of two signals by person and category, y beside z, from lambda (n,), r and d (K,).

    z = d_ua + error, d_ua ~ Normal(d_a, t^2); y = (1 - lambda) r_ua + lambda (zero + unit d_ua) + error, r_ua ~
    Normal(r_a + lean (d_ua - d_a), tau^2). logs: ln tau and ln t, or ln tau alone for t = 0.
    """
    tau, t = np.exp(logs[0]), np.exp(logs[1]) if len(logs) > 1 else 0.0
    y = _blend(lam[:, None], r, zero + unit * d)
    slope = (1 - lam) * lean + lam * unit
    cells = np.empty((len(lam), 2, 2))
    cells[:, 0, 0] = (1 - lam) ** 2 * tau**2 + slope**2 * t**2 + ERROR**2
    cells[:, 0, 1] = cells[:, 1, 0] = slope * t**2
    cells[:, 1, 1] = t**2 + ERROR**2
    spread = np.zeros((y.size, 2, y.size, 2))
    at = np.arange(y.size)
    spread[at, :, at, :] = np.repeat(cells, len(r), axis=0)
    mean = np.stack([y, np.broadcast_to(d, y.shape)], axis=2)
    return mean.ravel(), spread.reshape(2 * y.size, 2 * y.size)


def two_signals_of_many(lean: bool = False, alike: bool = False, one_lambda: bool = False, units: bool = True) -> Log:
    """Two signals of many people, whose pulls and values differ at random and independently within a category.

    lean: pulls lean on values by an unknown number b. alike: everybody values a category the same. one_lambda: lambda
    is the same for everybody. units: unit and zero of the second signal are unknown; without, the second signal is the
    first after a prompt.
    """
    n = 1 if one_lambda else len(LAMBDAS)

    def parts(theta: Array) -> tuple[Array, Array, Array, float, float, Array, float]:
        lam, r, d, rest = np.split(theta, [n, n + K, n + 2 * K])
        zero, unit = (rest[0], np.exp(rest[1])) if units else (0.0, 1.0)
        logs = rest[2 * units : 2 * units + 2 - alike]
        return lam, r, d, float(zero), float(unit), logs, float(rest[-1]) if lean else 0.0

    def moments(theta: Array) -> tuple[Array, Array]:
        lam, r, d, zero, unit, logs, b = parts(theta)
        return _pairs(np.resize(lam, len(LAMBDAS)), r, d, zero, unit, logs, b)

    def twin(theta: Array, g: float) -> Array:
        lam, r, d, zero, unit, logs, b = parts(theta)
        units_ = (zero, np.log(unit)) if units else ()
        leans = (g * b + (1 - g) * unit,) if lean else ()
        return _joined(
            _less(lam, g), g * r + (1 - g) * (zero + unit * d), d, *units_, logs[0] + np.log(g), logs[1:], *leans
        )

    def other_unit(theta: Array, g: float) -> Array:
        lam, r, d, zero, unit, logs, _ = parts(theta)
        other = _less(lam, g)
        pull = (_blend(lam, r, zero + unit * d) - lam * unit * d) / (1 - other)
        return _joined(other, pull, d, 0.0, np.log(lam * unit / other), logs[0] + np.log(g), logs[1])

    names = "λ, " if one_lambda else "λ (n), "
    names += "r (K), d (K)" + (", ζ, ln κ" if units else "") + ", ln τ" + ("" if alike else ", ln t")
    theta = _joined(
        LAMBDA if one_lambda else LAMBDAS, PULL, VALUE, (ZERO, np.log(UNIT)) if units else (),
        np.log(TASTE), () if alike else np.log(VALUES), 0.1 if lean else (),
    )  # fmt: skip
    if one_lambda and units:
        return Log(names, theta, n, moments, other_unit)
    return Log(names + (", b" if lean else ""), theta, n, moments, twin if lean or alike else None)


LOGS: dict[str, Callable[[], Log]] = {
    "one signal of one person": one_signal,
    "clicks of one person": clicks,
    "two signals of one person": two_signals_of_one,
    "one signal of one person, before and after a deliberate prompt": prompt_of_one,
    "one signal of many people": one_signal_of_many,
    "two signals of many people": two_signals_of_many,
    "two signals of many people, pulls lean on values": lambda: two_signals_of_many(lean=True),
    "two signals of many people, who value categories alike": lambda: two_signals_of_many(alike=True),
    "two signals of many people, all of one λ": lambda: two_signals_of_many(one_lambda=True),
    "one signal of many people, before and after a prompt": lambda: two_signals_of_many(units=False),
    "the same, all of one λ": lambda: two_signals_of_many(one_lambda=True, units=False),
    "the same, pulls lean on values": lambda: two_signals_of_many(lean=True, units=False),
}
