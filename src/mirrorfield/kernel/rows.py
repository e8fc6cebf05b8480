"""A block of people in rows: one row a quantity, one column a person, and where each quantity is.

A block is one array, float32 (rows, n), so that a crowd of blocks is one array too, and compiled code is given one
array and a table of places instead of a hundred arrays. A person's cell s K + a is the state s that they are in and the
arm a that they are shown; an arm is a category at a rung of intensity.
"""

from typing import Any, NamedTuple

from mirrorfield.arrays import S
from mirrorfield.kernel.jit import lanewise, select, shared
from mirrorfield.kernel.link import LINKED
from mirrorfield.maths import F32, HALF

HOOKED = F32(1.5)
LEAST = F32(-3e38)


class At(NamedTuple):
    """Where the rows are of what people are, what is learned of them, and one post; K arms, C categories."""

    logits: slice  # S K rows, one a cell
    mean: slice  # S K, of the reaction
    std: slice  # S K
    calm_to: slice  # S K, below this luck they are calm next
    hooked_at: slice  # S K, from this luck on they are hooked next
    shown: slice  # K, posts of each arm so far
    weight: slice  # K, of the policy in their state
    susceptibility: slice  # C
    dwell: slice  # S, the long run of their states
    crest: slice  # S, the largest share in each state
    served: slice  # S C, the share of a category in each state
    moves: slice  # S S, how likely each next state is in each state
    state: int  # 0 calm, 1 engaged, 2 hooked
    baseline: int
    baseline_lost: int  # what rounding lost of it
    intentionality: int
    segment: int
    choice: int  # luck of a post
    noise: int
    transition: int
    largest: int  # logit in their state
    total: int  # of the weights
    target: int  # place among the odds that luck points to
    reached: int  # odds of the arms up to one
    arm: int  # what is shown
    cell: int
    gain: int  # advantage
    spare: int
    luck: slice  # 4 rows of the words: of posts to come
    end: int  # how many rows there are


class Places:
    """Hands out places in an array, one after the other."""

    def __init__(self, first: int = 0) -> None:
        self.end = first

    def some(self, count: int) -> slice:
        """Return the place of so many rows."""
        self.end += count
        return slice(self.end - count, self.end)

    def one(self) -> int:
        """Return the place of one row."""
        self.end += 1
        return self.end - 1


def fill(kind: Any, sizes: dict[str, int], first: int, **fixed: Any) -> Any:
    """Return a table of places: those of some rows by their number, the others one row each."""
    places = Places(first)
    found = {
        name: places.some(sizes[name]) if name in sizes else places.one()
        for name in kind._fields
        if name not in fixed and name != "end"
    }
    return kind(**found, **fixed, end=places.end)


def lanes_for(arms: int) -> int:
    """Return how many people share a block: as many as keep its rows in the nearest caches, an even number."""
    return 128 if arms <= 32 else 64


def layout(arms: int, categories: int) -> At:
    """Return where the rows are for K arms of C categories.

    >>> layout(4, 4).state
    99
    """
    cells = dict.fromkeys(("logits", "mean", "std", "calm_to", "hooked_at"), S * arms)
    others = {"shown": arms, "weight": arms, "susceptibility": categories, "dwell": S, "crest": S}
    others |= {"served": S * categories, "moves": S * S}
    places: At = fill(At, cells | others, 0, luck=slice(0, 4))
    return places


def of_state(state: Any, if_calm: Any, if_engaged: Any, if_hooked: Any) -> Any:
    """Return the value that belongs to a person's state."""
    return select(state < HALF, if_calm, select(state > HOOKED, if_hooked, if_engaged))


shared(of_state, *LINKED)


@lanewise
def set_row(x: Any, row: Any) -> None:
    """Set a row to a number."""
    for j in range(len(row)):
        row[j] = x


@lanewise
def sum_rungs(arms: Any, sums: Any) -> None:
    """Set a category's row, (C, n), to the sum over its arms, (K, n), of which each category has as many."""
    rungs = len(arms) // len(sums)
    for i in range(len(sums)):
        row, one = sums[i], arms[i * rungs]
        for j in range(len(row)):
            row[j] = one[j]
        for r in range(1, rungs):
            one = arms[i * rungs + r]
            for j in range(len(row)):
                row[j] = row[j] + one[j]


@lanewise
def copy_row(source: Any, row: Any) -> None:
    """Copy a row."""
    for j in range(len(row)):
        row[j] = source[j]


@lanewise
def copy_rows(source: Any, rows: Any) -> None:
    """Copy rows."""
    for i in range(len(rows)):
        one, row = source[i], rows[i]
        for j in range(len(row)):
            row[j] = one[j]
