"""What the recommender does for one person: the user tower, the candidates and the choice among them."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array, IntArray, S
from mirrorfield.kernel.jit import shared
from mirrorfield.maths import F32, ONE, ZERO, exp, log
from mirrorfield.streams import below, next_word, uniform
from mirrorfield.world.embedding.correction import log_mass, nomination
from mirrorfield.world.embedding.items import Catalogue
from mirrorfield.world.embedding.user import hat

LARGEST_LOG = F32(80)


class Setting(NamedTuple):
    """The numbers of a scenario that the loop reads, float32 and int64."""

    temperature: Any
    memory: Any
    exploration: Any
    cap: Any
    drift: Any
    step: Any
    noise: Any
    candidates: Any  # 0: all items
    slate: Any
    correction: Any  # bool


class Scratch(NamedTuple):
    """Room for one person at a time."""

    features: F32Array  # (S + d,)
    logit: F32Array  # (d,) the user tower: what an item vector is multiplied by, over the temperature
    log_mass: F32Array  # (K,)
    edge: F32Array  # (K,) the chance to nominate from a category or one before it
    rarity: F32Array  # (K,) one over the chance to nominate an item of the category
    candidate: IntArray  # (C,)
    score: F32Array  # (C,) exp of a candidate's logit over the normaliser
    weight: F32Array  # (C,) the same over the nomination probability
    mean: F32Array  # (d,) sum of weights times vectors
    pull: F32Array  # (d,) the update of the user tower
    profile: F32Array  # (4, K)


def scratch(categories: int, dimension: int, candidates: int) -> Scratch:
    """Return room for one person."""
    return Scratch(
        features=np.empty(S + dimension, np.float32),
        logit=np.empty(dimension, np.float32),
        log_mass=np.empty(categories, np.float32),
        edge=np.empty(categories, np.float32),
        rarity=np.empty(categories, np.float32),
        candidate=np.empty(candidates, np.int32),
        score=np.empty(candidates, np.float32),
        weight=np.empty(candidates, np.float32),
        mean=np.empty(dimension, np.float32),
        pull=np.empty(dimension, np.float32),
        profile=np.empty((4, categories), np.float32),
    )


def user_tower(arousal: Any, history: Any, tower: Any, temperature: Any, features: Any, logit: Any) -> None:
    """Fill `features` with what is observed of a person, and `logit` with W^T phi / temperature.

    Formula: phi = (b_calm(h), b_engaged(h), b_hooked(h), z); logit of item i = <W^T phi, v_i> / temperature.

    Parameters: arousal h; history z, (d,); tower W, (S + d, d); features, (S + d,); logit, (d,); float32. Source:
    docs/embedding.md, eqs. 8 and 9.
    """
    for s in range(S):
        features[s] = hat(arousal, F32(s))
    for j in range(len(history)):
        features[S + j] = history[j]
    for j in range(len(logit)):
        logit[j] = ZERO
    for k in range(len(features)):
        for j in range(len(logit)):
            logit[j] += features[k] * tower[k, j]
    for j in range(len(logit)):
        logit[j] = logit[j] / temperature


def dot(a: Any, table: Any, row: Any) -> Any:
    """Return the inner product of a float32 vector and a row of a table, added up in order."""
    total = ZERO
    for j in range(len(a)):
        total += a[j] * table[row, j]
    return total


def log_normaliser(logit: Any, catalogue: Catalogue, out: Any) -> Any:
    """Fill `out`, float32 (K,), with the log mass of each category and return the logarithm of their sum.

    Source: docs/embedding.md, eq. 10.
    """
    largest = F32(-np.inf)
    for c in range(len(out)):
        spread = ZERO
        for j in range(len(logit)):
            spread += catalogue.variance[c, j] * logit[j] * logit[j]
        out[c] = log_mass(catalogue.log_counts[c], dot(logit, catalogue.centre, c), spread)
        largest = max(largest, out[c])
    total = ZERO
    for c in range(len(out)):
        total += exp(out[c] - largest)
    return largest + log(total)


def nominate(catalogue: Catalogue, setting: Setting, words: Any, room: Scratch) -> None:
    """Draw the candidates and weigh them.

    Source: docs/embedding.md, eqs. 10 to 12. Two words a candidate: its category, its place in it.
    """
    total = log_normaliser(room.logit, catalogue, room.log_mass)
    inverse_items = ONE / F32(len(catalogue.vectors))
    categories, edge = len(room.edge), ZERO
    for c in range(categories):
        mass = exp(room.log_mass[c] - total)
        odds = nomination(mass, setting.exploration, catalogue.counts[c], inverse_items)
        edge += odds
        room.edge[c], room.rarity[c] = edge, catalogue.counts[c] / odds
    a, b, c, d = words[0], words[1], words[2], words[3]
    for i in range(len(room.candidate)):
        first, a, b, c, d = next_word(a, b, c, d)
        second, a, b, c, d = next_word(a, b, c, d)
        u, category = uniform(first), np.int64(0)
        for k in range(categories - 1):
            category += np.int64(u >= room.edge[k])
        room.candidate[i] = category + categories * np.int64(below(second, catalogue.counts[category]))
        room.weight[i] = room.rarity[category]
    words[0], words[1], words[2], words[3] = a, b, c, d
    for i in range(len(room.candidate)):
        room.score[i] = min(dot(room.logit, catalogue.vectors, room.candidate[i]) - total, LARGEST_LOG)
    for i in range(len(room.candidate)):
        room.score[i] = exp(room.score[i])
        room.weight[i] = room.score[i] * room.weight[i]


def score_all(catalogue: Catalogue, room: Scratch) -> None:
    """Make every item a candidate, weighed by its probability up to a factor."""
    largest = F32(-np.inf)
    for i in range(len(room.candidate)):
        room.candidate[i] = i
        room.weight[i] = dot(room.logit, catalogue.vectors, i)
        largest = max(largest, room.weight[i])
    total = ZERO
    for i in range(len(room.candidate)):
        room.weight[i] = exp(room.weight[i] - largest)
        total += room.weight[i]
    for i in range(len(room.candidate)):
        room.score[i] = room.weight[i] / total


def weigh_candidates(catalogue: Catalogue, setting: Setting, words: Any, room: Scratch) -> Any:
    """Find the candidates, fill `mean` with the sum of their weights times vectors, and return the sum of weights."""
    if setting.candidates > 0:
        nominate(catalogue, setting, words, room)
    else:
        score_all(catalogue, room)
    total = ZERO
    for j in range(len(room.mean)):
        room.mean[j] = ZERO
    for i in range(len(room.candidate)):
        total += room.weight[i]
        weight, item = room.weight[i], room.candidate[i]
        for j in range(len(room.mean)):
            room.mean[j] += weight * catalogue.vectors[item, j]
    return total


def choose(weight: Any, total: Any, u: Any) -> Any:
    """Return the last index whose preceding weights sum to no more than u times the total, as in the base model."""
    threshold, before, index = u * total, ZERO, np.int64(0)
    for i in range(len(weight)):
        if before <= threshold:
            index = np.int64(i)
        before += weight[i]
    return index


shared(hat, log_mass, nomination, user_tower, dot, log_normaliser, nominate, score_all, weigh_candidates, choose)
