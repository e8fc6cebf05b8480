"""A block of people in rows: one row a quantity, one column a person.

All rows of a block are views into one array, so that a crowd of blocks is one array too. A person's cell s K + a is the
state s that they are in and the arm a that they are shown; an arm is a category at a rung of intensity.
"""

from typing import Any, NamedTuple

from mirrorfield.arrays import F32Array, IntArray, S
from mirrorfield.kernel.jit import shared


class Rows(NamedTuple):
    """What a block of n people are, what is learned of them, and one post; K arms, C categories, float32."""

    logits: F32Array  # (S K, n) one row a cell
    mean: F32Array  # (S K, n) of the reaction
    std: F32Array  # (S K, n)
    fall: F32Array  # (S K, n) below this luck they are calm next
    rise: F32Array  # (S K, n) from this luck on they are hooked next
    shown: F32Array  # (K, n) posts of each arm so far
    weight: F32Array  # (K, n) of the policy in their state
    susceptibility: F32Array  # (C, n)
    dwell: F32Array  # (S, n) the long run of their states
    crest: F32Array  # (S, n) the largest share in each state
    state: F32Array  # (n,) 0 calm, 1 engaged, 2 hooked
    baseline: F32Array
    baseline_lost: F32Array  # what rounding lost of it
    intentionality: F32Array
    segment: F32Array
    choice: F32Array  # luck of a post
    noise: F32Array
    transition: F32Array
    largest: F32Array  # logit in their state
    total: F32Array  # of the weights
    target: F32Array  # place among the odds that luck points to
    reached: F32Array  # odds of the arms up to one
    arm: F32Array  # what is shown
    cell: F32Array
    gain: F32Array  # advantage
    spare: F32Array
    words: IntArray  # (4, n) uint32, luck of posts to come


CELL_ROWS, ARM_ROWS, STATE_ROWS, SINGLE_ROWS = 5, 2, 2, 16


def row_count(arms: Any, categories: Any) -> Any:
    """Return how many rows of float32 a block has."""
    return CELL_ROWS * S * arms + ARM_ROWS * arms + categories + STATE_ROWS * S + SINGLE_ROWS


def rows_of(scratch: Any, words: Any, arms: Any, categories: Any) -> Rows:
    """Return the rows in a block's array, float32 (row_count, n), and in the words of its luck, uint32 (4, n)."""
    n = scratch.shape[1]
    end = CELL_ROWS * S * arms
    cells = scratch[:end].reshape(CELL_ROWS, S * arms, n)
    by_arm = scratch[end : end + ARM_ROWS * arms].reshape(ARM_ROWS, arms, n)
    end += ARM_ROWS * arms
    susceptibility = scratch[end : end + categories]
    end += categories
    by_state = scratch[end : end + STATE_ROWS * S].reshape(STATE_ROWS, S, n)
    one = scratch[end + STATE_ROWS * S :]
    return Rows(
        logits=cells[0],
        mean=cells[1],
        std=cells[2],
        fall=cells[3],
        rise=cells[4],
        shown=by_arm[0],
        weight=by_arm[1],
        susceptibility=susceptibility,
        dwell=by_state[0],
        crest=by_state[1],
        state=one[0],
        baseline=one[1],
        baseline_lost=one[2],
        intentionality=one[3],
        segment=one[4],
        choice=one[5],
        noise=one[6],
        transition=one[7],
        largest=one[8],
        total=one[9],
        target=one[10],
        reached=one[11],
        arm=one[12],
        cell=one[13],
        gain=one[14],
        spare=one[15],
        words=words,
    )


shared(row_count, rows_of)
