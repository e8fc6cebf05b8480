"""Items of a corpus, for people side by side: what is retrieved, which item is shown, and the history of items.

The shelf is the end of a block's array: six tables of (M, n), K + 1 rows, and four more. Items stand in the order of
their categories. The tables hold what each person was shown and reacted to lately, the same at a session's start,
whether an item is retrieved, the numbers of those that are, every item's score, and how near it is to those already
taken; the rows, where each category begins among the retrieved; then the number of the item shown, and the unit of the
history, now and at a session's start.
"""

from typing import Any

import numpy as np

from mirrorfield.kernel.jit import compiled, inlined, lanewise, larger, select, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.kernel.rows import copy_row, copy_rows, set_row
from mirrorfield.maths import F32, I32, ONE, ZERO
from mirrorfield.model.retrieval import Retriever, marginal_relevance, retrieval_score
from mirrorfield.streams import U32, next_word, uniform

TABLES = 6
PAST, KEPT, TAKEN, LISTED, SCORE, NEAREST = range(TABLES)
PICKED, UNIT, KEPT_UNIT = -3, -2, -1
HISTORY, QUERY, DIVERSE = int(Retriever.HISTORY), int(Retriever.QUERY), int(Retriever.DIVERSE)
LEAST, TINY, SMALL_UNIT = F32(-3e38), F32(1e-20), F32(1e-6)

shared(*LINKED)


def shelf_rows(items: Any, categories: Any) -> Any:
    """Return how many rows of a block's array the shelf takes."""
    return TABLES * items + categories + 4 if items > 0 else 0


shared(shelf_rows)


@compiled
def table(shelf: Any, index: int, lens: Any) -> Any:
    """Return one of the shelf's tables, (M, n)."""
    items = len(lens.kind)
    return shelf[index * items : (index + 1) * items]


@lanewise
def rank_by_history(past: Any, gram: Any, score: Any, similarity: Any, square: Any) -> None:
    """Turn luck into scores by similarity to the mean embedding of what was shown and reacted to."""
    for j in range(len(square)):
        square[j] = ZERO
    for i in range(len(past)):
        row, own = similarity[i], past[i]
        for j in range(len(row)):
            row[j] = ZERO
        for other in range(len(past)):
            product, weight = gram[i, other], past[other]
            for j in range(len(row)):
                row[j] = row[j] + product * weight[j]
        for j in range(len(row)):
            square[j] = square[j] + row[j] * own[j]
    for j in range(len(square)):
        x = square[j]
        square[j] = ONE / np.sqrt(x) if x > TINY else ZERO
    for i in range(len(past)):
        row, out = similarity[i], score[i]
        for j in range(len(row)):
            out[j] = retrieval_score(row[j] * square[j], out[j])


@lanewise
def find_best(score: Any, taken: Any, nearest: Any, diversity: Any, best: Any, place: Any) -> None:
    """Find the item with the best score of those that are not taken, less what is like those that are."""
    for j in range(len(best)):
        best[j] = LEAST
    for i in range(len(score)):
        row, out, near, here = score[i], taken[i], nearest[i], F32(i)
        for j in range(len(best)):
            x = marginal_relevance(row[j], near[j], diversity)
            x, top, was = select(out[j] == ZERO, x, LEAST), best[j], place[j]
            place[j] = was + select(x > top, here - was, ZERO)
            best[j] = larger(x, top)


@lanewise
def come_nearer(gram: Any, place: Any, nearest: Any) -> None:
    """Raise how near every item is to those taken, (M, n), now that one more is."""
    for i in range(len(nearest)):
        row, product = nearest[i], gram[i]
        for j in range(len(row)):
            row[j] = larger(product[U32(place[j])], row[j])


@compiled
def take_best(score: Any, taken: Any, nearest: Any, found: Any, lens: Any) -> None:
    """Take the items with the best scores one after the other; if diverse, less what is like those taken before."""
    lanes = score.shape[1]
    best, place = np.empty(lanes, np.float32), np.zeros(lanes, np.float32)
    diversity = lens.diversity if lens.retriever == DIVERSE else ZERO
    taken[:], found[:], nearest[:] = ZERO, ZERO, ZERO
    for _ in range(lens.retrieved):
        find_best(score, taken, nearest, diversity, best, place)
        for j in range(lanes):
            i = U32(place[j])
            taken[i, j] = ONE
            found[U32(lens.kind[i]), j] = ONE
        if diversity > ZERO:
            come_nearer(lens.gram, place, nearest)


@compiled
def list_taken(taken: Any, listed: Any, first: Any, lens: Any) -> None:
    """List the numbers of the retrieved items of everyone, and where each category begins in the list."""
    items, lanes = taken.shape
    count = np.zeros(lanes, np.int32)
    first[:] = ZERO
    for i in range(items):
        end = I32(lens.kind[i]) + 1
        for j in range(lanes):
            if taken[i, j] > ZERO:
                listed[count[j], j] = F32(i)
                count[j] += 1
            first[end, j] = F32(count[j])
    for a in range(1, len(first)):
        for j in range(lanes):
            first[a, j] = max(first[a, j], first[a - 1, j])


@lanewise
def scale_rows(rows: Any, by: Any) -> None:
    """Scale rows by a number."""
    for i in range(len(rows)):
        row = rows[i]
        for j in range(len(row)):
            row[j] = row[j] * by


@compiled
def fold_unit(shelf: Any, lens: Any) -> None:
    """Take the unit of the history into the history."""
    scale_rows(table(shelf, PAST, lens), shelf[UNIT, 0])
    set_row(ONE, shelf[UNIT])


@lanewise
def draw_scores(words: Any, score: Any) -> None:
    """Draw everyone's luck with every item."""
    one, two, three, four = words[0], words[1], words[2], words[3]
    for i in range(len(score)):
        row = score[i]
        for j in range(len(row)):
            word, a, b, c, d = next_word(one[j], two[j], three[j], four[j])
            one[j], two[j], three[j], four[j] = a, b, c, d
            row[j] = uniform(word)


@lanewise
def rank_by_query(relevance: Any, score: Any) -> None:
    """Turn luck into scores by similarity to everyone's own query."""
    for i in range(len(score)):
        row, x = score[i], relevance[i]
        for j in range(len(row)):
            row[j] = retrieval_score(x, row[j])


@compiled
def rank(shelf: Any, words: Any, lens: Any) -> None:
    """Score every item for everyone."""
    score = table(shelf, SCORE, lens)
    draw_scores(words, score)
    if lens.retriever == QUERY:
        rank_by_query(lens.relevance, score)
    elif lens.retriever == HISTORY or lens.retriever == DIVERSE:
        fold_unit(shelf, lens)
        similarity, square = np.empty(score.shape, np.float32), np.empty(score.shape[1], np.float32)
        rank_by_history(table(shelf, PAST, lens), lens.gram, score, similarity, square)


@compiled
def retrieve(shelf: Any, words: Any, found: Any, lens: Any) -> None:
    """Retrieve items for everyone, and mark the categories that have any, (K, n)."""
    taken, listed = table(shelf, TAKEN, lens), table(shelf, LISTED, lens)
    if lens.retrieved >= len(taken):
        taken[:], found[:] = ONE, ONE
    else:
        rank(shelf, words, lens)
        take_best(table(shelf, SCORE, lens), taken, table(shelf, NEAREST, lens), found, lens)
    start = TABLES * len(taken)
    list_taken(taken, listed, shelf[start : start + len(found) + 1], lens)


@lanewise
def pick_place(words: Any, first: Any, arm: Any, rungs: Any, place: Any) -> None:
    """Pick one of the retrieved items of the category shown, each as likely: a place in the list."""
    one, two, three, four = words[0], words[1], words[2], words[3]
    for j in range(len(arm)):
        word, a, b, c, d = next_word(one[j], two[j], three[j], four[j])
        one[j], two[j], three[j], four[j] = a, b, c, d
        kind = U32(arm[j]) // rungs
        begin = first[kind, j]
        place[j] = begin + np.floor(uniform(word) * (first[kind + U32(1), j] - begin))


@lanewise
def look_up_item(listed: Any, qualities: Any, picked: Any, quality: Any) -> None:
    """Look up the item at a place in the list, which `picked` comes as, and its quality."""
    for j in range(len(picked)):
        x = listed[U32(picked[j]), j]
        picked[j] = x
        quality[j] = qualities[U32(x)]


@inlined
def pick_item(shelf: Any, words: Any, arm: Any, quality: Any, rungs: int, lens: Any) -> None:
    """Pick one of the retrieved items of the category shown, and look up its quality."""
    items = len(lens.kind)
    picked = shelf[PICKED]
    pick_place(words, shelf[TABLES * items : len(shelf) - 3], arm, U32(rungs), picked)
    look_up_item(table(shelf, LISTED, lens), lens.quality, picked, quality)


@inlined
def remember_item(shelf: Any, reacted: Any, lens: Any) -> None:
    """Take the item shown and the reaction to it into the history, if a retriever looks at it.

    Formula: c_i + f (max(G_t, 0) 1[i shown] - c_i), as of the session memory; forgetting shrinks the unit instead of
    every item.
    """
    if lens.retriever != HISTORY and lens.retriever != DIVERSE:
        return
    past, picked = table(shelf, PAST, lens), shelf[PICKED]
    unit = shelf[UNIT, 0] * (ONE - lens.fade)
    if unit < SMALL_UNIT:
        fold_unit(shelf, lens)
        scale_rows(past, ONE - lens.fade)
        unit = ONE
    set_row(unit, shelf[UNIT])
    weight = lens.fade / unit
    for j in range(len(reacted)):
        if reacted[j] > ZERO:
            past[U32(picked[j]), j] += weight * reacted[j]


@compiled
def open_shelf(shelf: Any) -> None:
    """Empty the shelf."""
    set_row(ZERO, shelf.reshape(-1))
    set_row(ONE, shelf[UNIT])


@compiled
def keep_history(shelf: Any, lens: Any) -> None:
    """Keep the history that a session starts from."""
    copy_rows(table(shelf, PAST, lens), table(shelf, KEPT, lens))
    copy_row(shelf[UNIT], shelf[KEPT_UNIT])


@compiled
def restore_history(shelf: Any, lens: Any) -> None:
    """Go back to the history that the session started from."""
    copy_rows(table(shelf, KEPT, lens), table(shelf, PAST, lens))
    copy_row(shelf[KEPT_UNIT], shelf[UNIT])
