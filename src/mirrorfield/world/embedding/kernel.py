"""The compiled loop: one page for each person of a few blocks, under a policy that stands still meanwhile."""

from typing import Any, NamedTuple

import numpy as np

from mirrorfield.kernel.jit import compiled, shared
from mirrorfield.maths import F32, ONE, ZERO, exp, log, normal
from mirrorfield.model.draw import draw_word
from mirrorfield.model.profile import reaction
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.reinforce import advantage
from mirrorfield.streams import below, next_word, uniform, uniform_positive
from mirrorfield.types import F32Array, IntArray, S
from mirrorfield.world.embedding.correction import capped_weight, corrected, log_mass, nomination, top_k
from mirrorfield.world.embedding.crowd import DOWN, MEAN, STD, UP, set_profile
from mirrorfield.world.embedding.items import Catalogue
from mirrorfield.world.embedding.user import drifted, hat, moved_arousal, remembered

BLOCK = 256
LARGEST_LOG = F32(80)

shared(log_mass, nomination, capped_weight, top_k, corrected)


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

    Parameters: arousal h; history z, (d,); tower W, (S + d, d); features, (S + d,); logit, (d,); float32. Raises
    nothing. Source: docs/embedding.md, eqs. 8 and 9.
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

    Raises nothing. Source: docs/embedding.md, eq. 10.
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


def choose(weight: Any, total: Any, u: Any) -> Any:
    """Return the last index whose preceding weights sum to no more than u times the total, as in the base model."""
    threshold, before, index = u * total, ZERO, np.int64(0)
    for i in range(len(weight)):
        if before <= threshold:
            index = np.int64(i)
        before += weight[i]
    return index


def profile_of(profile: Any, mixture: Any, item: Any) -> Any:
    """Return mean (of the reactive part), std, up and down of one item: its mixture of categories."""
    return (
        dot(mixture[item], profile, MEAN),
        dot(mixture[item], profile, STD),
        dot(mixture[item], profile, UP),
        dot(mixture[item], profile, DOWN),
    )


def react(u: int, item: Any, radius: Any, angle: Any, move: Any, catalogue: Any, crowd: Any, laws: Any, setting: Any,
          profile: Any) -> Any:  # fmt: skip
    """Show one item to person u, move the person on, and return the reaction.

    Source: docs/embedding.md, eqs. 3 to 7.
    """
    lam = crowd.intentionality[u]
    set_profile(crowd.arousal[u], lam, crowd.susceptibility[u], laws, profile)
    mixed = profile_of(profile, catalogue.mixture, item)
    mean = mixed[MEAN] + lam * dot(crowd.interest[u], catalogue.vectors, item)
    felt = reaction(mean, mixed[STD], normal(uniform_positive(radius), uniform(angle)))
    up, down = mixed[UP], mixed[DOWN]
    crowd.arousal[u] = moved_arousal(crowd.arousal[u], up, down, uniform(move), setting.step, setting.noise)
    for j in range(crowd.interest.shape[1]):
        v = catalogue.vectors[item, j]
        crowd.interest[u, j] = drifted(crowd.interest[u, j], v, setting.drift)
        crowd.history[u, j] = remembered(crowd.history[u, j], felt, v, setting.memory)
    return felt


def add_pull(chosen: Any, gain: Any, corrects: Any, setting: Setting, catalogue: Any, total: Any, room: Any) -> None:
    """Add what one chosen candidate teaches the user tower, in item space, to `pull`.

    Formula: (A / (K temperature)) lambda_K times omega (zeta v - V), or times v - mean of v where nothing is corrected.

    Source: docs/embedding.md, eqs. 13 to 15.
    """
    item, count = room.candidate[chosen], F32(len(room.candidate))
    probability = min(room.score[chosen], ONE)
    factor = gain * top_k(probability, setting.slate) / (F32(setting.slate) * setting.temperature)
    own, others = room.weight[chosen], ONE / (count - ONE)
    weight = capped_weight(total / count, setting.cap)
    for j in range(len(room.pull)):
        v = catalogue.vectors[item, j]
        if corrects:
            rest = (room.mean[j] - own * v) * others
            room.pull[j] += factor * corrected(v, weight, (total - own) * others, rest)
        else:
            room.pull[j] += factor * (v - room.mean[j] / total)


shared(user_tower, dot, log_normaliser, nominate, score_all, choose, profile_of, react, add_pull)


@compiled
def show_page(u: Any, tower: Any, catalogue: Any, crowd: Any, laws: Any, setting: Any, room: Any, shown: Any,
              felt: Any) -> None:  # fmt: skip
    """Show person u one page, and leave in `room` the features and the pull on the user tower."""
    user_tower(crowd.arousal[u], crowd.history[u], tower, setting.temperature, room.features, room.logit)
    corrects = setting.candidates > 0 and setting.correction
    if setting.candidates > 0:
        nominate(catalogue, setting, crowd.candidate_words[u], room)
    else:
        score_all(catalogue, room)
    total = ZERO
    for j in range(len(room.mean)):
        room.mean[j] = ZERO
        room.pull[j] = ZERO
    for i in range(len(room.candidate)):
        total += room.weight[i]
        weight, item = room.weight[i], room.candidate[i]
        for j in range(len(room.mean)):
            room.mean[j] += weight * catalogue.vectors[item, j]
    before = crowd.baseline[u]
    for k in range(setting.slate):
        pick, radius = draw_word(crowd.words[u]), draw_word(crowd.words[u])
        angle, move = draw_word(crowd.words[u]), draw_word(crowd.words[u])
        chosen = choose(room.weight, total, uniform(pick))
        item = room.candidate[chosen]
        shown[k] = item
        earlier = np.int64(-1)
        for e in range(k):
            earlier = np.int64(e) if shown[e] == item else earlier
        if earlier < 0:
            felt[k] = react(u, item, radius, angle, move, catalogue, crowd, laws, setting, room.profile)
            crowd.seen[u] += 1
            gain = advantage(felt[k], crowd.baseline[u])
            crowd.baseline[u] = welford(crowd.baseline[u], gain, ONE / F32(crowd.seen[u]))
        else:
            felt[k] = felt[earlier]
        add_pull(chosen, advantage(felt[k], before), corrects, setting, catalogue, total, room)


@compiled
def run_blocks(first: int, last: int, tower: Any, catalogue: Any, crowd: Any, laws: Any, setting: Any, room: Any,
               sums: Any, shown: Any) -> None:  # fmt: skip
    """Show a page to everyone in blocks first ... last - 1, and fill `sums`, float64 (blocks, S + d, d).

    The sum of a block is added up person by person, so it does not depend on who else runs, or on how many threads.
    """
    felt = np.empty(setting.slate, np.float32)
    for block in range(first, last):
        sums[block] = 0.0
        for u in range(block * BLOCK, min((block + 1) * BLOCK, len(crowd.arousal))):
            show_page(u, tower, catalogue, crowd, laws, setting, room, shown[u], felt)
            for k in range(len(room.features)):
                for j in range(len(room.pull)):
                    sums[block, k, j] += room.features[k] * room.pull[j]


@compiled
def measure(first: int, last: int, people: Any, tower: Any, catalogue: Any, crowd: Any, temperature: Any, feed: Any,
            effective_items: Any) -> None:  # fmt: skip
    """Fill `feed`, float32 (n, K), and `effective_items`, (n,), of people first ... last - 1: the exact softmax."""
    items, dimension, categories = len(catalogue.vectors), len(catalogue.columns), feed.shape[1]
    features, logit = np.empty(S + dimension, np.float32), np.empty(dimension, np.float32)
    logits, weight, masses = np.empty(items, np.float32), np.empty(items, np.float32), np.empty(categories, np.float64)
    for n in range(first, last):
        u = people[n]
        user_tower(crowd.arousal[u], crowd.history[u], tower, temperature, features, logit)
        logits[:] = ZERO
        for j in range(dimension):
            for i in range(items):
                logits[i] += logit[j] * catalogue.columns[j, i]
        largest = logits.max()
        for i in range(items):
            logits[i] -= largest
            weight[i] = exp(logits[i])
        masses[:] = 0.0
        mean_logit = 0.0
        for i in range(items):
            masses[i % categories] += weight[i]
            mean_logit += weight[i] * logits[i]
        total = masses.sum()
        effective_items[n] = np.exp(np.log(total) - mean_logit / total)
        for c in range(categories):
            feed[n, c] = masses[c] / total
