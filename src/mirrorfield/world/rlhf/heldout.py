"""How good a reward model is on labels that it has not seen: log-loss, accuracy, calibration."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.errors import InputError
from mirrorfield.metrics.mirrors import Share, wilson
from mirrorfield.metrics.moments import Moments
from mirrorfield.streams import HOLDOUT, U64, next_word, stream, uniform
from mirrorfield.world.rlhf.labellers import Labellers
from mirrorfield.world.rlhf.preferences import Preferences
from mirrorfield.world.rlhf.reward_model import RewardModel

BINS = 10


@dataclass(frozen=True)
class Reliability:
    """Labels by predicted probability that the first post is chosen: B bins that hold any, with what was seen."""

    labels: IntArray
    predicted: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class HeldOut:
    """Figures on m held-out labels, with 95% intervals; log-losses in nats per label, ln 2 = 0.693 for a coin.

    best_log_loss is that of the labellers' true probabilities on the same labels.
    """

    labels: int
    log_loss: float
    log_loss_low: float
    log_loss_high: float
    best_log_loss: float
    accuracy: Share
    reliability: Reliability


def split(preferences: Preferences, share: float, seed: int) -> tuple[Preferences, Preferences]:
    """Return the labels to fit on and those held out, each label held out with a probability, by its labeller's stream.

    Parameters: preferences; share in [0, 1); seed. Returns (fitted, held out). Raises InputError for another share, or
    if no label is left to fit on.

    >>> one = Preferences(1, 2, *np.zeros((5, 100), int))
    >>> [len(part.state) for part in split(one, 0.0, 1)]
    [100, 0]
    """
    if not 0 <= share < 1:
        raise InputError(f"held-out: expected a share from 0 to below 1, got {share:g}")
    turn = np.zeros(len(preferences.labeller), np.int64)
    order = np.argsort(preferences.labeller, kind="stable")
    counts = np.bincount(preferences.labeller, minlength=preferences.labellers)
    turn[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    with np.errstate(over="ignore"):
        words = list(stream(U64(seed), np.arange(preferences.labellers, dtype=np.uint64), HOLDOUT))
        luck = np.empty((int(counts.max()), preferences.labellers), np.float32)
        for row in luck:
            word, *words = next_word(*words)
            row[:] = uniform(word)
    out = luck[turn, preferences.labeller] < share
    if out.all():
        raise InputError("held-out: no label is left to fit on; collect more pairs, or hold out a smaller share")
    return preferences.only(~out), preferences.only(out)


def evaluate(model: RewardModel, labellers: Labellers, held: Preferences) -> HeldOut:
    """Return how well a model predicts held-out labels.

    Formula: log-loss = -mean log sigmoid(+-gap), the sign that of the choice; a label is predicted right if the post
    with the larger score was chosen, and half right if both are equal.

    Parameters: model; labellers, for the best possible log-loss; held, m >= 2 labels. Returns a HeldOut, intervals by
    Student for the log-loss and Wilson for shares: over labels, given these labellers. Raises InputError for fewer
    labels. Source: docs/rlhf.md, section 3.
    """
    if len(held.state) < 2:
        raise InputError(f"held-out: expected 2 labels or more, got {len(held.state)}; hold out a larger share")
    gap, sign = model.gap(held), 2 * held.chose_first - 1
    truth = labellers.value[held.labeller, held.state]
    places = np.arange(len(gap))
    best = (truth[places, held.first] - truth[places, held.second]) / labellers.temperature
    losses = Moments.of(-log_expit(sign * gap))
    right = float((np.sign(gap) == sign).sum() + 0.5 * (gap == 0).sum())
    low, high = wilson(np.array(right), np.array(len(gap)))
    return HeldOut(
        len(gap),
        losses.mean,
        *losses.interval(),
        float(-log_expit(sign * best).mean()),
        Share(right / len(gap), float(low), float(high)),
        reliability(expit(gap), held.chose_first),
    )


def reliability(predicted: FloatArray, chosen: IntArray) -> Reliability:
    """Return what was seen by predicted probability, in ten bins of equal width, empty ones left out.

    Parameters: predicted probabilities (m,); chosen, 0 or 1, (m,). Returns a Reliability with Wilson intervals. Source:
    DeGroot and Fienberg (1983), https://doi.org/10.2307/2987588.

    >>> reliability(np.array([0.1, 0.9, 0.9]), np.array([0, 1, 1])).labels.tolist()
    [1, 2]
    """
    place = np.minimum((predicted * BINS).astype(int), BINS - 1)
    labels = np.bincount(place, minlength=BINS)
    held = labels > 0
    total, hits = (np.bincount(place, weight, BINS)[held] for weight in (predicted, chosen))
    low, high = wilson(hits, labels[held])
    return Reliability(labels[held], total / labels[held], hits / labels[held], low, high)
