"""Items of a corpus, for users side by side: what is retrieved, which item is shown, and the history of items.

The shelf is the end of a block's scratch array: five tables of (M, LANES) and a row. They hold what each user was shown
and reacted to lately, the same at a session's start, whether an item is retrieved, its score, how near it is to those
already taken, and the number of the item shown.
"""

from typing import Any

import numpy as np

from mirrorfield.kernel.jit import compiled, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.maths import F32, ONE, ZERO
from mirrorfield.model.context import remembered
from mirrorfield.model.retrieval import Retriever, marginal_relevance, retrieval_score
from mirrorfield.streams import next_word, uniform

TABLES = 5
PAST, KEPT, TAKEN, SCORE, NEAREST = range(TABLES)
HISTORY, QUERY, DIVERSE = int(Retriever.HISTORY), int(Retriever.QUERY), int(Retriever.DIVERSE)
LEAST, TINY = F32(-3e38), F32(1e-20)

shared(*LINKED)


def shelf_rows(items: Any) -> Any:
    """Return how many rows of a block's scratch array the shelf takes."""
    return TABLES * items + 1 if items > 0 else 0


shared(shelf_rows)


@compiled
def table(shelf: Any, index: int, lens: Any) -> Any:
    """Return one of the shelf's tables, (M, LANES)."""
    items = len(lens.kind)
    lanes = len(shelf) // shelf_rows(items)
    return shelf[index * items * lanes : (index + 1) * items * lanes].reshape(items, lanes)


@compiled
def rank_by_history(past: Any, score: Any, lens: Any) -> None:
    """Turn luck into scores by similarity to the mean embedding of what was shown and reacted to."""
    items, lanes = past.shape
    similarity, square = np.zeros((items, lanes), np.float32), np.zeros(lanes, np.float32)
    for i in range(items):
        row = similarity[i]
        for other in range(items):
            product, weight = lens.gram[i, other], past[other]
            for j in range(lanes):
                row[j] += product * weight[j]
        own = past[i]
        for j in range(lanes):
            square[j] += row[j] * own[j]
    for j in range(lanes):
        square[j] = ONE / np.sqrt(square[j]) if square[j] > TINY else ZERO
    for i in range(items):
        row, out = similarity[i], score[i]
        for j in range(lanes):
            out[j] = retrieval_score(row[j] * square[j], out[j])


@compiled
def take_best(score: Any, taken: Any, nearest: Any, found: Any, lens: Any) -> None:
    """Take the items with the best scores one after the other; if diverse, less what is like those taken before."""
    items, lanes = score.shape
    best, place = np.empty(lanes, np.float32), np.empty(lanes, np.int32)
    diversity = lens.diversity if lens.retriever == DIVERSE else ZERO
    taken[:], found[:], nearest[:] = ZERO, ZERO, ZERO
    for _ in range(lens.retrieved):
        best[:] = LEAST
        for i in range(items):
            for j in range(lanes):
                x = marginal_relevance(score[i, j], nearest[i, j], diversity)
                x = x if taken[i, j] == ZERO else LEAST
                place[j] = np.int32(i) if x > best[j] else place[j]
                best[j] = x if x > best[j] else best[j]
        for j in range(lanes):
            taken[place[j], j] = ONE
            found[np.int32(lens.kind[place[j]]), j] = ONE
        if diversity > ZERO:
            for i in range(items):
                for j in range(lanes):
                    x = lens.gram[i, place[j]]
                    nearest[i, j] = x if x > nearest[i, j] else nearest[i, j]


@compiled
def retrieve(shelf: Any, words: Any, found: Any, lens: Any) -> None:
    """Retrieve items for every user, and mark the categories that have any, (K, LANES)."""
    taken, score = table(shelf, TAKEN, lens), table(shelf, SCORE, lens)
    items, lanes = score.shape
    if lens.retrieved >= items:
        taken[:], found[:] = ONE, ONE
        return
    for i in range(items):
        for j in range(lanes):
            a, b, c, d = words[j], words[lanes + j], words[2 * lanes + j], words[3 * lanes + j]
            word, a, b, c, d = next_word(a, b, c, d)
            words[j], words[lanes + j], words[2 * lanes + j], words[3 * lanes + j] = a, b, c, d
            score[i, j] = uniform(word)
    if lens.retriever == QUERY:
        for i in range(items):
            for j in range(lanes):
                score[i, j] = retrieval_score(lens.relevance[i], score[i, j])
    elif lens.retriever == HISTORY or lens.retriever == DIVERSE:
        rank_by_history(table(shelf, PAST, lens), score, lens)
    take_best(score, taken, table(shelf, NEAREST, lens), found, lens)


@compiled
def pick_item(shelf: Any, words: Any, arm: Any, quality: Any, rungs: int, lens: Any) -> None:
    """Pick one of the retrieved items of the category shown, each as likely, and look up its quality."""
    taken, picked = table(shelf, TAKEN, lens), shelf[len(shelf) - len(arm) :]
    items, lanes = taken.shape
    kind, left = np.empty(lanes, np.float32), np.zeros(lanes, np.float32)
    for j in range(lanes):
        kind[j] = F32(np.int32(arm[j]) // np.int32(rungs))
    for i in range(items):
        for j in range(lanes):
            left[j] += taken[i, j] if kind[j] == lens.kind[i] else ZERO
    for j in range(lanes):
        a, b, c, d = words[j], words[lanes + j], words[2 * lanes + j], words[3 * lanes + j]
        word, a, b, c, d = next_word(a, b, c, d)
        words[j], words[lanes + j], words[2 * lanes + j], words[3 * lanes + j] = a, b, c, d
        left[j] = np.floor(uniform(word) * left[j])
    for i in range(items):
        for j in range(lanes):
            hit = taken[i, j] if kind[j] == lens.kind[i] else ZERO
            here = hit > ZERO and left[j] == ZERO
            left[j] -= hit
            picked[j] = F32(i) if here else picked[j]
            quality[j] = lens.quality[i] if here else quality[j]


@compiled
def remember_item(shelf: Any, reacted: Any, lens: Any) -> None:
    """Take the item shown and the reaction to it into the history."""
    past, picked = table(shelf, PAST, lens), shelf[len(shelf) - len(reacted) :]
    for i in range(len(past)):
        for j in range(len(reacted)):
            x = reacted[j] if reacted[j] > ZERO else ZERO
            past[i, j] = remembered(past[i, j], x if picked[j] == F32(i) else ZERO, lens.fade)


@compiled
def keep_history(shelf: Any, lens: Any) -> None:
    """Keep the history that a session starts from."""
    table(shelf, KEPT, lens)[:] = table(shelf, PAST, lens)


@compiled
def restore_history(shelf: Any, lens: Any) -> None:
    """Go back to the history that the session started from."""
    table(shelf, PAST, lens)[:] = table(shelf, KEPT, lens)
