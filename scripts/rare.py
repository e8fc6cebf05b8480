"""Who ends locked in against their own lambda: is it the person, or their luck? Run them again with other luck.

Usage: uv run python scripts/rare.py [--users 600_000] [--low 0.7] [--high 1]
People have a lambda between low and high. Against it is, if high is 1, to be locked in to another kind than depth, and
otherwise to be locked in to depth. Prints Markdown.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

import mirrorfield as mf
from mirrorfield.api import execute
from mirrorfield.arrays import F32Array, FloatArray
from mirrorfield.kernel import Trace
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.model.profile import blend
from mirrorfield.population.run import plan_run
from mirrorfield.theory.diet import long_run
from mirrorfield.theory.people import moves, table

DEPTH, COPIES, SHOWN = 3, 200, 500
COLUMNS = (
    "people",
    "median lambda",
    "largest w of threat, tribal, validation, median",
    "depth pays most while calm",
    "depth pays most in a feed of one kind",
    "with other luck",
)


def crowd(users: int, low: float, high: float, seed: int) -> mf.Scenario:
    """Return people between two lambdas, everyone kept."""
    lambdas = {"distribution": "uniform", "low": low, "high": high}
    record = {"users": users, "steps": 1}
    return mf.Scenario(users=users, seed=seed, population={"intentionality": lambdas}, record=record)


def run(world: mf.Scenario, w: F32Array | None = None, lam: F32Array | None = None) -> Trace:
    """Return every user's diet at the end, for drawn people or given ones."""
    return execute(plan_run(world, w, lam)).part.sample


def against(trace: Trace, purpose: bool) -> NDArray[np.bool_]:
    """Return who is locked in to another kind than depth, or to depth."""
    diet = trace.diet[-1]
    return np.asarray((np.delete(diet, DEPTH, axis=0).max(axis=0) if purpose else diet[DEPTH]) > LOCKED_IN)


def pays(world: mf.Scenario, w: F32Array, lam: F32Array) -> FloatArray:
    """Return the mean reaction (2, users, K) to a kind: while calm, and in the long run of a feed of that kind."""
    values, k, at = world.model_dump(), world.k, lam.astype(float)[:, None, None]
    one, other = values["reactive"], values["intentional"]
    mean = blend(at, w[:, None].astype(float) * table(one["mean"], k), table(other["mean"], k))
    law = blend(at[..., None], moves(one, k), moves(other, k))
    calm = np.zeros(len(lam), int)
    fed = [(long_run(law[:, :, a], calm) * mean[:, :, a]).sum(axis=1) for a in range(k)]
    return np.stack([mean[:, 0], np.stack(fed, axis=1)])


def main() -> None:
    """Print those who are locked in against their lambda, beside all people with such a lambda."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=600_000)
    parser.add_argument("--low", type=float, default=0.7)
    parser.add_argument("--high", type=float, default=1.0)
    asked = parser.parse_args()
    purpose = asked.high == 1
    world = crowd(asked.users, asked.low, asked.high, 1)
    trace = run(world)
    w, lam = np.ascontiguousarray(trace.susceptibility.T), trace.intentionality
    those = np.flatnonzero(against(trace, purpose))
    print(f"{len(those):,} of {len(lam):,} people with a lambda of {asked.low:g} to {asked.high:g}\n")
    print(f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|", sep="\n")
    for name, group in (("locked in against it", those), ("all", np.arange(len(lam)))):
        few = np.random.default_rng(1).choice(group, min(SHOWN, len(group)), replace=False)
        its, at = np.ascontiguousarray(w[few]), np.ascontiguousarray(lam[few])
        anew = run(crowd(COPIES * len(few), asked.low, asked.high, 2), its.repeat(COPIES, axis=0), at.repeat(COPIES))
        largest = np.median(np.delete(its, DEPTH, axis=1).max(axis=1))
        calm, fed = (pays(world, its, at).argmax(axis=2) == DEPTH).mean(axis=1)
        same = against(anew, purpose).mean()
        print(f"| {name} | {np.median(at):.3f} | {largest:.2f} | {calm:.1%} | {fed:.1%} | {same:.2%} |", flush=True)


if __name__ == "__main__":
    main()
