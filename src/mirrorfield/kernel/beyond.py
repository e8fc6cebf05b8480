"""Where the rows are of what a block of people have beyond the plain loop: serving, habituation, the lens, sessions."""

from typing import NamedTuple

from mirrorfield.arrays import S
from mirrorfield.kernel.items import shelf_rows
from mirrorfield.kernel.rows import At, fill


class Also(NamedTuple):
    """Where the rows are of every other mechanism; K arms, C categories."""

    label_mean: slice  # S K
    label_std: slice  # S K
    odds: slice  # K, of what is served
    opened: slice  # K, whether an arm may be shown
    tilt: slice  # K, what the context adds to the logits
    recent: slice  # K, the session memory
    start_recent: slice  # K, the same when the session began
    held: slice  # C
    found: slice  # C, whether anything of a category was retrieved
    odds_total: int
    share: int
    fullest: int
    rest: int
    swapped: int  # whether the partner's feed chooses
    heard: int  # whether the reaction is seen
    leaning: int  # intentionality, as nudged
    level: int  # intensity of the arm shown
    floor: int
    start_floor: int
    felt: int  # mean reaction to all posts
    felt_lost: int
    seen: int  # reactions that the recommender saw
    reacted: int
    reward: int
    rated: int
    label_noise: int
    recent_total: int
    start_recent_total: int
    quality: int  # of the item shown
    start: int  # state when the session began
    beta: int
    mean_k1: int
    away: int  # log-ratio to the reference
    post_ratio: int
    post_pull: int
    post_weight: int
    peak: slice  # S
    prior_total: slice  # S
    pushed_total: slice  # S
    spread: slice  # S, entropy
    bonus: slice  # S
    value: slice  # S, learned
    moved_value: slice  # S
    own: slice  # K, logits of the state that a session of single posts is seen in
    prior: slice  # S K, weights of the policy that a session is shown under
    log_policy: slice  # S K
    log_old: slice  # S K
    log_reference: slice  # S K
    ratio: slice  # S K
    pull: slice  # S K
    pushed: slice  # S K
    shelf: slice  # shelf_rows, of the items
    meddling: slice  # 4 rows of the words, luck of swap and friction
    labelling: slice  # 4 rows of the words
    picking: slice  # 4 rows of the words
    retrieving: slice  # 4 rows of the words
    acting: slice  # 4 rows of the words
    end: int  # how many rows there are with those of `At`


WORDS = 24


def layout_beyond(arms: int, categories: int, items: int, at: At) -> Also:
    """Return where the rows are for K arms of C categories and a corpus of so many items, after those of `at`."""
    tables = ("label_mean", "label_std", "prior", "log_policy", "log_old", "log_reference", "ratio", "pull", "pushed")
    sizes = dict.fromkeys(tables, S * arms)
    sizes |= dict.fromkeys(("odds", "opened", "tilt", "recent", "start_recent", "own"), arms)
    sizes |= dict.fromkeys(("held", "found"), categories)
    states = ("peak", "prior_total", "pushed_total", "spread", "bonus", "value", "moved_value")
    sizes |= dict.fromkeys(states, S) | {"shelf": shelf_rows(items, categories)}
    names = ("meddling", "labelling", "picking", "retrieving", "acting")
    words = {name: slice(4 * i, 4 * i + 4) for i, name in enumerate(names, 1)}
    places: Also = fill(Also, sizes, at.end, **words)
    return places
