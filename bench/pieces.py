"""Where the time of a recorded step goes, piece by piece, and what the number of lanes does.

Usage: uv run python bench/pieces.py [--categories 4] [--rounds 7]
Each compiled piece of recording and folding runs alone, many times over the same 128 or 256 people; the fastest round
counts. The second table has whole runs of 2,048 people and 400 posts in blocks of 64, 128 and 256 lanes, in turn.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from peers_model import wide_scenario

from mirrorfield.kernel import empty_notes, plain, record
from mirrorfield.kernel import fold as folding
from mirrorfield.kernel.jit import aligned_array, entry
from mirrorfield.kernel.rows import set_row, sum_rungs
from mirrorfield.kernel.sound import first_unsound
from mirrorfield.maths import F32
from mirrorfield.population.run import WIDTH, new_totals, new_trace, plan_run, ready_for, run_block
from mirrorfield.streams import U64

TIMES = 2000


@entry
def recorded(rows: Any, at: Any, trace: Any, update: Any, times: int) -> None:
    for _ in range(times):
        plain.record(rows, at, trace, 1, 0, update)


@entry
def softmaxes(rows: Any, at: Any, trace: Any, update: Any, times: int) -> None:
    for _ in range(times):
        for s in range(3):
            set_row(F32(s), rows[at.spare])
            plain.weigh(rows[at.logits], rows[at.spare], rows[at.weight], rows[at.largest], rows[at.total])


@entry
def shares_and_moves(rows: Any, at: Any, trace: Any, update: Any, times: int) -> None:
    n = len(rows[at.weight])
    for _ in range(times):
        for s in range(3):
            calm_to, hooked_at = rows[at.calm_to][s * n : s * n + n], rows[at.hooked_at][s * n : s * n + n]
            record.share_out(rows[at.weight], rows[at.total], calm_to, hooked_at, rows[at.moves][3 * s : 3 * s + 3])
            sum_rungs(rows[at.weight], rows[at.served][s * n : s * n + n])


@entry
def law_of_states(rows: Any, at: Any, trace: Any, update: Any, times: int) -> None:
    for _ in range(times):
        record.dwell_in(rows[at.moves], rows[at.state], rows[at.dwell])


@entry
def diet_and_feed(rows: Any, at: Any, trace: Any, update: Any, times: int) -> None:
    served, end = rows[at.served], rows.shape[1]
    n = len(served) // 3
    for _ in range(times):
        for k in range(n):
            record.mix_category(
                served[k], served[n + k], served[2 * n + k], rows[at.dwell], rows[at.state], rows[at.crest],
                trace.diet[1, k, :end], trace.feed[1, k, :end],
            )  # fmt: skip


@entry
def leaders(rows: Any, at: Any, trace: Any, update: Any, times: int) -> None:
    for _ in range(times):
        record.agree(rows[at.served], rows[at.crest], rows[at.dwell], rows[at.spare])


@entry
def folded(trace: Any, notes: Any, totals: Any, scales: Any, times: int) -> None:
    for _ in range(times):
        folding.fold(trace, trace.diet, trace.intensity, np.int64(0), U64(0), WIDTH, scales, notes, totals)


@entry
def entropy_and_rounding(trace: Any, notes: Any, totals: Any, scales: Any, times: int) -> None:
    for _ in range(times):
        for c in range(len(trace.diet)):
            folding._narrowness(trace.diet[c], WIDTH, notes)


@entry
def leading_category(trace: Any, notes: Any, totals: Any, scales: Any, times: int) -> None:
    for _ in range(times):
        for c in range(len(trace.diet)):
            folding._categories(trace.diet[c], U64(0), WIDTH, notes)


@entry
def second_moments(trace: Any, notes: Any, totals: Any, scales: Any, times: int) -> None:
    for _ in range(times):
        for c in range(len(trace.diet)):
            folding._products(notes.units, WIDTH, totals.feed_product[c])


@entry
def reactions_and_histograms(trace: Any, notes: Any, totals: Any, scales: Any, times: int) -> None:
    for _ in range(times):
        for c in range(len(trace.diet)):
            folding._sums(trace, c, c, WIDTH, scales, notes, totals)


@entry
def counts(trace: Any, notes: Any, totals: Any, scales: Any, times: int) -> None:
    for _ in range(times):
        for c in range(len(trace.diet)):
            folding._counts(trace, c, c, WIDTH, notes, totals)


@entry
def checks(trace: Any, notes: Any, totals: Any, scales: Any, times: int) -> None:
    for _ in range(times):
        first_unsound(trace, WIDTH, notes)


RECORD = (recorded, softmaxes, shares_and_moves, law_of_states, diet_and_feed, leaders)
FOLD = (folded, entropy_and_rounding, leading_category, second_moments, reactions_and_histograms, counts, checks)


def fastest(works: dict[Any, Callable[[], object]], rounds: int) -> dict[Any, float]:
    """Return the processor seconds of each work's fastest round; they take turns, and the first turn compiles."""
    best = dict.fromkeys(works, float("inf"))
    for turn in range(rounds + 1):
        for name, work in works.items():
            began = time.process_time()
            work()
            best[name] = min(best[name], time.process_time() - began if turn else float("inf"))
    return best


def pieces(categories: int, rounds: int) -> None:
    """Print ns per person and recorded step of each piece."""
    plan = plan_run(wide_scenario(16_384, 100, categories))
    task, steps = ready_for(plan.scenario).task, len(plan.steps)
    trace, totals = new_trace(plan.scenario, steps, WIDTH), new_totals(plan.scenario, steps)
    notes, rng, (lanes, at) = empty_notes(categories, WIDTH), np.random.default_rng(1), (task.lanes, task.at)
    rows = aligned_array(task.update.end, lanes)
    rows[:] = 0
    rows[at.logits], rows[at.state] = rng.normal(size=(3 * categories, lanes)), rng.integers(0, 3, lanes)
    rows[at.calm_to], rows[at.hooked_at] = 0.3, 0.7
    for array in trace:
        array[...] = 0
    trace.diet[:] = rng.dirichlet(np.ones(categories), (steps, WIDTH)).swapaxes(1, 2)
    trace.state[:], trace.intentionality[:] = rng.integers(0, 3, (steps, WIDTH)), rng.random(WIDTH)
    trace.feed[:] = trace.diet
    works: dict[Any, Callable[[], object]] = {f: lambda f=f: f(rows, at, trace, task.update, TIMES) for f in RECORD} | {
        f: lambda f=f: f(trace, notes, totals, plan.scales, TIMES // steps) for f in FOLD
    }
    print("| piece | ns per person and recorded step |\n|---|---|")
    for piece, seconds in fastest(works, rounds).items():
        people = lanes * TIMES if piece in RECORD else WIDTH * (TIMES // steps) * steps
        print(f"| {piece.__name__.replace('_', ' ')} | {seconds / people * 1e9:.2f} |")


def lanes_in_turn(rounds: int) -> None:
    """Print ns per user-step by lanes."""
    works: dict[Any, Callable[[], object]] = {}
    for categories in (4, 8, 16, 32):
        plan = plan_run(wide_scenario(2048, 400, categories))
        for lanes in (64, 128, 256):
            code = ready_for(plan.scenario, lanes)
            works[categories, lanes] = lambda plan=plan, code=code: run_block(plan, 0, 2048, code=code)
    found = fastest(works, rounds)
    print("\n| K | 64 lanes | 128 | 256 |\n|---|---|---|---|")
    for k in (4, 8, 16, 32):
        print(f"| {k} | " + " | ".join(f"{found[k, n] / 2048 / 400 * 1e9:.1f}" for n in (64, 128, 256)) + " |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--categories", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    pieces(asked.categories, asked.rounds)
    lanes_in_turn(asked.rounds)


if __name__ == "__main__":
    main()
