"""Items of a corpus, for users side by side: what is retrieved, which item is shown, and the history of items.

The shelf is the end of a block's scratch array: six tables of (M, LANES), K + 1 rows, and four more. Items stand in the
order of their categories. The tables hold what each user was shown and reacted to lately, the same at a session's
start, whether an item is retrieved, the numbers of those that are, every item's score, and how near it is to those
already taken; the rows, where each category begins among the retrieved; then the number of the item shown, and the
unit of the history, now and at a session's start.
"""

from typing import Any

import numpy as np

from mirrorfield.kernel.jit import compiled, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.maths import F32, ONE, ZERO
from mirrorfield.model.retrieval import Retriever, marginal_relevance, retrieval_score
from mirrorfield.streams import next_word, uniform

TABLES = 6
PAST, KEPT, TAKEN, LISTED, SCORE, NEAREST = range(TABLES)
PICKED, UNIT, KEPT_UNIT = -3, -2, -1
HISTORY, QUERY, DIVERSE = int(Retriever.HISTORY), int(Retriever.QUERY), int(Retriever.DIVERSE)
LEAST, TINY, SMALL_UNIT = F32(-3e38), F32(1e-20), F32(1e-6)

shared(*LINKED)


def shelf_rows(items: Any, categories: Any) -> Any:
    """Return how many rows of a block's scratch array the shelf takes."""
    return TABLES * items + categories + 4 if items > 0 else 0


shared(shelf_rows)


@compiled
def rows_of(shelf: Any, lanes: int) -> Any:
    """Return the shelf as rows of one number a user."""
    return shelf.reshape(len(shelf) // lanes, lanes)


@compiled
def table(rows: Any, index: int, lens: Any) -> Any:
    """Return one of the shelf's tables, (M, LANES)."""
    items = len(lens.kind)
    return rows[index * items : (index + 1) * items]


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
def list_taken(taken: Any, listed: Any, first: Any, lens: Any) -> None:
    """List the numbers of the retrieved items of every user, and where each category begins in the list."""
    items, lanes = taken.shape
    count = np.zeros(lanes, np.int32)
    first[:] = ZERO
    for i in range(items):
        end = np.int32(lens.kind[i]) + 1
        for j in range(lanes):
            if taken[i, j] > ZERO:
                listed[count[j], j] = F32(i)
                count[j] += 1
            first[end, j] = F32(count[j])
    for a in range(1, len(first)):
        for j in range(lanes):
            first[a, j] = max(first[a, j], first[a - 1, j])


@compiled
def fold_unit(rows: Any, lens: Any) -> None:
    """Take the unit of the history into the history."""
    unit = rows[UNIT, 0]
    past = table(rows, PAST, lens)
    for i in range(len(past)):
        for j in range(past.shape[1]):
            past[i, j] = past[i, j] * unit
    rows[UNIT, :] = ONE


@compiled
def rank(rows: Any, words: Any, lens: Any) -> None:
    """Score every item for every user."""
    score = table(rows, SCORE, lens)
    items, lanes = score.shape
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
        fold_unit(rows, lens)
        rank_by_history(table(rows, PAST, lens), score, lens)


@compiled
def retrieve(shelf: Any, words: Any, found: Any, lens: Any) -> None:
    """Retrieve items for every user, and mark the categories that have any, (K, LANES)."""
    rows = rows_of(shelf, found.shape[1])
    taken, listed = table(rows, TAKEN, lens), table(rows, LISTED, lens)
    if lens.retrieved >= len(taken):
        taken[:], found[:] = ONE, ONE
    else:
        rank(rows, words, lens)
        take_best(table(rows, SCORE, lens), taken, table(rows, NEAREST, lens), found, lens)
    start = TABLES * len(taken)
    list_taken(taken, listed, rows[start : start + len(found) + 1], lens)


@compiled
def pick_item(shelf: Any, words: Any, arm: Any, quality: Any, rungs: int, lens: Any) -> None:
    """Pick one of the retrieved items of the category shown, each as likely, and look up its quality."""
    lanes = len(arm)
    rows = rows_of(shelf, lanes)
    listed, first, picked = table(rows, LISTED, lens), rows[TABLES * len(lens.kind) :], rows[PICKED]
    for j in range(lanes):
        a, b, c, d = words[j], words[lanes + j], words[2 * lanes + j], words[3 * lanes + j]
        word, a, b, c, d = next_word(a, b, c, d)
        words[j], words[lanes + j], words[2 * lanes + j], words[3 * lanes + j] = a, b, c, d
        kind = np.int32(arm[j]) // np.int32(rungs)
        count = first[kind + 1, j] - first[kind, j]
        place = first[kind, j] + np.floor(uniform(word) * count)
        picked[j] = listed[np.int32(place), j]
        quality[j] = lens.quality[np.int32(picked[j])]


@compiled
def remember_item(shelf: Any, reacted: Any, lens: Any) -> None:
    """Take the item shown and the reaction to it into the history, if a retriever looks at it.

    Formula: c_i + f (max(G_t, 0) 1[i shown] - c_i), as of the session memory; forgetting shrinks the unit instead of
    every item.
    """
    if lens.retriever != HISTORY and lens.retriever != DIVERSE:
        return
    lanes = len(reacted)
    rows = rows_of(shelf, lanes)
    past, picked = table(rows, PAST, lens), rows[PICKED]
    unit = rows[UNIT, 0] * (ONE - lens.fade)
    if unit < SMALL_UNIT:
        fold_unit(rows, lens)
        for i in range(len(past)):
            for j in range(lanes):
                past[i, j] = past[i, j] * (ONE - lens.fade)
        unit = ONE
    rows[UNIT, :] = unit
    weight = lens.fade / unit
    for j in range(lanes):
        if reacted[j] > ZERO:
            past[np.int32(picked[j]), j] += weight * reacted[j]


@compiled
def open_shelf(shelf: Any, lanes: int) -> None:
    """Empty the shelf."""
    shelf[:] = ZERO
    rows_of(shelf, lanes)[UNIT, :] = ONE


@compiled
def keep_history(shelf: Any, lanes: int, lens: Any) -> None:
    """Keep the history that a session starts from."""
    rows = rows_of(shelf, lanes)
    table(rows, KEPT, lens)[:] = table(rows, PAST, lens)
    rows[KEPT_UNIT, :] = rows[UNIT]


@compiled
def restore_history(shelf: Any, lanes: int, lens: Any) -> None:
    """Go back to the history that the session started from."""
    rows = rows_of(shelf, lanes)
    table(rows, PAST, lens)[:] = table(rows, KEPT, lens)
    rows[UNIT, :] = rows[KEPT_UNIT]
