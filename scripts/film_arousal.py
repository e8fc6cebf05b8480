"""Arousal moves from four films, for the preset `film-arousal` and docs/results/film-arousal.md.

Usage: uv run python scripts/film_arousal.py [--users N] [--draws N] [--data FILE.csv]
Fits up and down to how people moved between thirds of tense arousal while they saw a film, and runs the preset. FILE,
data set `affect` of the R package psychTools as CSV, is not shipped; with it, COUNTS are counted again and compared.
Prints Markdown.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import chi2

import mirrorfield as mf
from mirrorfield.population.scenario import presets

FILMS = ("documentary of a concentration camp", "horror film", "nature film", "comedy")
PAIRS = {"threat, tribal": (0, 1), "validation, depth": (2, 3)}
CUTS = (11.0, 14.0)
"""Tense arousal (TA1, TA2) up to 11 is the lowest third of all 330 people before a film, above 14 the highest."""
POSTS = 10
COUNTS = np.array(
    [
        [[9, 5, 23], [1, 5, 17], [1, 1, 21]],
        [[8, 4, 20], [0, 3, 20], [0, 0, 23]],
        [[19, 8, 6], [6, 7, 7], [5, 10, 17]],
        [[14, 10, 4], [3, 7, 14], [5, 6, 21]],
    ]
)
"""People by film, third before it (row) and third after it (column)."""
SEED = 1
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Moves:
    """up and down per post, the log-likelihood, and G2, the misfit against free 3 x 3 tables (4 degrees of freedom)."""

    up: float
    down: float
    fit: float
    misfit: float


def law(up: float, down: float) -> Floats:
    """Return the law of the next state, (3, 3), as a scenario's `up` and `down` make it."""
    return np.array([[1 - up, up, 0], [down, 1 - up - down, up], [0, down, 1 - down]])


def moves(counts: NDArray[np.int64], posts: int = POSTS) -> Moves:
    """Return the most likely up and down, if a film is `posts` posts that all move people alike.

    Formula: sum_ss' counts[s, s'] ln (P^posts)[s, s'] at its largest, P = law(up, down).
    """

    def shares(z: Floats) -> Floats:
        parts = np.exp(np.append(z, 0) - max(z.max(), 0))
        return np.asarray(parts / parts.sum())

    def loss(z: Floats) -> float:
        up, down, _ = shares(z)
        ends = np.linalg.matrix_power(law(up, down), posts)
        return -float((counts * np.log(np.maximum(ends, 1e-300))).sum())

    options = {"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000}
    starts = [np.log([u, d]) for u, d in ((0.2, 0.05), (0.05, 0.2), (0.05, 0.05))]
    best = min((minimize(loss, z, method="Nelder-Mead", options=options) for z in starts), key=lambda found: found.fun)
    up, down, _ = shares(best.x)
    row = counts.sum(axis=1, keepdims=True)
    free = float(np.where(counts > 0, counts * np.log(np.maximum(counts, 1) / row), 0).sum())
    return Moves(float(up), float(down), -float(best.fun), 2 * (free + float(best.fun)))


def resampled(counts: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return counts of as many people from each third, drawn again with replacement."""
    return np.array([rng.multinomial(row.sum(), row / row.sum()) for row in counts])


def preset(up: Floats, down: Floats, users: int, seed: int = 1) -> mf.Scenario:
    """Return the default with these moves, (K,), in both profiles."""
    base = mf.Scenario(users=users, seed=seed, record={"steps": 1, "users": 1})
    both = {"up": tuple(map(float, up)), "down": tuple(map(float, down))}
    tables = {name: getattr(base, name).model_copy(update=both) for name in ("reactive", "intentional")}
    return base.model_copy(update=tables)


def headline(scenario: mf.Scenario) -> Floats:
    """Return locked in, the filter-bubble index, calm and hooked."""
    told = mf.simulate(scenario, threads=1).summary
    return np.array([told["locked_in"], told["filter_bubble"], told["states"]["calm"], told["states"]["hooked"]])


def counted(file: Path) -> NDArray[np.int64]:
    """Return COUNTS from the data."""
    import pandas as pd

    data = pd.read_csv(file)
    found = np.zeros_like(COUNTS)
    before, after = (np.digitize(data[name], CUTS, right=True) for name in ("TA1", "TA2"))
    np.add.at(found, (data["Film"].to_numpy(int) - 1, before, after), 1)
    return found


def told(value: float, draws: Floats, digits: int = 3) -> str:
    """Return a number with its 95% interval."""
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def print_fits(draws: int) -> dict[str, list[Moves]]:
    """Print up and down by film and by pair of films, and return draws of the pairs'."""
    rng = np.random.default_rng(SEED)
    kinds = {name: COUNTS[i] for i, name in enumerate(FILMS)}
    kinds |= {f"{name}: films {a + 1} and {b + 1}": COUNTS[a] + COUNTS[b] for name, (a, b) in PAIRS.items()}
    print("| film | people | up | down | G2 on 4 df | p |\n" + "|---" * 6 + "|")
    found: dict[str, list[Moves]] = {}
    for name, counts in kinds.items():
        best = moves(counts)
        again = [moves(resampled(counts, rng)) for _ in range(draws)]
        up, down = (told(getattr(best, x), np.array([getattr(one, x) for one in again])) for x in ("up", "down"))
        print(f"| {name} | {counts.sum()} | {up} | {down} | {best.misfit:.1f} | {chi2.sf(best.misfit, 4):.2g} |")
        found[name.split(":")[0]] = [best, *again]
    print()
    for a, b in PAIRS.values():
        apart = 2 * (moves(COUNTS[a]).fit + moves(COUNTS[b]).fit - moves(COUNTS[a] + COUNTS[b]).fit)
        print(f"{FILMS[a]} and {FILMS[b]} alike: likelihood ratio {apart:.2f} on 2 df, p = {chi2.sf(apart, 2):.2g}")
    return found


def main() -> None:
    """Print the fits, then what becomes of the headline."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    if asked.data:
        assert (counted(asked.data) == COUNTS).all(), "the data give other counts"
    found = [pair for name, pair in print_fits(asked.draws).items() if name in PAIRS]

    def tables(draw: int) -> tuple[Floats, Floats]:
        first, second = (pair[draw] for pair in found)
        return (
            np.array([first.up, first.up, second.up, second.up]),
            np.array([first.down, first.down, second.down, second.down]),
        )

    few = asked.users // 20
    spread = np.array([headline(preset(*tables(i), few, 1 + i)) for i in range(1, asked.draws + 1)])
    rows = {"`default`": headline(mf.Scenario(users=asked.users, record={"steps": 1, "users": 1}))}
    values = presets()["film-arousal"] | {"users": asked.users}
    rows["`film-arousal`"] = headline(mf.Scenario.from_values(values))
    rows["reactive profile only"] = headline(
        mf.Scenario.from_values({name: part for name, part in values.items() if name != "intentional"})
    )
    each = [moves(counts) for counts in COUNTS[[1, 0, 3, 2]]]
    rows["a film for each category: horror, documentary, comedy, nature"] = headline(
        preset(np.array([one.up for one in each]), np.array([one.down for one in each]), asked.users)
    )
    for posts in (5, 20, 54):
        both = [moves(COUNTS[a] + COUNTS[b], posts) for a, b in PAIRS.values()]
        up, down = (np.repeat([getattr(one, x) for one in both], 2) for x in ("up", "down"))
        rows[f"a film is {posts} posts"] = headline(preset(up, down, asked.users))
    print("\n| moves of arousal | locked in | filter-bubble index | calm | hooked |\n" + "|---" * 5 + "|")
    for name, values_ in rows.items():
        cells = [told(v, d) if name == "`film-arousal`" else f"{v:.3f}" for v, d in zip(values_, spread.T, strict=True)]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
