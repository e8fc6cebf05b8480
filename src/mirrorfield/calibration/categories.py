"""From the labels of events to at most 32 categories, and the incidence of events and categories."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mirrorfield.errors import InputError
from mirrorfield.population.scenario import MAX_NAME

LEAST, MOST = 2, 32
OTHER = "other"


def count_labels(label_sets: Sequence[Sequence[str]], events: NDArray[np.int64]) -> dict[str, int]:
    """Return the number of events that carry each label.

    Parameters: label_sets, distinct labels of each set; events, int64, those of each set.

    >>> count_labels([("a", "b"), ("b",)], np.array([1, 2]))
    {'a': 1, 'b': 3}
    """
    count: dict[str, int] = {}
    for labels, carried in zip(label_sets, events.tolist(), strict=True):
        for label in labels if carried else ():
            count[label] = count.get(label, 0) + carried
    return count


def choose_categories(
    count: Mapping[str, int], limit: int | None, where: str
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the categories in alphabetical order, and the labels merged into "other" with their events.

    With a limit, the limit - 1 most frequent labels stay (ties: alphabetical) and "other" comes last; a label that
    is already called "other" joins it.

    Parameters: count, events per label; limit, 2 to 32 or None; where, what a refusal names. Raises InputError for
    fewer than 2 labels, for more than 32 without a limit, and for a limit out of range.

    >>> choose_categories({"a": 5, "b": 1, "c": 2}, 2, "log.csv")
    (('a', 'other'), {'b': 1, 'c': 2})
    """
    if limit is not None and not LEAST <= limit <= MOST:
        raise InputError(f"--max-categories must be from {LEAST} to {MOST}, got {limit}.")
    if len(count) < LEAST:
        raise InputError(f"{where}: only one category found ({next(iter(count))}); a feed needs at least {LEAST}.")
    if len(count) <= (limit or MOST):
        return _short(sorted(count), where), {}
    if limit is None:
        raise InputError(
            f"{where}: {len(count)} categories found, at most {MOST} can be simulated. --max-categories N merges the "
            f'rarest into "{OTHER}"; if a field lists several labels, name what separates them with --separator.'
        )
    ranked = sorted((label for label in count if label != OTHER), key=lambda label: (-count[label], label))
    kept = sorted(ranked[: limit - 1])
    return (*_short(kept, where), OTHER), {label: count[label] for label in sorted(set(count) - set(kept))}


def _short(names: Sequence[str], where: str) -> tuple[str, ...]:
    for name in names:
        if len(name) > MAX_NAME:
            raise InputError(
                f'{where}: expected categories of at most {MAX_NAME} characters, got "{name[:MAX_NAME]}..." of '
                f"{len(name):,}; give it a shorter name"
            )
    return tuple(names)


def codes_of(label_sets: Sequence[Sequence[str]], names: Sequence[str]) -> list[list[int]]:
    """Return the distinct categories of every label set, in order; the last takes every label that is not named.

    >>> codes_of([("b", "a"), ("c", "d")], ("a", "b", "other"))
    [[0, 1], [2]]
    """
    index = {name: i for i, name in enumerate(names)}
    return [sorted({index.get(label, len(names) - 1) for label in labels}) for labels in label_sets]


def incidence(
    codes: Sequence[Sequence[int]], label_set: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return one entry per pair of an event and one of its categories: event, category, weight.

    Formula: weight = 1 / (number of distinct categories of the event), so that every event weighs 1 in all.

    Parameters: codes, categories of each label set; label_set (E,), the set of every event. Returns int64, int64 and
    float64 arrays (R,), ordered by event.

    >>> [x.tolist() for x in incidence([[0, 1], [1]], np.array([1, 0]))]
    [[0, 1, 1], [1, 0, 1], [1.0, 0.5, 0.5]]
    """
    size_of_set = np.array([len(c) for c in codes], dtype=np.int64)
    flat = np.array([code for c in codes for code in c], dtype=np.int64)
    size = size_of_set[label_set]
    event = np.repeat(np.arange(len(label_set)), size)
    within = np.arange(len(event)) - np.repeat(np.cumsum(size) - size, size)
    start = (np.cumsum(size_of_set) - size_of_set)[label_set]
    return event, flat[np.repeat(start, size) + within], 1.0 / np.repeat(size, size)
