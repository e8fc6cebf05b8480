"""Whole trajectories: some users of a scenario in either engine, against the same users replayed by the theory."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.engine import arrays
from mirrorfield.kernel import Trace
from mirrorfield.kernel.jit import INTERPRETED
from mirrorfield.population.corpus import load_corpus
from mirrorfield.population.run import plan_run, ready_for, run_block
from mirrorfield.population.scenario import Scenario
from mirrorfield.theory.between import EMPTY, Shelf
from mirrorfield.theory.oracle import Replay, replay
from mirrorfield.validation.claim import Claim, near

NUDGES, LEAST_LANES, PROBED = (1e-4, 1e-6), 8, 2


def traced(scenario: Scenario, first_user: int = 0) -> tuple[Any, Trace]:
    """Return the recorded steps, and the kernel's trace of all users of a scenario.

    As plain Python (MIRRORFIELD_JIT=0) users side by side cost time, so there a block has few.
    """
    lanes = LEAST_LANES if INTERPRETED else None
    plan = plan_run(scenario, keep_all=True)
    trace = run_block(plan, first_user, scenario.users, code=ready_for(scenario, lanes, lens=plan.lens)).table
    assert trace is not None
    return plan.steps, trace


def traced_in_arrays(scenario: Scenario) -> tuple[Any, Trace]:
    """Return the recorded steps, and the arrays engine's trace of all users of a scenario."""
    plan = plan_run(scenario, keep_all=True)
    trace = arrays.run_block(plan, 0, scenario.users).table
    assert trace is not None
    return plan.steps, trace


def shelf_of(scenario: Scenario) -> Shelf:
    """Return a scenario's corpus in the order of its categories."""
    if scenario.retrieval.corpus is None:
        return EMPTY
    corpus = load_corpus(scenario.retrieval.corpus)
    number = np.array([[c.name for c in scenario.categories].index(name) for name in corpus.categories])
    category = number[corpus.category]
    order = np.argsort(category, kind="stable")
    return Shelf(category[order], corpus.quality[order].astype(float), corpus.embedding[order].astype(float))


def told(scenario: Scenario, steps: Any, first_user: int = 0) -> Replay:
    """Return the theory's replay of all users of a scenario."""
    users = range(first_user, first_user + scenario.users)
    return replay(scenario.model_dump(), users, steps.tolist(), shelf_of(scenario))


def first_of(run: Replay, users: int) -> Replay:
    """Return the first users of a replay."""
    series = ("feed", "diet", "state", "mean_reaction", "next_intensity", "intensity", "floor")
    return Replay(run.people[:users], *(getattr(run, name)[:, :users] for name in series))


def _apart(one: Any, other: Any) -> float:
    one, other = np.asarray(one, float), np.asarray(other, float)
    return float((np.abs(one - other) / np.maximum(1, np.abs(other))).max(initial=0.0))


def numbers(run: Replay) -> dict[str, FloatArray]:
    """Return everything of a replay that a trace has too, users last."""
    people = run.people
    return {
        "feed": run.feed.transpose(0, 2, 1),
        "diet": run.diet.transpose(0, 2, 1),
        "mean_reaction": run.mean_reaction,
        "next_intensity": run.next_intensity,
        "intensity": run.intensity,
        "floor": run.floor,
        "logits": run.logits.transpose(1, 2, 0),
        "time_in_state": np.array([person.dwelling() for person in people]).T,
        "susceptibility": np.array([person.w for person in people]).T,
        "intentionality": np.array([person.lam for person in people]),
        "state": run.state,
        "exposures": run.exposures.T,
        "segment": np.array([person.segment for person in people]),
    }


def deviation(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return the largest relative difference of two trajectories; inf if a post or a state is another one."""
    for name in ("state", "exposures", "segment"):
        if not np.array_equal(one[name], other[name]):
            return float("inf")
    return max(_apart(one[name], other[name]) for name in other if np.size(one[name]))


def nudged(scenario: Scenario, path: str, size: float) -> Scenario:
    """Return the scenario with one number a little larger, relative to itself."""
    section, _, name = path.partition(".")
    part = getattr(scenario, section)
    if name.startswith("policy."):
        inner = name.removeprefix("policy.")
        changed = part.policy.model_copy(update={inner: _more(getattr(part.policy, inner), size)})
        return scenario.model_copy(update={section: part.model_copy(update={"policy": changed})})
    return scenario.model_copy(update={section: part.model_copy(update={name: _more(getattr(part, name), size)})})


def _more(value: Any, size: float) -> Any:
    return tuple(_more(one, size) for one in value) if isinstance(value, tuple) else value * (1 + size)


def follows(group: str, text: str, scenario: Scenario, probe: str) -> Claim:
    """Return the claim that an engine follows the theory's replay, and what error of `probe` it would find.

    In the group "arrays" it is the arrays engine, which tells policies and no logits, and otherwise the kernel. The
    theory replays the scenario once more with the number at `probe` larger by 1e-4; how far that moves the replay says
    which relative error of this number, or of what multiplies it, the claim's tolerance leaves room for.
    """
    steps, trace = (traced_in_arrays if group == "arrays" else traced)(scenario)
    run = told(scenario, steps)
    expected = numbers(run)
    if group == "arrays":
        del expected["logits"]
    away = deviation(trace._asdict(), expected)
    words = f"{text}: {scenario.users} users x {scenario.steps} posts, largest relative deviation from the replay"
    claim = near(group, words, away)
    return replace(claim, power=claim.bound * leverage(scenario, probe, run, steps), power_of=f"relative, {probe}")


def leverage(scenario: Scenario, probe: str, run: Replay, steps: Any) -> float:
    """Return the relative change of the number at `probe` per deviation of the replay that it causes.

    A change so large that another post is shown, or that a clip lets go, is no measure: the smaller one counts. Two
    users are replayed again; more could only move further.
    """
    found, few = [], scenario.model_copy(update={"users": PROBED})
    for size in NUDGES:
        moved = deviation(numbers(told(nudged(few, probe, size), steps)), numbers(first_of(run, PROBED)))
        found.append(size / moved if moved > 0 else float("inf"))
    return max(found)


def trajectories(cases: Mapping[str, tuple[Scenario, str]], group: str, users: int) -> Iterator[Claim]:
    """Yield the claim for each of some scenarios, with a number of users unless a scenario needs more."""
    for text, (scenario, probe) in cases.items():
        number = max(users, scenario.users)
        yield follows(group, text, scenario.model_copy(update={"users": number}), probe)
