"""Run a scenario over blocks of users, and gather what the blocks found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from mirrorfield.arrays import F32Array, IntArray
from mirrorfield.contract import BUILT_IN, Own
from mirrorfield.errors import InputError
from mirrorfield.kernel import (
    Form,
    Lens,
    Ready,
    Scales,
    Totals,
    Trace,
    empty_notes,
    empty_totals,
    empty_trace,
    merge_totals,
    ready,
)
from mirrorfield.model.draw import PopulationTables, ProfileTables
from mirrorfield.policy.rule import Rule
from mirrorfield.population.bounds import MAX_MEAN_REACTION
from mirrorfield.population.lens_tables import lens_of
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.tables import (
    histogram_scales,
    mechanisms_of,
    population_tables,
    profile_tables,
    servings_of,
)
from mirrorfield.streams import U64

WIDTH = 256
CHUNK_STEPS = 2**21
LEAST_BLOCK = 256
MOST_BLOCKS = 4096


def block_size(scenario: Scenario) -> int:
    """Return the users per block: 64 blocks where each then has 2**20 user-steps or more, and 2**26 at most.

    A block is what a thread or a worker does at a time and what a killed run can lose; the result does not depend on
    it. Past 4096 such blocks, blocks grow instead of their number.

    >>> block_size(Scenario(users=10**9, steps=100))
    670976
    """
    users, steps = scenario.users, scenario.steps
    wanted = max(users // 64, 2**20 // steps) // LEAST_BLOCK
    most = max(2**26 // steps // LEAST_BLOCK, -(-users // (MOST_BLOCKS * LEAST_BLOCK)))
    return LEAST_BLOCK * max(1, min(wanted, most))


def whole_pairs(scenario: Scenario, block: int) -> int:
    """Return a block size that keeps users who may be served from each other's feeds together: even, under `swap`."""
    return block + block % 2 if scenario.intervention.swap > 0 else block


def recorded_steps(steps: int, count: int) -> IntArray:
    """Return about `count` log-spaced steps from 1 to `steps`, both ends included, int64, without repeats.

    >>> recorded_steps(100, 5).tolist()
    [1, 3, 10, 32, 100]
    """
    if count == 1:
        return np.array([steps], np.int64)
    return np.array(sorted({_rounded_root(steps**i, count - 1) for i in range(count)}), np.int64)


def _rounded_root(power: int, n: int) -> int:
    """Return power**(1/n) to the nearest whole number, in integers: a step may not depend on a library's last bit."""
    root = 1
    for bit in reversed(range(power.bit_length() // n + 1)):
        if (2 * (root + (1 << bit)) - 1) ** n <= power << n:
            root += 1 << bit
    return root


def sampled_users(users: int, count: int) -> IntArray:
    """Return `count` user ids spread evenly over 0 ... users-1 (all of them if there are fewer), int64.

    >>> sampled_users(10, 4).tolist()
    [0, 2, 5, 7]
    """
    count = min(users, count)
    whole, rest = divmod(users, count)
    ids = np.arange(count, dtype=np.int64)
    return ids * whole + ids * rest // count


@dataclass(frozen=True)
class Plan:
    """A scenario in the form that a block of users needs."""

    scenario: Scenario
    steps: IntArray
    sample: IntArray
    profiles: ProfileTables
    population: PopulationTables
    scales: Scales
    lens: Lens | None = None
    keep_all: bool = False
    own: Own = BUILT_IN


@dataclass
class Part:
    """What a block of users leaves behind: totals over all, the trace of those in the sample, and of all if kept.

    `totals` are of diets at every recorded step, `momentary` of feeds at the last.
    """

    first_user: int
    users: int
    totals: Totals
    momentary: Totals
    sample: Trace
    table: Trace | None = None


def plan_run(
    scenario: Scenario,
    susceptibility: F32Array | None = None,
    intentionality: F32Array | None = None,
    keep_all: bool = False,
) -> Plan:
    """Return the plan of a run; listed users, if given, take the place of drawn ones.

    Raises InputError for what no scenario may hold, however it was made, for listed users that do not fit it, and if
    the sample would not fit in memory.
    """
    Scenario(**scenario.model_dump(exclude_none=True))  # a copy with changes was not checked when it was made
    steps = recorded_steps(scenario.steps, scenario.record.steps)
    _check_sample_fits(scenario, len(steps))
    return Plan(
        scenario=scenario,
        steps=steps,
        sample=sampled_users(scenario.users, scenario.record.users),
        profiles=profile_tables(scenario),
        population=population_tables(scenario, susceptibility, intentionality),
        scales=histogram_scales(scenario),
        lens=lens_of(scenario),
        keep_all=keep_all,
    )


def ready_for(
    scenario: Scenario,
    lanes: int | None = None,
    learner: str | None = None,
    lens: Lens | None = None,
    own: Form | None = None,
) -> Ready:
    """Return the compiled code that runs a scenario, and what it needs beside users; `lens`, if a plan has made it.

    `own`, a rule of somebody's own, learns in place of the scenario's.
    """
    before, after = (Rule(1.0), Rule(1.0)) if own else scenario.rules
    lens = lens or lens_of(scenario)
    return ready(before, scenario.k, lanes, learner, mechanisms_of(scenario), lens, servings_of(scenario), after, own)


def new_trace(scenario: Scenario, recorded: int, users: int) -> Trace:
    """Return a trace with room for `users` users of a scenario."""
    return empty_trace(recorded, scenario.k, users, scenario.intensity.rungs if scenario.extended else 0)


def new_totals(scenario: Scenario, recorded: int) -> Totals:
    """Return totals over nobody, at so many recorded steps of a scenario."""
    return empty_totals(recorded, scenario.k, scenario.record.bands, scenario.extended)


def _check_sample_fits(scenario: Scenario, recorded: int) -> None:
    import psutil

    count = min(scenario.users, scenario.record.users)
    needed = 3 * count * (recorded * (8 * scenario.k + 18) + 4 * 8 * scenario.arms + 28)
    available = psutil.virtual_memory().available
    if needed > available:
        raise InputError(
            f"record.users: a sample of {count:,} users needs about {needed / 2**30:.1f} GiB of memory and "
            f"{available / 2**30:.1f} GiB is free; ask for at most {count * available // needed:,}"
        )


def run_block(
    plan: Plan, first_user: int, users: int, progress: Callable[[int], None] | None = None, code: Ready | None = None
) -> Part:
    """Run users first_user ... first_user + users - 1 to the end. Their ids and the plan decide the result.

    `progress`, if given, is called with the number of users that just finished, some times per block; `code`,
    if given, is what `ready_for` returned for the scenario.
    Raises InputError if what was learned of a user is not finite any more, or if a user's mean reaction is beyond what
    fixed-point totals can hold, and ValueError for a block that begins in the middle of a pair of users.
    """
    if whole_pairs(plan.scenario, first_user) != first_user:
        raise ValueError(f"first_user: expected an even id under intervention.swap, got {first_user}")
    scenario, recorded, end = plan.scenario, len(plan.steps), first_user + users
    code = code or ready_for(scenario, lens=plan.lens, own=plan.own.form)
    totals, momentary = new_totals(scenario, recorded), new_totals(scenario, 1)
    trace, notes = new_trace(scenario, recorded, WIDTH), empty_notes(scenario.k, WIDTH)
    kept_users = np.arange(first_user, end) if plan.keep_all else plan.sample[columns_of(plan.sample, first_user, end)]
    kept = new_trace(scenario, recorded, len(kept_users))
    chunk = max(WIDTH, CHUNK_STEPS // scenario.steps // WIDTH * WIDTH)
    for first in range(first_user, end, chunk):
        count = min(chunk, end - first)
        with np.errstate(over="ignore"):
            largest, flawed = code.run_users(
                U64(scenario.seed),
                U64(first),
                count,
                plan.steps,
                code.task,
                code.start,
                plan.profiles,
                plan.population,
                plan.scales,
                trace,
                notes,
                totals,
                momentary,
                kept_users,
                kept,
                int(np.searchsorted(kept_users, first)),
            )
        _check_finite(first, int(flawed))
        check_mean_reaction(float(largest))
        if progress:
            progress(count)
    if not plan.keep_all:
        return Part(first_user, users, totals, momentary, kept)
    columns = plan.sample[columns_of(plan.sample, first_user, end)] - first_user
    return Part(first_user, users, totals, momentary, Trace._make(array[..., columns] for array in kept), kept)


def _check_finite(first: int, flawed: int) -> None:
    if flawed >= 0:
        raise InputError(
            f"policy: expected finite numbers, got logits or a mean reaction of user {first + flawed} that are not; "
            "the rule's steps grow without bound, so use a smaller learning_rate, value_rate or beta"
        )


def check_mean_reaction(largest: float) -> None:
    """Raise InputError for a mean reaction, up to sign, that fixed-point totals cannot hold."""
    if largest > MAX_MEAN_REACTION:
        raise InputError(
            f"reactive.mean, susceptibility: expected mean reactions within {MAX_MEAN_REACTION:g} of zero, "
            f"got {largest:g}; use a smaller unit"
        )


def columns_of(sample: IntArray, first: int, end: int) -> slice:
    """Return the places of users first ... end - 1 among ids in ascending order."""
    low, high = np.searchsorted(sample, [first, end])
    return slice(int(low), int(high))


def joined(parts: Sequence[Part]) -> Part:
    """Return the parts of adjacent blocks, in order, as one, without the tables of all their users."""
    return Part(
        parts[0].first_user,
        sum(part.users for part in parts),
        reduce(merge_totals, (part.totals for part in parts)),
        reduce(merge_totals, (part.momentary for part in parts)),
        Trace._make(np.concatenate(arrays, axis=-1) for arrays in zip(*(part.sample for part in parts), strict=True)),
    )


class Gathering:
    """The parts of a run that have finished so far, as one; the order they come in does not matter."""

    def __init__(self, plan: Plan) -> None:
        scenario = plan.scenario
        self.plan = plan
        self.users = 0
        self.totals, self.momentary = new_totals(scenario, len(plan.steps)), new_totals(scenario, 1)
        self.sample = new_trace(scenario, len(plan.steps), len(plan.sample))

    def add(self, part: Part) -> None:
        """Take in a part; each user may come once."""
        merge_totals(self.totals, part.totals, out=self.totals)
        merge_totals(self.momentary, part.momentary, out=self.momentary)
        place = columns_of(self.plan.sample, part.first_user, part.first_user + part.users)
        for whole, some in zip(self.sample, part.sample, strict=True):
            whole[..., place] = some
        self.users += part.users

    def whole(self) -> Part:
        """Return what all users left behind; raise ValueError while some are missing."""
        if self.users != self.plan.scenario.users:
            raise ValueError(f"{self.users:,} of {self.plan.scenario.users:,} users have run")
        return Part(0, self.users, self.totals, self.momentary, self.sample)
