"""The compiled loop: one page for each person of a few blocks, under a policy that stands still meanwhile."""

from typing import Any

import numpy as np

from mirrorfield.arrays import S
from mirrorfield.kernel.jit import compiled, entry, shared
from mirrorfield.maths import F32, ONE, ZERO, exp, log, normal
from mirrorfield.model.draw import draw_word
from mirrorfield.model.profile import reaction
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.reinforce import advantage
from mirrorfield.streams import uniform, uniform_positive
from mirrorfield.world.embedding.correction import capped_weight, corrected, top_k
from mirrorfield.world.embedding.crowd import DOWN, MEAN, STD, UP, set_profile
from mirrorfield.world.embedding.page import Setting, choose, dot, user_tower, weigh_candidates
from mirrorfield.world.embedding.user import drifted, moved_arousal, remembered

BLOCK = 256


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


shared(capped_weight, top_k, corrected, profile_of, react, add_pull)


@compiled
def show_page(u: Any, tower: Any, catalogue: Any, crowd: Any, laws: Any, setting: Any, room: Any, shown: Any,
              felt: Any) -> None:  # fmt: skip
    """Show person u one page, and leave in `room` the features and the pull on the user tower."""
    user_tower(crowd.arousal[u], crowd.history[u], tower, setting.temperature, room.features, room.logit)
    corrects = setting.candidates > 0 and setting.correction
    total = weigh_candidates(catalogue, setting, crowd.candidate_words[u], room)
    for j in range(len(room.pull)):
        room.pull[j] = ZERO
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
            mean, lost = crowd.baseline[u], crowd.baseline_lost[u]
            crowd.baseline[u], crowd.baseline_lost[u] = welford(mean, lost, gain, ONE / F32(crowd.seen[u]))
        else:
            felt[k] = felt[earlier]
        add_pull(chosen, advantage(felt[k], before), corrects, setting, catalogue, total, room)


@entry
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


@entry
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
        effective_items[n] = exp(log(F32(total)) - F32(mean_logit / total))
        for c in range(categories):
            feed[n, c] = masses[c] / total
