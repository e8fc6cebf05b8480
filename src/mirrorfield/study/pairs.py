"""Every person of a base beside themselves in other runs, block by block, so that memory does not grow with people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mirrorfield.api import run_part
from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.errors import InputError
from mirrorfield.execution.blocks import blocks_of, run_blocks
from mirrorfield.execution.pools import load_kernel
from mirrorfield.execution.threads import available_threads, thread_pool
from mirrorfield.kernel import FEED_UNIT, Trace
from mirrorfield.metrics.concentration import filter_bubble
from mirrorfield.metrics.escalation import induced_shift
from mirrorfield.metrics.outcomes import category_of, deliberate_value, user_outcomes
from mirrorfield.metrics.paired import PairedSums, moves
from mirrorfield.population.run import LEAST_BLOCK, Part, Plan, block_size, columns_of, new_trace
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.worlds import AnyScenario

OF_A_CROWD = "filter_bubble"
"""The metric that needs everyone's mean diet first, so that a block cannot find each person's part of it."""
MOST_PEOPLE, TRACE_BYTES = 2**14, 2**26


def check_paired(base: AnyScenario, name: str, arm: AnyScenario, parts: Sequence[str]) -> None:
    """Raise InputError unless an arm has these parts of the base, without which people are not who they are there."""
    for part in parts:
        if getattr(arm, part) != getattr(base, part):
            raise InputError(
                f"compare: {name}: expected the base's {part}, or users could not be paired with themselves; "
                f"change {part} in the base"
            )


@dataclass
class Pairs:
    """People of a base beside themselves in arms: exact sums by arm and metric, and who moved, (K, K) for every arm.

    samples: traces of the sampled people among them; crowds: everyone's diets added up, (K,), and the entropies of
    these, in units of 2**-24; each of the base and then of every arm.
    """

    first_user: int
    users: int
    sums: list[dict[str, PairedSums]]
    moves: list[IntArray]
    samples: list[Trace]
    crowds: list[IntArray]

    def filter_bubble(self, arm: int) -> float:
        """Return the filter-bubble index of everyone, in the base for 0 and in the arms from 1 on."""
        *diets, entropies = self.crowds[arm].tolist()
        return filter_bubble(np.array(diets) / sum(diets), entropies * FEED_UNIT / self.users)


def outcomes(scenario: Scenario, trace: Trace, base: Trace, steps: IntArray, ids: IntArray) -> dict[str, FloatArray]:
    """Return every metric of every person of a trace, {name: float64 (n,)}; base, the trace of the same people there.

    Parameters: steps recorded; ids that decide ties between categories, (n,).
    """
    found = user_outcomes(trace, steps, ids, [category.name for category in scenario.categories])
    worth = scenario.intentional.table("mean", scenario.k)
    found["deliberate_value"] = deliberate_value(trace.served, trace.time_in_state, worth)
    found["induced_shift"] = induced_shift(trace.diet.transpose(0, 2, 1), base.diet.transpose(0, 2, 1))
    return found


def pair_everyone(
    base: Plan,
    arms: Sequence[Plan],
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    block: int | None = None,
) -> Pairs:
    """Run a base and its arms on the same people, a block of them at a time, and return what pairs them all.

    Sums are exact, so neither blocks nor threads change a byte. Parameters: base and arms, plans that keep all people,
    of scenarios that agree in users, steps, seed, record and categories, none with a shared recommender; threads,
    default one per processor; progress, called with people run, 1 + arms times for each; block, people at a time,
    default by size (an even number, if posts are swapped between pairs of people).
    """
    plans, scenario, threads = (base, *arms), base.scenario, threads or available_threads()
    table = np.zeros((scenario.k, scenario.k), np.int64)
    samples = [new_trace(plan.scenario, len(plan.steps), len(plan.sample)) for plan in plans]
    crowds: list[IntArray] = [np.zeros(scenario.k + 1, np.int64) for _ in plans]
    found = Pairs(0, 0, [{} for _ in arms], [table.copy() for _ in arms], samples, crowds)
    todo = blocks_of(scenario.users, block or _block(base))
    with thread_pool(base, threads) as pool:
        for plan in plans:
            load_kernel(plan)
        for part in run_blocks(pool, plans, todo, lambda: threads, arguments=(progress,), run=run_pairs):
            _take(found, part, base.sample)
    return found


def _block(plan: Plan) -> int:
    """Return people per block: as for a run, and few enough that a trace of them all is small."""
    scenario = plan.scenario
    each = 4 * len(plan.steps) * (2 * scenario.k + 6) + 32 * scenario.arms
    fitting = max(LEAST_BLOCK, min(MOST_PEOPLE, TRACE_BYTES // each) // LEAST_BLOCK * LEAST_BLOCK)
    return min(block_size(scenario), fitting)


def run_pairs(
    plans: tuple[Plan, ...], first_user: int, users: int, progress: Callable[[int], None] | None = None
) -> Pairs:
    """Run a block of people under a base and every arm, and return what pairs them."""
    base, *arms = plans
    ids = np.arange(first_user, first_user + users)
    part = run_part(base, first_user, users, progress)
    everyone = _kept(part.table)
    mine = outcomes(base.scenario, everyone, everyone, base.steps, ids)
    category = category_of(everyone.diet[-1].T, ids)
    found = Pairs(first_user, users, [], [], [part.sample], [_crowd(part)])
    for arm in arms:
        part = run_part(arm, first_user, users, progress)
        trace = _kept(part.table)
        others = outcomes(arm.scenario, trace, everyone, arm.steps, ids)
        both = [metric for metric in mine if metric in others and metric != OF_A_CROWD]
        found.sums.append({metric: PairedSums.of(mine[metric], others[metric]) for metric in both})
        found.moves.append(moves(category, category_of(trace.diet[-1].T, ids), arm.scenario.k))
        found.samples.append(part.sample)
        found.crowds.append(_crowd(part))
    return found


def _crowd(part: Part) -> IntArray:
    """Return everyone's diets after the last post added up, (K,), and then their entropies."""
    return np.append(part.totals.category_feed[-1].sum(axis=0), part.totals.category_entropy[-1].sum())


def _kept(table: Trace | None) -> Trace:
    if table is None:
        raise ValueError("plan: expected keep_all, so that a block has the trace of everyone in it")
    return table


def _take(whole: Pairs, part: Pairs, sample: IntArray) -> None:
    for sums, more in zip(whole.sums, part.sums, strict=True):
        for metric, some in more.items():
            sums[metric] = sums[metric] + some if metric in sums else some
    for table, counts in zip((*whole.moves, *whole.crowds), (*part.moves, *part.crowds), strict=True):
        table += counts
    place = columns_of(sample, part.first_user, part.first_user + part.users)
    for trace, piece in zip(whole.samples, part.samples, strict=True):
        for array, columns in zip(trace, piece, strict=True):
            array[..., place] = columns
    whole.users += part.users
