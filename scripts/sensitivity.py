"""What the headline depends on: a global sensitivity analysis, for docs/results/sensitivity.md.

Usage: uv run python scripts/sensitivity.py [--points N] [--users N] [--file FILE.npz] [--picture]
N points of Saltelli's design over the tables, the people and the recommender of scenario `default` cost N (D + 2) runs,
D = 9, one thread. FILE keeps what was run, so that a stopped call goes on and a finished one draws at once. Prints
Markdown; --picture writes docs/assets/sensitivity.png.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import loguniform, sobol_indices, uniform

import mirrorfield as mf
from mirrorfield.metrics.mirrors import wilson
from mirrorfield.report.style import INK, MUTED, styled

PLACE = Path(__file__).parent.parent / "docs" / "assets" / "sensitivity.png"
HEADLINE = ("locked in", "filter-bubble index", "hooked")
BASE = mf.Scenario()
GAIN = np.array([0.6, 1.0, 1.5])
SEED, KEEP_EVERY, RESAMPLES = 1, 100, 999
THRESHOLDS = (0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
Floats = NDArray[np.float64]
FACTORS: dict[str, tuple[Any, str]] = {
    "reactive means": (loguniform(0.5, 2), "times 0.5 to 2"),
    "gain by arousal": (uniform(0, 2), "to the power of 0 (none) to 2"),
    "noise": (loguniform(0.5, 2), "std times 0.5 to 2"),
    "mean of lambda": (uniform(0.25, 0.5), "0.25 to 0.75, Beta(2 m, 2 - 2 m)"),
    "spread of w": (loguniform(0.25, 1), "sigma 0.25 to 1"),
    "moves up": (loguniform(0.5, 2), "times 0.5 to 2"),
    "moves down": (loguniform(0.5, 2), "times 0.5 to 2"),
    "learning rate": (loguniform(0.03, 3), "0.03 to 3"),
    "posts": (loguniform(375, 4 * 1500), "375 to 6,000"),
}


def profile(of: mf.Profile, mean: float, gain: float, noise: float, up: float, down: float) -> mf.Profile:
    """Return a profile with scaled tables; gain is the exponent minus 1 of how reactions grow with arousal."""
    k, by_state = BASE.k, GAIN[:, None] ** gain
    return mf.Profile(
        mean=_rows(mean * by_state * of.table("mean", k)),
        std=_rows(noise * by_state * of.table("std", k)),
        up=_rows(up * of.table("up", k)),
        down=_rows(down * of.table("down", k)),
    )


def _rows(table: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(float, row)) for row in table)


def scenario(x: Floats, users: int) -> mf.Scenario:
    """Return the scenario at a point x, the nine factors in the order of FACTORS."""
    mean, gain, noise, lam, spread, up, down, rate, posts = map(float, x)
    law = {"distribution": "beta", "a": 2 * lam, "b": 2 - 2 * lam}
    w = {"distribution": "lognormal", "sigma": spread}
    return mf.Scenario(
        users=users,
        steps=round(posts),
        policy={"learning_rate": rate},
        population={"intentionality": law, "susceptibility": w},
        reactive=profile(BASE.reactive, mean, gain - 1, noise, up, down),
        intentional=profile(BASE.intentional, 1, 0, noise, up, down),
        record={"steps": 1, "users": 1},
    )


def headline(run: mf.PopulationRun) -> Floats:
    """Return the three figures of the headline, each from 0 to 1."""
    told = run.summary
    return np.array([told["locked_in"], told["filter_bubble"], told["states"]["hooked"]])


def kept(file: Path | None, users: int) -> Callable[[Floats], Floats]:
    """Return the function of points (D, n) that gives the headline at each, (3, n); runs are kept in the file."""
    known: dict[bytes, Floats] = {}
    if file and file.is_file():
        with np.load(file) as stored:
            known = {x.tobytes(): y for x, y in zip(stored["x"], stored["y"], strict=True)}

    def keep() -> None:
        if file:
            x = np.array([np.frombuffer(key) for key in known])
            np.savez(file.with_suffix(".part.npz"), x=x, y=np.array([*known.values()]))
            file.with_suffix(".part.npz").replace(file)

    def run(points: Floats) -> Floats:
        columns = np.ascontiguousarray(points.T)
        for x in columns:
            if x.tobytes() not in known:
                known[x.tobytes()] = headline(mf.simulate(scenario(x, users), threads=1))
                if len(known) % KEEP_EVERY == 0:
                    keep()
        keep()
        return np.array([known[x.tobytes()] for x in columns]).T

    return run


def picture(first: Any, total: Any) -> Figure:
    """Return first-order and total-order indices, one panel for each figure of the headline, with their intervals."""
    y = np.arange(len(FACTORS))
    with styled():
        drawing = Figure(figsize=(7.6, 3.7))
        for place, name in enumerate(HEADLINE):
            axes = drawing.add_subplot(1, 3, place + 1)
            for one, word, shift, color, marker in (
                (total, "total", -0.16, "#0072B2", "o"),
                (first, "alone", 0.16, "#D55E00", "s"),
            ):
                value, low, high = (np.asarray(part)[place] for part in one)
                ends = [np.maximum(value - low, 0), np.maximum(high - value, 0)]
                axes.errorbar(
                    value, y + shift, xerr=ends, fmt=marker, color=color, markersize=4, linewidth=1.1, label=word
                )
            axes.axvline(0, color=MUTED, linewidth=0.8)
            axes.set_title(name, loc="left", color=INK)
            axes.set_ylim(len(FACTORS) - 0.4, -0.6)
            axes.set_yticks(y, list(FACTORS) if place == 0 else [""] * len(FACTORS))
            axes.grid(axis="x")
            axes.grid(visible=False, axis="y")
            axes.set_xlabel("share of the variance")
        drawing.subplots_adjust(0.17, 0.14, 0.985, 0.82, wspace=0.1)
        handles, names = drawing.axes[0].get_legend_handles_labels()
        drawing.legend(handles, names, frameon=False, loc="upper right", ncols=2)
    return drawing


def parts(repeats: int) -> mf.Scenario:
    """Return the default with every category in `repeats` equal parts, so that K grows and the tables stay."""
    made = [
        c.model_copy(update={"name": f"{c.name} {i}" if repeats > 1 else c.name})
        for c in BASE.categories
        for i in range(repeats)
    ]
    return _of(made, np.repeat(np.arange(BASE.k), repeats))


def some(*places: int) -> mf.Scenario:
    """Return the default with some of its categories."""
    return _of([BASE.categories[i] for i in places], np.array(places))


def _of(categories: list[mf.Category], places: NDArray[np.int64]) -> mf.Scenario:
    tables = {
        name: mf.Profile(**{part: _rows(of.table(part, BASE.k)[:, places]) for part in ("mean", "std", "up", "down")})
        for name, of in (("reactive", BASE.reactive), ("intentional", BASE.intentional))
    }
    return mf.Scenario(categories=tuple(categories), **tables)


def one_at_a_time(users: int) -> None:
    """Print the headline by the number of categories, and locked in by its threshold, at the default's settings."""
    kinds = {
        "threat, depth": some(0, 3),
        "threat, validation, depth": some(0, 2, 3),
        "the default's four": BASE,
        "each of the four in 2 parts": parts(2),
        "each in 4 parts": parts(4),
        "each in 8 parts": parts(8),
    }
    print("\n| categories | K | " + " | ".join(HEADLINE) + " | effective categories |\n" + "|---" * 6 + "|")
    for name, one in kinds.items():
        run = mf.simulate(one.model_copy(update={"users": users, "record": mf.Record(users=users, steps=1)}), threads=1)
        told = " | ".join(f"{x:.3f}" for x in headline(run))
        print(f"| {name} | {one.k} | {told} | {run.summary['effective_categories']:.2f} |")
        if one is BASE:
            diet = run.dataset["diet"].values[-1]
    largest = diet.max(axis=1)
    print("\n| locked in: one category above | " + " | ".join(f"{x:g}" for x in THRESHOLDS) + " |")
    print("|---" * (len(THRESHOLDS) + 1) + "|")
    shares = []
    for level in THRESHOLDS:
        count = int((largest > level).sum())
        low, high = (float(x[0]) for x in wilson(np.array([count]), np.array([users])))
        shares.append(f"{100 * count / users:.1f}% [{100 * low:.1f}, {100 * high:.1f}]")
    print("| share of people | " + " | ".join(shares) + " |")


def main() -> None:
    """Run the design, and print what it says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=1024)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--picture", action="store_true")
    asked = parser.parse_args()
    run = kept(asked.file, asked.users)
    laws, seen = [law for law, _ in FACTORS.values()], []

    def watched(points: Floats) -> Floats:
        seen.append(run(points))
        return seen[-1].copy()  # sobol_indices centres in place

    found = sobol_indices(func=watched, n=asked.points, dists=laws, rng=np.random.default_rng(SEED))
    ends = found.bootstrap(n_resamples=RESAMPLES)
    indices = [
        (value, part.confidence_interval.low, part.confidence_interval.high)
        for value, part in ((found.first_order, ends.first_order), (found.total_order, ends.total_order))
    ]
    drawn = np.concatenate(seen[:2], axis=1)
    runs = asked.points * (len(FACTORS) + 2)
    print(f"{runs:,} runs of {asked.users:,} people; {drawn.shape[1]:,} of them are independent points.\n")
    print("| figure | default | 5% | 25% | median | 75% | 95% |\n" + "|---" * 7 + "|")
    at = np.array([1, 1, 1, 0.5, 0.5, 1, 1, 0.1, 1500])
    for name, values, here in zip(HEADLINE, drawn, run(at[:, None])[:, 0], strict=True):
        marks = " | ".join(f"{x:.3f}" for x in np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95)))
        print(f"| {name} | {here:.3f} | {marks} |")
    for place, name in enumerate(HEADLINE):
        print(f"\n| {name} | range | alone | total |\n|---|---|---|---|")
        for d, (factor, (_, told)) in enumerate(FACTORS.items()):
            cells = " | ".join(f"{v[place][d]:.3f} [{a[place][d]:.3f}, {b[place][d]:.3f}]" for v, a, b in indices)
            print(f"| {factor} | {told} | {cells} |")
        print(f"| sum | | {indices[0][0][place].sum():.3f} | {indices[1][0][place].sum():.3f} |")
    one_at_a_time(asked.users * 10)
    if asked.picture:
        picture(*indices).savefig(PLACE, dpi=180, metadata={"Software": None})


if __name__ == "__main__":
    main()
