"""Run a scenario over blocks of users: init, run a chunk, merge what chunks found."""

import threading
from dataclasses import dataclass

import numpy as np

from mirrorfield.errors import InputError
from mirrorfield.kernel import (
    Totals,
    Trace,
    empty_totals,
    empty_trace,
    fold,
    lane_kernel,
    lanes_for,
    merge_totals,
)
from mirrorfield.model.draw import PopulationTables, ProfileTables
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.tables import population_tables, profile_tables
from mirrorfield.streams import U64
from mirrorfield.types import F32Array, IntArray

CHUNK = 2048
MAX_MEAN_REACTION = 1024.0


def recorded_steps(steps: int, count: int) -> IntArray:
    """Return about `count` log-spaced steps from 1 to `steps`, both ends included, int64, without repeats.

    >>> recorded_steps(100, 5).tolist()
    [1, 3, 10, 32, 100]
    """
    if count == 1:
        return np.array([steps], np.int64)
    return np.unique(np.rint(np.geomspace(1, steps, count)).astype(np.int64))


def sampled_users(users: int, count: int) -> IntArray:
    """Return `count` user ids spread evenly over 0 ... users-1 (all of them if there are fewer), int64.

    >>> sampled_users(10, 4).tolist()
    [0, 2, 5, 7]
    """
    count = min(users, count)
    return np.array([i * users // count for i in range(count)], np.int64)


@dataclass(frozen=True)
class Plan:
    """A scenario in the form that a chunk of users needs."""

    scenario: Scenario
    steps: IntArray
    sample: IntArray
    profiles: ProfileTables
    population: PopulationTables


@dataclass
class Part:
    """What a chunk of users leaves behind: the totals over all, and the trace of those in the sample."""

    first_user: int
    users: int
    totals: Totals
    sample: Trace


def plan_run(
    scenario: Scenario, susceptibility: F32Array | None = None, intentionality: F32Array | None = None
) -> Plan:
    """Return the plan of a run; listed users, if given, take the place of drawn ones.

    Raises InputError if the sample would not fit in memory.
    """
    steps = recorded_steps(scenario.steps, scenario.record.steps)
    _check_sample_fits(scenario, len(steps))
    return Plan(
        scenario=scenario,
        steps=steps,
        sample=sampled_users(scenario.users, scenario.record.users),
        profiles=profile_tables(scenario),
        population=population_tables(scenario, susceptibility, intentionality),
    )


def _check_sample_fits(scenario: Scenario, recorded: int) -> None:
    import psutil

    count = min(scenario.users, scenario.record.users)
    needed = 3 * count * (recorded * (4 * scenario.k + 5) + 4 * 5 * scenario.k + 16)
    available = psutil.virtual_memory().available
    if needed > available:
        raise InputError(
            f"record.users: a sample of {count:,} users needs about {needed / 2**30:.1f} GiB of memory and "
            f"{available / 2**30:.1f} GiB is free; ask for at most {count * available // needed:,}"
        )


_buffers = threading.local()


def _buffer(recorded: int, categories: int, users: int) -> Trace:
    key = (recorded, categories, users)
    if getattr(_buffers, "key", None) != key:
        _buffers.key, _buffers.trace = key, empty_trace(*key)
    trace: Trace = _buffers.trace
    return trace


def run_chunk(plan: Plan, first_user: int, users: int) -> Part:
    """Run users first_user ... first_user + users - 1 to the end. Their ids and the plan decide the result.

    Raises InputError if a user's mean reaction is beyond what fixed-point totals can hold.
    """
    scenario = plan.scenario
    lanes = lanes_for(scenario.k)
    blocks = -(-users // lanes)
    trace = _buffer(len(plan.steps), scenario.k, blocks * lanes)
    with np.errstate(over="ignore"):
        lane_kernel(scenario.k).run_users(
            U64(scenario.seed),
            U64(first_user),
            blocks,
            plan.steps,
            np.float32(scenario.policy.learning_rate),
            plan.profiles,
            plan.population,
            trace,
        )
    largest = float(np.abs(trace.mean_reaction[:, :users]).max())
    if largest > MAX_MEAN_REACTION:
        raise InputError(
            f"reactive.mean, susceptibility: expected mean reactions within {MAX_MEAN_REACTION:g} of zero, "
            f"got {largest:g}; use a smaller unit"
        )
    totals = empty_totals(len(plan.steps), scenario.k, scenario.record.bands)
    fold(trace, U64(first_user), users, totals)
    low, high = np.searchsorted(plan.sample, [first_user, first_user + users])
    return Part(first_user, users, totals, _take(trace, plan.sample[low:high] - first_user))


def _take(trace: Trace, columns: IntArray) -> Trace:
    return Trace._make(array[..., columns] for array in trace)


def merge(parts: list[Part]) -> Part:
    """Return the parts of neighbouring or scattered chunks as one; the order they come in does not matter."""
    parts = sorted(parts, key=lambda part: part.first_user)
    totals = parts[0].totals
    for part in parts[1:]:
        totals = merge_totals(totals, part.totals)
    samples = (part.sample for part in parts)
    sample = Trace._make(np.concatenate(arrays, axis=-1) for arrays in zip(*samples, strict=True))
    return Part(parts[0].first_user, sum(part.users for part in parts), totals, sample)
