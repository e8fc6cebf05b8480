"""Measure mirrorfield beside other simulators and environments, in one run, each on one core, as context.

Usage: uv run --extra gym python bench/context.py [--rounds 5] [--only loop feed cartpole ...]

They take turns on one core; time is processor time, without importing, compiling and making people or environments
ready. No two of them do the same, so the table says what one step does, and there are ratios only where both sides can
be told apart in a sentence: the ways to bring a rule to mirrorfield against its built-in loop, and environments against
Gymnasium's own vector. Packages that do not go together with this one run by `uv run` with a Python and versions of
their own, which uv downloads; what does not start is skipped, with its last error.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

SCRIPT = Path(__file__).with_name("context_peer.py")


def packages(python: str, *names: str) -> list[str]:
    """Return the command for a Python with these packages and nothing else."""
    return [
        "uv",
        "run",
        "--isolated",
        "--no-project",
        "--python",
        python,
        *(f"--with={name}" for name in names),
        "python",
    ]


CONTEXT = "These are contexts, not rankings: no two of the programs do the same in a step."
HERE = [sys.executable]
ENVPOOL = packages("3.11", "envpool==1.2.5", "gymnasium==1.4.0", "numpy==2.4.6")
PUFFERLIB = packages("3.11", "pufferlib==1.0.1", "psutil==7.2.2", "filelock==4.3.1")
TRECS = packages("3.8", "trecs==0.2.1", "numpy==1.22.4")
RECSIM = packages(
    "3.8",
    "recsim_ng==0.1.2",
    "tensorflow==2.8.4",
    "tensorflow-probability==0.16.0",
    "edward2==0.0.2",
    "scipy==1.7.3",
    "numpy==1.22.4",
    "gym==0.26.2",
)


class Peer(NamedTuple):
    """A row: its name, the command of its Python, what one step does, and the row whose speed it is compared with."""

    name: str
    python: list[str]
    step: str
    against: str | None


ROWS = {
    "loop": Peer(
        "mirrorfield, plain loop",
        HERE,
        "a person with a softmax policy of their own over 4 categories is shown a post and reacts; their arousal moves "
        "and their policy learns. Everybody's figures are folded at 27 of 200 steps; 100,000 people",
        "loop",
    ),
    "rule": Peer(
        "mirrorfield, the learner as a compiled rule", HERE, "the same, the rule in three lines of Python", "loop"
    ),
    "arrays": Peer(
        "mirrorfield, the learner as a class in NumPy",
        HERE,
        "the same in float64, every probability checked; 10,000 people",
        "loop",
    ),
    "recsim-ng": Peer(
        "RecSim NG, ecosystem simulation",
        RECSIM,
        "a user is shown 3 of 400 documents, those nearest to their interests and of providers with few clicks. They "
        "choose one and draw a utility. The documents are drawn anew, more from providers with many clicks. Interests "
        "do not change and the recommender sees them; it counts clicks. Utilities are summed, and of other variables "
        "the last value is kept; 2,000 users, a TensorFlow graph",
        None,
    ),
    "popularity": Peer(
        "T-RECS, `PopularityRecommender`",
        TRECS,
        "all 1,250 items are scored and a user is shown the 10 with most clicks, ties at random. They click the first, "
        "because by default all items are worth 0 to them. Clicks are counted; nothing is recorded; 1,000 users",
        None,
    ),
    "content": Peer(
        "T-RECS, `ContentFiltering`",
        TRECS,
        "1,250 items with 20 attributes are scored. A user clicks what they like best of the 10 shown, and their "
        "profile is fitted anew to all their clicks by non-negative least squares; nothing is recorded; 1,000 users",
        None,
    ),
    "feed": Peer(
        "mirrorfield, `Feed-v0` as a vector",
        HERE,
        "a person reacts to the arm of a random action and their arousal moves; an observation of 14 numbers. Nothing "
        "learns or is recorded; an episode is 1,500 steps",
        "cartpole",
    ),
    "feed-sync": Peer(
        "mirrorfield, `SyncVectorEnv` of `Feed-v0`", HERE, "the same, an object for each person", "cartpole"
    ),
    "cartpole": Peer(
        "Gymnasium, vector CartPole",
        HERE,
        "a cart moves by one Euler step in NumPy; an observation of 4 numbers. Under random actions an episode is "
        "about 23 steps",
        "cartpole",
    ),
    "cartpole-sync": Peer(
        "Gymnasium, `SyncVectorEnv` of CartPole", HERE, "the same, an object for each cart", "cartpole"
    ),
    "envpool": Peer("EnvPool, CartPole", ENVPOOL, "the same in C++, one thread beside the caller's", "cartpole"),
    "pufferlib": Peer(
        "PufferLib, serial vector of CartPole",
        PUFFERLIB,
        "Gymnasium's object for each cart, one shared buffer",
        "cartpole",
    ),
}


class Child:
    """A peer in its own process, which takes turns. Raises RuntimeError, with its last error, if it does not start."""

    def __init__(self, name: str, stack: ExitStack) -> None:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "stderr"
        command = [*ROWS[name].python, str(SCRIPT), name]
        quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        pipe = subprocess.PIPE
        try:
            with log.open("w") as errors:
                self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True, env=quiet)
        except FileNotFoundError as error:
            raise RuntimeError(f"there is no {error.filename}") from None
        stack.callback(self.process.communicate)
        ready = self.process.stdout.readline()
        if not ready:
            lines = [line for line in log.read_text().splitlines() if "rror" in line]
            raise RuntimeError(lines[-1].strip() if lines else "it ended without an error")
        self.ready: dict[str, Any] = json.loads(ready)

    def turn(self) -> float:
        """Return the nanoseconds of processor time of one step, over a turn."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline()) / self.ready["steps"] * 1e9


def table(nanoseconds: dict[str, list[float]]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "| what | what one step does | ns per step | M steps/s (range) | of the loop or of vector CartPole (range) |",
        "|---|---|---|---|---|",
    ]
    for name, taken in nanoseconds.items():
        row, median = ROWS[name], statistics.median(taken)
        speed = ""
        if row.against in nanoseconds and row.against != name:
            speed = spread([base / ns for base, ns in zip(nanoseconds[row.against], taken, strict=True)])
        each = f"{median:.1f}" if median < 100 else f"{median:,.0f}"
        lines.append(f"| {row.name} | {row.step} | {each} | {spread([1e3 / ns for ns in taken])} | {speed} |")
    return "\n".join(lines)


def spread(values: list[float]) -> str:
    """Return a median and its range."""
    return f"{statistics.median(values):#.3g} ({min(values):#.3g} to {max(values):#.3g})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure mirrorfield beside other simulators and environments.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS))
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    children, skipped = {}, {}
    with ExitStack() as stack:
        for name in given.only:
            try:
                children[name] = Child(name, stack)
            except RuntimeError as error:
                skipped[name] = str(error)
        rounds = [{name: child.turn() for name, child in children.items()} for _ in range(given.rounds)]
    print(table({name: [taken[name] for taken in rounds] for name in children}))
    print(f"\n{CONTEXT}\n")
    for name, child in children.items():
        words = ", ".join(f"{package} {number}" for package, number in child.ready["versions"].items())
        found = child.ready["found"]
        print(f"{ROWS[name].name}: {words}" + (f"; mean reaction of 1,000 people {found:.6f}" if found else ""))
    for name, why in skipped.items():
        print(f"Skipped: {ROWS[name].name}: {why}")


if __name__ == "__main__":
    main()
