"""Flip random bits of everything that the package writes and reads again, and see what it makes of them.

One bit is flipped in one file of a tiny folder, and the folder is read, or continued, as a user does it. Allowed is
an error that names the file, in one line, or the very result that the unflipped folder gives. Anything else counts as
wrong: another value shown as if it were true, a traceback, an error that does not name the file.

    uv run python scripts/bit_flips.py --flips 10000 --seed 1
"""

import argparse
import contextlib
import io
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from mirrorfield.api import execute, execute_together, job_for, prepare, simulate
from mirrorfield.cli.main import main
from mirrorfield.errors import MirrorfieldError, StoppedError
from mirrorfield.population.corpus import corpus_bytes, load_corpus
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.lens_tables import reward_models
from mirrorfield.population.scenario import Scenario
from mirrorfield.result import PopulationRun
from mirrorfield.seal import seal_text
from mirrorfield.store import job
from mirrorfield.store.job import describe_job
from mirrorfield.store.population import read_population
from mirrorfield.store.tables import load_table
from mirrorfield.world.embedding.checkpoint import read_checkpoint
from mirrorfield.world.rlhf.fitted import scenario_with_reward_model

USERS, STEPS, BLOCK = 96, 20, 32
SMALL = EmbeddingScenario(users=40, items={"count": 20}, steps=6, dimension=8)
SWEEP = """scenario = "default"
set = { users = 40, steps = 10 }
[over]
"policy.learning_rate" = { values = [0.1, 0.2, 0.5] }
"""
Reader = Callable[[Path], Any]


class Refused(Exception):
    """What the package said instead of a result."""


class Kind(NamedTuple):
    """A kind of folder and its share of the flips, in per cent.

    make fills a folder, readers return what is read from it, files are those that are flipped, and resumes tells
    whether reading changes the folder, as continuing a run does.
    """

    name: str
    share: int
    make: Callable[[Path], None]
    readers: tuple[Reader, ...]
    files: str = "**/*"
    resumes: bool = False


def command(*words: object) -> str:
    """Return what a command prints; raise Refused with what it says if it exits with 2."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["mirrorfield", *map(str, words)]),
        mock.patch.object(PopulationRun, "report_html", lambda self: "page"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            if end.code == 2:
                raise Refused(err.getvalue().strip()) from None
            if end.code:
                raise RuntimeError(f"exit code {end.code}: {err.getvalue()}") from None
    return out.getvalue()


def asked(reader: Callable[[], Any]) -> Any:
    """Return what a function of the package returns; raise Refused for its refusals."""
    try:
        return reader()
    except MirrorfieldError as error:
        raise Refused(str(error)) from None


def content(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def plain(variable: Any) -> tuple[Any, ...]:
    """Return what a variable holds, as plain values that can be compared."""
    values = variable.to_numpy()
    kept = values.tolist() if values.dtype == object else values.tobytes()
    return variable.dims, values.dtype, kept, repr(variable.attrs)


def table(folder: Path, name: str) -> Any:
    """Return a table as plain values."""
    data = asked(lambda: load_table(folder, name))
    return {str(name): plain(variable) for name, variable in data.variables.items()}, repr(data.attrs)


def scenario(file: Path) -> Scenario:
    return asked(lambda: Scenario.load(file))


def run_in(folder: Path) -> None:
    command("run", "--users", USERS, "--steps", STEPS, "--block", BLOCK, "--keep", "all", "--out", folder / "run")


def job_in(folder: Path) -> None:
    plan = prepare(Scenario(users=USERS, steps=STEPS), None, None, BLOCK, True)
    with contextlib.suppress(StoppedError), job_for(plan, folder / "run", block=BLOCK, command="x") as held:
        execute(held.plan, 1, job=held, stopped=lambda: len(held.done) >= 2)


def sweep_in(folder: Path) -> None:
    (folder / "spec.toml").write_text(SWEEP)
    command("sweep", folder / "spec.toml", "--out", folder / "sweep", "--threads", 1)
    (folder / "spec.toml").unlink()


def sweep_begun(folder: Path) -> None:
    sweep_in(folder)
    shutil.rmtree(folder / "sweep/sweep.zarr")
    (folder / "sweep/SHA256SUMS").unlink()
    (folder / "sweep/points/000002.json").unlink()


def sweep_on(folder: Path) -> Any:
    with tempfile.TemporaryDirectory() as place:
        spec = Path(place) / "spec.toml"
        spec.write_text(SWEEP)
        command("sweep", spec, "--out", folder / "sweep", "--threads", 1)
    return content(folder)


def population_in(folder: Path) -> None:
    rows = [f"u{u},{'ab'[(u + e) % 2]},{(u * 7 + e * 3) % 5},{e}" for u in range(12) for e in range(20)]
    log = folder.with_suffix(".csv")
    log.write_text("who,what,stars,when\n" + "\n".join(rows) + "\n")
    words = ("--user", "who", "--category", "what", "--reaction", "stars", "--time", "when")
    command("fit", log, *words, "--out", folder / "people")


def people(folder: Path) -> Any:
    found = asked(lambda: read_population(folder / "people"))
    return found.susceptibility.tobytes(), found.intentionality.tobytes(), found.categories


def model_in(folder: Path) -> None:
    score = np.random.default_rng(1).normal(size=(5, 3, 4))
    fitted = scenario_with_reward_model(Scenario(), score, folder / "fitted.npy")
    (folder / "fitted.toml").write_text(seal_text(fitted.to_toml()), encoding="utf-8")


def model(folder: Path) -> Any:
    fitted = scenario(folder / "fitted.toml")
    return asked(lambda: reward_models(fitted)).tobytes(), fitted


def corpus_in(folder: Path) -> None:
    (folder / "corpus.npz").write_bytes(corpus_bytes(load_corpus("posts")))


def corpus(folder: Path) -> Any:
    return corpus_bytes(asked(lambda: load_corpus(folder / "corpus.npz")))


def embedding_in(folder: Path) -> None:
    simulate(SMALL, threads=1, out=folder / "out")


def checkpoint_in(folder: Path) -> None:
    looks = iter(range(STEPS))
    with contextlib.suppress(StoppedError):
        execute_together(SMALL, 1, out=folder / "out", stopped=lambda: next(looks) == 3)


def checkpoint(folder: Path) -> Any:
    world, record = asked(lambda: read_checkpoint(folder / "out.checkpoint", SMALL))
    return world.step, world.tower.tobytes(), world.crowd.words.tobytes(), record.feed.tobytes()


def resumed(folder: Path) -> Any:
    """Return the figures and files of a resumed run but result.zarr, which is slow and made of what was taken in."""
    with mock.patch.object(job, "_write_dataset", lambda folder, dataset: (folder / "result.zarr").mkdir()):
        return command("resume", folder / "run", "--threads", 1, "--json"), content(folder)


def shown(name: str) -> tuple[Reader, ...]:
    return (lambda f: command("show", f / name), lambda f: command("show", f / name, "--json"))


KINDS = (
    Kind("run: summary, scenario, list, page", 5, run_in, (*shown("run"), lambda f: scenario(f / "run/scenario.toml")),
         "run/*"),
    Kind("run: result.zarr", 25, run_in, (lambda f: table(f / "run", "result.zarr"),), "run/result.zarr/**/*"),
    Kind("run: users.zarr", 18, run_in, (lambda f: table(f / "run", "users.zarr"),), "run/users.zarr/**/*"),
    Kind("run, begun: shown", 6, job_in, (lambda f: asked(lambda: describe_job(f / "run")),)),
    Kind("run, begun: resumed", 1, job_in, (resumed,), resumes=True),
    Kind("sweep", 10, sweep_in, (lambda f: table(f / "sweep", "sweep.zarr"),)),
    Kind("sweep, begun: continued", 3, sweep_begun, (sweep_on,), resumes=True),
    Kind("sweep, finished: continued", 1, sweep_in, (sweep_on,), resumes=True),
    Kind("population", 10, population_in, (people, lambda f: scenario(f / "people/scenario.toml"))),
    Kind("corpus", 8, corpus_in, (corpus,)),
    Kind("reward model", 5, model_in, (model,)),
    Kind("embedding run", 2, embedding_in, (*shown("out"), lambda f: table(f / "out", "result.zarr"))),
    Kind("embedding checkpoint", 6, checkpoint_in, (checkpoint,)),
)  # fmt: skip


def flip(file: Path, luck: random.Random) -> None:
    """Flip one bit of a file."""
    data = bytearray(file.read_bytes())
    data[luck.randrange(len(data))] ^= 1 << luck.randrange(8)
    file.write_bytes(data)


def outcome(reader: Reader, folder: Path, name: str, expected: Any) -> str:
    """Return what a reader makes of a folder in which the file of this name has a flipped bit."""
    try:
        return "same" if reader(folder) == expected else "WRONG: another value"
    except Refused as said:
        line = str(said)
        named = name.split("/", 1)[-1] in line and "\n" not in line
        return "named" if named else f"WRONG: not named: {line}"
    except Exception:
        return "WRONG: " + traceback.format_exc()


def attack(kind: Kind, place: Path, flips: int, luck: random.Random) -> Counter[str]:
    """Flip bits of a kind of folder, one at a time; return how often each thing came of it."""
    whole, folder = place / "whole", place / "flipped"
    folder.mkdir(parents=True)
    kind.make(folder)
    shutil.copytree(folder, whole)
    found = sorted(path for path in folder.glob(kind.files) if path.is_file() and path.stat().st_size)
    files = [path.relative_to(folder) for path in found]
    expected = [reader(folder) for reader in kind.readers]
    told: Counter[str] = Counter(files=len(files))
    for _ in range(flips):
        if kind.resumes:
            shutil.rmtree(folder)
            shutil.copytree(whole, folder)
        path = luck.choice(files)
        flip(folder / path, luck)
        made = {outcome(r, folder, path.as_posix(), e) for r, e in zip(kind.readers, expected, strict=True)}
        wrong = sorted(made - {"same", "named"})
        for one in wrong:
            print(f"{kind.name}: {path}: {one}", file=sys.stderr)
        told["wrong" if wrong else "named" if "named" in made else "same"] += 1
        if not kind.resumes:
            shutil.copyfile(whole / path, folder / path)
    return told


def attack_all(flips: int, seed: int, only: str = "") -> Iterator[tuple[str, Counter[str]]]:
    """Yield every kind of folder, or those whose name begins with `only`, and what came of its share of the flips."""
    for kind in (kind for kind in KINDS if kind.name.startswith(only)):
        luck = random.Random(f"{seed} {kind.name}")
        with tempfile.TemporaryDirectory() as place:
            yield kind.name, attack(kind, Path(place).resolve() / "x", max(1, flips * kind.share // 100), luck)


def flip_bits() -> None:
    """Read the command line, flip, and print a table; exit with 1 if anything was wrong."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--flips", type=int, default=10_000)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--only", default="", help="kinds of folder whose name begins so")
    given = words.parse_args()
    print("| folder | files | flips | found and named | same result | wrong |\n|---|---:|---:|---:|---:|---:|")
    total: Counter[str] = Counter()
    for name, row in attack_all(given.flips, given.seed, given.only):
        total += row
        tell(name, row)
    tell("all", total)
    sys.exit(total["wrong"] > 0)


def tell(name: str, row: Counter[str]) -> None:
    """Print a row of the table."""
    flips = row["named"] + row["same"] + row["wrong"]
    line = f"| {name} | {row['files']:,} | {flips:,} | {row['named']:,} | {row['same']:,} | {row['wrong']:,} |"
    print(line, flush=True)


if __name__ == "__main__":
    flip_bits()
