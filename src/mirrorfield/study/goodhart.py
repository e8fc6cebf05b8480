"""Over-optimisation, twice: in closed form over many draws of labellers and labels, and by runs of the loop."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import rel_entr

from mirrorfield.arrays import FloatArray
from mirrorfield.kernel import Trace
from mirrorfield.metrics.moments import Moments
from mirrorfield.population.run import sampled_users
from mirrorfield.population.scenario import Scenario
from mirrorfield.world.rlhf.labellers import Labellers
from mirrorfield.world.rlhf.overoptimisation import goodhart_curve
from mirrorfield.world.rlhf.reward_model import RewardModel

BETAS = np.geomspace(8.0, 1 / 64, 19)
VALUES = ("proxy", "labellers", "deliberate")


@dataclass(frozen=True)
class BudgetCurve:
    """Mean KL in nats and mean gains over R draws of labellers and labels, (J,) along BETAS, with 95% half widths."""

    pairs: int
    draws: int
    kl: FloatArray
    mean: dict[str, FloatArray]
    half: dict[str, FloatArray]


@dataclass(frozen=True)
class Measured:
    """What a run at one leash came to: mean KL in nats and mean gains over users, with 95% half widths."""

    beta: float
    kl: float
    mean: dict[str, float]
    half: dict[str, float]


def true_values(labellers: Labellers) -> dict[str, FloatArray]:
    """Return what posts are truly worth: the mean of the labellers' own values, and the deliberate value, (S, K)."""
    return {"labellers": labellers.value.mean(axis=0), "deliberate": labellers.deliberate.mean(axis=0)}


def over_draws(
    draw: Callable[[int], tuple[RewardModel, Labellers]],
    pairs: int,
    draws: int,
    reference: FloatArray,
    weight: FloatArray,
    progress: Callable[[int], None],
) -> BudgetCurve:
    """Return the mean curve over independent draws of labellers and labels, one leash after the other.

    Parameters: draw, from a draw's number to a fitted model and its labellers; pairs, the budget, for the record; draws
    R >= 2; reference policy (S, K); weight of the states (S,); progress, called with 1 after each. Returns a
    BudgetCurve; intervals are Student's over draws. Raises what `draw` does. Source: docs/rlhf.md, eq. 9.
    """
    kl, gains = [], []
    for number in range(draws):
        model, labellers = draw(number)
        curve = goodhart_curve(model.score, reference, true_values(labellers), weight, BETAS)
        kl.append(curve.kl)
        gains.append([curve.gain[name] for name in VALUES])
        progress(1)
    moments = [[Moments.of(column) for column in rows.T] for rows in np.array(gains).swapaxes(0, 1)]
    mean = {name: np.array([one.mean for one in row]) for name, row in zip(VALUES, moments, strict=True)}
    half = {
        name: np.array([one.interval()[1] - one.mean for one in row]) for name, row in zip(VALUES, moments, strict=True)
    }
    return BudgetCurve(pairs, draws, np.mean(kl, axis=0), mean, half)


def distance(sample: Trace, reference: FloatArray) -> FloatArray:
    """Return how far each user's policy has come from the reference, in the long run of their states, in nats.

    Formula: sum_s d_u(s) KL(pi_u(. | s) || pi_ref(. | s)).

    Parameters: sample, the trace of n users; reference (S, K). Returns shape (n,).
    """
    away = rel_entr(sample.served.astype(float), reference[:, :, None]).sum(axis=1)
    return np.asarray((sample.time_in_state * away).sum(axis=0))


def measure(scenario: Scenario, sample: Trace, reference: FloatArray, values: dict[str, FloatArray]) -> Measured:
    """Return how far a run's policies have come from the reference, and what that is worth.

    Formula: for user u, `distance` and sum_s d_u(s) sum_a (pi_u - pi_ref)(a | s) v[s, a].

    Parameters: scenario, for its beta and its users; sample; reference (S, K); values, {name: (S, K) or (R, S, K)}, of
    which user u has the row u modulo R. Returns a Measured.
    """
    users, mean, half = sampled_users(scenario.users, scenario.record.users), {}, {}
    gained = sample.time_in_state[:, None] * (sample.served - reference[:, :, None])
    for name, value in values.items():
        own = value[:, :, None] if value.ndim == 2 else value[users % len(value)].transpose(1, 2, 0)
        moments = Moments.of((gained * own).sum(axis=(0, 1)))
        mean[name], half[name] = moments.mean, moments.interval()[1] - moments.mean
    kl = float(distance(sample, reference).mean())
    return Measured(scenario.policy.to_rule().beta, kl, mean, half)
