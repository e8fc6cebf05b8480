"""The Bradley-Terry model: its loss, its fit by Newton's method, and when no finite fit exists."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, log_expit

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.errors import InputError

ITERATIONS = 200
TOLERANCE = 1e-9
LONGEST_STEP = 4.0
TOLD = ("always wins", "always loses", "was never compared with the others")


def preference_loss(
    chosen: FloatArray, rejected: FloatArray, margin: FloatArray | float = 0.0, centring: float = 0.0
) -> tuple[float, FloatArray, FloatArray]:
    """Return the loss of a reward model on pairs, and its gradients with respect to both scores.

    Formula: L = mean(-log sigmoid(r_w - r_l - m) + c (r_w + r_l)^2),
    dL/dr_w = (-sigmoid(r_l - r_w + m) + 2c (r_w + r_l)) / B, dL/dr_l = (sigmoid(r_l - r_w + m) + 2c (r_w + r_l)) / B.

    Parameters: chosen r_w and rejected r_l, floats of shape (B,), in nats; margin m, one or (B,); centring c >= 0.
    Returns the loss in nats and two gradients of shape (B,). Source: docs/rlhf.md, eq. 3; Rafailov et al. (2023), eq.
    2, https://arxiv.org/abs/2305.18290, without margin and centring, which TRL adds.

    >>> round(preference_loss(np.array([0.0]), np.array([0.0]))[0], 6)
    0.693147
    """
    gap, total = chosen - rejected - margin, chosen + rejected
    pull = expit(-gap) / len(gap)
    centre = 2 * centring * total / len(gap)
    return float((-log_expit(gap) + centring * total**2).mean()), centre - pull, centre + pull


@dataclass(frozen=True)
class Fit:
    """Scores of shape (..., K) in nats, their covariance (..., K, K), and the largest gradient left, in labels."""

    score: FloatArray
    covariance: FloatArray
    gradient: float

    @property
    def error(self) -> FloatArray:
        """Standard errors of the scores, (..., K)."""
        return np.asarray(np.sqrt(np.maximum(np.diagonal(self.covariance, axis1=-2, axis2=-1), 0.0)))


def score_gradient(
    score: FloatArray, wins: FloatArray | IntArray, margin: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Return the gradient of the log-likelihood of win counts, and its negative Hessian.

    Formula: q_ab = sigmoid(-(r_a - r_b - m)); g_a = sum_b W_ab q_ab - W_ba q_ba;
    H_aa = sum_b V_ab, H_ab = -V_ab, V_ab = W_ab q_ab (1 - q_ab) + W_ba q_ba (1 - q_ba).

    Parameters: score r (..., K) in nats; wins W (..., K, K), counts or weights, a preferred to b; margin m. Returns
    (..., K) and (..., K, K). Source: the derivatives of docs/rlhf.md, eq. 4.

    >>> score_gradient(np.zeros(2), np.array([[0, 3], [1, 0]]))[0].tolist()
    [1.0, -1.0]
    """
    q = expit(margin - score[..., :, None] + score[..., None, :])
    pull, curve = wins * q, wins * q * (1 - q)
    curve = curve + curve.swapaxes(-1, -2)
    hessian = curve.sum(axis=-1)[..., None] * np.eye(score.shape[-1]) - curve
    return pull.sum(axis=-1) - pull.sum(axis=-2), hessian


def fit_scores(
    wins: FloatArray | IntArray,
    prior: FloatArray | float = 0.0,
    precision: FloatArray | float = 0.0,
    margin: float = 0.0,
) -> Fit:
    """Return the scores of greatest penalised likelihood, centred to mean 0, for any number of tables at once.

    Formula: max_r sum_ab W_ab log sigmoid(r_a - r_b - m) - p/2 |r - r_0|^2, sum_a r_a = 0, by Newton's method with
    steps of at most 4 nats; covariance C (H + p I)^-1 C, C the projection on mean 0.

    Parameters: wins W (..., K, K); prior r_0 (..., K) of mean 0, or 0; precision p >= 0, one or (...,), in 1/nat^2;
    margin m in nats. Returns a Fit. Raises InputError where the gradient does not reach 0: with p = 0, tables must pass
    `check_connected`. Source: docs/rlhf.md, eq. 4.

    >>> fit_scores(np.array([[0, 3], [1, 0]])).score.round(4).tolist()
    [0.5493, -0.5493]
    """
    k = wins.shape[-1]
    weight = np.broadcast_to(np.asarray(precision, float), wins.shape[:-2])[..., None]
    centre, flat = np.broadcast_to(prior, wins.shape[:-1]), np.full((k, k), 1 / k)
    score, most = np.array(centre, float), TOLERANCE * max(1.0, float(wins.sum(axis=(-1, -2)).max()))
    for _ in range(ITERATIONS):
        gradient, hessian = score_gradient(score, wins, margin)
        gradient = gradient - weight * (score - centre)
        curve = hessian + weight[..., None] * np.eye(k) + flat
        left = float(abs(gradient).max())
        try:
            if left < most:
                projection = np.eye(k) - flat
                return Fit(score, projection @ np.linalg.inv(curve) @ projection, left)
            step = np.linalg.solve(curve, gradient[..., None])[..., 0]
        except np.linalg.LinAlgError:
            break
        score = score + step * np.minimum(1.0, LONGEST_STEP / np.maximum(abs(step).max(axis=-1, keepdims=True), 1e-300))
    raise InputError(f"ridge: the scores did not settle in {ITERATIONS} steps (gradient {left:g}); use a larger ridge")


def check_connected(wins: IntArray, names: Sequence[str], where: str) -> None:
    """Raise InputError unless every category was preferred, over some chain of others, to every other.

    Without that the likelihood has no maximum: a score runs off to infinity.

    Parameters: wins (K, K); names of the K categories; where, the state and labeller for the message. Source:
    Hunter (2004), Annals of Statistics 32, pages 384-406; the condition goes back to Ford (1957).

    >>> check_connected(np.array([[0, 2], [0, 0]]), ["x", "y"], "in state calm")
    Traceback (most recent call last):
    ...
    mirrorfield.errors.InputError: ridge: expected a chain of wins from every category to every other, but x always \
wins in state calm, so its score has no finite fit; collect more labels, or use a ridge above 0
    """
    parts, label = connected_components(wins, directed=True, connection="strong")
    if parts == 1:
        return
    size, told = np.bincount(label), {part: _told(wins, label == part) for part in range(parts)}
    part = min((part for part in told if told[part]), key=lambda part: (size[part], TOLD.index(told[part])))
    who = " and ".join(name for name, inside in zip(names, label == part, strict=True) if inside)
    raise InputError(
        f"ridge: expected a chain of wins from every category to every other, but {who} {told[part]} {where}, so its "
        "score has no finite fit; collect more labels, or use a ridge above 0"
    )


def _told(wins: IntArray, inside: IntArray) -> str:
    won, lost = wins[inside][:, ~inside].sum(), wins[~inside][:, inside].sum()
    if won and lost:
        return ""
    return TOLD[0] if won else TOLD[1] if lost else TOLD[2]
